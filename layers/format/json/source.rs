//! Where the values come from that have a place of their own.

use super::claims;
use super::subject::Subject;
use crate::Value;
use crate::record::{ErrorChain, Kind, Record};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "some are for templates alone"))]
pub(super) enum Source {
    Target,
    /// Its name, where that was given to it: not `event src/main.rs:7`.
    EventName,
    Name,
    ModulePath,
    File,
    Line,
    ThreadName,
    ThreadId,
    Message,
    /// The message, or `""`.
    MessageAlways,
    /// The first line of the message; the name of an event without one.
    Summary,
    /// The message, if it has more than one line.
    FullMessage,
    Pid,
    /// The innermost span's.
    SpanName,
    /// The event's field, or that of the innermost span that has it.
    Field(Box<str>),
    /// That of the innermost span that has it.
    SpanField(Box<str>),
    Claim(usize),
    /// All of the first error's messages.
    Error,
    /// The first error's own message.
    ErrorMessage,
    /// That of what caused it in the first place.
    RootCause,
}

impl Source {
    /// Returns the value in `subject`; `None` if there is none.
    pub(super) fn read<'r>(&self, subject: &Subject<'_, 'r>) -> Option<Value<'r>> {
        let record = subject.record;
        match self {
            Self::Target => text(record.target()),
            Self::EventName => text(record.name()).filter(|_| has_given_name(record)),
            Self::Name => text(record.name()),
            Self::ModulePath => record.module_path().map(Value::Str),
            Self::File => record.file().map(Value::Str),
            Self::Line => record.line().map(|line| Value::U64(line.into())),
            Self::ThreadName => record.thread_name().map(Value::Str),
            Self::ThreadId => Some(record.thread_id()).filter(|id| *id > 0).map(Value::U64),
            Self::Message => text(record.message()),
            Self::MessageAlways => Some(Value::Str(record.message())),
            Self::Summary => Some(Value::Str(summary(record))),
            Self::FullMessage => text(record.message()).filter(|_| summary(record).len() < record.message().len()),
            Self::Pid => Some(Value::U64(std::process::id().into())),
            Self::SpanName => record.spans().last().map(|span| Value::Str(span.name())),
            Self::Field(name) => claims::nearest(record, name),
            Self::SpanField(name) => claims::of_span(record, name),
            Self::Claim(place) if subject.taken.has(*place) => subject.claims.find(*place, record),
            Self::Claim(_) => None,
            Self::Error => error(record),
            Self::ErrorMessage => error_chain(record)?.messages().next().map(Value::Str),
            Self::RootCause => error_chain(record)?.messages().last().map(Value::Str),
        }
    }
}

/// tracing calls events `event src/main.rs:7` that were not given a name.
fn has_given_name(record: &Record<'_>) -> bool {
    record.kind() == Kind::Event && !record.name().is_empty() && !record.name().starts_with("event ")
}

/// Never empty: Graylog refuses that.
fn summary<'r>(record: &Record<'r>) -> &'r str {
    let message = record.message();
    let first = message.lines().next().unwrap_or("");
    [first, message, record.name()].into_iter().find(|text| !text.trim().is_empty()).unwrap_or("-")
}

/// A text, if it is not empty.
fn text(text: &str) -> Option<Value<'_>> {
    Some(text).filter(|text| !text.is_empty()).map(Value::Str)
}

fn error<'r>(record: &Record<'r>) -> Option<Value<'r>> {
    record.fields().map(|field| field.value).find(|value| matches!(value, Value::Error(_)))
}

fn error_chain<'r>(record: &Record<'r>) -> Option<ErrorChain<'r>> {
    match error(record)? {
        Value::Error(chain) => Some(chain),
        _ => None,
    }
}
