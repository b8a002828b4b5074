use std::fmt;
use std::iter::FusedIterator;
use std::num::NonZero;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::LevelFilter;

use super::callsite::Callsite;
use super::encoding::{Entry, HEADER, Head, Name, Reader, SpanHead, TakeEntry};
use super::{Kind, Meta, Severity, Value};
use crate::clock::Timestamp;

/// A log record: a borrowed view that is cheap to copy and independent of its origin.
///
/// It is captured once per event, regardless of the number of handlers, and contains the enclosing spans with their fields.
///
/// ```
/// use tracing_handlers::{RecordBuf, Severity, Value};
///
/// let buf = RecordBuf::new(Severity::WARN, "shop::stock", "running out").with_field("left", 2_u64);
/// let record = buf.as_record();
/// assert_eq!(record.message(), "running out");
/// assert_eq!(record.target(), "shop::stock");
/// assert_eq!(record.fields().count(), 1);
/// ```
#[derive(Clone, Copy)]
pub struct Record<'a> {
    raw: &'a [u8],
    head: Head<'a>,
    callsite: Option<&'static Callsite>,
    span_level: LevelFilter,
    shows_span: Option<&'a ShowsSpan>,
}

/// Decides by their metadata which spans are shown. Records contain a reference, which a struct keeps small.
pub(crate) struct ShowsSpan(Box<dyn Fn(&Meta<'_>) -> bool + Send + Sync>);

impl ShowsSpan {
    pub(crate) fn new(shows: impl Fn(&Meta<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(shows))
    }

    pub(crate) fn shows(&self, meta: &Meta<'_>) -> bool {
        (self.0)(meta)
    }
}

impl<'a> Record<'a> {
    /// Decodes the record at the front of `raw`, which an encoder of this crate wrote.
    #[inline]
    pub(crate) fn decode(raw: &'a [u8]) -> Option<Self> {
        let head = Head::of(raw)?;
        let callsite = Callsite::get(head.callsite());
        Some(Self { raw: raw.get(..head.len())?, head, callsite, span_level: LevelFilter::TRACE, shows_span: None })
    }

    /// Returns the whole encoding, which a queue copies.
    #[inline]
    pub(crate) fn raw(&self) -> &'a [u8] {
        self.raw
    }

    #[inline]
    pub(super) fn head(&self) -> Head<'a> {
        self.head
    }

    /// Returns the same record, showing only the spans at this level or more important ones.
    #[inline]
    #[must_use]
    pub fn with_span_level(mut self, level: LevelFilter) -> Self {
        self.span_level = level;
        self
    }

    /// Returns the same record, showing only the spans that `shows` lets through.
    pub(crate) fn with_spans_that(mut self, shows: &'a ShowsSpan) -> Self {
        self.shows_span = Some(shows);
        self
    }

    pub(crate) fn span_level(&self) -> LevelFilter {
        self.span_level
    }

    /// Returns the kind: an event, a loss notice, or a span lifecycle event.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.head.kind()
    }

    /// Returns the severity, 1 to 24.
    #[inline]
    pub fn severity(&self) -> Severity {
        self.head.severity()
    }

    /// Returns tracing's level for this severity.
    #[inline]
    pub fn level(&self) -> Level {
        self.head.severity().level()
    }

    /// Returns when the event happened.
    #[inline]
    pub fn time(&self) -> Timestamp {
        self.head.time()
    }

    /// Returns the target, by default the module path; records of the `log` crate have their own.
    #[inline]
    pub fn target(&self) -> &'a str {
        match self.head.target().read(self.raw) {
            Some(target) => target,
            None => self.metadata().map_or("", Metadata::target),
        }
    }

    /// Whether the target is the callsite's, if there is a callsite.
    #[inline]
    pub(crate) fn has_target_of_callsite(&self) -> bool {
        self.head.target().at == 0
    }

    /// Returns the event's name: `event src/main.rs:7`, or the one given with `name:`.
    pub fn name(&self) -> &'a str {
        match self.head.name().read(self.raw) {
            Some(name) => name,
            None => self.metadata().map_or("", Metadata::name),
        }
    }

    /// Returns the message, or `""` if there is none.
    ///
    /// It is the text of the event's format string. If there is no format string, or its text is empty, it is the value of the
    /// field `message`, an error with its causes: `outer: inner: root`. Beside another message, that field is one of the
    /// [`fields`](Self::fields).
    #[inline]
    pub fn message(&self) -> &'a str {
        self.head.message().read(self.raw).unwrap_or("")
    }

    #[inline]
    pub(crate) fn has_message(&self) -> bool {
        self.head.message().at > 0
    }

    /// Iterates over the event's fields in the order of the callsite, without the message.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        Fields { reader: Reader(self.fields_area()), callsite: self.callsite }
    }

    /// Returns the value of the event's field with this name.
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|field| field.name == name).map(|field| field.value)
    }

    /// Iterates over the enclosing spans, root first. Reversed, it begins with the nearest one, at no additional cost.
    ///
    /// ```
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let buf = RecordBuf::new(Severity::INFO, "shop", "sold").with_span("request", []).with_span("query", []);
    /// let record = buf.as_record();
    /// assert!(record.spans().map(|span| span.name()).eq(["request", "query"]));
    /// assert_eq!(record.spans().next_back().unwrap().name(), "query");
    /// ```
    #[inline]
    pub fn spans(&self) -> Spans<'a> {
        Spans { reader: Reader(self.spans_area()), level: self.span_level, shows: self.shows_span }
    }

    /// Returns the value of the field with this name of the nearest enclosing span that has one.
    ///
    /// ```
    /// use tracing_handlers::{RecordBuf, Severity, Value};
    ///
    /// let buf = RecordBuf::new(Severity::INFO, "shop", "sold")
    ///     .with_span("request", [("user", "ada".into())])
    ///     .with_span("query", [("table", "x".into())]);
    /// assert_eq!(buf.as_record().span_field("user"), Some(Value::Str("ada")));
    /// ```
    pub fn span_field(&self, name: &str) -> Option<Value<'a>> {
        self.spans().rev().find_map(|span| span.field(name))
    }

    /// Iterates over the enclosing spans, root first, including hidden ones.
    pub(super) fn all_spans(&self) -> Spans<'a> {
        Spans { reader: Reader(self.spans_area()), level: LevelFilter::TRACE, shows: None }
    }

    /// Whether it was logged in any span, shown or not.
    #[inline]
    pub(crate) fn has_spans(&self) -> bool {
        self.head.spans_end() > self.head.fields_end()
    }

    #[inline]
    pub(super) fn fields_area(&self) -> &'a [u8] {
        self.raw.get(HEADER..self.head.fields_end()).unwrap_or(&[])
    }

    #[inline]
    pub(super) fn spans_area(&self) -> &'a [u8] {
        self.raw.get(self.head.fields_end()..self.head.spans_end()).unwrap_or(&[])
    }

    #[inline]
    pub(crate) fn callsite(&self) -> Option<&'static Callsite> {
        self.callsite
    }

    /// Whether its fields and those of its spans are those of their callsites, each at most once.
    #[inline]
    pub(crate) fn is_as_captured(&self) -> bool {
        self.head.as_captured()
    }

    /// Returns the version of its spans: records with the same version have the same spans, byte by byte. There is none if spans are
    /// hidden by more than their level.
    #[inline]
    pub(crate) fn spans_version(&self) -> Option<NonZero<u64>> {
        NonZero::new(self.head.spans_version()).filter(|_| self.shows_span.is_none())
    }

    /// Returns the name of the thread it was logged on, if the thread has one.
    pub fn thread_name(&self) -> Option<&'a str> {
        self.head.thread_name().read(self.raw)
    }

    /// Returns the number of Rust's `ThreadId` of the thread it was logged on, from 1, if it is known.
    pub fn thread_id(&self) -> Option<u64> {
        NonZero::new(self.head.thread_id()).map(NonZero::get)
    }

    /// Returns the module it was logged in.
    pub fn module_path(&self) -> Option<&'a str> {
        self.head.module_path().read(self.raw).or_else(|| self.located()?.module_path())
    }

    /// Returns the source file it was logged in.
    pub fn file(&self) -> Option<&'a str> {
        self.head.file().read(self.raw).or_else(|| self.located()?.file())
    }

    /// Returns the line it was logged on, from 1.
    pub fn line(&self) -> Option<u32> {
        match self.head.line() {
            0 => self.located()?.line(),
            line => Some(line),
        }
    }

    /// The kind in the lower byte, the number of the severity in the upper one.
    #[inline]
    pub(crate) fn kind_and_severity(&self) -> u16 {
        self.head.kind_and_severity()
    }

    /// Returns the callsite's id if everything in [`meta`](Self::meta) except the severity is the callsite's.
    #[inline]
    pub(crate) fn callsite_of_meta(&self) -> Option<NonZero<u32>> {
        let head = self.head;
        let own = head.target().at | head.name().at | head.module_path().at | head.file().at | head.line();
        NonZero::new(head.callsite()).filter(|_| own == 0)
    }

    /// Returns the metadata that filters decide from: everything but the values.
    #[inline]
    pub fn meta(&self) -> Meta<'a> {
        Meta {
            severity: self.severity(),
            target: self.target(),
            name: self.name(),
            module_path: self.module_path(),
            file: self.file(),
            line: self.line(),
            is_span: self.kind().is_of_span(),
        }
    }

    #[inline]
    fn metadata(&self) -> Option<&'static Metadata<'static>> {
        self.callsite.map(Callsite::metadata)
    }

    /// Returns the callsite's metadata if it has the true position, which it does not for records from tracing-log.
    #[inline]
    fn located(&self) -> Option<&'static Metadata<'static>> {
        self.callsite.filter(|callsite| !callsite.is_from_log()).map(Callsite::metadata)
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("severity", &self.severity())
            .field("target", &self.target())
            .field("message", &self.message())
            .field("fields", &self.fields().collect::<Vec<_>>())
            .field("spans", &self.spans().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A field: its name and its value.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// The name, as written at the callsite.
    pub name: &'a str,
    /// The value, with its type.
    pub value: Value<'a>,
    index: Option<u8>,
}

impl<'a> Field<'a> {
    /// Creates a field.
    pub fn new(name: &'a str, value: impl Into<Value<'a>>) -> Self {
        Self { name, value: value.into(), index: None }
    }

    #[inline]
    pub(super) fn resolve(name: Name<'a>, value: Value<'a>, callsite: Option<&'static Callsite>) -> Self {
        match name {
            Name::Inline(name) => Self { name, value, index: None },
            Name::Index(index) => {
                let name = callsite.and_then(|callsite| callsite.names().get(index as usize).copied());
                Self { name: name.unwrap_or(""), value, index: Some(index) }
            }
        }
    }

    /// Returns the index of the name among those of the [callsite](Fields::callsite) that the fields belong to; `None` if the
    /// record contains the name itself.
    #[inline]
    pub(crate) fn index(&self) -> Option<usize> {
        self.index.map(usize::from)
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.name, self.value)
    }
}

