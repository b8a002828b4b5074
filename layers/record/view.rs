use std::fmt;
use std::num::NonZero;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::LevelFilter;

use super::callsite::{Callsite, Key};
use super::encoding::{Entry, HEADER, Head, Name, Reader, SpanHead, TakeEntry};
use super::{Kind, Meta, Severity, Value};
use crate::bytes::Block;
use crate::clock::Timestamp;

/// One log record: a borrowed view, cheap to copy, that owns nothing and knows nothing of where it came from.
///
/// It is captured once per event, whatever the number of handlers, and carries the enclosing spans with their fields.
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
}

impl<'a> Record<'a> {
    /// The record at the front of `raw`, which an encoder of this crate wrote.
    #[inline]
    pub(crate) fn decode(raw: &'a [u8]) -> Option<Self> {
        let head = Head::of(raw)?;
        let callsite = Callsite::get(head.callsite());
        Some(Self { raw: raw.get(..head.len())?, head, callsite, span_level: LevelFilter::TRACE })
    }

    /// The whole encoding: what a queue copies.
    #[inline]
    pub(crate) fn raw(&self) -> &'a [u8] {
        self.raw
    }

    #[inline]
    pub(super) fn head(&self) -> Head<'a> {
        self.head
    }

    /// The same record, showing only the spans at this level or more important ones.
    #[inline]
    pub fn with_span_level(mut self, level: LevelFilter) -> Self {
        self.span_level = level;
        self
    }

    pub(crate) fn span_level(&self) -> LevelFilter {
        self.span_level
    }

    /// An event, the news that records are missing, or a moment in the life of a span.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.head.kind()
    }

    /// How important it is, 1 to 24.
    #[inline]
    pub fn severity(&self) -> Severity {
        self.head.severity()
    }

    /// tracing's level for this severity.
    #[inline]
    pub fn level(&self) -> Level {
        self.head.severity().level()
    }

    /// When the event happened.
    #[inline]
    pub fn time(&self) -> Timestamp {
        self.head.time()
    }

    /// The target, by default the module path; records of the `log` crate carry their own.
    #[inline]
    pub fn target(&self) -> &'a str {
        match self.head.target().read(self.raw) {
            Some(target) => target,
            None => self.metadata().map_or("", Metadata::target),
        }
    }

    /// The target as ` target:`, where it is the callsite's and that was worked out ahead.
    #[inline]
    pub(crate) fn target_block(&self) -> Option<&'static Block> {
        match self.head.target().at {
            0 => self.callsite?.target(),
            _ => None,
        }
    }

    /// The event's name: `event src/main.rs:7`, or the one given with `name:`.
    pub fn name(&self) -> &'a str {
        match self.head.name().read(self.raw) {
            Some(name) => name,
            None => self.metadata().map_or("", Metadata::name),
        }
    }

    /// The message, or `""` where there is none.
    #[inline]
    pub fn message(&self) -> &'a str {
        self.head.message().read(self.raw).unwrap_or("")
    }

    #[inline]
    pub(super) fn has_message(&self) -> bool {
        self.head.message().at > 0
    }

    /// The event's fields in the order of the callsite, without the message.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        Fields { reader: Reader(self.fields_area()), callsite: self.callsite }
    }

    /// The event's field with this name.
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|field| field.name == name).map(|field| field.value)
    }

    /// The enclosing spans, root first.
    #[inline]
    pub fn spans(&self) -> Spans<'a> {
        Spans { reader: Reader(self.spans_area()), level: self.span_level }
    }

    /// The enclosing spans, root first, including hidden ones.
    pub(super) fn all_spans(&self) -> Spans<'a> {
        Spans { reader: Reader(self.spans_area()), level: LevelFilter::TRACE }
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

    /// Whether its fields, and its spans', are those that their callsites have, each once at most.
    #[inline]
    pub(crate) fn is_as_captured(&self) -> bool {
        self.head.as_captured()
    }

    /// What tells its spans from all others: records with the same stamp have the same spans, in every byte.
    #[inline]
    pub(crate) fn span_stamp(&self) -> Option<NonZero<u64>> {
        NonZero::new(self.head.stamp())
    }

    /// The name of the thread it was logged on, where that has one.
    pub fn thread_name(&self) -> Option<&'a str> {
        self.head.thread_name().read(self.raw)
    }

    /// The number of Rust's `ThreadId` of the thread it was logged on, from 1; 0 where unknown.
    pub fn thread_id(&self) -> u64 {
        self.head.thread_id()
    }

    /// The module it was logged in.
    pub fn module_path(&self) -> Option<&'a str> {
        self.head.module_path().read(self.raw).or_else(|| self.located()?.module_path())
    }

    /// The source file it was logged in.
    pub fn file(&self) -> Option<&'a str> {
        self.head.file().read(self.raw).or_else(|| self.located()?.file())
    }

    /// The line it was logged on, from 1.
    pub fn line(&self) -> Option<u32> {
        match self.head.line() {
            0 => self.located()?.line(),
            line => Some(line),
        }
    }

    /// The callsite's id, where all that [`meta`](Self::meta) says but the severity is the callsite's.
    #[inline]
    pub(crate) fn callsite_of_meta(&self) -> Option<NonZero<u32>> {
        let head = self.head;
        let own = head.target().at | head.name().at | head.module_path().at | head.file().at | head.line();
        NonZero::new(head.callsite()).filter(|_| own == 0)
    }

    /// What filters judge from: everything but the values.
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

    /// The callsite's metadata where it tells the true position: not for records that came through tracing-log.
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
    /// The name, as it stands at the callsite.
    pub name: &'a str,
    /// The value, with its type.
    pub value: Value<'a>,
    key: Option<&'static Key>,
}

