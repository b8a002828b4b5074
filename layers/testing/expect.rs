use std::fmt;

use tracing::Level;

use crate::record::{Record, RecordBuf, Severity, Value};

/// Creates an expectation that matches any record: see [`Expect`].
pub fn expect() -> Expect {
    Expect::default()
}

/// Conditions on a record, for the assertions of [`Captured`](super::Captured). All of them must hold.
///
/// | setting | a record matches if |
/// |---|---|
/// | [`level`](Self::level) | it is at exactly this level |
/// | [`severity`](Self::severity) | it has exactly this severity |
/// | [`target`](Self::target) | its target is this one, or a module inside it |
/// | [`message`](Self::message) | this is its message |
/// | [`message_contains`](Self::message_contains) | this is part of its message |
/// | [`field`](Self::field) | it has this field with this value |
/// | [`has_field`](Self::has_field), [`no_field`](Self::no_field) | it has, or does not have, this field |
/// | [`in_span`](Self::in_span) | it was logged in a span with this name, at any depth |
/// | [`span_field`](Self::span_field) | one of its spans has this field with this value |
///
/// ```
/// use tracing_handlers::testing::expect;
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::WARN, "shop::stock", "running out")
///     .with_field("left", 2_u64)
///     .with_span("request", [("user", "ada".into())]);
/// let expected = expect().target("shop").field("left", 2).in_span("request").span_field("user", "ada");
/// assert!(expected.matches(&record.as_record()));
/// assert!(!expect().message("running").matches(&record.as_record()));
/// assert_eq!(expect().level(tracing::Level::WARN).field("left", 2).to_string(), "level WARN, field left=2");
/// ```
///
/// Integers are equal if their values are, regardless of type; a text is equal to a string, to what `?value` or `%value` wrote, and
/// to an error that is displayed like it (`outer: inner`).
#[must_use]
#[derive(Clone, Debug, Default)]
pub struct Expect {
    conditions: Vec<Condition>,
}

impl Expect {
    /// Requires exactly this level.
    pub fn level(self, level: Level) -> Self {
        self.and(Condition::Level(level))
    }

    /// Requires exactly this severity: `NOTICE` is not `INFO`.
    pub fn severity(self, severity: Severity) -> Self {
        self.and(Condition::Severity(severity))
    }

    /// Requires this target, or a module inside it.
    pub fn target(self, target: impl Into<String>) -> Self {
        self.and(Condition::Target(target.into()))
    }

    /// Requires this message.
    pub fn message(self, message: impl Into<String>) -> Self {
        self.and(Condition::Message(message.into()))
    }

    /// Requires this text in the message.
    pub fn message_contains(self, part: impl Into<String>) -> Self {
        self.and(Condition::Contains(part.into()))
    }

    /// Requires this field with this value.
    pub fn field<'v>(self, name: &str, value: impl Into<Value<'v>>) -> Self {
        self.and(Condition::Field(RecordBuf::default().with_field(name, value)))
    }

    /// Requires this field with any value.
    pub fn has_field(self, name: impl Into<String>) -> Self {
        self.and(Condition::HasField(name.into()))
    }

    /// Requires that this field is absent.
    pub fn no_field(self, name: impl Into<String>) -> Self {
        self.and(Condition::NoField(name.into()))
    }

    /// Requires a span with this name, at any depth.
    pub fn in_span(self, name: impl Into<String>) -> Self {
        self.and(Condition::InSpan(name.into()))
    }

    /// Requires a span that has this field with this value.
    pub fn span_field<'v>(self, name: &str, value: impl Into<Value<'v>>) -> Self {
        self.and(Condition::SpanField(RecordBuf::default().with_field(name, value)))
    }

    /// Whether `record` matches.
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(record))
    }

    /// Returns how `record` differs.
    pub(super) fn misses(&self, record: &Record<'_>) -> Vec<String> {
        let missed = self.conditions.iter().filter(|condition| !condition.holds(record));
        missed.map(|condition| condition.miss(record)).collect()
    }

    /// Returns the number of conditions.
    pub(super) fn len(&self) -> usize {
        self.conditions.len()
    }

    fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

