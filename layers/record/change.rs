//! Changes a record in one pass.

use super::encoding::{self, Entry, HEADER, HeadMut, Name, Reader, Slot, SpanHead};
use super::{Field, Record, Span, Value};

/// Decides how to change each part of a record: [`RecordBuf::change`](super::RecordBuf::change) calls it once for each.
///
/// A returned value may borrow from the implementor, so that a buffer kept there can be reused for every part.
///
/// ```
/// use tracing_handlers::record::{Change, Field, Span};
/// use tracing_handlers::{FieldChange, RecordBuf, Severity, Value};
///
/// /// Shouts.
/// struct Upper(String);
///
/// impl Change for Upper {
///     fn field<'s>(&'s mut self, _span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
///         let Value::Str(text) = field.value else { return FieldChange::Keep };
///         self.0.clear();
///         self.0.extend(text.chars().map(|char| char.to_ascii_uppercase()));
///         FieldChange::Set(Value::Str(&self.0))
///     }
/// }
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("to", "ada").with_field("pieces", 3_u64);
/// assert!(record.change(&mut Upper(String::new())));
/// assert_eq!(record.as_record().field("to").unwrap().as_str(), Some("ADA"));
/// ```
pub trait Change {
    /// Returns the new message, or `None` to keep it. Not called if the record has no message.
    fn message<'s>(&'s mut self, message: &'s str) -> Option<&'s str> {
        let _ = message;
        None
    }

    /// Decides how to change a field of the event (`None`) or of one of its spans.
    fn field<'s>(&'s mut self, span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
        let _ = (span, field);
        FieldChange::Keep
    }

    /// Adds fields after those of the event (`None`) or of a span; `record` is the unchanged record.
    fn add(&mut self, record: &Record<'_>, span: Option<&Span<'_>>, fields: &mut NewFields<'_>) {
        let _ = (record, span, fields);
    }

    /// Whether to keep the span.
    fn keeps_span(&mut self, span: &Span<'_>) -> bool {
        let _ = span;
        true
    }

    /// Returns the new value of another text that the record itself contains, or `None` to keep it: the thread's name; and, unless
    /// they come from a callsite of this program, target, name, module and file, and the names and targets of spans.
    fn text<'s>(&'s mut self, text: &'s str) -> Option<&'s str> {
        let _ = text;
        None
    }
}

/// How to change a field: see [`Change::field`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FieldChange<'a> {
    /// Keeps the field.
    Keep,
    /// Removes the field.
    Remove,
    /// Keeps the name and sets this value.
    Set(Value<'a>),
    /// Keeps the value and sets this name.
    Rename(&'a str),
}

/// Receives the fields of [`Change::add`].
pub struct NewFields<'o>(&'o mut Vec<u8>);

impl std::fmt::Debug for NewFields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewFields")
    }
}

impl NewFields<'_> {
    /// Adds a field.
    pub fn push<'v>(&mut self, name: &str, value: impl Into<Value<'v>>) {
        encoding::put_field(self.0, Name::Inline(name), value.into());
    }

    /// Adds what [`encoded`](Self::encoded) returned.
    pub(crate) fn push_encoded(&mut self, fields: &[u8]) {
        self.0.extend_from_slice(fields);
    }

    /// Returns a field as encoded in records.
    pub(crate) fn encoded(name: &str, value: Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        NewFields(&mut out).push(name, value);
        out
    }
}

/// A closure that changes fields, for `change_fields`.
pub(super) struct OfFields<'c, F> {
    change: F,
    lifetime: std::marker::PhantomData<&'c ()>,
}

impl<'c, F: FnMut(Option<&Span<'_>>, &Field<'_>) -> FieldChange<'c>> OfFields<'c, F> {
    pub(super) fn new(change: F) -> Self {
        Self { change, lifetime: std::marker::PhantomData }
    }
}

impl<'c, F: FnMut(Option<&Span<'_>>, &Field<'_>) -> FieldChange<'c>> Change for OfFields<'c, F> {
    fn field<'s>(&'s mut self, span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
        (self.change)(span, field)
    }
}

