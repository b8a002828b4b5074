use super::keys::TextKeys;
use super::value;
use crate::bytes::Block;
use crate::format::kept::{self, FormatId};
use crate::format::{escape, number};
use crate::record::{Field, Record, Span, TakeField};

/// Appends the pieces of a line to a buffer, with or without colors.
pub(super) struct Pen<'b> {
    out: &'b mut Vec<u8>,
    color: bool,
    /// Whether a space is needed before the next piece.
    begun: bool,
    /// The prepared keys of the callsite that the fields belong to.
    keys: &'static TextKeys,
}

impl<'b> Pen<'b> {
    #[inline]
    pub(super) fn new(out: &'b mut Vec<u8>, color: bool, record: &Record<'_>) -> Self {
        Self { out, color, begun: false, keys: TextKeys::of(record.callsite()) }
    }

    #[inline]
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        self.begun = true;
        self.out
    }

    /// Appends text of the format itself, which needs no escaping.
    #[inline]
    pub(super) fn raw(&mut self, text: &str) {
        self.begun = true;
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Like [`raw`](Self::raw), for a length that is known at compile time.
    #[inline]
    pub(super) fn piece<const N: usize>(&mut self, text: &[u8; N]) {
        self.begun = true;
        self.out.extend_from_slice(text);
    }

    /// Appends text of the format itself that is not followed by a space.
    #[inline]
    pub(super) fn open(&mut self, text: &str) {
        self.raw(text);
        self.begun = false;
    }

    /// Appends text of the program, escaped.
    #[inline]
    pub(super) fn plain(&mut self, text: &str) {
        self.begun = true;
        escape::plain(self.out, text);
    }

    /// Appends a space, except at the start of a line.
    #[inline]
    pub(super) fn gap(&mut self) {
        if self.begun {
            self.out.push(b' ');
        }
    }

    /// Starts an indented line, which belongs to the one above.
    pub(super) fn new_line(&mut self) {
        self.out.extend_from_slice(b"\n    ");
        self.begun = false;
    }

    /// Appends what `write` writes, in one style. Styles cannot be nested.
    #[inline]
    pub(super) fn styled(&mut self, style: Style, write: impl FnOnce(&mut Self)) {
        if !self.color {
            return write(self);
        }
        self.out.extend_from_slice(style.0.as_bytes());
        self.color = false;
        write(self);
        self.color = true;
        self.out.extend_from_slice(RESET.as_bytes());
    }

    pub(super) fn dim(&mut self, text: &str) {
        self.styled(Style::DIM, |pen| pen.raw(text));
    }

    /// Appends ` target:` if it is prepared for this callsite and needs no style.
    #[inline]
    pub(super) fn prepared_target(&mut self, record: &Record<'_>) -> bool {
        let Some(target) = self.keys.target().filter(|_| record.has_target_of_callsite() && !self.color) else {
            return false;
        };
        match self.begun {
            true => target.put(self.out),
            false => self.first(target),
        }
        self.begun = true;
        true
    }

    #[cold]
    fn first(&mut self, block: &Block) {
        let start = self.out.len();
        block.put(self.out);
        self.out.remove(start);
    }

    /// Appends the record's fields, `a=1 b=2`, with a space in front of each.
    #[inline(never)]
    pub(super) fn fields(&mut self, record: &Record<'_>) {
        record.fields().hand_to(self);
    }

    /// Appends the fields of a span.
    #[inline(never)]
    pub(super) fn span_fields(&mut self, span: &Span<'_>) {
        let of_record = std::mem::replace(&mut self.keys, TextKeys::of(span.callsite()));
        span.fields().hand_to(self);
        self.keys = of_record;
    }

    /// Appends some of the record's fields.
    pub(super) fn each<'a>(&mut self, fields: impl Iterator<Item = Field<'a>>) {
        fields.for_each(|field| self.take_rarely(field));
    }

    /// Appends a key, such as `error:`.
    pub(super) fn key(&mut self, name: &str) {
        self.styled(Style::ITALIC, |pen| value::name(pen.out(), name));
        self.dim(":");
    }

    /// Appends the record's spans, from the cache or by `write`, whose output must depend only on the spans and this pen.
    #[inline]
    pub(super) fn kept(&mut self, record: &Record<'_>, id: FormatId, write: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        let way = u8::from(self.color) | u8::from(self.begun) << 1;
        match kept::put(record, id, way, self.out) {
            Some(missing) => {
                write(self);
                missing.keep(&self.out[start..]);
            }
            None => self.begun |= self.out.len() > start,
        }
    }

    /// Appends the space, the name and the `=`.
    #[inline(never)]
    fn name(&mut self, name: &str) {
        self.gap();
        if self.color {
            self.out.extend_from_slice(Style::ITALIC.0.as_bytes());
        }
        value::name(self.out, name);
        self.out.extend_from_slice(if self.color { EQUALS_IN_COLOR } else { "=" }.as_bytes());
        self.begun = true;
    }

    /// Appends the position in the source, `src/stock.rs:41`.
    pub(super) fn place(&mut self, file: &str, line: Option<u32>) {
        self.plain(file);
        if let Some(line) = line {
            self.raw(":");
            number::int(self.out, line);
        }
    }

    /// Appends the thread, `main#1`.
    pub(super) fn thread(&mut self, name: Option<&str>, id: Option<u64>) {
        if let Some(name) = name {
            self.plain(name);
        }
        if let Some(id) = id {
            self.raw("#");
            number::int(self.out, id);
        }
    }
}

impl<'a> TakeField<'a> for Pen<'_> {
    #[inline(always)]
    fn take(&mut self, field: Field<'a>) {
        match self.keys.field(&field) {
            Some(key) if self.begun && !self.color => key.put(self.out),
            _ => self.name(field.name),
        }
        value::write(self.out, field.value);
    }

    #[inline(never)]
    fn take_rarely(&mut self, field: Field<'a>) {
        self.take(field);
    }
}

/// A control sequence of ECMA-48 (`SGR`).
#[derive(Clone, Copy)]
pub(super) struct Style(&'static str);

impl Style {
    pub(super) const BOLD: Self = Self("\x1b[1m");
    pub(super) const DIM: Self = Self("\x1b[2m");
    const ITALIC: Self = Self("\x1b[3m");
    pub(super) const RED: Self = Self("\x1b[31m");
    pub(super) const GREEN: Self = Self("\x1b[32m");
    pub(super) const YELLOW: Self = Self("\x1b[33m");
    pub(super) const BLUE: Self = Self("\x1b[34m");
    pub(super) const MAGENTA: Self = Self("\x1b[35m");
    pub(super) const BOLD_RED: Self = Self("\x1b[1;31m");
}

const RESET: &str = "\x1b[0m";
/// Ends the italic style of the name; the `=` is dim.
const EQUALS_IN_COLOR: &str = "\x1b[0m\x1b[2m=\x1b[0m";
