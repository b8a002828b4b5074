//! [`Json`]: one JSON object per record, and its settings.

mod bloom;
mod claims;
mod conflict;
mod distinct;
mod draft;
mod form;
mod keys;
mod like_fmt;
mod limit;
mod line;
mod member;
mod names;
mod nested;
mod node;
mod object;
mod options;
mod planned;
mod preset;
mod rest;
mod shape;
mod source;
mod subject;
#[cfg(feature = "serde")]
mod template;
mod tree;
mod value;

pub use options::{Duplicates, FieldLayout, NonFinite, SpanLayout};
pub use preset::Preset;
#[cfg(feature = "serde")]
pub use template::JsonTemplate;

use self::keys::JsonKeys;
use self::limit::Limit;
use self::line::{Line, Lines, Step, Then};
use self::names::Names;
use self::object::{Object, Writer};
use self::planned::PlannedPart;
use super::kept::{self, FormatId};
use super::shown::FieldParts;
use super::{Format, LevelNames, Out, SpanTimes, Time, escape};
use crate::Error;
use crate::record::{Callsite, Field, Part, Record, RecordBuf, Value};

/// One JSON object per record (RFC 8259), on one line: NDJSON with the default framing.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Format, Json, Out};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold")
///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
///     .with_field("pieces", 3_u64)
///     .with_span("request", [("method", "GET".into())]);
/// let mut line = Vec::new();
/// Json::new().format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     concat!(
///         r#"{"timestamp":"2026-11-21T01:19:03.123456Z","level":"INFO","target":"shop","message":"sold","#,
///         r#""pieces":3,"spans":[{"name":"request","method":"GET"}]}"#,
///     ),
/// );
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`keys`](Self::keys) | time, level, target, message, fields, spans | the parts and their order |
/// | [`rename`](Self::rename) | see below | the name of a part |
/// | [`time`](Self::time) | [`Time::rfc3339`] | how the timestamp is written |
/// | [`level_names`](Self::level_names) | [`LevelNames::Upper`] | `INFO`, `info` … |
/// | [`fields`](Self::fields) | [`FieldLayout::Flat`] | the fields in the object itself, or in one of their own |
/// | [`spans`](Self::spans) | [`SpanLayout::List`] | how the enclosing spans are written |
/// | [`duplicates`](Self::duplicates) | [`Duplicates::Suffix`] | what happens to a second field with the same name |
/// | [`non_finite`](Self::non_finite) | [`NonFinite::Null`] | `NaN` and the infinities, which JSON does not have |
/// | [`span_times`](Self::span_times) | [`SpanTimes::Nanoseconds`] | how the times of closed spans are written |
///
/// **Parts.** Every [part of a record](Part) can be a key. A single field keeps its own name, `Time` is named `timestamp`, and any
/// other part has the name that it is displayed with. `SpanNames` is a list of names, `Span` is the nearest span as an object,
/// and `Spans` follows the setting [`spans`](Self::spans). `Fields` and `SpanFields` follow the setting
/// [`fields`](Self::fields) and omit the fields that another part shows. The fields of the nearest span come first.
///
/// **Omitted parts.** A part that the record lacks is omitted: an empty message, the spans of a record outside of all spans, a
/// missing thread name or source position. [`Time::none`] omits the timestamp. An empty event name is still written, as `""`.
///
/// **Types.** Booleans, integers and floats keep their types (a whole float is `1.0`). A 128-bit integer is a number if it
/// fits 64 bits, and a string otherwise. Bytes are a string of lower-case hexadecimal digits. An error is a single string,
/// `outer: inner: root`.
///
/// **Keys are unique** within every object, whatever the names of the fields and spans: see [`Duplicates`].
///
/// **Escaping.** In addition to what JSON requires, C1 controls and characters that are invisible or change the direction of text
/// are escaped as `\uXXXX`, so that a line is safe to view in a terminal. Parsing the line restores them.
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Json {
    keys: Vec<Part>,
    renamed: Vec<(Part, String)>,
    time: Time,
    level_names: LevelNames,
    fields: FieldLayout,
    spans: SpanLayout,
    duplicates: Duplicates,
    non_finite: NonFinite,
    span_times: SpanTimes,
    plan: Plan,
}

impl Json {
    /// Creates the format with the defaults in the table above.
    pub fn new() -> Self {
        Self {
            keys: vec![Part::Time, Part::Level, Part::Target, Part::Message, Part::Fields, Part::Spans],
            renamed: Vec::new(),
            time: Time::default(),
            level_names: LevelNames::default(),
            fields: FieldLayout::default(),
            spans: SpanLayout::default(),
            duplicates: Duplicates::default(),
            non_finite: NonFinite::default(),
            span_times: SpanTimes::default(),
            plan: Plan::default(),
        }
        .planned()
    }