/// The fields of an event or a span, in order.
#[derive(Clone)]
pub struct Fields<'a> {
    reader: Reader<'a>,
    callsite: Option<&'static Callsite>,
}

impl<'a> Fields<'a> {
    /// Returns the callsite that the [indices](Field::index) of the fields refer to.
    #[inline]
    pub(crate) fn callsite(&self) -> Option<&'static Callsite> {
        self.callsite
    }

    /// Hands all fields to `take`, in half the time of an iteration.
    #[inline(always)]
    pub(crate) fn hand_to(mut self, take: &mut impl TakeField<'a>) {
        let mut resolve = Resolve { callsite: self.callsite, take };
        while self.reader.field_to(&mut resolve).is_some() {}
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.clone()).finish()
    }
}

/// Takes fields one after another.
pub(crate) trait TakeField<'a> {
    /// Must be inlined: it is then specialized for each kind of value, and need not match on it.
    fn take(&mut self, field: Field<'a>);

    /// The same, but must not be inlined: for rare kinds of values.
    fn take_rarely(&mut self, field: Field<'a>);
}

struct Resolve<'t, T> {
    callsite: Option<&'static Callsite>,
    take: &'t mut T,
}

impl<'a, T: TakeField<'a>> TakeEntry<'a> for Resolve<'_, T> {
    #[inline(always)]
    fn take(&mut self, name: Name<'a>, value: Value<'a>) {
        self.take.take(Field::resolve(name, value, self.callsite));
    }