/// Writes the changed record to `out`. Returns `false` if nothing changed; `out` is then not usable.
pub(super) fn write(old: &Record<'_>, out: &mut Vec<u8>, change: &mut impl Change) -> bool {
    let mut done = Done::default();
    out.extend_from_slice(&old.raw()[..HEADER]);
    let message = match old.has_message() {
        true => put_message(out, old.message(), change, &mut done),
        false => Slot::NONE,
    };
    write_fields(out, old, None, change, &mut done);
    let fields_end = out.len();
    let before_spans = done;
    for span in old.spans() {
        write_span(out, old, &span, change, &mut done);
    }
    let spans_end = out.len();
    let same_spans = done == before_spans;
    let head = old.head();
    let texts = [head.thread_name(), head.target(), head.module_path(), head.file(), head.name()];
    let texts = texts.map(|slot| match slot.read(old.raw()) {
        Some(text) => put_slot(out, text, change, &mut done),
        None => slot,
    });
    let Some(mut head) = HeadMut::of(out).filter(|_| done != Done::default()) else { return false };
    head.set_as_captured(old.is_as_captured() && !done.otherwise);
    if !same_spans {
        head.set_spans_version(0);
    }
    head.set_message(message);
    head.set_fields_end(fields_end);
    head.set_spans_end(spans_end);
    let [thread_name, target, module_path, file, name] = texts;
    head.set_thread_name(thread_name);
    head.set_target(target);
    head.set_module_path(module_path);
    head.set_file(file);
    head.set_name(name);
    encoding::end_at(out, fields_end, spans_end);
    true
}

/// What has changed so far.
#[derive(Clone, Copy, Default, PartialEq)]
struct Done {
    /// The number of changed values, including the message. Formats rely on names, not on these.
    values: usize,
    /// Whether names, texts, or the set of fields and spans changed.
    otherwise: bool,
}

fn put_message(out: &mut Vec<u8>, message: &str, change: &mut impl Change, done: &mut Done) -> Slot {
    let text = match change.message(message) {
        Some(text) => {
            done.values += 1;
            text
        }
        None => message,
    };
    encoding::put_aside(out, 0, |out| out.extend_from_slice(text.as_bytes()))
}

fn put_slot(out: &mut Vec<u8>, text: &str, change: &mut impl Change, done: &mut Done) -> Slot {
    let text = match change.text(text) {
        Some(text) => {
            done.otherwise = true;
            text
        }
        None => text,
    };
    encoding::put_slot(out, 0, text)
}

fn write_span(out: &mut Vec<u8>, old: &Record<'_>, span: &Span<'_>, change: &mut impl Change, done: &mut Done) {
    if !change.keeps_span(span) {
        done.otherwise = true;
        return;
    }
    let head = span.head();
    // Allocates if it changes them, which is rare: spans of this program have a callsite, and no texts here.
    let [name, target] = [head.name, head.target].map(|text| change.text(text).map(str::to_owned));
    done.otherwise |= name.is_some() || target.is_some();
    let (name, target) = (name.as_deref().unwrap_or(head.name), target.as_deref().unwrap_or(head.target));
    encoding::put_span(out, SpanHead { name, target, ..head }, |out| {
        write_fields(out, old, Some(span), change, done);
    });
}

/// Rewrites the fields of the event or of a span, without the message, which lies among them.
fn write_fields(
    out: &mut Vec<u8>,
    old: &Record<'_>,
    span: Option<&Span<'_>>,
    change: &mut impl Change,
    done: &mut Done,
) {
    let (area, callsite) = match span {
        Some(span) => (span.fields_area(), span.callsite()),
        None => (old.fields_area(), old.callsite()),
    };
    let mut reader = Reader(area);
    while let Some((entry, verbatim)) = reader.entry_verbatim() {
        let (name, value) = match entry {
            Entry::Aside => continue,
            Entry::Follows(_) => {
                out.extend_from_slice(verbatim);
                continue;
            }
            Entry::Field(name, value) => (name, value),
        };
        match change.field(span, &Field::resolve(name, value, callsite)) {
            FieldChange::Keep => out.extend_from_slice(verbatim),
            FieldChange::Set(value) => {
                done.values += 1;
                encoding::put_field(out, name, value);
            }
            FieldChange::Remove => done.otherwise = true,
            FieldChange::Rename(name) => {
                done.otherwise = true;
                encoding::put_field(out, Name::Inline(name), value);
            }
        }
    }
    let end = out.len();
    change.add(old, span, &mut NewFields(out));
    done.otherwise |= out.len() > end;
}