    /// Sets the parts that are written, and their order. If a part is named twice, only the first one counts.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Json, Out};
    /// use tracing_handlers::{Part, RecordBuf, Severity};
    ///
    /// let json = Json::new().keys([Part::Severity, Part::Message]).rename(Part::Message, "msg");
    /// let mut line = Vec::new();
    /// json.format(&RecordBuf::new(Severity::WARN, "", "hot").as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(line, br#"{"severity":13,"msg":"hot"}"#);
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn keys(mut self, keys: impl IntoIterator<Item = Part>) -> Self {
        self.keys.clear();
        for key in keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        self.planned()
    }

    /// Sets the name of a part. If an earlier part has the same name, `_2` is appended to this one.
    pub fn rename(mut self, key: Part, name: impl Into<String>) -> Self {
        self.renamed.retain(|(renamed, _)| *renamed != key);
        self.renamed.push((key, name.into()));
        self.planned()
    }

    /// Sets how the time is written.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self.planned()
    }

    /// Sets how levels are written.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self.planned()
    }

    /// Sets whether fields are written into the record's own object or into one of their own.
    pub fn fields(mut self, layout: FieldLayout) -> Self {
        self.fields = layout;
        self.planned()
    }

    /// Sets how the enclosing spans are written.
    pub fn spans(mut self, spans: SpanLayout) -> Self {
        self.spans = spans;
        self.planned()
    }

    /// Sets what happens to a second field with the same name.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self.planned()
    }

    /// Sets how `NaN` and the infinities are written.
    pub fn non_finite(mut self, non_finite: NonFinite) -> Self {
        self.non_finite = non_finite;
        self.planned()
    }

    /// Sets how the times of closed spans are written.
    pub fn span_times(mut self, times: SpanTimes) -> Self {
        self.span_times = times;
        self.planned()
    }

    /// Rebuilds the plan: everything that is the same for all records.
    fn planned(mut self) -> Self {
        let mut names = Names::default();
        let mut parts = Vec::new();
        for key in self.keys.iter().filter(|key| self.is_written(key)) {
            let renamed = self.renamed.iter().find(|(renamed, _)| renamed == key);
            let name = renamed.map_or(planned::name(key), |(_, name)| name);
            let name = if self.has_name(key) { names.reserve(name) } else { Vec::new() };
            parts.push(PlannedPart::new(key.clone(), &name, self.level_names));
        }
        let flattens_spans = parts.iter().any(|planned| match planned.part {
            Part::Spans => self.spans == SpanLayout::Flat,
            Part::SpanFields => self.fields == FieldLayout::Flat,
            _ => false,
        });
        let field_parts = FieldParts::of(&self.keys);
        self.plan =
            Plan { parts, field_parts, flattens_spans, names, lines: Lines::default(), id: FormatId::default() };
        self
    }

    /// Returns the prepared line of the record's callsite if the record is unchanged since its capture and all names are known to
    /// be distinct. Flattened spans share one object with the event, so their names may repeat.
    #[inline]
    fn line_of(&self, record: &Record<'_>) -> Option<&Line> {
        let callsite = record.callsite().filter(|_| record.is_as_captured() && !self.plan.flattens_spans)?;
        let line = self.plan.lines.0.get_or_prepare(callsite.id(), || self.join(callsite))?.as_ref()?;
        (line.severity == record.severity()).then_some(line)
    }

    #[cold]
    fn join(&self, callsite: &'static Callsite) -> Option<Line> {
        let keys = JsonKeys::of(Some(callsite))?;
        let shows_field = callsite.names().iter().any(|name| self.plan.field_parts.may_show(name));
        if callsite.is_from_log() || shows_field || !keys.are_distinct_beside(callsite, &self.plan.names) {
            return None;
        }
        let sample = RecordBuf::of_callsite(callsite);
        let sample = sample.as_record();
        let (mut steps, mut constant) = (Vec::new(), Vec::new());
        let quote: &[u8] = if self.time.is_number() { b"" } else { b"\"" };
        for (index, part) in self.plan.parts.iter().enumerate() {
            let then = match part.part {
                _ if part.is_of_callsite() => {
                    self.write_alone(part, &sample, &mut constant);
                    continue;
                }
                Part::Time => {
                    part.lead.put(&mut constant);
                    constant.extend_from_slice(quote);
                    steps.push(Step::new(&mut constant, Then::Time));
                    constant.extend_from_slice(quote);
                    continue;
                }
                Part::Message => Then::Message(index),
                Part::Fields if self.fields == FieldLayout::Flat => Then::Fields,
                Part::Spans => Then::Spans(index),
                _ => Then::Part(index),
            };
            steps.push(Step::new(&mut constant, then));
        }
        if !constant.is_empty() {
            steps.push(Step::new(&mut constant, Then::End));
        }
        Some(Line { severity: sample.severity(), keys, steps: steps.into() })
    }

    #[inline]
    fn write_line(&self, line: &Line, record: &Record<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        for step in &line.steps {
            if let Some(constant) = &step.constant {
                constant.put(out);
            }
            match step.then {
                Then::Time => self.time.write_escaped(record.time(), out, escape::json),
                Then::Message(_) if record.message().is_empty() => {}
                Then::Message(part) => {
                    self.plan.parts[part].lead.put(out);
                    value::text(out, record.message());
                }
                Then::Fields => distinct::write_members(out, record.fields(), line.keys, self.non_finite),
                Then::Spans(_) if !record.has_spans() => {}
                Then::Spans(part) => self.write_span_part(&self.plan.parts[part], record, &mut self.writer(out)),
                Then::Part(part) => self.write_alone(&self.plan.parts[part], record, out),
                Then::End => {}
            }
        }
        object::close(out, start);
    }

    /// Writes a part whose names cannot clash with those of other parts.
    #[inline(never)]
    fn write_alone(&self, part: &PlannedPart, record: &Record<'_>, out: &mut Vec<u8>) {
        let mut to = self.writer(out);
        let mut object = to.open(NO_NAMES);
        self.write_part(part, record, &mut object, &mut to);
    }

    #[inline(never)]
    fn write_parts(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let mut to = self.writer(out);
        let mut object = to.open(&self.plan.names);
        for part in &self.plan.parts {
            self.write_part(part, record, &mut object, &mut to);
        }
        to.close(object);
    }

    #[inline]
    fn writer<'b>(&self, out: &'b mut Vec<u8>) -> Writer<'b> {
        Writer::new(out, self.duplicates, self.non_finite, Limit::NONE)
    }

    /// Writes the spans as a list or an object, from the cache if they have been written before.
    #[inline]
    fn write_span_part(&self, part: &PlannedPart, record: &Record<'_>, to: &mut Writer<'_>) {
        let start = to.out().len();
        let Some(missing) = kept::put(record, self.plan.id, 0, to.out()) else { return };
        match self.spans {
            SpanLayout::Nested => write_nested(part, record, to),
            _ => to.keyed(&part.lead, |to| to.spans(record)),
        }
        missing.keep(&to.out()[start..]);
    }

    fn is_written(&self, key: &Part) -> bool {
        match key {
            Part::Time => !self.time.is_none(),
            Part::Spans => self.spans != SpanLayout::Off,
            _ => true,
        }
    }

    /// Returns whether the part is one named member, rather than members of the record's own object.
    fn has_name(&self, key: &Part) -> bool {
        match key {
            Part::Fields | Part::SpanFields => self.fields == FieldLayout::Nested,
            Part::Spans => self.spans != SpanLayout::Flat,
            _ => true,
        }
    }

    /// Not inlined: otherwise the compiler moves about 200 instructions of setup for all kinds of parts in front of the loop.
    #[inline(never)]
    fn write_part<'w>(&'w self, part: &PlannedPart, record: &Record<'_>, object: &mut Object<'w>, to: &mut Writer<'_>) {
        match &part.part {
            Part::Time => self.write_time(part, record, to),
            Part::Level => part.put_level(record.severity(), to.out()),
            Part::Name => self.write_value(part, Some(record.name().into()), to),
            Part::Fields => self.write_fields(part, record, object, to),
            Part::Span => write_span(part, record, to),
            Part::Spans => self.write_spans(part, record, object, to),
            Part::SpanNames => write_span_names(part, record, to),
            Part::SpanFields => self.write_span_fields(part, record, object, to),
            single => self.write_value(part, single.value(record), to),
        }
    }

    #[inline(never)]
    fn write_value(&self, part: &PlannedPart, value: Option<Value<'_>>, to: &mut Writer<'_>) {
        if let Some(value) = value {
            part.lead.put(to.out());
            to.value(value);
        }
    }

    #[inline]
    fn write_time(&self, part: &PlannedPart, record: &Record<'_>, to: &mut Writer<'_>) {
        part.lead.put(to.out());
        value::time(to.out(), &self.time, record.time());
    }

    #[inline]
    fn write_fields<'w>(
        &'w self,
        part: &PlannedPart,
        record: &Record<'_>,
        object: &mut Object<'w>,
        to: &mut Writer<'_>,
    ) {
        let mut shown = self.plan.field_parts.walk(record);
        if self.fields == FieldLayout::Flat {
            return to.members_if(object, record.fields(), |field| !shown.has(field));
        }
        write_members(part, to, |nested, to| to.members_if(nested, record.fields(), |field| !shown.has(field)));
    }

    #[inline]
    fn write_spans<'w>(
        &'w self,
        part: &PlannedPart,
        record: &Record<'_>,
        object: &mut Object<'w>,
        to: &mut Writer<'_>,
    ) {
        match self.spans {
            SpanLayout::List | SpanLayout::Nested => self.write_span_part(part, record, to),
            SpanLayout::Flat => self.write_flat(record, object, to),
            SpanLayout::Off => {}
        }
    }

    #[inline(never)]
    fn write_span_fields<'w>(
        &'w self,
        part: &PlannedPart,
        record: &Record<'_>,
        object: &mut Object<'w>,
        to: &mut Writer<'_>,
    ) {
        match self.fields {
            FieldLayout::Flat => self.write_flat(record, object, to),
            FieldLayout::Nested => write_members(part, to, |nested, to| self.write_flat(record, nested, to)),
        }
    }

    /// Writes the fields of the spans, nearest span first, so that its fields keep their names.
    fn write_flat(&self, record: &Record<'_>, object: &mut Object<'_>, to: &mut Writer<'_>) {
        let mut shown = self.plan.field_parts.walk(record);
        for span in record.spans().rev() {
            to.members_if(object, span.fields(), |field| !shown.has_of_span(&span, field));
        }
    }
}