impl<'a> Field<'a> {
    #[inline]
    pub(super) fn resolve(name: Name<'a>, value: Value<'a>, callsite: Option<&'static Callsite>) -> Self {
        match name {
            Name::Inline(name) => Self { name, value, key: None },
            Name::Index(index) => {
                let key = callsite.and_then(|callsite| callsite.keys().get(index as usize));
                Self { name: key.map_or("", Key::name), value, key }
            }
        }
    }

    /// The name as a JSON key, with its comma and colon, where that was worked out ahead.
    #[inline]
    pub(crate) fn json_key(&self) -> Option<&'static Block> {
        self.key?.json()
    }

    /// The name as it stands in a line of text, ` name=`, where that was worked out ahead.
    #[inline]
    pub(crate) fn text_key(&self) -> Option<&'static Block> {
        self.key?.text()
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
    /// Hands all fields to `take`: what an iteration does, in half the time.
    #[inline(always)]
    pub(crate) fn hand_to(mut self, take: &mut impl TakeField<'a>) {
        let mut resolve = Resolve { callsite: self.callsite, take };
        while self.reader.field_to(&mut resolve).is_some() {}
    }
}

/// Takes fields one after another.
pub(crate) trait TakeField<'a> {
    /// To be inlined: where it is, it is made anew for each kind of value, and need not ask which one it has.
    fn take(&mut self, field: Field<'a>);

    /// The same, not to be inlined: for the kinds of values that are rare.
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
    /// The span's name.
    #[inline]
    pub fn name(&self) -> &'a str {
        self.callsite.map_or(self.head.name, |callsite| callsite.metadata().name())
    }

    /// The span's target.
    pub fn target(&self) -> &'a str {
        self.callsite.map_or(self.head.target, |callsite| callsite.metadata().target())
    }

    /// The span's severity.
    pub fn severity(&self) -> Severity {
        self.head.severity
    }

    /// tracing's id of the span, unique among those open at the same time.
    pub fn id(&self) -> u64 {
        self.head.id
    }

    /// The span's fields as they were when the event happened, those of `Span::record` included.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        Fields { reader: Reader(self.fields), callsite: self.callsite }
    }

    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|field| field.name == name).map(|field| field.value)
    }

    /// The ids of the spans that this one follows from (`Span::follows_from`); they are not its parents.
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
        f.debug_set().entries(self.fields()).finish()
    }
}

/// The spans that a record was logged in, root first.
#[derive(Clone)]
pub struct Spans<'a> {
    reader: Reader<'a>,
    level: LevelFilter,
}

impl<'a> Iterator for Spans<'a> {
    type Item = Span<'a>;

    #[inline]
    fn next(&mut self) -> Option<Span<'a>> {
        loop {
            let (head, fields) = self.reader.span()?;
            if head.severity.level() <= self.level {
                return Some(Span { head, callsite: Callsite::get(head.callsite), fields });
            }
        }
    }
}
