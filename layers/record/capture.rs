//! From tracing's visitor calls to the encoding: each value is visited once and written once.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tracing::Event;
use tracing::field::{Field, Visit};

use super::callsite::{Callsite, Role, plain};
use super::encoding::{self, HeadMut, Name, Slot};
use super::{Kind, Severity, Value, macro_names, noted};
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
    let has_others = callsite.is_from_log() && put_key_values(callsite, raw);
    finish(callsite, raw, !has_others, spans);
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
    if let Some(mut head) = HeadMut::of(raw) {
        head.set_message(message);
    }
    finish(callsite, raw, false, spans);
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Appends what follows the fields, and sets the positions in the header. `as_captured`: the fields are those of the callsite.
#[inline]
fn finish(callsite: &'static Callsite, raw: &mut Vec<u8>, as_captured: bool, spans: impl FnOnce(&mut Vec<u8>) -> u64) {
    let fields_end = raw.len();
    let version = spans(raw);
    let spans_end = raw.len();
    if callsite.id() == 0 {
        put_texts(callsite, raw);
    }
    let (thread_id, thread_name) = put_thread(raw);
    if let Some(mut head) = HeadMut::of(raw) {
        head.set_callsite(callsite.id());
        head.set_as_captured(as_captured);
        head.set_spans_version(version);
        head.set_fields_end(fields_end);
        head.set_spans_end(spans_end);
        head.set_thread_id(thread_id);
        head.set_thread_name(thread_name);
    }
    encoding::end_at(raw, fields_end, spans_end);
}

/// Appends the fields that `record` passes to its visitor, as those of a span.
pub(crate) fn capture_fields(callsite: &'static Callsite, raw: &mut Vec<u8>, record: impl FnOnce(&mut dyn Visit)) {
    record(&mut Capture::of_span(raw, callsite));
}

/// Appends the key-values of a record of the `log` crate. Returns whether there are any.
#[cold]
fn put_key_values(_callsite: &'static Callsite, _raw: &mut Vec<u8>) -> bool {
    #[cfg(feature = "log")]
    return super::waiting::append(_callsite.metadata(), _raw);
    #[cfg(not(feature = "log"))]
    false
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
    /// How many fields are written with the index of their name.
    indexed: usize,
    /// The roles of the first fields; those beyond them, and all those of spans, are ordinary fields.
    roles: &'static [Role],
    /// Whether there is a message that is not empty.
    has_message: bool,
}

impl<'b> Capture<'b> {
    #[inline]
    fn of_event(raw: &'b mut Vec<u8>, callsite: &'static Callsite) -> Self {
        Self { raw, callsite, indexed: callsite.indexed(), roles: callsite.roles(), has_message: false }
    }

    fn of_span(raw: &'b mut Vec<u8>, callsite: &'static Callsite) -> Self {
        Self { raw, callsite, indexed: callsite.indexed(), roles: &[], has_message: false }
    }