    fn take_rarely(&mut self, name: Name<'a>, value: Value<'a>) {
        self.take.take_rarely(Field::resolve(name, value, self.callsite));
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            if let Entry::Field(name, value) = self.reader.entry()? {
                return Some(Field::resolve(name, value, self.callsite));
            }
        }
    }
}

/// A span that a record was logged in.
#[derive(Clone, Copy)]
pub struct Span<'a> {
    head: SpanHead<'a>,
    callsite: Option<&'static Callsite>,
    fields: &'a [u8],
}

impl<'a> Span<'a> {
    /// Returns the span's name.
    #[inline]
    pub fn name(&self) -> &'a str {
        self.callsite.map_or(self.head.name, |callsite| callsite.metadata().name())
    }

    /// Returns the span's target.
    pub fn target(&self) -> &'a str {
        self.callsite.map_or(self.head.target, |callsite| callsite.metadata().target())
    }

    /// Returns the span's severity.
    pub fn severity(&self) -> Severity {
        self.head.severity
    }

    /// Returns tracing's id of the span, unique among those open at the same time.
    pub fn id(&self) -> u64 {
        self.head.id
    }

    /// Iterates over the span's fields as they were when the event happened, including those set by `Span::record`.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        Fields { reader: Reader(self.fields), callsite: self.callsite }
    }

    /// Returns the value of the field with this name.
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|field| field.name == name).map(|field| field.value)
    }

    /// Iterates over the ids of the spans that this one follows from (`Span::follows_from`); they are not its parents.
    pub fn follows_from(&self) -> impl Iterator<Item = u64> {
        let mut reader = Reader(self.fields);
        std::iter::from_fn(move || {
            loop {
                if let Entry::Follows(id) = reader.entry()? {
                    return Some(id);
                }
            }
        })
    }

    /// Returns a number that identifies a span with fields among those of the same record.
    pub(crate) fn address(&self) -> usize {
        self.fields.as_ptr().addr()
    }

    #[inline]
    pub(super) fn head(&self) -> SpanHead<'a> {
        self.head
    }

    pub(super) fn fields_area(&self) -> &'a [u8] {
        self.fields
    }

    #[inline]
    pub(crate) fn callsite(&self) -> Option<&'static Callsite> {
        self.callsite
    }
}