impl Default for Json {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Json {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        if self.span_times.changes(record) {
            return self.span_times.apply(record, |record| self.format(record, out));
        }
        let out = out.buffer();
        // The raw record lacks the callsite's names, and values grow when written. With this estimate the buffer grows at most once.
        out.reserve(2 * record.raw().len() + RESERVE);
        match self.line_of(record) {
            Some(line) => self.write_line(line, record, out),
            None => self.write_parts(record, out),
        }
        Ok(())
    }
}

/// Everything that is the same for all records.
#[derive(Clone, Debug, Default)]
struct Plan {
    parts: Vec<PlannedPart>,
    /// The parts that are single fields.
    field_parts: FieldParts,
    /// Whether the fields of spans are written as members of the record's own object.
    flattens_spans: bool,
    names: Names,
    lines: Lines,
    id: FormatId,
}

/// Appends `fields` as an object with the defaults of [`Json`], for formats that contain such an object.
pub(super) fn write_object<'a>(out: &mut Vec<u8>, fields: impl Iterator<Item = Field<'a>>) {
    let mut to = Writer::new(out, Duplicates::default(), NonFinite::default(), Limit::NONE);
    let mut object = to.open(NO_NAMES);
    for field in fields {
        to.member(&mut object, None, |out| escape::json(out, field.name), |to| to.value(field.value));
    }
    to.close(object);
}