    #[inline]
    fn name(&self, field: &Field) -> Name<'static> {
        match field.index() {
            index if index < self.indexed => Name::Index(index as u8),
            _ => Name::Inline(plain(field.name())),
        }
    }

    /// After a message that is not empty, another field `message` is an ordinary one.
    #[inline]
    fn role(&self, field: &Field) -> Role {
        match self.roles.get(field.index()) {
            None | Some(Role::Field) => Role::Field,
            Some(Role::Message) if self.has_message => Role::Field,
            Some(role) => *role,
        }
    }

    /// Inlined, and so specialized for each kind of value.
    #[inline(always)]
    fn put(&mut self, field: &Field, value: Value<'_>) {
        match self.role(field) {
            Role::Message => self.put_value_as_message(value),
            // Only texts are names of severities.
            Role::Field | Role::Severity => encoding::put_field(self.raw, self.name(field), value),
        }
    }

    #[cold]
    fn put_value_as_message(&mut self, value: Value<'_>) {
        self.put_message(|out| write_guarded(out, format_args!("{value}")));
    }

    #[inline(always)]
    fn put_message(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let slot = self.put_aside(|head, slot| head.set_message(slot), write);
        self.has_message = slot.len > 0;
    }

    #[cold]
    fn put_severity(&mut self, field: &Field, name: &str) {
        self.raise_severity(Severity::named(name));
        if !macro_names::is_of_macro(name) {
            encoding::put_field(self.raw, self.name(field), Value::Str(name));
        }
    }

    #[cold]
    fn put_written_severity(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut severity = None;
        let write = |out: &mut Vec<u8>| write_guarded(out, format_args!("{value:?}"));
        noted::clear();
        encoding::put_written(self.raw, self.name(field), write, |written| {
            let is_json = noted::is_all_of(written);
            severity = str::from_utf8(written).ok().filter(|_| !is_json).and_then(Severity::named);
            is_json
        });
        self.raise_severity(severity);
    }

    /// Sets the severity unless it is below the callsite's level.
    fn raise_severity(&mut self, severity: Option<Severity>) {
        let least = Severity::from(*self.callsite.metadata().level());
        if let Some(severity) = severity.filter(|severity| severity.is_at_least(least))
            && let Some(mut head) = HeadMut::of(self.raw)
        {
            head.set_severity(severity);
        }
    }

    /// Appends a text, and sets its position in the header by `set`. Returns the position.
    #[inline(always)]
    fn put_aside(&mut self, set: impl FnOnce(&mut HeadMut<'_>, Slot), write: impl FnOnce(&mut Vec<u8>)) -> Slot {
        let slot = encoding::put_aside(self.raw, 0, write);
        if let Some(mut head) = HeadMut::of(self.raw) {
            set(&mut head, slot);
        }
        slot
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
        match self.role(field) {
            Role::Message => self.put_message(|out| out.extend_from_slice(value.as_bytes())),
            Role::Severity => self.put_severity(field, value),
            Role::Field if self.callsite.is_from_log() && self.put_from_log(field, value) => {}
            Role::Field => encoding::put_field(self.raw, self.name(field), Value::Str(value)),
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
        match self.role(field) {
            Role::Message => self.put_message(|out| put_chain_as_text(out, value)),
            Role::Field | Role::Severity => {
                encoding::put_error(self.raw, self.name(field), |out| put_chain(out, value));
            }
        }
    }

    #[cfg(all(tracing_unstable, feature = "valuable"))]
    fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
        self.record_debug(field, &super::nested(&valuable_serde::Serializable::new(value)));
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match self.role(field) {
            Role::Message => self.put_message(|out| write_guarded(out, format_args!("{value:?}"))),
            Role::Severity => self.put_written_severity(field, value),
            Role::Field => {
                noted::clear();
                let write = |out: &mut Vec<u8>| write_guarded(out, format_args!("{value:?}"));
                encoding::put_written(self.raw, self.name(field), write, noted::is_all_of);
            }
        }
    }
}

/// Writes the messages of an error and its sources as the value of a field.
pub(super) fn put_chain(out: &mut Vec<u8>, error: &(dyn Error + 'static)) {
    for error in chain(error) {
        encoding::put_text(out, |out| write_guarded(out, format_args!("{error}")));
    }
}

/// Writes the messages of an error and its sources as a text, like the `Display` of an [`ErrorChain`](super::ErrorChain).
fn put_chain_as_text(out: &mut Vec<u8>, error: &(dyn Error + 'static)) {
    for (depth, error) in chain(error).enumerate() {
        if depth > 0 {
            out.extend_from_slice(b": ");
        }
        write_guarded(out, format_args!("{error}"));
    }
}

/// An error and its sources, outermost first; at most [`MAX_SOURCES`], since an error that is its own source would never end.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| source(*error)).take(MAX_SOURCES)
}

fn source<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    catch_unwind(AssertUnwindSafe(|| error.source())).unwrap_or(None)
}

/// Writes the output of a foreign `Debug` or `Display`. A panic in it affects only this text, not the record or the program.
#[inline]
pub(super) fn write_guarded(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
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
