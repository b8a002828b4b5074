//! [`Logfmt`]: pairs of `key=value`, and their options.

pub(super) mod pairs;
mod value;

pub use super::json::Duplicates;

use self::pairs::Pairs;
use super::known_names::free_number;
use super::shown::FieldParts;
use super::{Format, LevelNames, Out, Time};
use crate::Error;
use crate::record::{Part, Record, Span};

/// One line of `key=value` pairs per record: logfmt, as Loki, Vector and `slog.TextHandler` read and write it.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Format, Logfmt, Out};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold out")
///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
///     .with_field("pieces", 3_u64)
///     .with_span("request", [("method", "GET".into())]);
/// let mut line = Vec::new();
/// Logfmt::new().format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     r#"time=2026-11-21T01:19:03.123456Z level=info target=shop message="sold out" pieces=3 request.method=GET"#,
/// );
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`keys`](Self::keys) | time, level, target, message, fields, span fields | the parts and their order |
/// | [`rename`](Self::rename) | see below | the name of a part |
/// | [`time`](Self::time) | [`Time::rfc3339`] | how the time is written |
/// | [`level_names`](Self::level_names) | [`LevelNames::Lower`] | `info`, `INFO` … |
/// | [`spans`](Self::spans) | [`SpanKeys::Prefixed`] | the names of the enclosing spans' fields |
/// | [`duplicates`](Self::duplicates) | [`Duplicates::Suffix`] | what happens to a second field with the same name |
///
/// **Parts** can be all [parts of a record](Part). A field's name is its own, that of `SpanNames` is `spans`, and that of any other
/// part is its text. `SpanNames` is written as `request:query`, and `Span` and `Spans` as `request{method=GET}:query{table=x}`.
/// `Fields` and `SpanFields` are a pair for each field that no other part shows, under the field's own name.
///
/// **Left out** is what the record does not have: an empty message, no thread name, no source position; and the time with
/// [`Time::none`].
///
/// **Values** are bare, or in double quotes if they contain a space, `=`, `"`, `\`, a brace or a character that must be
/// escaped, or are the text `null`, which without quotes means that there is no value (a nested value can be that). In quotes
/// the escapes are `\"`, `\\`, `\n`, `\r`, `\t` and `\uXXXX`. An empty text is `key=`; a key always has its `=`.
/// Floats have a point or an exponent, or are `NaN`, `inf`, `-inf`; bytes are hexadecimal; an error is `outer: inner: root`;
/// a nested value is its JSON.
///
/// **Keys** have no quotes: each character that a key cannot have (a space, `=`, `"`, a control character) or that is invisible becomes
/// `_`, and so does an empty name. **No line has a key twice**, see [`Duplicates`].
///
/// **A line cannot lie**: control characters, those that are invisible and those that change the direction of text are escaped.
///
/// The grammar is that of [kr/logfmt](https://pkg.go.dev/github.com/kr/logfmt); quoting and `null` are as in go-logfmt. It
/// has no types: `pieces=3` may have been a number or a text.
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Logfmt {
    keys: Vec<Part>,
    renamed: Vec<(Part, String)>,
    time: Time,
    level_names: LevelNames,
    spans: SpanKeys,
    duplicates: Duplicates,
    plan: Plan,
}

/// The names of the enclosing spans' fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanKeys {
    /// The span's name and the field's, root first: `request.method=GET query.table=x`.
    #[default]
    Prefixed,
    /// The field's name, nearest span first, so that its fields keep their names: `table=x method=GET`.
    Flat,
}

impl Logfmt {
    /// Creates the format with the defaults of the table.
    pub fn new() -> Self {
        Self {
            keys: vec![Part::Time, Part::Level, Part::Target, Part::Message, Part::Fields, Part::SpanFields],
            renamed: Vec::new(),
            time: Time::default(),
            level_names: LevelNames::Lower,
            spans: SpanKeys::default(),
            duplicates: Duplicates::default(),
            plan: Plan::default(),
        }
        .planned()
    }

    /// Sets the parts that are written, and their order. If a part is named twice, only the first one counts.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Logfmt, Out};
    /// use tracing_handlers::{Part, RecordBuf, Severity};
    ///
    /// let logfmt = Logfmt::new().keys([Part::Level, Part::SpanNames, Part::Message]).rename(Part::Message, "msg");
    /// let record = RecordBuf::new(Severity::WARN, "shop", "hot").with_span("request", []).with_span("query", []);
    /// let mut line = Vec::new();
    /// logfmt.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(line, b"level=warn spans=request:query msg=hot");
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