/// Writes the nearest span as an object.
fn write_span(part: &PlannedPart, record: &Record<'_>, to: &mut Writer<'_>) {
    if let Some(span) = record.spans().next_back() {
        part.lead.put(to.out());
        to.span(&span);
    }
}

fn write_nested(part: &PlannedPart, record: &Record<'_>, to: &mut Writer<'_>) {
    if record.spans().next().is_none() {
        return;
    }
    part.lead.put(to.out());
    let mut spans = to.open(NO_NAMES);
    for span in record.spans() {
        to.member(
            &mut spans,
            None,
            |out| escape::json(out, span.name()),
            |to| {
                let mut object = to.open(NO_NAMES);
                to.members(&mut object, span.fields());
                to.close(object);
            },
        );
    }
    to.close(spans);
}

fn write_span_names(part: &PlannedPart, record: &Record<'_>, to: &mut Writer<'_>) {
    to.keyed(&part.lead, |to| {
        to.list(record.spans(), |to, span| to.value(span.name().into()));
        record.has_spans()
    });
}

/// Writes a part that is an object with the members that `write` appends. Writes nothing if there are no members.
fn write_members(part: &PlannedPart, to: &mut Writer<'_>, write: impl FnOnce(&mut Object<'static>, &mut Writer<'_>)) {
    to.keyed(&part.lead, |to| {
        let start = to.out().len();
        let mut nested = to.open(NO_NAMES);
        write(&mut nested, to);
        let any = to.out().len() > start;
        if any {
            to.close(nested);
        }
        any
    });
}

static NO_NAMES: &Names = &Names::fixed(&[]);
const RESERVE: usize = 512;

#[cfg(test)]
mod tests;
