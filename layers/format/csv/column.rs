use crate::Value;
use crate::record::Record;

/// A column, for [`Csv::columns`](super::Csv::columns).
///
/// | column | title | value |
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
/// | `Field` | its name | the event's first field of this name, if any |
/// | `SpanField` | its name | the field of this name of the nearest span that has one |
/// | `Fields` | `fields` | the event's fields that no column shows, see [`Nested`](super::Nested) |
/// | `SpanFields` | `span_fields` | the spans' fields that no column shows, innermost span first |
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table says it all")]
pub enum Column {
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
    Field(String),
    SpanField(String),
    Fields,
    SpanFields,
}

impl Column {
    /// The column of a field of the event.
    pub fn field(name: impl Into<String>) -> Self {
        Self::Field(name.into())
    }

    /// The column of a field of the enclosing spans.
    pub fn span_field(name: impl Into<String>) -> Self {
        Self::SpanField(name.into())
    }

    /// What stands above it unless it is renamed.
    pub fn title(&self) -> &str {
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
            Self::Field(name) | Self::SpanField(name) => name,
            Self::Fields => "fields",
            Self::SpanFields => "span_fields",
        }
    }

    /// What `record` has there, if anything; `None` also for the columns that are not one value.
    pub(super) fn value<'a>(&self, record: &Record<'a>) -> Option<Value<'a>> {
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
            Self::Field(name) => record.field(name),
            Self::SpanField(name) => record.spans().filter_map(|span| span.field(name)).last(),
            Self::Time | Self::Level | Self::SpanNames | Self::Fields | Self::SpanFields => None,
        }
    }
}
