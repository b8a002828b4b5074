//! How the times of closed spans are written: [`SpanTimes`].

use std::cell::Cell;
use std::fmt::{self, Write as _};

use crate::record::{Change, Field, FieldChange, Kind, NewFields, Record, RecordBuf, Span};
use crate::{Severity, Value};

/// How the times of a closed span are written: how long threads were in it (busy), and how long it was open without one (idle).
///
/// Such a record has the kind [`SpanClose`](crate::record::Kind::SpanClose) and the fields `busy_ns` and `idle_ns`; a handler receives
/// it if it [asks](crate::record::SpanEvents) for it. This setting changes what is written, not the record. The times of
/// [`Text`](super::Text) and of [`Preset::tracing`](super::Preset::tracing) are `Units`, those of other formats `Nanoseconds`, unless set.
///
/// ```
/// use tracing_handlers::Output;
/// use tracing_handlers::format::{Json, SpanTimes, Text, Time};
/// use tracing_handlers::record::SpanEvents;
/// use tracing_handlers::sink::Memory;
/// use tracing_subscriber::prelude::*;
///
/// let (text, json) = (Memory::new(), Memory::new());
/// let handlers = (
///     Output::new(Text::new().time(Time::none()), text.clone()).span_events(SpanEvents::CLOSE),
///     Output::new(Json::new().time(Time::none()).span_times(SpanTimes::Seconds), json.clone()).span_events(SpanEvents::CLOSE),
/// );
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(handlers)), || {
///     tracing::info_span!(target: "shop", "request").in_scope(|| ());
/// });
/// // ` INFO request: shop: close time.busy=4.18µs time.idle=2.95µs`
/// assert!(text.text().starts_with(" INFO request: shop: close time.busy="));
/// // `{"level":"INFO","target":"shop","message":"close","time.busy":0.00000418,"time.idle":0.00000295,…}`
/// assert!(json.text().contains(r#""message":"close","time.busy":0.0"#) || json.text().contains("e-"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanTimes {
    /// `busy_ns` and `idle_ns`, whole numbers of nanoseconds (the default of [`Json`](super::Json)).
    #[default]
    Nanoseconds,
    /// `time.busy` and `time.idle`, numbers of seconds with a fraction.
    Seconds,
    /// `time.busy` and `time.idle`, texts of three digits and a unit, `ns`, `µs`, `ms` or `s`: `1.23µs`, as tracing-subscriber's `fmt`
    /// writes them.
    Units,
    /// Neither, as `fmt` does without a time.
    Off,
}

impl SpanTimes {
    /// Whether a record is not to be written as it is, but as [`apply`](Self::apply) makes it.
    #[inline]
    pub(super) fn changes(self, record: &Record<'_>) -> bool {
        self != Self::Nanoseconds && record.kind() == Kind::SpanClose
    }

    /// Calls `format` with the record as it is to be written. It is an event then, so that `format` may be the caller itself: a second
    /// way to the same code would keep the compiler from inlining it.
    #[cold]
    #[inline(never)]
    pub(super) fn apply<R>(self, record: &Record<'_>, format: impl FnOnce(&Record<'_>) -> R) -> R {
        let kept = SPARE.try_with(Cell::take).ok().flatten();
        let mut buf = kept.unwrap_or_else(|| RecordBuf::new(Severity::INFO, "", ""));
        buf.copy_from(record);
        buf.change(&mut Rename(self));
        buf.set_kind(Kind::Event);
        let formatted = format(&buf.as_record().with_span_level(record.span_level()));
        // A thread that is ending keeps nothing.
        let _ = SPARE.try_with(|spare| spare.set(Some(buf)));
        formatted
    }

    fn put(self, name: &str, nanos: u64, fields: &mut NewFields<'_>) {
        match self {
            Self::Nanoseconds => fields.push(name, nanos),
            Self::Seconds => fields.push(name, nanos as f64 / 1e9),
            Self::Units => {
                let mut text = Short::default();
                let _ = write!(text, "{}", InUnits(nanos));
                fields.push(name, Value::Text(text.as_str()));
            }
            Self::Off => {}
        }
    }
}

/// Puts the times in the place of the two fields.
struct Rename(SpanTimes);

impl Change for Rename {
    fn field<'s>(&'s mut self, span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
        let is_time = NAMES.iter().any(|(of_record, _)| field.name == *of_record);
        if is_time && span.is_none() { FieldChange::Remove } else { FieldChange::Keep }
    }

    fn add(&mut self, record: &Record<'_>, span: Option<&Span<'_>>, fields: &mut NewFields<'_>) {
        if span.is_some() {
            return;
        }
        for (of_record, name) in NAMES {
            if let Some(Value::U64(nanos)) = record.field(of_record) {
                self.0.put(name, nanos, fields);
            }
        }
    }
}

/// Nanoseconds with three digits in the largest unit in which they are less than 1,000.
struct InUnits(u64);

impl fmt::Display for InUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut time = self.0 as f64;
        for unit in ["ns", "µs", "ms"] {
            if time < 1_000.0 {
                return write!(f, "{time:.*}{unit}", decimals(time));
            }
            time /= 1_000.0;
        }
        write!(f, "{time:.*}s", decimals(time))
    }
}

fn decimals(time: f64) -> usize {
    match time {
        _ if time < 10.0 => 2,
        _ if time < 100.0 => 1,
        _ => 0,
    }
}

/// A short text on the stack. What does not fit is cut off.
#[derive(Default)]
struct Short {
    bytes: [u8; 32],
    length: usize,
}

impl Short {
    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// The names in the record and in lines.
const NAMES: [(&str, &str); 2] = [("busy_ns", "time.busy"), ("idle_ns", "time.idle")];

thread_local! {
    static SPARE: Cell<Option<RecordBuf>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_three_digits() {
        for (nanos, expected) in [
            (0, "0.00ns"),
            (9, "9.00ns"),
            (10, "10.0ns"),
            (999, "999ns"),
            (1_000, "1.00µs"),
            (1_234, "1.23µs"),
            (12_345, "12.3µs"),
            (999_499, "999µs"),
            (1_000_000, "1.00ms"),
            (999_499_999, "999ms"),
            (59_940_000_000, "59.9s"),
            (1_234_567_890_123, "1235s"),
            (u64::MAX, "18446744074s"),
        ] {
            assert_eq!(InUnits(nanos).to_string(), expected, "{nanos}");
        }
    }
}
