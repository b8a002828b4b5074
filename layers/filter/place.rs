use super::condition::{Condition, Relation, Test, TextTest};
use super::literal::Literal;
use crate::record::{Record, Value};

/// The event's field with this name; `message` is its message.
///
/// What can be asked of it is listed at [`Place`].
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let failed = filter::field("status").ge(500);
/// let record = |status: u64| RecordBuf::new(Severity::INFO, "http", "done").with_field("status", status);
/// assert!(failed.passes(&record(503).as_record()));
/// assert!(!failed.passes(&record(404).as_record()));
/// assert!(!failed.passes(&RecordBuf::new(Severity::INFO, "http", "no status").as_record()));
/// ```
pub fn field(name: impl Into<String>) -> Place {
    let name = name.into();
    match name.as_str() {
        "message" => message(),
        _ => Place { within: Within::Event, name },
    }
}

/// The record's message; a record without one has the empty text.
///
/// ```
/// use tracing_handlers::filter::{self, Filter, FilterExt};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::message().contains("heartbeat").not();
/// assert!(!filter.passes(&RecordBuf::new(Severity::INFO, "", "heartbeat 7").as_record()));
/// assert!(filter.passes(&RecordBuf::new(Severity::INFO, "", "sold").as_record()));
/// ```
pub fn message() -> Place {
    Place { within: Within::Message, name: String::new() }
}

/// The spans with this name around the event; [`Spans::field`] says which of their fields.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let of_42 = filter::span("request").field("user").eq(42);
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold")
///     .with_span("request", [("user", 42_u64.into())])
///     .with_span("query", [("user", 7_u64.into())]);
/// assert!(of_42.passes(&record.as_record()));
/// assert!(!filter::span("query").field("user").eq(42).passes(&record.as_record()));
/// ```
pub fn span(name: impl Into<String>) -> Spans {
    Spans(name.into())
}

/// A field with this name of any span around the event, whatever that span is called.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold").with_span("request", [("user", "ada".into())]);
/// assert!(filter::any_span_field("user").one_of(["ada", "mia"]).passes(&record.as_record()));
/// assert!(!filter::any_span_field("user").eq("li").passes(&record.as_record()));
/// ```
pub fn any_span_field(name: impl Into<String>) -> Place {
    Place { within: Within::AnySpan, name: name.into() }
}

/// A field with this name of the event or of any span around it: what a text stands for where a [`Place`] is asked for.
/// `message` is the event's message too, where it has one.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let traced = filter::any_field("trace_id").exists();
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold");
/// assert!(!traced.passes(&record.as_record()));
/// assert!(traced.passes(&record.with_span("request", [("trace_id", "4bf9".into())]).as_record()));
/// ```
pub fn any_field(name: impl Into<String>) -> Place {
    Place { within: Within::Anywhere, name: name.into() }
}

/// See [`span`].
#[derive(Clone, Debug)]
pub struct Spans(String);

impl Spans {
    /// Their field with this name.
    pub fn field(self, name: impl Into<String>) -> Place {
        Place { within: Within::SpansCalled(self.0), name: name.into() }
    }
}

/// Where in a record a value stands: from [`field`], [`message`], [`span`], [`any_span_field`], [`any_field`]. Each question
/// makes a filter of it.
///
/// | question | passes where |
/// |---|---|
/// | [`exists`](Self::exists) | there is such a value |
/// | [`eq`](Self::eq), [`ne`](Self::ne), [`one_of`](Self::one_of) | it is, is not, is one of |
/// | [`lt`](Self::lt), [`le`](Self::le), [`gt`](Self::gt), [`ge`](Self::ge) | it is less, at most, more, at least |
/// | [`contains`](Self::contains), [`starts_with`](Self::starts_with), [`ends_with`](Self::ends_with) | its text does |
/// | `matches` (feature `regex`) | its text has a match of a regular expression |
///
/// - A value that is **not there** fits nothing, `ne` included. Where there are several (spans inside one another), one that
///   fits is enough.
/// - **Numbers** of all types compare by what they are worth, exactly: `u64::MAX` is not `u64::MAX as f64`. NaN is no number's
///   equal.
/// - **Texts** compare byte by byte; what `?value` and `%value` wrote, nested values (as JSON) and errors (`outer: inner`) are
///   texts. `false` is less than `true`.
/// - Values of **different types** (the text `500` and the number) are not equal, and neither is less.
/// - The questions about texts see any other value as it is shown: a number's digits.
///
/// [`Share::by`](super::Share::by), [`Rate::by`](super::Rate::by), [`First::by`](super::First::by) and
/// [`level_by`](super::level_by) take a place as their key, of which there is one: the event's own value before those of
/// spans, an inner span's before an outer's.
#[derive(Clone, Debug)]
pub struct Place {
    within: Within,
    name: String,
}