/// `level WARN, target shop, field pieces=3`
impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.conditions.is_empty() {
            return f.write_str("anything");
        }
        for (index, condition) in self.conditions.iter().enumerate() {
            write!(f, "{}{condition}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// Fields are kept in separate records, which can hold any value.
#[derive(Clone, Debug)]
enum Condition {
    Level(Level),
    Severity(Severity),
    Target(String),
    Message(String),
    Contains(String),
    Field(RecordBuf),
    HasField(String),
    NoField(String),
    InSpan(String),
    SpanField(RecordBuf),
}

impl Condition {
    fn holds(&self, record: &Record<'_>) -> bool {
        match self {
            Self::Level(level) => record.level() == *level,
            Self::Severity(severity) => record.severity() == *severity,
            Self::Target(target) => crate::filter::is_inside(record.target(), target),
            Self::Message(message) => record.message() == message,
            Self::Contains(part) => record.message().contains(part.as_str()),
            Self::Field(field) => {
                let (name, value) = only(field);
                record.field(name).is_some_and(|found| is_same(found, value))
            }
            Self::HasField(name) => record.field(name).is_some(),
            Self::NoField(name) => record.field(name).is_none(),
            Self::InSpan(name) => record.spans().any(|span| span.name() == name),
            Self::SpanField(field) => {
                let (name, value) = only(field);
                record.spans().any(|span| span.field(name).is_some_and(|found| is_same(found, value)))
            }
        }
    }

    /// Describes why the condition does not hold.
    fn miss(&self, record: &Record<'_>) -> String {
        match self {
            Self::Level(level) => format!("the level is {}, not {level}", record.level()),
            Self::Severity(severity) => format!("the severity is {}, not {severity}", record.severity()),
            Self::Target(target) => format!("the target is {}, not {target}", record.target()),
            Self::Message(message) => format!("the message is not {message:?}"),
            Self::Contains(part) => format!("the message does not contain {part:?}"),
            Self::Field(field) => {
                let (name, value) = only(field);
                match record.field(name) {
                    Some(found) => format!("{name} is {found:?}, not {value:?}"),
                    None => format!("there is no field {name}"),
                }
            }
            Self::HasField(name) => format!("there is no field {name}"),
            Self::NoField(name) => format!("there is a field {name}"),
            Self::InSpan(name) => format!("it is not in a span {name}"),
            Self::SpanField(field) => {
                let (name, value) = only(field);
                match record.spans().find_map(|span| span.field(name)) {
                    Some(found) => format!("{name} of the span is {found:?}, not {value:?}"),
                    None => format!("no span has a field {name}"),
                }
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "level {level}"),
            Self::Severity(severity) => write!(f, "severity {severity}"),
            Self::Target(target) => write!(f, "target {target}"),
            Self::Message(message) => write!(f, "message {message:?}"),
            Self::Contains(part) => write!(f, "message containing {part:?}"),
            Self::Field(field) => write!(f, "field {}={:?}", only(field).0, only(field).1),
            Self::HasField(name) => write!(f, "field {name}"),
            Self::NoField(name) => write!(f, "no field {name}"),
            Self::InSpan(name) => write!(f, "in span {name}"),
            Self::SpanField(field) => write!(f, "span field {}={:?}", only(field).0, only(field).1),
        }
    }
}

/// Returns the only field of a record.
fn only(record: &RecordBuf) -> (&str, Value<'_>) {
    record.as_record().fields().next().map_or(("", Value::Bool(false)), |field| (field.name, field.value))
}

fn is_same(found: Value<'_>, expected: Value<'_>) -> bool {
    match (integer(found), integer(expected)) {
        (Some(found), Some(expected)) => return found == expected,
        (None, None) => {}
        _ => return false,
    }
    match (found, expected.as_str()) {
        (Value::Error(chain), Some(text)) => chain.to_string() == text,
        (found, Some(text)) if found.as_str().is_some() => found.as_str() == Some(text),
        _ => found == expected,
    }
}

/// Returns whether an integer is negative, and its absolute value.
fn integer(value: Value<'_>) -> Option<(bool, u128)> {
    match value {
        Value::I64(value) => Some((value < 0, value.unsigned_abs().into())),
        Value::I128(value) => Some((value < 0, value.unsigned_abs())),
        Value::U64(value) => Some((false, value.into())),
        Value::U128(value) => Some((false, value)),
        _ => None,
    }
}
