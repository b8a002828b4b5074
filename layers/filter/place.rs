use super::condition::{Condition, Relation, Test, TextTest};
use super::literal::Literal;
use crate::record::{Part, Record, Value};

/// Returns the event's field with this name; `message` is its message.
///
/// The questions that can be asked about it are listed at [`Place`].
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
        _ => Place(Part::Field(name)),
    }
}

/// Returns the record's message; that of a record without one is the empty text.
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
    Place(Part::Message)
}

/// Returns the spans with this name around the event; [`NamedSpan::field`] chooses one of their fields.
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
pub fn span(name: impl Into<String>) -> NamedSpan {
    NamedSpan(name.into())
}

/// Returns the field with this name of any span around the event.
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
    Place(Part::SpanField(name.into()))
}

/// Returns the field with this name of the event or of any span around it. A text means the same where a [`Place`] is expected.
/// `message` is also the event's message, if it has one.
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
    Place(Part::AnyField(name.into()))
}

/// The spans with one name: see [`span`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct NamedSpan(String);

impl NamedSpan {
    /// Returns their field with this name.
    pub fn field(self, name: impl Into<String>) -> Place {
        Place(Part::FieldOf { span: self.0, field: name.into() })
    }
}

/// The place of a value in a record, from [`field`], [`message`], [`span`], [`any_span_field`], [`any_field`] or any [`Part`]. Each
/// question about it is a filter.
///
/// | question | passes if |
/// |---|---|
/// | [`exists`](Self::exists) | there is such a value |
/// | [`eq`](Self::eq), [`ne`](Self::ne), [`one_of`](Self::one_of) | it equals, does not equal, equals one of |
/// | [`lt`](Self::lt), [`le`](Self::le), [`gt`](Self::gt), [`ge`](Self::ge) | it is less than, at most, greater than, at least |
/// | [`contains`](Self::contains), [`starts_with`](Self::starts_with), [`ends_with`](Self::ends_with) | its text does |
/// | `matches` (feature `regex`) | its text has a match of a regular expression |
///
/// - A **missing** value satisfies nothing, not even `ne`. If there are several values (nested spans), one that satisfies the
///   question is enough: see [`Part::any_value`].
/// - **Numbers** of all types compare by their exact mathematical value: `u64::MAX` is not `u64::MAX as f64`. NaN equals nothing.
/// - **Texts** compare byte by byte. The output of `?value` and `%value`, nested values (as JSON) and errors (`outer: inner`) are
///   texts. `false` is less than `true`.
/// - Values of **different types** (the text `500` and the number) are not equal, and neither is less.
/// - The questions about texts see any other value as it is displayed: a number's digits.
///
/// [`Share::by`](super::Share::by), [`Rate::by`](super::Rate::by), [`First::by`](super::First::by) and
/// [`level_by`](super::level_by) take a place as their key, which is a single value: that of [`Part::value`].
///
/// ```
/// use tracing_handlers::filter::{Filter, Place};
/// use tracing_handlers::{Part, RecordBuf, Severity};
///
/// let of_worker = Place::from(Part::ThreadName).starts_with("worker-");
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold").with_thread("worker-3", 5);
/// assert!(of_worker.passes(&record.as_record()));
/// ```
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct Place(pub(super) Part);

impl Place {
    /// Passes if there is a value, whatever it is.
    pub fn exists(self) -> Condition {
        Condition::new(self.0, Test::Exists)
    }

    /// Passes if it equals `value`.
    pub fn eq<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::Equal, value)
    }

    /// Passes if there is a value and it does not equal `value`.
    pub fn ne<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::NotEqual, value)
    }

    /// Passes if it is less than `value`.
    pub fn lt<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::Less, value)
    }

    /// Passes if it is at most `value`.
    pub fn le<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::AtMost, value)
    }

    /// Passes if it is greater than `value`.
    pub fn gt<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::More, value)
    }

    /// Passes if it is at least `value`.
    pub fn ge<'v>(self, value: impl Into<Value<'v>>) -> Condition {
        self.is(Relation::AtLeast, value)
    }

    /// Passes if it equals one of these.
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
        Condition::new(self.0, Test::OneOf(values))
    }

    /// Passes if its text contains `part`.
    pub fn contains(self, part: impl Into<String>) -> Condition {
        Condition::new(self.0, Test::Text(TextTest::contains(part.into())))
    }

    /// Passes if its text starts with `start`.
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
        Condition::new(self.0, Test::Text(TextTest::starts_with(start.into())))
    }

    /// Passes if its text ends with `end`.
    pub fn ends_with(self, end: impl Into<String>) -> Condition {
        Condition::new(self.0, Test::Text(TextTest::ends_with(end.into())))
    }

    fn is<'v>(self, relation: Relation, value: impl Into<Value<'v>>) -> Condition {
        Condition::new(self.0, Test::Is(relation, Literal::from(value.into())))
    }

    /// Returns the one value that serves as a key.
    pub(crate) fn value<'a>(&self, record: &Record<'a>) -> Option<Value<'a>> {
        match self.0 {
            Part::Message => Some(Value::Str(record.message())),
            ref part => part.value(record),
        }
    }

    /// The name used in reports.
    pub(super) fn name(&self) -> &str {
        self.0.label()
    }
}

impl From<Part> for Place {
    fn from(part: Part) -> Self {
        Self(part)
    }
}

/// Converts as [`any_field`] does.
impl From<String> for Place {
    fn from(name: String) -> Self {
        any_field(name)
    }
}

/// Converts as [`any_field`] does.
impl From<&str> for Place {
    fn from(name: &str) -> Self {
        any_field(name)
    }
}
