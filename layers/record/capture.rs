//! From tracing's visitor calls to the encoding: each value is visited once and written once.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tracing::Event;
use tracing::field::{Field, Visit};

use super::callsite::{Callsite, plain};
use super::encoding::{self, HeadMut, Name, Slot};
use super::{Kind, Severity, Value, noted, pool};
use crate::clock::Timestamp;

/// Writes `event` into `raw`, which is empty. `spans` appends the spans that it was logged in, and returns their version.
#[inline]
pub(crate) fn capture_event(
    event: &Event<'_>,
    callsite: &'static Callsite,
    time: Timestamp,
    raw: &mut Vec<u8>,
    spans: impl FnOnce(&mut Vec<u8>) -> u64,
) {
    encoding::begin(raw, Kind::Event, Severity::from(*callsite.metadata().level()), time);
    event.record(&mut Capture::of_event(raw, callsite));
    let fields_end = raw.len();
    finish(callsite, raw, fields_end, spans);
}

/// Writes the record of a span lifecycle event, with the busy and idle `times` as fields; `spans` as for an event.
pub(crate) fn capture_span_event(
    kind: Kind,
    callsite: &'static Callsite,
    times: Option<(Duration, Duration)>,
    time: Timestamp,
    raw: &mut Vec<u8>,
    spans: impl FnOnce(&mut Vec<u8>) -> u64,
) {
    encoding::begin(raw, kind, Severity::from(*callsite.metadata().level()), time);
    let message = encoding::put_aside(raw, 0, |out| out.extend_from_slice(kind.word().as_bytes()));
    if let Some((busy, idle)) = times {
        encoding::put_field(raw, Name::Inline("busy_ns"), Value::U64(nanos(busy)));
        encoding::put_field(raw, Name::Inline("idle_ns"), Value::U64(nanos(idle)));
    }
    let fields_end = raw.len();
    if let Some(mut head) = HeadMut::of(raw) {
        head.set_message(message);
    }
    finish(callsite, raw, fields_end, spans);
    if let Some(mut head) = HeadMut::of(raw) {
        // The fields are not those of the callsite.
        head.set_as_captured(false);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Appends what follows the fields, and sets the positions in the header.
#[inline]
fn finish(callsite: &'static Callsite, raw: &mut Vec<u8>, fields_end: usize, spans: impl FnOnce(&mut Vec<u8>) -> u64) {
    let version = spans(raw);
    let spans_end = raw.len();
    if callsite.id() == 0 {
        put_texts(callsite, raw);
    }
    let (thread_id, thread_name) = put_thread(raw);
    if let Some(mut head) = HeadMut::of(raw) {
        head.set_callsite(callsite.id());
        head.set_as_captured(true);
        head.set_spans_version(version);
        head.set_fields_end(fields_end);
        head.set_spans_end(spans_end);
        head.set_thread_id(thread_id);
        head.set_thread_name(thread_name);
    }
    encoding::end(raw);
}

/// Appends the fields that `record` passes to its visitor, as those of a span.
pub(crate) fn capture_fields(callsite: &'static Callsite, raw: &mut Vec<u8>, record: impl FnOnce(&mut dyn Visit)) {
    record(&mut Capture { raw, callsite, is_event: false });
}

/// Appends the texts of a callsite that is not in the table, so that the record must contain them.
#[cold]
fn put_texts(callsite: &Callsite, raw: &mut Vec<u8>) {
    let metadata = callsite.metadata();
    let mut put = |text: Option<&str>| text.map_or(Slot::NONE, |text| encoding::put_slot(raw, 0, text));
    let (target, name) = (put(Some(metadata.target())), put(Some(metadata.name())));
    let (module_path, file) = (put(metadata.module_path()), put(metadata.file()));
    let Some(mut head) = HeadMut::of(raw) else { return };
    head.set_target(target);
    head.set_name(name);
    head.set_module_path(module_path);
    head.set_file(file);
    head.set_line(metadata.line().unwrap_or(0));
}

/// Appends the name of this thread. Returns the thread's number and the name's position.
#[inline]
fn put_thread(raw: &mut Vec<u8>) -> (u64, Slot) {
    let put = THREAD.try_with(|thread| {
        let name = thread.name.as_deref().map_or(Slot::NONE, |name| encoding::put_slot(raw, 0, name));
        (thread.id, name)
    });
    // A thread that is ending has no number any more, but can still log.
    put.unwrap_or((0, Slot::NONE))
}

/// Visits values. In an event, the message and the fields in which tracing-log gives the true origin of a record are put aside for
/// the header; a span has no message, so a field of that name is an ordinary field.
struct Capture<'b> {
    raw: &'b mut Vec<u8>,
    callsite: &'static Callsite,
    is_event: bool,
}

impl<'b> Capture<'b> {
    #[inline]
    fn of_event(raw: &'b mut Vec<u8>, callsite: &'static Callsite) -> Self {
        Self { raw, callsite, is_event: true }
    }

    #[inline]
    fn name(&self, field: &Field) -> Name<'static> {
        match field.index() {
            index if index < self.callsite.indexed() => Name::Index(index as u8),
            _ => Name::Inline(plain(field.name())),
        }
    }

    #[inline]
    fn is_special(&self, field: &Field) -> bool {
        self.is_event && (self.is_message(field) || self.callsite.severity() == Some(field.index()))
    }

    #[inline]
    fn is_message(&self, field: &Field) -> bool {
        self.callsite.message() == Some(field.index())
    }

    /// Inlined, and so specialized for each kind of value.
    #[inline(always)]
    fn put(&mut self, field: &Field, value: Value<'_>) {
        if self.is_special(field) {
            return self.put_special(field, value);
        }
        encoding::put_field(self.raw, self.name(field), value);
    }

    /// Puts a field `message` that is not a text, or `severity`.
    #[cold]
    fn put_special(&mut self, field: &Field, value: Value<'_>) {
        if self.is_message(field) {
            return self.put_message(format_args!("{value}"));
        }
        match severity_of(value) {
            Some(severity) => self.set_severity(severity),
            None => encoding::put_field(self.raw, self.name(field), value),
        }
    }

    fn set_severity(&mut self, severity: Severity) {
        if let Some(mut head) = HeadMut::of(self.raw) {
            head.set_severity(severity);
        }
    }

    #[inline]
    fn put_message(&mut self, message: fmt::Arguments<'_>) {
        self.put_aside(|head, slot| head.set_message(slot), |out| write_guarded(out, message));
    }

    #[cold]
    fn put_written_severity(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = pool::take();
        noted::clear();
        write_guarded(&mut text, format_args!("{value:?}"));
        let is_json = noted::is_all_of(&text);
        match named(&text) {
            Some(severity) => self.set_severity(severity),
            None => {
                let write = |out: &mut Vec<u8>| out.extend_from_slice(&text);
                encoding::put_written(self.raw, self.name(field), write, |written| {
                    is_json && written.len() == text.len()
                });
            }
        }
        pool::give(text);
    }

    #[cold]
    fn put_severity_of_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let mut text = pool::take();
        write_guarded(&mut text, format_args!("{error}"));
        match named(&text) {
            Some(severity) => self.set_severity(severity),
            None => encoding::put_error(self.raw, self.name(field), |out| put_chain(out, error)),
        }
        pool::give(text);
    }

    /// Appends a text, and sets its position in the header by `set`.
    #[inline(always)]
    fn put_aside(&mut self, set: impl FnOnce(&mut HeadMut<'_>, Slot), write: impl FnOnce(&mut Vec<u8>)) {
        let slot = encoding::put_aside(self.raw, 0, write);
        if let Some(mut head) = HeadMut::of(self.raw) {
            set(&mut head, slot);
        }
    }

    /// Puts one of tracing-log's fields into the header. Returns whether it is one.
    #[cold]
    fn put_from_log(&mut self, field: &Field, value: &str) -> bool {
        let set: fn(&mut HeadMut<'_>, Slot) = match field.name() {
            "log.target" => |head, slot| head.set_target(slot),
            "log.module_path" => |head, slot| head.set_module_path(slot),
            "log.file" => |head, slot| head.set_file(slot),
            _ => return false,
        };
        self.put_aside(set, |out| out.extend_from_slice(value.as_bytes()));
        true
    }
}