    /// Sets how the time is written; [`Time::none`] leaves it out.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self.planned()
    }

    /// Sets how levels are written.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self
    }

    /// Sets the names of the enclosing spans' fields. [`keys`](Self::keys) determines whether they are written.
    pub fn spans(mut self, spans: SpanKeys) -> Self {
        self.spans = spans;
        self
    }

    /// Sets what happens to a second field with the same name. The names of the line's own parts are never given to fields.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Logfmt, Out, logfmt::Duplicates};
    /// use tracing_handlers::{Part, RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "", "").with_field("a", 1_u64).with_field("level", 2_u64).with_field("a", 3_u64);
    /// let line = |duplicates| {
    ///     let mut line = Vec::new();
    ///     let logfmt = Logfmt::new().keys([Part::Level, Part::Fields]).duplicates(duplicates);
    ///     logfmt.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).unwrap();
    ///     String::from_utf8(line).unwrap()
    /// };
    /// assert_eq!(line(Duplicates::Suffix), "level=info a=1 level_2=2 a_2=3");
    /// assert_eq!(line(Duplicates::First), "level=info a=1");
    /// assert_eq!(line(Duplicates::Last), "level=info a=3");
    /// ```
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// Determines the names of the parts, no two of which are equal.
    fn planned(mut self) -> Self {
        self.plan = Plan { field_parts: FieldParts::of(&self.keys), ..Plan::default() };
        for key in self.keys.iter().filter(|key| **key != Part::Time || !self.time.is_none()) {
            let mut written = Vec::new();
            if !matches!(key, Part::Fields | Part::SpanFields) {
                let renamed = self.renamed.iter().find(|(renamed, _)| renamed == key);
                pairs::key(&mut written, renamed.map_or(name(key), |(_, name)| name));
                written = self.plan.free(written);
                self.plan.names.push(written.clone().into());
            }
            self.plan.parts.push((key.clone(), written.into()));
        }
        self
    }

    fn write_part(&self, part: &Part, name: &[u8], record: &Record<'_>, pairs: &mut Pairs<'_>) {
        match part {
            Part::Time => pairs.part(name, |out| self.time.write_escaped(record.time(), out, value::text)),
            Part::Level => pairs.part(name, |out| self.level_names.write(record.severity(), out)),
            Part::SpanNames | Part::Span | Part::Spans if record.spans().next().is_none() => {}
            Part::SpanNames => pairs.part(name, |out| value::span_names(out, record)),
            Part::Span | Part::Spans => pairs.part(name, |out| value::spans(out, part, record)),
            Part::Fields => {
                let mut shown = self.plan.field_parts.walk(record);
                record.fields().filter(|field| !shown.has(field)).for_each(|field| pairs.field(None, &field));
            }
            Part::SpanFields => self.write_span_fields(record, pairs),
            _ => {
                if let Some(value) = part.value(record) {
                    pairs.part(name, |out| value::write(out, value));
                }
            }
        }
    }

    fn write_span_fields(&self, record: &Record<'_>, pairs: &mut Pairs<'_>) {
        let mut shown = self.plan.field_parts.walk(record);
        let mut write = |span: Span<'_>, prefix: Option<&str>| {
            let others = span.fields().filter(|field| !shown.has_of_span(&span, field));
            others.for_each(|field| pairs.field(prefix, &field));
        };
        match self.spans {
            SpanKeys::Prefixed => record.spans().for_each(|span| write(span, Some(span.name()))),
            SpanKeys::Flat => record.spans().rev().for_each(|span| write(span, None)),
        }
    }
}

/// The name of a part that is not renamed.
fn name(part: &Part) -> &str {
    match part {
        Part::SpanNames => "spans",
        part => part.label(),
    }
}

impl Default for Logfmt {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Logfmt {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        let out = out.buffer();
        out.reserve(2 * record.raw().len() + RESERVE);
        let mut pairs = Pairs::new(out, &self.plan.names, self.duplicates);
        for (part, name) in &self.plan.parts {
            self.write_part(part, name, record, &mut pairs);
        }
        Ok(())
    }
}

/// What is the same for all records.
#[derive(Clone, Debug, Default)]
struct Plan {
    parts: Vec<(Part, Box<[u8]>)>,
    /// The names of those parts that have one.
    names: Vec<Box<[u8]>>,
    /// Those of the parts that are single fields.
    field_parts: FieldParts,
}

impl Plan {
    /// Returns `name`, with the next free number appended if an earlier part has it.
    fn free(&self, mut name: Vec<u8>) -> Vec<u8> {
        let names = self.names.iter().map(|name| &**name);
        if names.clone().any(|other| other == name) {
            let number = free_number(&name, names);
            name.extend_from_slice(format!("_{number}").as_bytes());
        }
        name
    }
}

const RESERVE: usize = 512;
