//! [`Json`]: one JSON object per record, and what can be chosen about it.

mod bloom;
mod claims;
mod conflict;
mod distinct;
mod draft;
mod form;
mod key;
mod keys;
mod line;
mod member;
mod names;
mod nested;
mod node;
mod object;
mod options;
mod preset;
mod rest;
mod shape;
mod source;
mod subject;
#[cfg(feature = "serde")]
mod template;
mod tree;
mod value;

pub use key::Key;
pub use options::{Duplicates, Layout, NonFinite, Spans};
pub use preset::Preset;
#[cfg(feature = "serde")]
pub use template::JsonTemplate;

pub(super) use self::names::free_number;

use self::key::Part;
use self::keys::JsonKeys;
use self::line::{Line, Lines, Step, Then};
use self::names::Names;
use self::object::{Object, Writer};
use super::kept::{self, FormatId};
use super::{Format, LevelNames, Out, Time};
use crate::Error;
use crate::record::{Callsite, Field, Record, RecordBuf};

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
/// | [`keys`](Self::keys) | timestamp, level, target, message, fields, spans | which parts there are, in which order |
/// | [`rename`](Self::rename) | names of [`Key`] | how a part is called |
/// | [`time`](Self::time) | [`Time::rfc3339`] | how the timestamp is written |
/// | [`level_names`](Self::level_names) | [`LevelNames::Upper`] | `INFO`, `info` … |
/// | [`fields`](Self::fields) | [`Layout::Flat`] | the event's fields in the object itself, or in one of their own |
/// | [`spans`](Self::spans) | [`Spans::List`] | how the enclosing spans are written |
/// | [`duplicates`](Self::duplicates) | [`Duplicates::Suffix`] | what becomes of a second field with the same name |
/// | [`non_finite`](Self::non_finite) | [`NonFinite::Null`] | `NaN` and the infinities, which JSON does not have |
///
/// **Left out** is what the record does not have: an empty message, no spans, no thread name, no source position; and
/// the timestamp with [`Time::none`].
///
/// **Types.** Booleans, integers and floats stay what they are (a whole float is `1.0`). A 128-bit integer is a number
/// where it fits 64 bits, else a string. Bytes are a string of lower-case hexadecimal digits, an error is one string
/// `outer: inner: root`.
///
/// **No object has a key twice**, whatever the fields and spans are called: see [`Duplicates`].
///
/// **Escaped** as `\uXXXX` are, besides what JSON demands, C1 controls and the characters that are invisible or turn the
/// direction of text, so that a line can be looked at in a terminal. They read back as they were.
#[derive(Clone, Debug)]
pub struct Json {
    keys: Vec<Key>,
    renamed: Vec<(Key, String)>,
    time: Time,
    level_names: LevelNames,
    fields: Layout,
    spans: Spans,
    duplicates: Duplicates,
    non_finite: NonFinite,
    plan: Plan,
}

impl Json {
    /// With the defaults of the table.
    pub fn new() -> Self {
        Self {
            keys: vec![Key::Timestamp, Key::Level, Key::Target, Key::Message, Key::Fields, Key::Spans],
            renamed: Vec::new(),
            time: Time::default(),
            level_names: LevelNames::default(),
            fields: Layout::default(),
            spans: Spans::default(),
            duplicates: Duplicates::default(),
            non_finite: NonFinite::default(),
            plan: Plan::default(),
        }
        .planned()
    }

