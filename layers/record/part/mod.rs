//! [`Part`]: names for what a record consists of.

mod read;
#[cfg(test)]
mod tests;
mod text;

/// A part of a record: what a format writes in a column or under a key, or what a filter asks about.
///
/// ```
/// use tracing_handlers::{Part, RecordBuf, Severity, Value};
///
/// let buf = RecordBuf::new(Severity::WARN, "shop", "running out")
///     .with_field("left", 2_u64)
///     .with_span("request", [("user", "ada".into())]);
/// let record = buf.as_record();
/// assert_eq!(Part::Level.value(&record), Some(Value::Str("WARN")));
/// assert_eq!(Part::field("left").value(&record), Some(Value::U64(2)));
/// assert_eq!("span.user".parse::<Part>()?.value(&record), Some(Value::Str("ada")));
/// assert_eq!(Part::ThreadName.value(&record), None);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// The text is what [`Display`](std::fmt::Display) writes and [`FromStr`](std::str::FromStr) reads; everything after the first dot
/// is the field's name, whatever it contains. The value is what [`value`](Self::value) returns, if the record has the part.
///
/// | part | text | value |
/// |---|---|---|
/// | `Time` | `time` | nanoseconds since the Unix epoch, clamped to the range of `i64` |
/// | `Level` | `level` | the severity's name: `WARN` |
/// | `Severity` | `severity` | the severity's number, 1 to 24 |
/// | `Target` | `target` | the target, possibly empty |
/// | `Name` | `name` | the event's name, if not empty; `Json` writes `""` for an empty one |
/// | `ModulePath` | `module_path` | the module, if known |
/// | `File` | `file` | the source file, if known |
/// | `Line` | `line` | the line in the source file, from 1, if known |
/// | `ThreadName` | `thread_name` | the thread's name, if it has one |
/// | `ThreadId` | `thread_id` | the thread's number, from 1, if known |
/// | `ProcessId` | `process_id` | the number of the process that reads the record |
/// | `Message` | `message` | the message, if not empty |
/// | `Error` | `error` | the event's first field that is an error |
/// | `Fields` | `fields` | several: the event's fields |
/// | `Field` | `field.NAME` | the event's first field of this name |
/// | `Span` | `span` | several: the nearest span with its fields |
/// | `SpanName` | `span_name` | the nearest span's name |
/// | `SpanNames` | `span_names` | several: the spans' names, root first |
/// | `Spans` | `spans` | several: the spans with their fields, root first |
/// | `SpanFields` | `span_fields` | several: the fields of all spans |
/// | `SpanField` | `span.NAME` | the field of this name of the nearest span that has one |
/// | `FieldOf` | `span[SPAN].NAME` | the same, of the spans called `SPAN`; in it, `]` is written `\]`, and `\` is written `\\` |
/// | `AnyField` | `any.NAME` | the event's field of this name (for `message` also its message), otherwise the nearest span's |
///
/// Spans are those that enclose the event and are [shown](crate::record::Record::with_span_level); the nearest one is the innermost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table describes them")]
pub enum Part {
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
    ProcessId,
    Message,
    Error,
    Fields,
    Field(String),
    Span,
    SpanName,
    SpanNames,
    Spans,
    SpanFields,
    SpanField(String),
    FieldOf { span: String, field: String },
    AnyField(String),
}

impl Part {
    /// Returns the event's field of this name.
    pub fn field(name: impl Into<String>) -> Self {
        Self::Field(name.into())
    }

    /// Returns the field of this name of the nearest span that has one.
    pub fn span_field(name: impl Into<String>) -> Self {
        Self::SpanField(name.into())
    }

    /// Returns the field called `field` of the nearest span called `span` that has one.
    pub fn field_of(span: impl Into<String>, field: impl Into<String>) -> Self {
        Self::FieldOf { span: span.into(), field: field.into() }
    }

    /// Returns the event's field of this name, or the nearest span's.
    pub fn any_field(name: impl Into<String>) -> Self {
        Self::AnyField(name.into())
    }

    /// The name of a column or member with this part, unless it is renamed: the field's name, or the part's word.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Field(name) | Self::SpanField(name) | Self::FieldOf { field: name, .. } | Self::AnyField(name) => {
                name
            }
            plain => plain.word(),
        }
    }
}