impl Visit for Capture<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_special(field) {
            match self.is_message(field) {
                true => {
                    self.put_aside(|head, slot| head.set_message(slot), |out| out.extend_from_slice(value.as_bytes()))
                }
                false => self.put_special(field, Value::Str(value)),
            }
        } else if !(self.callsite.is_from_log() && self.put_from_log(field, value)) {
            encoding::put_field(self.raw, self.name(field), Value::Str(value));
        }
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        if self.callsite.is_from_log() && field.name() == "log.line" {
            if let Some(mut head) = HeadMut::of(self.raw) {
                head.set_line(value as u32);
            }
        } else {
            self.put(field, Value::U64(value));
        }
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::I64(value));
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::F64(value));
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Bool(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, Value::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, Value::U128(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.put(field, Value::Bytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if self.is_special(field) {
            return match self.is_message(field) {
                true => self.put_message(format_args!("{value}")),
                false => self.put_severity_of_error(field, value),
            };
        }
        encoding::put_error(self.raw, self.name(field), |out| put_chain(out, value));
    }

    #[cfg(all(tracing_unstable, feature = "valuable"))]
    fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
        self.record_debug(field, &super::nested(&valuable_serde::Serializable::new(value)));
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.is_special(field) {
            match self.is_message(field) {
                true => self.put_message(format_args!("{value:?}")),
                false => self.put_written_severity(field, value),
            }
        } else {
            noted::clear();
            let write = |out: &mut Vec<u8>| write_guarded(out, format_args!("{value:?}"));
            encoding::put_written(self.raw, self.name(field), write, noted::is_all_of);
        }
    }
}

