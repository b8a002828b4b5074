use crate::Value;
use crate::record::Record;

/// A part of a line, for [`Logfmt::keys`](super::Logfmt::keys).
///
/// | key | name | value |
/// |---|---|---|
/// | `Time` | `time` | see [`Time`](crate::format::Time) |
/// | `Level` | `level` | see [`LevelNames`](crate::format::LevelNames) |
/// | `Severity` | `severity` | 1 to 24, see [`Severity`](crate::Severity) |
/// | `Target` | `target` | |
/// | `Name` | `name` | the event's name |
/// | `ModulePath` | `module_path` | if known |
/// | `File` | `file` | if known |
/// | `Line` | `line` | from 1, if known |
/// | `ThreadName` | `thread_name` | if it has one |
/// | `ThreadId` | `thread_id` | from 1, if known |
/// | `Message` | `message` | if not empty |
/// | `SpanNames` | `spans` | the names of the enclosing spans, root first: `request:query` |
/// | `Fields` | - | a pair for each of the event's fields |
/// | `SpanFields` | - | a pair for each field of the enclosing spans, see [`Spans`](super::Spans) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table says it all")]
pub enum Key {
    Time,
    Level,
    Severity,
    Target,
    Name,
    ModulePath,
    File,
    Line,
    ThreadName,
    ThreadId,
    Message,
    SpanNames,
    Fields,
    SpanFields,
}

impl Key {
    /// How the part is called unless it is renamed; `Fields` and `SpanFields` have the names of the fields.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Level => "level",
            Self::Severity => "severity",
            Self::Target => "target",
            Self::Name => "name",
            Self::ModulePath => "module_path",
            Self::File => "file",
            Self::Line => "line",
            Self::ThreadName => "thread_name",
            Self::ThreadId => "thread_id",
            Self::Message => "message",
            Self::SpanNames => "spans",
            Self::Fields => "fields",
            Self::SpanFields => "span_fields",
        }
    }

    /// The part stands under one name, and no field can have that.
    pub(super) const fn has_name(self) -> bool {
        !matches!(self, Self::Fields | Self::SpanFields)
    }

    /// What `record` has there, if anything; `None` also for the parts that are not one value.
    pub(super) fn value<'a>(self, record: &Record<'a>) -> Option<Value<'a>> {
        match self {
            Self::Severity => Some(record.severity().number().into()),
            Self::Target => Some(record.target().into()),
            Self::Name => Some(record.name()).filter(|name| !name.is_empty()).map(Value::from),
            Self::ModulePath => record.module_path().map(Value::from),
            Self::File => record.file().map(Value::from),
            Self::Line => record.line().map(Value::from),
            Self::ThreadName => record.thread_name().map(Value::from),
            Self::ThreadId => Some(record.thread_id()).filter(|id| *id > 0).map(Value::from),
            Self::Message => Some(record.message()).filter(|message| !message.is_empty()).map(Value::from),
            Self::Time | Self::Level | Self::SpanNames | Self::Fields | Self::SpanFields => None,
        }
    }
}