    /// Which parts are written, in this order; of a part named twice the second mention does not count.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Json, Out, json::Key};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let json = Json::new().keys([Key::Severity, Key::Message]).rename(Key::Message, "msg");
    /// let mut line = Vec::new();
    /// json.format(&RecordBuf::new(Severity::WARN, "", "hot").as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(line, br#"{"severity":13,"msg":"hot"}"#);
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.keys.clear();
        for key in keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        self.planned()
    }

    /// Calls a part `name`. Where an earlier part has that name already, this one gets `_2` behind it.
    pub fn rename(mut self, key: Key, name: impl Into<String>) -> Self {
        self.renamed.retain(|(renamed, _)| *renamed != key);
        self.renamed.push((key, name.into()));
        self.planned()
    }

    /// How the timestamp is written.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self.planned()
    }

    /// How levels are written.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self.planned()
    }

    /// Where the event's fields go.
    pub fn fields(mut self, layout: Layout) -> Self {
        self.fields = layout;
        self.planned()
    }

    /// How the enclosing spans are written.
    pub fn spans(mut self, spans: Spans) -> Self {
        self.spans = spans;
        self.planned()
    }

    /// What becomes of a second field with the same name.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self.planned()
    }

    /// How `NaN` and the infinities are written.
    pub fn non_finite(mut self, non_finite: NonFinite) -> Self {
        self.non_finite = non_finite;
        self.planned()
    }

    /// Works out everything that is the same for each record.
    fn planned(mut self) -> Self {
        let mut names = Names::default();
        let mut parts = Vec::new();
        for &key in self.keys.iter().filter(|key| self.is_written(**key)) {
            let renamed = self.renamed.iter().find(|(renamed, _)| *renamed == key);
            let name = renamed.map_or(key.name(), |(_, name)| name);
            let name = if self.has_name(key) { names.reserve(name) } else { Vec::new() };
            parts.push(Part::new(key, &name, self.level_names));
        }
        self.plan = Plan { parts, names, lines: Lines::default(), id: FormatId::default() };
        self
    }

    /// What is constant about the lines of the record's callsite, where nothing has been changed about the record and no
    /// name wants watching. Flattened spans share an object with the event and with each other: theirs do.
    #[inline]
    fn line_of(&self, record: &Record<'_>) -> Option<&Line> {
        let callsite = record.callsite().filter(|_| record.is_as_captured() && self.spans != Spans::Flat)?;
        let line = self.plan.lines.0.get_or_prepare(callsite.id(), || self.join(callsite))?.as_ref()?;
        (line.severity == record.severity()).then_some(line)
    }

    #[cold]
    fn join(&self, callsite: &'static Callsite) -> Option<Line> {
        let keys = JsonKeys::of(Some(callsite))?;
        if callsite.is_from_log() || !keys.are_distinct_beside(callsite, &self.plan.names) {
            return None;
        }
        let sample = RecordBuf::of_callsite(callsite);
        let sample = sample.as_record();
        let (mut steps, mut constant) = (Vec::new(), Vec::new());
        let quote: &[u8] = if self.time.is_number() { b"" } else { b"\"" };
        for (index, part) in self.plan.parts.iter().enumerate() {
            let then = match part.key {
                key if key.is_of_callsite() => {
                    self.write_alone(part, &sample, &mut constant);
                    continue;
                }
                Key::Timestamp => {
                    part.lead.put(&mut constant);
                    constant.extend_from_slice(quote);
                    steps.push(Step::new(&mut constant, Then::Time));
                    constant.extend_from_slice(quote);
                    continue;
                }
                Key::Message => Then::Message(index),
                Key::Fields if self.fields == Layout::Flat => Then::Fields,
                Key::Spans => Then::Spans(index),
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
                Then::Time => self.time.write(record.time(), out),
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

    /// Writes a part in which the names of the others do not matter.
    #[inline(never)]
    fn write_alone(&self, part: &Part, record: &Record<'_>, out: &mut Vec<u8>) {
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
        Writer::new(out, self.duplicates, self.non_finite)
    }

    /// Writes the spans as a list or an object: as they were written before, if they were.
    #[inline]
    fn write_span_part(&self, part: &Part, record: &Record<'_>, to: &mut Writer<'_>) {
        let start = to.out().len();
        let Some(missing) = kept::put(record, self.plan.id, 0, to.out()) else { return };
        match self.spans {
            Spans::Nested => write_nested(part, record, to),
            _ => write_list(part, record, to),
        }
        missing.keep(&to.out()[start..]);
    }

    fn is_written(&self, key: Key) -> bool {
        match key {
            Key::Timestamp => !self.time.is_none(),
            Key::Spans => self.spans != Spans::Off,
            _ => true,
        }
    }

    /// The part stands under a name of its own, not with its members in the object itself.
    fn has_name(&self, key: Key) -> bool {
        match key {
            Key::Fields => self.fields == Layout::Nested,
            Key::Spans => self.spans != Spans::Flat,
            _ => true,
        }
    }

    /// Not inlined, or the compiler works out what every part could need ahead of the loop over the parts: 200
    /// instructions for nothing.
    #[inline(never)]
    fn write_part<'w>(&'w self, part: &Part, record: &Record<'_>, object: &mut Object<'w>, to: &mut Writer<'_>) {
        match part.key {
            Key::Timestamp => self.write_time(part, record, to),
            Key::Level => part.put_level(record.severity(), to.out()),
            Key::Severity => to.int(part, record.severity().number()),
            Key::Target => to.text(part, record.target()),
            Key::Name => to.text(part, record.name()),
            Key::ModulePath => to.text_if_any(part, record.module_path()),
            Key::File => to.text_if_any(part, record.file()),
            Key::Line => to.int_if_any(part, record.line().map(u64::from)),
            Key::ThreadName => to.text_if_any(part, record.thread_name()),
            Key::ThreadId => to.int_if_any(part, Some(record.thread_id()).filter(|id| *id > 0)),
            Key::Message => to.text_if_any(part, Some(record.message()).filter(|message| !message.is_empty())),
            Key::Fields => self.write_fields(part, record, object, to),
            Key::Span => write_span(part, record, to),
            Key::Spans => self.write_spans(part, record, object, to),
        }
    }

    #[inline]
    fn write_time(&self, part: &Part, record: &Record<'_>, to: &mut Writer<'_>) {
        part.lead.put(to.out());
        let quote: &[u8] = if self.time.is_number() { b"" } else { b"\"" };
        to.raw(quote);
        self.time.write(record.time(), to.out());
        to.raw(quote);
    }

    #[inline]
    fn write_fields<'w>(&'w self, part: &Part, record: &Record<'_>, object: &mut Object<'w>, to: &mut Writer<'_>) {
        if self.fields == Layout::Flat {
            return to.members(object, record.fields());
        }
        if record.fields().next().is_none() {
            return;
        }
        part.lead.put(to.out());
        let mut nested = to.open(NO_NAMES);
        to.members(&mut nested, record.fields());
        to.close(nested);
    }

    #[inline]
    fn write_spans<'w>(&'w self, part: &Part, record: &Record<'_>, object: &mut Object<'w>, to: &mut Writer<'_>) {
        match self.spans {
            Spans::List | Spans::Nested => self.write_span_part(part, record, to),
            Spans::Flat => write_flat(record, object, to),
            Spans::Off => {}
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
        let out = out.buffer();
        // Names of callsites are not in the raw record, and values grow: this is near enough to grow once at most.
        out.reserve(2 * record.raw().len() + RESERVE);
        match self.line_of(record) {
            Some(line) => self.write_line(line, record, out),
            None => self.write_parts(record, out),
        }
        Ok(())
    }
}

