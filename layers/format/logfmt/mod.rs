//! [`Logfmt`]: pairs of `key=value`, and what can be chosen about them.

mod key;
pub(super) mod pairs;
mod value;

pub use self::key::Key;
pub use super::json::Duplicates;

use self::pairs::Pairs;
use super::{Format, LevelNames, Out, Time};
use crate::Error;
use crate::record::Record;

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
/// | [`keys`](Self::keys) | time, level, target, message, fields, span fields | which parts there are, in which order |
/// | [`rename`](Self::rename) | names of [`Key`] | how a part is called |
/// | [`time`](Self::time) | [`Time::rfc3339`] | how the time is written |
/// | [`level_names`](Self::level_names) | [`LevelNames::Lower`] | `info`, `INFO` … |
/// | [`spans`](Self::spans) | [`Spans::Prefixed`] | what the fields of the enclosing spans are called |
/// | [`duplicates`](Self::duplicates) | [`Duplicates::Suffix`] | what becomes of a second field with the same name |
///
/// **Left out** is what the record does not have: an empty message, no thread name, no source position; and the time with
/// [`Time::none`].
///
/// **Values** stand bare or in double quotes: where there is a space, `=`, `"`, `\`, a brace, a character that must be
/// escaped, or the text `null`, which without quotes means that there is no value (a nested value can say that). In quotes
/// the escapes are `\"`, `\\`, `\n`, `\r`, `\t` and `\uXXXX`. An empty text is `key=`; a key never stands without its `=`.
/// Floats have a point or an exponent, or are `NaN`, `inf`, `-inf`; bytes are hexadecimal; an error is `outer: inner: root`;
/// a nested value is its JSON.
///
/// **Keys** have no quotes: each character that a key cannot have (a space, `=`, `"`, a control) or that is not seen becomes
/// `_`, and so does an empty name. **No line has a key twice**, see [`Duplicates`].
///
/// **A line cannot lie**: control characters, those that are invisible and those that turn the direction of text are escaped.
///
/// The grammar is that of [kr/logfmt](https://pkg.go.dev/github.com/kr/logfmt); quoting and `null` are as in go-logfmt. It
/// has no types: `pieces=3` may have been a number or a text.
#[derive(Clone, Debug)]
pub struct Logfmt {
    keys: Vec<Key>,
    renamed: Vec<(Key, String)>,
    time: Time,
    level_names: LevelNames,
    spans: Spans,
    duplicates: Duplicates,
    plan: Plan,
}

/// What the fields of the enclosing spans are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spans {
    /// By their span and themselves, root first: `request.method=GET query.table=x`.
    #[default]
    Prefixed,
    /// By themselves, innermost span first, so that the nearest span has the first claim to a name: `table=x method=GET`.
    Flat,
}

impl Logfmt {
    /// With the defaults of the table.
    pub fn new() -> Self {
        Self {
            keys: vec![Key::Time, Key::Level, Key::Target, Key::Message, Key::Fields, Key::SpanFields],
            renamed: Vec::new(),
            time: Time::default(),
            level_names: LevelNames::Lower,
            spans: Spans::default(),
            duplicates: Duplicates::default(),
            plan: Plan::default(),
        }
        .planned()
    }

    /// Which parts are written, in this order; of a part named twice the second mention does not count.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Logfmt, Out, logfmt::Key};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let logfmt = Logfmt::new().keys([Key::Level, Key::SpanNames, Key::Message]).rename(Key::Message, "msg");
    /// let record = RecordBuf::new(Severity::WARN, "shop", "hot").with_span("request", []).with_span("query", []);
    /// let mut line = Vec::new();
    /// logfmt.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(line, b"level=warn spans=request:query msg=hot");
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

    /// How the time is written; [`Time::none`] leaves it out.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self.planned()
    }

    /// How levels are written.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self
    }

    /// What the fields of the enclosing spans are called. [`keys`](Self::keys) says whether they are written.
    pub fn spans(mut self, spans: Spans) -> Self {
        self.spans = spans;
        self
    }

    /// What becomes of a second field with the same name; the names of the line's own parts are always theirs.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Logfmt, Out, logfmt::{Duplicates, Key}};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "", "").with_field("a", 1_u64).with_field("level", 2_u64).with_field("a", 3_u64);
    /// let line = |duplicates| {
    ///     let mut line = Vec::new();
    ///     let logfmt = Logfmt::new().keys([Key::Level, Key::Fields]).duplicates(duplicates);
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

    /// Works out the names of the parts, each another one.
    fn planned(mut self) -> Self {
        self.plan = Plan::default();
        for &key in self.keys.iter().filter(|key| **key != Key::Time || !self.time.is_none()) {
            let mut name = Vec::new();
            if key.has_name() {
                let renamed = self.renamed.iter().find(|(renamed, _)| *renamed == key);
                pairs::key(&mut name, renamed.map_or(key.name(), |(_, name)| name));
                name = self.plan.free(name);
                self.plan.names.push(name.clone().into());
            }
            self.plan.parts.push((key, name.into()));
        }
        self
    }

    fn write_part(&self, key: Key, name: &[u8], record: &Record<'_>, pairs: &mut Pairs<'_>) {
        match key {
            Key::Time => pairs.part(name, |out| self.time.write(record.time(), out)),
            Key::Level => pairs.part(name, |out| self.level_names.write(record.severity(), out)),
            Key::SpanNames if record.spans().next().is_some() => {
                pairs.part(name, |out| value::span_names(out, record));
            }
            Key::Fields => record.fields().for_each(|field| pairs.field(None, &field)),
            Key::SpanFields => self.write_span_fields(record, pairs),
            _ => {
                if let Some(value) = key.value(record) {
                    pairs.part(name, |out| value::write(out, value));
                }
            }
        }
    }

    /// Spans can only be walked from the root, so for the other direction each is looked up anew.
    fn write_span_fields(&self, record: &Record<'_>, pairs: &mut Pairs<'_>) {
        match self.spans {
            Spans::Prefixed => {
                for span in record.spans() {
                    span.fields().for_each(|field| pairs.field(Some(span.name()), &field));
                }
            }
            Spans::Flat => {
                for span in (0..record.spans().count()).rev().filter_map(|index| record.spans().nth(index)) {
                    span.fields().for_each(|field| pairs.field(None, &field));
                }
            }
        }
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
        for (key, name) in &self.plan.parts {
            self.write_part(*key, name, record, &mut pairs);
        }
        Ok(())
    }
}

/// What is worked out ahead of all records.
#[derive(Clone, Debug, Default)]
struct Plan {
    parts: Vec<(Key, Box<[u8]>)>,
    /// Those of the parts that have one.
    names: Vec<Box<[u8]>>,
}

impl Plan {
    /// `name`, or where an earlier part has that, the next one with a number.
    fn free(&self, mut name: Vec<u8>) -> Vec<u8> {
        let names = self.names.iter().map(|name| &**name);
        if names.clone().any(|other| other == name) {
            let number = super::json::free_number(&name, names);
            name.extend_from_slice(format!("_{number}").as_bytes());
        }
        name
    }
}

const RESERVE: usize = 512;