impl fmt::Debug for Span<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        self.fields().fmt(f)
    }
}

/// The spans that a record was logged in, root first; [`rev`](Iterator::rev) begins with the nearest one.
#[derive(Clone)]
pub struct Spans<'a> {
    reader: Reader<'a>,
    level: LevelFilter,
    shows: Option<&'a ShowsSpan>,
}

impl<'a> Spans<'a> {
    /// Returns the span, if it is shown.
    #[inline]
    fn shown(&self, head: SpanHead<'a>, fields: &'a [u8]) -> Option<Span<'a>> {
        let span = Span { head, callsite: Callsite::get(head.callsite), fields };
        let is_shown = head.severity.level() <= self.level
            && self.shows.is_none_or(|that| that.shows(&Meta::span(head.severity, span.target(), span.name())));
        is_shown.then_some(span)
    }
}

impl<'a> Iterator for Spans<'a> {
    type Item = Span<'a>;

    #[inline]
    fn next(&mut self) -> Option<Span<'a>> {
        loop {
            let (head, fields) = self.reader.span()?;
            if let Some(span) = self.shown(head, fields) {
                return Some(span);
            }
        }
    }
}

impl DoubleEndedIterator for Spans<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            let (head, fields) = self.reader.span_back()?;
            if let Some(span) = self.shown(head, fields) {
                return Some(span);
            }
        }
    }
}

impl FusedIterator for Spans<'_> {}

impl fmt::Debug for Spans<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
