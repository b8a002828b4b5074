use super::Part;
use crate::record::{Field, Fields, Record, Span, Value};

impl Part {
    /// Returns the part's value; `None` if the record does not have the part, or if the part consists of several values.
    #[inline]
    pub fn value<'a>(&self, record: &Record<'a>) -> Option<Value<'a>> {
        match self {
            Self::Time => Some(record.time().unix_nanos().into()),
            Self::Level => Some(record.severity().name().into()),
            Self::Severity => Some(record.severity().number().into()),
            Self::Target => Some(record.target().into()),
            Self::Name => if_any(record.name()),
            Self::ModulePath => record.module_path().map(Value::from),
            Self::File => record.file().map(Value::from),
            Self::Line => record.line().map(Value::from),
            Self::ThreadName => record.thread_name().map(Value::from),
            Self::ThreadId => record.thread_id().map(Value::from),
            // Read each time: after a fork it is a different one.
            Self::ProcessId => Some(std::process::id().into()),
            Self::Message => if_any(record.message()),
            Self::Error => record.fields().map(|field| field.value).find(is_error),
            Self::Field(name) => record.field(name),
            Self::SpanName => record.spans().next_back().map(|span| span.name().into()),
            Self::SpanField(name) => record.span_field(name),
            Self::FieldOf { span, field } => spans_called(record, span).rev().find_map(|span| span.field(field)),
            Self::AnyField(name) => {
                record.field(name).or_else(|| message_as(name, record)).or_else(|| record.span_field(name))
            }
            Self::Fields | Self::Span | Self::SpanNames | Self::Spans | Self::SpanFields => None,
        }
    }

    /// Whether any of the part's values satisfies `fits`.
    ///
    /// Unlike [`value`](Self::value), this covers everything the part can refer to: all fields of the name, of the event or of any
    /// span around it, and all errors; and for parts of several values each field (`Fields`, `SpanFields`) or name (`SpanNames`).
    /// `Span` and `Spans` are not values, so nothing about them is satisfied.
    ///
    /// ```
    /// use tracing_handlers::{Part, RecordBuf, Severity, Value};
    ///
    /// let buf = RecordBuf::new(Severity::INFO, "shop", "sold")
    ///     .with_span("request", [("id", 7_u64.into())])
    ///     .with_span("query", [("id", 8_u64.into())]);
    /// let record = buf.as_record();
    /// assert!(Part::span_field("id").any_value(&record, |value| value == Value::U64(7)));
    /// assert!(Part::SpanNames.any_value(&record, |value| value == Value::Str("query")));
    /// ```
    pub fn any_value<'a>(&self, record: &Record<'a>, mut fits: impl FnMut(Value<'a>) -> bool) -> bool {
        match self {
            Self::Error => record.fields().any(|field| is_error(&field.value) && fits(field.value)),
            Self::Fields => record.fields().any(|field| fits(field.value)),
            Self::Field(name) => any_called(name, record.fields(), &mut fits),
            Self::SpanNames => record.spans().any(|span| fits(span.name().into())),
            Self::SpanFields => record.spans().flat_map(|span| span.fields()).any(|field| fits(field.value)),
            Self::SpanField(name) => record.spans().any(|span| any_called(name, span.fields(), &mut fits)),
            Self::FieldOf { span, field } => {
                spans_called(record, span).any(|span| any_called(field, span.fields(), &mut fits))
            }
            Self::AnyField(name) => {
                any_called(name, record.fields(), &mut fits)
                    || message_as(name, record).is_some_and(&mut fits)
                    || record.spans().any(|span| any_called(name, span.fields(), &mut fits))
            }
            single => single.value(record).is_some_and(fits),
        }
    }
}

fn any_called<'a>(name: &str, mut fields: Fields<'a>, fits: &mut impl FnMut(Value<'a>) -> bool) -> bool {
    fields.any(|Field { name: other, value, .. }| other == name && fits(value))
}

fn spans_called<'a, 'n>(record: &Record<'a>, name: &'n str) -> impl DoubleEndedIterator<Item = Span<'a>> + use<'a, 'n> {
    record.spans().filter(move |span| span.name() == name)
}

/// The message, where `name` refers to it.
fn message_as<'a>(name: &str, record: &Record<'a>) -> Option<Value<'a>> {
    if_any(record.message()).filter(|_| name == "message")
}

fn if_any(text: &str) -> Option<Value<'_>> {
    Some(text).filter(|text| !text.is_empty()).map(Value::from)
}

fn is_error(value: &Value<'_>) -> bool {
    matches!(value, Value::Error(_))
}