/// Returns the severity that a field `severity` contains, if any.
fn severity_of(value: Value<'_>) -> Option<Severity> {
    let number = match value {
        Value::U64(number) => u8::try_from(number).ok()?,
        Value::I64(number) => u8::try_from(number).ok()?,
        Value::U128(number) => u8::try_from(number).ok()?,
        Value::I128(number) => u8::try_from(number).ok()?,
        value => return Severity::named(value.as_str()?),
    };
    Severity::from_number(number)
}

fn named(text: &[u8]) -> Option<Severity> {
    Severity::named(str::from_utf8(text).ok()?)
}

fn put_chain(out: &mut Vec<u8>, error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    let mut depth = 0;
    // An error that is its own source would never end.
    while let Some(error) = next.filter(|_| depth < MAX_SOURCES) {
        encoding::put_text(out, |out| write_guarded(out, format_args!("{error}")));
        next = catch_unwind(AssertUnwindSafe(|| error.source())).unwrap_or(None);
        depth += 1;
    }
}

/// Writes the output of a foreign `Debug` or `Display`. A panic in it affects only this text, not the record or the program.
#[inline]
fn write_guarded(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    if let Some(text) = text.as_str() {
        return out.extend_from_slice(text.as_bytes());
    }
    let start = out.len();
    let written = catch_unwind(AssertUnwindSafe(|| Text(out).write_fmt(text)));
    match written {
        Ok(Ok(())) => {}
        Ok(Err(fmt::Error)) => out.extend_from_slice(b"<formatting failed>"),
        Err(_) => {
            out.truncate(start);
            out.extend_from_slice(b"<formatting panicked>");
        }
    }
}

struct Text<'a>(&'a mut Vec<u8>);

impl fmt::Write for Text<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

struct Thread {
    id: u64,
    name: Option<Box<str>>,
}

impl Thread {
    fn current() -> Self {
        let thread = std::thread::current();
        // `ThreadId::as_u64` is unstable; its `Debug` is `ThreadId(7)`.
        let id = format!("{:?}", thread.id())
            .bytes()
            .filter(u8::is_ascii_digit)
            .fold(0_u64, |id, digit| id.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
        Self { id, name: thread.name().map(Into::into) }
    }
}

/// Returns the number of this thread as in its records; 0 on a thread that is ending.
pub(crate) fn this_thread() -> u64 {
    THREAD.try_with(|thread| thread.id).unwrap_or(0)
}

thread_local! {
    static THREAD: Thread = Thread::current();
}

const MAX_SOURCES: usize = 64;
