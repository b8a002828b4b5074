//! The sources of values that have a position of their own.

use super::subject::Subject;
use crate::Value;
use crate::record::{ErrorChain, Kind, Part, Record};

/// The source of a value.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "some are for templates alone"))]
pub(super) enum Source {
    Part(Part),
    /// The event's name, unless it is the generated one, such as `event src/main.rs:7`.
    EventName,
    /// The message, or `""`.
    MessageAlways,
    /// The target, even if it is empty.
    TargetAlways,
    /// The message, even if it is empty.
    MessageIfAny,
    /// The first line of the message, or the event's name if there is no message.
    Summary,
    /// The message, if it has more than one line.
    FullMessage,
    Claim(usize),
    /// The first error's own message.
    ErrorMessage,
    /// The message of the first error's root cause.
    RootCause,
}

impl Source {
    /// Returns the value in `subject`, or `None` if the record lacks it.
    pub(super) fn read<'r>(&self, subject: &Subject<'_, 'r>) -> Option<Value<'r>> {
        let record = subject.record;
        match self {
            Self::Part(Part::Target) => text(record.target()),
            Self::Part(part) => part.value(record),
            Self::EventName => text(record.name()).filter(|_| has_given_name(record)),
            Self::MessageAlways => Some(Value::Str(record.message())),
            Self::TargetAlways => Some(Value::Str(record.target())),
            Self::MessageIfAny => record.has_message().then(|| Value::Str(record.message())),
            Self::Summary => Some(Value::Str(summary(record))),
            Self::FullMessage => text(record.message()).filter(|_| summary(record).len() < record.message().len()),
            Self::Claim(place) if subject.taken.has(*place) => subject.claims.find(*place, record),
            Self::Claim(_) => None,
            Self::ErrorMessage => error_chain(record)?.messages().next().map(Value::Str),
            Self::RootCause => error_chain(record)?.messages().last().map(Value::Str),
        }
    }
}

impl From<Part> for Source {
    fn from(part: Part) -> Self {
        Self::Part(part)
    }
}

/// Returns whether the event was named explicitly. `tracing` generates `event src/main.rs:7` for other events.
fn has_given_name(record: &Record<'_>) -> bool {
    record.kind() == Kind::Event && !record.name().is_empty() && !record.name().starts_with("event ")
}

/// Returns a one-line summary, which is never empty because Graylog rejects empty ones.
fn summary<'r>(record: &Record<'r>) -> &'r str {
    let message = record.message();
    let first = message.lines().next().unwrap_or("");
    [first, message, record.name()].into_iter().find(|text| !text.trim().is_empty()).unwrap_or("-")
}

/// Returns `text` as a value, or `None` if it is empty.
fn text(text: &str) -> Option<Value<'_>> {
    Some(text).filter(|text| !text.is_empty()).map(Value::Str)
}

fn error_chain<'r>(record: &Record<'r>) -> Option<ErrorChain<'r>> {
    match Part::Error.value(record)? {
        Value::Error(chain) => Some(chain),
        _ => None,
    }
}
