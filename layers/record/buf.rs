use std::fmt;

use super::callsite::Callsite;
use super::change::{self, Change, FieldChange, OfFields};
use super::encoding::{self, Entry, HEADER, HeadMut, Name, Reader, Slot, SpanHead};
use super::{Field, Kind, Record, Severity, Span, Value};
use crate::clock::Timestamp;

/// An owned record that can be changed. A [`Rewrite`](crate::Rewrite) works on it, and it creates records that do not come from
/// tracing.
///
/// A record is shorter than 4 GiB. Fields that do not fit are left out, and a field `fields_cut` with their number is added to the event
/// or span.
///
/// ```
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "logged in")
///     .with_span("request", [("password", "1234".into()), ("user", "ada".into())])
///     .with_field("attempt", 1_u64);
/// record.change_fields(|_span, field| match field.name {
///     "password" => tracing_handlers::FieldChange::Set("***".into()),
///     _ => tracing_handlers::FieldChange::Keep,
/// });
/// let span = record.as_record().spans().next().unwrap();
/// assert_eq!(span.field("password").unwrap().to_string(), "***");
/// ```
#[must_use]
pub struct RecordBuf {
    raw: Vec<u8>,
    /// The buffer that the next change is written to; it may still contain what the last one removed.
    spare: Vec<u8>,
}

impl RecordBuf {
    /// Creates a record of an event with this message, at the current time.
    pub fn new(severity: Severity, target: &str, message: &str) -> Self {
        Self::of_kind(Kind::Event, severity, target, message)
    }

    pub(crate) fn of_kind(kind: Kind, severity: Severity, target: &str, message: &str) -> Self {
        let mut raw = Vec::new();
        encoding::begin(&mut raw, kind, severity, Timestamp::now());
        let message = encoding::put_aside(&mut raw, 0, |out| out.extend_from_slice(message.as_bytes()));
        let end = raw.len();
        let target = encoding::put_slot(&mut raw, 0, target);
        let mut buf = Self { raw, spare: Vec::new() };
        buf.edit_header(|head| {
            head.set_message(message);
            head.set_fields_end(end);
            head.set_spans_end(end);
            head.set_target(target);
        });
        buf
    }

    /// Creates a record with only a callsite.
    pub(crate) fn of_callsite(callsite: &'static Callsite) -> Self {
        let mut raw = Vec::new();
        encoding::begin(&mut raw, Kind::Event, Severity::from(*callsite.metadata().level()), Timestamp::EPOCH);
        let mut buf = Self { raw, spare: Vec::new() };
        buf.edit_header(|head| head.set_callsite(callsite.id()));
        buf
    }

    /// Replaces the contents with those of `record`, reusing the buffer.
    pub fn copy_from(&mut self, record: &Record<'_>) {
        self.raw.clear();
        self.raw.extend_from_slice(record.raw());
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.raw.capacity() + self.spare.capacity()
    }

