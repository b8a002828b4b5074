use super::options::{LineBreaks, Quoting, Separator};
use crate::Value;
use crate::format::{escape, number};

/// How cells are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellStyle {
    pub(super) separator: Separator,
    pub(super) quoting: Quoting,
    pub(super) line_breaks: LineBreaks,
    pub(super) guard: bool,
}

/// Writes the cells of one row to the end of a buffer.
pub(super) struct Row<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    begun: bool,
    style: CellStyle,
}

impl<'b> Row<'b> {
    pub(super) fn new(out: &'b mut Vec<u8>, style: CellStyle) -> Self {
        Self { start: out.len(), out, begun: false, style }
    }

    /// Ends the row. A row of one empty cell would be an empty line, which readers skip, so it gets quotes.
    pub(super) fn end(self) {
        if self.out.len() == self.start {
            self.out.extend_from_slice(b"\"\"");
        }
    }

    pub(super) fn value(&mut self, value: Option<Value<'_>>, scratch: &mut Vec<u8>) {
        match value {
            None => self.literal(|_| {}),
            Some(Value::Bool(true)) => self.literal(|out| out.extend_from_slice(b"true")),
            Some(Value::Bool(false)) => self.literal(|out| out.extend_from_slice(b"false")),
            Some(Value::I64(value)) => self.number(|out| number::signed(out, value)),
            Some(Value::U64(value)) => self.number(|out| number::unsigned(out, value)),
            Some(Value::I128(value)) => self.number(|out| number::int(out, value)),
            Some(Value::U128(value)) => self.number(|out| number::int(out, value)),
            Some(Value::F64(value)) => self.number(|out| number::float(out, value)),
            Some(Value::Str(value) | Value::Text(value)) => self.text(value),
            Some(Value::Bytes(value)) => self.made(scratch, |out| escape::hex(out, value)),
            Some(Value::Error(chain)) => self.joined(scratch, ": ", chain.messages()),
            Some(Value::Json(value)) => self.made(scratch, |out| escape::nested_json(out, value)),
        }
    }

    /// Writes a number, which needs no escaping.
    pub(super) fn number(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.cell(self.style.quoting == Quoting::All, write);
    }

    /// Writes anything else that needs no escaping.
    pub(super) fn literal(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.cell(self.style.quoting != Quoting::Minimal, write);
    }

    /// Writes a text that the program logged.
    pub(super) fn text(&mut self, text: &str) {
        match self.style.line_breaks {
            LineBreaks::Escaped => self.guarded(text, escape::cell),
            LineBreaks::Kept => self.guarded(text, escape::cell_of_lines),
        }
    }

    /// Writes texts with `between` between them: `outer: inner: root`, `request:query`.
    pub(super) fn joined<'a>(&mut self, scratch: &mut Vec<u8>, between: &str, texts: impl Iterator<Item = &'a str>) {
        scratch.clear();
        for (index, text) in texts.enumerate() {
            if index > 0 {
                scratch.extend_from_slice(between.as_bytes());
            }
            scratch.extend_from_slice(text.as_bytes());
        }
        self.text(&String::from_utf8_lossy(scratch));
    }

    /// Writes a text that `write` has already escaped in a notation of its own.
    pub(super) fn made(&mut self, scratch: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        scratch.clear();
        write(scratch);
        // Borrowed: it is UTF-8.
        self.guarded(&String::from_utf8_lossy(scratch), escape::made_cell);
    }

    fn guarded(&mut self, text: &str, write: fn(&mut Vec<u8>, &str)) {
        let guard = self.style.guard && could_be_formula(text);
        let quoted = self.style.quoting != Quoting::Minimal || needs_quotes(text, self.style.separator.byte());
        self.cell(quoted, |out| {
            if guard {
                out.push(GUARD);
            }
            write(out, text);
        });
    }

    fn cell(&mut self, quoted: bool, write: impl FnOnce(&mut Vec<u8>)) {
        if self.begun {
            self.out.push(self.style.separator.byte());
        }
        self.begun = true;
        if quoted {
            self.out.push(b'"');
        }
        write(self.out);
        if quoted {
            self.out.push(b'"');
        }
    }
}

/// Spaces at the ends are part of the cell (RFC 4180, 2.4), but many readers remove them.
fn needs_quotes(text: &str, separator: u8) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return true };
    let special = |byte: &u8| *byte == separator || matches!(byte, b'"' | b'\n' | b'\r');
    *first == b' ' || *last == b' ' || bytes.iter().any(special)
}

/// Whether a spreadsheet might compute it. A text that already begins with guards counts as well, so that a reader that removes one
/// guard from each cell that could be a formula gets what was logged.
fn could_be_formula(text: &str) -> bool {
    let text = text.trim_start_matches(char::from(GUARD));
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}

/// In front of a cell, it tells spreadsheets that the cell is a text.
const GUARD: u8 = b'\'';