#[derive(Clone, Debug)]
enum Within {
    Message,
    Event,
    SpansCalled(String),
    AnySpan,
    Anywhere,
}

impl Place {
    /// There is a value, whatever it is.
    pub fn exists(self) -> Condition {
        Condition::new(self, Test::Exists)
    }

    /// It is `value`.
    pub fn eq<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::Equal, value)
    }

    /// There is a value, and it is not `value`.
    pub fn ne<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::NotEqual, value)
    }

    /// It is less than `value`.
    pub fn lt<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::Less, value)
    }

    /// It is `value` or less.
    pub fn le<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::AtMost, value)
    }

    /// It is more than `value`.
    pub fn gt<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::More, value)
    }

    /// It is `value` or more.
    pub fn ge<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::AtLeast, value)
    }

    /// It is one of these.
    ///
    /// ```
    /// use tracing_handlers::filter::{self, Filter};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let filter = filter::field("method").one_of(["GET", "HEAD"]);
    /// let record = |method: &str| RecordBuf::new(Severity::INFO, "http", "").with_field("method", method);
    /// assert!(filter.passes(&record("HEAD").as_record()) && !filter.passes(&record("PUT").as_record()));
    /// ```
    pub fn one_of<'v, V: Into<Value<'v>>>(self, values: impl IntoIterator<Item = V>) -> Condition {
        let values = values.into_iter().map(|value| Literal::from(value.into())).collect();
        Condition::new(self, Test::OneOf(values))
    }

    /// Its text contains `part`.
    pub fn contains(self, part: impl Into<String>) -> Condition {
        Condition::new(self, Test::Text(TextTest::contains(part.into())))
    }

    /// Its text starts with `start`.
    ///
    /// ```
    /// use tracing_handlers::filter::{self, Filter};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let probes = filter::field("path").starts_with("/health");
    /// let record = RecordBuf::new(Severity::INFO, "http", "").with_field("path", "/health/live");
    /// assert!(probes.passes(&record.as_record()));
    /// ```
    pub fn starts_with(self, start: impl Into<String>) -> Condition {
        Condition::new(self, Test::Text(TextTest::starts_with(start.into())))
    }

    /// Its text ends with `end`.
    pub fn ends_with(self, end: impl Into<String>) -> Condition {
        Condition::new(self, Test::Text(TextTest::ends_with(end.into())))
    }

    fn is<'v>(self, relation: Relation, value: impl Into<Value<'v>>) -> Condition {
        Condition::new(self, Test::Is(relation, Literal::from(value.into())))
    }

    /// Whether any value that stands here fits.
    pub(super) fn any(&self, record: &Record<'_>, mut fits: impl FnMut(Value<'_>) -> bool) -> bool {
        let mut fields = record.fields();
        let own = self.is_of_event() && fields.any(|field| field.name == self.name && fits(field.value));
        let own = own || self.message(record).is_some_and(&mut fits);
        match self.within {
            Within::Message => fits(Value::Str(record.message())),
            _ if own => true,
            _ => record.spans().filter(|span| self.is_of_span(span.name())).any(|span| {
                let mut fields = span.fields();
                fields.any(|field| field.name == self.name && fits(field.value))
            }),
        }
    }

    /// The one value to go by: the event's, else the innermost span's.
    pub(super) fn value<'a>(&self, record: &Record<'a>) -> Option<Value<'a>> {
        if let Within::Message = self.within {
            return Some(Value::Str(record.message()));
        }
        let own = if self.is_of_event() { record.field(&self.name) } else { None };
        own.or_else(|| self.message(record)).or_else(|| {
            let spans = record.spans().filter(|span| self.is_of_span(span.name()));
            spans.filter_map(|span| span.field(&self.name)).last()
        })
    }

    /// The event's message, where it stands for the field of that name: spans have such fields.
    fn message<'a>(&self, record: &Record<'a>) -> Option<Value<'a>> {
        let is_meant = matches!(self.within, Within::Anywhere) && self.name == "message";
        (is_meant && !record.message().is_empty()).then(|| Value::Str(record.message()))
    }

    fn is_of_event(&self) -> bool {
        matches!(self.within, Within::Event | Within::Anywhere)
    }

    fn is_of_span(&self, span: &str) -> bool {
        match &self.within {
            Within::Message | Within::Event => false,
            Within::SpansCalled(name) => name == span,
            Within::AnySpan | Within::Anywhere => true,
        }
    }

    /// How reports call it.
    pub(super) fn name(&self) -> &str {
        match self.within {
            Within::Message => "message",
            _ => &self.name,
        }
    }
}

/// As [`any_field`].
impl From<&str> for Place {
    fn from(name: &str) -> Self {
        any_field(name)
    }
}