    /// Replaces the record with the one that `write` appends to an empty buffer, unless that fails.
    pub(super) fn try_replace<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.spare.clear();
        write(&mut self.spare)?;
        std::mem::swap(&mut self.raw, &mut self.spare);
        Ok(())
    }

    /// Returns a view of the record.
    pub fn as_record(&self) -> Record<'_> {
        Record::decode(&self.raw).expect("a RecordBuf is made with a whole record and only ever replaced by one")
    }

    /// Returns the record with this time.
    pub fn with_time(mut self, time: Timestamp) -> Self {
        self.edit_header(|head| head.set_time(time));
        self
    }

    /// Returns the record with this position in the source code.
    pub fn with_location(mut self, module_path: &str, file: &str, line: u32) -> Self {
        let module_path = encoding::put_slot(&mut self.raw, 0, module_path);
        let file = encoding::put_slot(&mut self.raw, 0, file);
        self.edit_header(|head| {
            head.set_module_path(module_path);
            head.set_file(file);
            head.set_line(line);
        });
        self
    }

    /// Returns the record with this thread; `id` is a [`Record::thread_id`], 0 if it is unknown.
    pub fn with_thread(mut self, name: &str, id: u64) -> Self {
        let name = encoding::put_slot(&mut self.raw, 0, name);
        self.edit_header(|head| {
            head.set_thread_name(name);
            head.set_thread_id(id);
        });
        self
    }

    /// Returns the record with an additional field that contains an error and its causes, outermost first.
    pub fn with_error(mut self, name: &str, messages: &[&str]) -> Self {
        self.insert(End::OfFields, |out| {
            encoding::put_error(out, Name::Inline(name), |out| {
                for message in messages {
                    encoding::put_text(out, |out| out.extend_from_slice(message.as_bytes()));
                }
            });
        });
        self
    }

    /// Sets the kind.
    pub(crate) fn set_kind(&mut self, kind: Kind) {
        self.edit_header(|head| head.set_kind(kind));
    }

    /// Sets the severity.
    pub fn set_severity(&mut self, severity: Severity) {
        self.edit_header(|head| head.set_severity(severity));
    }

    /// Sets the message.
    pub fn set_message(&mut self, message: &str) {
        self.rebuild(Some(message), |old, out| {
            copy_fields(out, old);
            copy_spans(out, old)
        });
    }

    /// Returns the record with an additional field at the end.
    pub fn with_field<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Self {
        self.push_field(name, value.into());
        self
    }

    /// Adds a field at the end. The time does not depend on the number of fields.
    pub fn push_field(&mut self, name: &str, value: Value<'_>) {
        self.insert(End::OfFields, |out| encoding::put_field(out, Name::Inline(name), value));
    }

    /// Returns the record with an additional span, inside the existing ones.
    pub fn with_span<'v>(mut self, name: &str, fields: impl IntoIterator<Item = (&'v str, Value<'v>)>) -> Self {
        let head = SpanHead { callsite: 0, id: 0, severity: Severity::INFO, name, target: "" };
        self.insert(End::OfSpans, |out| {
            encoding::put_span(out, head, |out| {
                for (name, value) in fields {
                    encoding::put_field(out, Name::Inline(name), value);
                }
            });
        });
        self
    }

    /// Applies `change` to every field of the event (`None`) and of each of its spans, root first. If all fields are kept, the
    /// record is unchanged.
    pub fn change_fields<'c>(&mut self, change: impl FnMut(Option<&Span<'_>>, &Field<'_>) -> FieldChange<'c>) {
        self.change(&mut OfFields::new(change));
    }

    /// Applies `change` to the whole record in one pass: the message, then the event's fields, then the spans, root first, then the
    /// other texts. Returns whether anything changed.
    ///
    /// A changed record is rewritten: nothing that was removed is left in it.
    pub fn change(&mut self, change: &mut impl Change) -> bool {
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        let changed = change::write(&self.as_record(), &mut out, change);
        self.spare = match changed {
            true => std::mem::replace(&mut self.raw, out),
            false => out,
        };
        changed
    }

    /// Returns every byte that is handed on, for tests that look for remains of secrets.
    #[doc(hidden)]
    pub fn __bytes(&self) -> &[u8] {
        self.as_record().raw()
    }

    /// Removes the spans for which `keep` returns `false`.
    pub(crate) fn retain_spans(&mut self, mut keep: impl FnMut(&Span<'_>) -> bool) {
        self.rebuild(None, |old, out| {
            copy_fields(out, old);
            let fields_end = out.len();
            for span in old.spans().filter(&mut keep) {
                encoding::put_span(out, span.head(), |out| out.extend_from_slice(span.fields_area()));
            }
            fields_end
        });
    }

    /// Rewrites the record: the message, then what `write` appends (which returns where the fields end), then the texts.
    fn rebuild(&mut self, message: Option<&str>, write: impl FnOnce(&Record<'_>, &mut Vec<u8>) -> usize) {
        let mut out = std::mem::take(&mut self.spare);
        let old = self.as_record();
        out.clear();
        out.extend_from_slice(&old.raw()[..HEADER]);
        let message = message.or(old.has_message().then(|| old.message()));
        let message =
            message.map(|text| encoding::put_aside(&mut out, 0, |out| out.extend_from_slice(text.as_bytes())));
        let fields_end = write(&old, &mut out);
        let spans_end = out.len();
        let head = old.head();
        let texts = [head.thread_name(), head.target(), head.module_path(), head.file(), head.name()];
        let texts = texts.map(|slot| slot.read(old.raw()).map_or(slot, |text| encoding::put_slot(&mut out, 0, text)));
        if let Some(mut head) = HeadMut::of(&mut out) {
            head.set_as_captured(false);
            head.set_spans_version(0);
            head.set_message(message.unwrap_or_default());
            head.set_fields_end(fields_end);
            head.set_spans_end(spans_end);
            let [thread_name, target, module_path, file, name] = texts;
            head.set_thread_name(thread_name);
            head.set_target(target);
            head.set_module_path(module_path);
            head.set_file(file);
            head.set_name(name);
        }
        encoding::end_at(&mut out, fields_end, spans_end);
        self.spare = std::mem::replace(&mut self.raw, out);
    }

    /// Inserts what `write` appends, and moves what is behind it.
    fn insert(&mut self, end: End, write: impl FnOnce(&mut Vec<u8>)) {
        let head = self.as_record().head();
        let (fields_end, spans_end, len) = (head.fields_end(), head.spans_end(), self.raw.len());
        let slots = [head.message(), head.thread_name(), head.target(), head.module_path(), head.file(), head.name()];
        write(&mut self.raw);
        let added = self.raw.len() - len;
        let at = match end {
            End::OfFields => fields_end,
            End::OfSpans => spans_end,
        };
        self.raw[at..].rotate_right(added);
        // Truncated only in a record that is too long for its offsets, which is shortened below.
        let moved = |slot: Slot| match slot.at as usize {
            before if before < at => slot,
            behind => Slot { at: (behind + added) as u32, ..slot },
        };
        let [message, thread_name, target, module_path, file, name] = slots.map(moved);
        let fields_end = if let End::OfFields = end { fields_end + added } else { fields_end };
        if let Some(mut head) = HeadMut::of(&mut self.raw) {
            head.set_as_captured(false);
            head.set_spans_version(0);
            head.set_message(message);
            head.set_thread_name(thread_name);
            head.set_target(target);
            head.set_module_path(module_path);
            head.set_file(file);
            head.set_name(name);
            head.set_spans_end(spans_end + added);
            head.set_fields_end(fields_end);
        }
        encoding::end_at(&mut self.raw, fields_end, spans_end + added);
    }

    fn edit_header(&mut self, edit: impl FnOnce(&mut HeadMut<'_>)) {
        if let Some(mut head) = HeadMut::of(&mut self.raw) {
            edit(&mut head);
        }
        encoding::end(&mut self.raw);
    }
}

/// Where something is inserted.
#[derive(Clone, Copy)]
enum End {
    OfFields,
    OfSpans,
}

/// Copies all fields, without the message, which lies among them.
fn copy_fields(out: &mut Vec<u8>, old: &Record<'_>) {
    let mut reader = Reader(old.fields_area());
    while let Some((entry, verbatim)) = reader.entry_verbatim() {
        if !matches!(entry, Entry::Aside) {
            out.extend_from_slice(verbatim);
        }
    }
}

/// Copies all spans. Returns where they begin.
fn copy_spans(out: &mut Vec<u8>, old: &Record<'_>) -> usize {
    let fields_end = out.len();
    out.extend_from_slice(old.spans_area());
    fields_end
}

/// Clones the record without its spare buffer.
impl Clone for RecordBuf {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), spare: Vec::new() }
    }
}

impl Default for RecordBuf {
    fn default() -> Self {
        Self::new(Severity::INFO, "", "")
    }
}

impl fmt::Debug for RecordBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_record().fmt(f)
    }
}

impl From<&Record<'_>> for RecordBuf {
    fn from(record: &Record<'_>) -> Self {
        Self { raw: record.raw().to_vec(), spare: Vec::new() }
    }
}

impl<'a> From<&'a RecordBuf> for Record<'a> {
    fn from(buf: &'a RecordBuf) -> Self {
        buf.as_record()
    }
}