/// What is worked out ahead of all records.
#[derive(Clone, Debug, Default)]
struct Plan {
    parts: Vec<Part>,
    names: Names,
    lines: Lines,
    id: FormatId,
}

/// Appends `fields` as an object with the defaults of [`Json`], for formats of which that is a part.
pub(super) fn write_object<'a>(out: &mut Vec<u8>, fields: impl Iterator<Item = Field<'a>>) {
    let mut to = Writer::new(out, Duplicates::default(), NonFinite::default());
    let mut object = to.open(NO_NAMES);
    for field in fields {
        to.member(&mut object, None, field.name, |to| {
            value::write(to.out(), field.value, NonFinite::default());
        });
    }
    to.close(object);
}

/// The innermost span.
fn write_span(part: &Part, record: &Record<'_>, to: &mut Writer<'_>) {
    if let Some(span) = record.spans().last() {
        part.lead.put(to.out());
        to.span(&span);
    }
}

fn write_list(part: &Part, record: &Record<'_>, to: &mut Writer<'_>) {
    let before = to.out().len();
    part.lead.put(to.out());
    let start = to.out().len();
    for span in record.spans() {
        let keys = JsonKeys::of(span.callsite()).filter(|_| record.is_as_captured());
        match keys.and_then(|keys| Some((keys, keys.span()?))) {
            Some((keys, beginning)) => to.distinct_span(beginning, keys, &span),
            None => {
                to.raw(b",");
                to.span(&span);
            }
        }
    }
    let out = to.out();
    match out.get_mut(start) {
        // Each begins with a comma.
        Some(comma) => {
            *comma = b'[';
            out.push(b']');
        }
        None => out.truncate(before),
    }
}

fn write_nested(part: &Part, record: &Record<'_>, to: &mut Writer<'_>) {
    if record.spans().next().is_none() {
        return;
    }
    part.lead.put(to.out());
    let mut spans = to.open(NO_NAMES);
    for span in record.spans() {
        to.member(&mut spans, None, span.name(), |to| {
            let mut object = to.open(NO_NAMES);
            to.members(&mut object, span.fields());
            to.close(object);
        });
    }
    to.close(spans);
}

/// Innermost first, so that the nearest span has the first claim to a name. Spans can only be walked from the root;
/// going over their lengths anew for each is cheaper than keeping a list.
fn write_flat(record: &Record<'_>, object: &mut Object<'_>, to: &mut Writer<'_>) {
    for index in (0..record.spans().count()).rev() {
        if let Some(span) = record.spans().nth(index) {
            to.members(object, span.fields());
        }
    }
}

static NO_NAMES: &Names = &Names::fixed(&[]);
const RESERVE: usize = 512;

#[cfg(test)]
mod tests;
