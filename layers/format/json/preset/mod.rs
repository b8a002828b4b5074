//! [`Preset`]: the JSON that well-known receivers expect.
//!
//! Each preset is a table in its own file that defines the parts, their order, names and types.

mod bunyan;
mod datadog;
mod ecs;
mod gelf;
mod google_cloud;
mod logstash;
mod otlp;
mod tracing;

use self::tracing::TracingSettings;
use super::claims::{Claims, SPAN_ID, TRACE_ID, Wants};
use super::draft::Draft;
use super::form::Form;
use super::limit::Limit;
use super::node::{Levels, Node};
use super::rest::{Keys, Of, Rest};
use super::shape::Shape;
use super::source::Source;
use super::tree::Tree;
use super::{Duplicates, Time};
use crate::bytes::Block;
use crate::format::{Format, LevelNames, Out, SpanTimes};
use crate::record::{Part, Record, RecordBuf, Value};
use crate::{Error, ErrorKind};

/// One JSON object per record, in the layout that a well-known receiver expects. Covers log4j2's `EcsLayout.json`, `GelfLayout.json`,
/// `GcpLayout.json` and `LogstashJsonEventLayoutV1.json`, and more.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Format, Out, Preset};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::WARN, "shop::stock", "running out")
///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
///     .with_field("left", 2_u64)
///     .with_span("request", [("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()), ("user", "ada".into())]);
/// let mut line = Vec::new();
/// let ecs = Preset::ecs().constant("service.name", "shop");
/// ecs.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     concat!(
///         r#"{"@timestamp":"2026-11-21T01:19:03.123456Z","log.level":"WARN","message":"running out","#,
///         r#""ecs.version":"8.11.0","log.logger":"shop::stock","service.name":"shop","#,
///         r#""trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","labels":{"left":2,"user":"ada"}}"#,
///     ),
/// );
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// | preset | for | time | level | fields of the event and of spans | constants |
/// |---|---|---|---|---|---|
/// | [`ecs`](Self::ecs) | Elasticsearch, OpenSearch | `@timestamp` | `WARN` | in `labels`: scalars, `_` replaces dots | in the object |
/// | [`gelf`](Self::gelf) | Graylog | seconds with a fraction | 0 to 7 | with the prefix `_`: strings and numbers | as fields |
/// | [`google_cloud`](Self::google_cloud) | Google Cloud Logging | `time` | `WARNING` | in the object | as labels: strings |
/// | [`logstash`](Self::logstash) | Logstash | `@timestamp` | `WARN` and 30000 | in the object | in the object |
/// | [`bunyan`](Self::bunyan) | the `bunyan` program, pino | `time` | 40 | in the object | in the object |
/// | [`otlp`](Self::otlp) | OpenTelemetry collectors | nanoseconds | 13 and `WARN` | attributes | resource attributes |
/// | [`datadog`](Self::datadog) | Datadog | `timestamp` | `warn` | in the object | in the object |
/// | [`tracing`](Self::tracing) | what reads `tracing_subscriber::fmt().json()` | `timestamp` | `WARN` | in `fields`; in `span` and `spans` | in the object |
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`constant`](Self::constant) | none | a member that is the same in every line, or a value that overrides a part of the preset |
/// | [`field`](Self::field) | none | a field with a position and a name of its own |
/// | [`source`](Self::source) | off | the source position |
/// | [`spans`](Self::spans) | on | the fields of the enclosing spans |
/// | [`nested_objects`](Self::nested_objects) | off | writes parts with dots in their names as nested objects: `"log":{"logger":…}` |
/// | [`duplicates`](Self::duplicates) | [`Duplicates::Suffix`] | what happens to a name that is already present |
/// | [`unique_id`](Self::unique_id) | none | a member that is unique to each line |
/// | [`max_string`](Self::max_string) | no limit | the longest string, in bytes |
/// | [`max_bytes`](Self::max_bytes) | 256 KiB for Google Cloud, otherwise no limit | the longest line, in bytes |
/// | [`span_times`](Self::span_times) | [`SpanTimes::Units`] for [`tracing`](Self::tracing), otherwise [`SpanTimes::Nanoseconds`] | how the times of closed spans are written |
///
/// Those of [`tracing`](Self::tracing) alone; the other presets ignore them:
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`time`](Self::time) | [`Time::rfc3339`] | how the time is written |
/// | [`fields`](Self::fields) | [`Nested`](super::FieldLayout::Nested) | the fields in an object of their own, or in the object itself |
/// | [`current_span`](Self::current_span), [`span_list`](Self::span_list) | on | the nearest span; all spans |
/// | [`level`](Self::level), [`target`](Self::target) | on | the level; the target |
/// | [`file`](Self::file), [`line_number`](Self::line_number) | off | the source position |
/// | [`thread_names`](Self::thread_names), [`thread_ids`](Self::thread_ids) | off | the thread |
///
/// **Trace context.** The fields `trace_id` (32 hexadecimal digits), `span_id` (16), `trace_flags` (a number or two digits)
/// and `trace_sampled` (a boolean) are written where the receiver looks for them. They are taken from the event, or else from the
/// innermost span that has them. A field with a value of another form, or without a trace id, is an ordinary field. If several
/// spans have a field with a position of its own, only the innermost span's is written.
///
/// **Errors.** The event's first field that is an error is `error.message` (ECS, Datadog), `exception.message` (OTLP) or
/// `err` (Bunyan), as `outer: inner: root`; in other presets it is an ordinary field. Rust's errors carry neither a type
/// name nor a stack trace. The fields `error.type` or `exception.type` are used as the type name, and `error.stack_trace`,
/// `exception.stacktrace` or `backtrace` (which [`log_panics`](crate::process::log_panics) adds) as the stack trace.
///
/// **Keys are unique** within every object. For receivers that treat `a.b` as a member of `a` (ECS, Logstash, Datadog), `a.b` is
/// written as `a_b` in an object that has an `a`. The names of parts are reserved, even in a record that lacks the part, and so are
/// other names that the receiver would interpret, such as Datadog's `host` and `ddtags`: a field of such a name becomes `host_2`, and a
/// field `host.name` becomes `host_name`. Only [`constant`](Self::constant), [`field`](Self::field) and [`unique_id`](Self::unique_id)
/// set them. Where objects are flattened, one whose path would be longer than 256 bytes is written as a string.
///
/// **Escaping** is the same as in [`Json`](super::Json). So are 128-bit integers, bytes and nested values, except where the receiver
/// does not accept them, which each preset documents. Only [`tracing`](Self::tracing) writes the names of spans.
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Preset {
    settings: PresetSettings,
    table: Table,
    tree: Tree,
}

impl Preset {
    fn of(table: Table) -> Self {
        let settings = PresetSettings::default();
        Self { tree: table.tree(&settings), settings, table }
    }

    fn planned(mut self) -> Self {
        self.tree = self.table.tree(&self.settings);
        self
    }

    /// Adds a member that is the same in every line, such as `service.name` or `environment`. If a part of the preset has this name,
    /// the value overrides that part. Otherwise the member is written at the preset's position for constants.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::RecordBuf;
    ///
    /// let bunyan = Preset::bunyan("shop").constant("hostname", "web-1").constant("region", "eu");
    /// let mut line = Vec::new();
    /// bunyan.format(&RecordBuf::default().as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// let line = String::from_utf8_lossy(&line);
    /// assert!(line.starts_with(r#"{"v":0,"name":"shop","hostname":"web-1","pid":"#) && line.contains(r#","region":"eu""#));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn constant<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Self {
        self.settings.constants.push_field(name, value.into());
        self.planned()
    }

    /// Writes the field `name` as the member `key` beside the preset's parts, not among the other fields, for example `"order"` as
    /// `"transaction.name"`. The field is the event's, or else that of the innermost span that has it. A part named `key` is written
    /// only if the record lacks the field. At most 32 fields can be set; further calls have no effect.
    pub fn field(mut self, name: impl Into<String>, key: impl Into<String>) -> Self {
        if self.settings.fields.len() < MOST_FIELDS {
            self.settings.fields.push((name.into(), key.into()));
        }
        self.planned()
    }

    /// Sets whether the source position is written. Default: `false`.
    pub fn source(mut self, on: bool) -> Self {
        self.settings.source = on;
        self.planned()
    }

    /// Sets whether the fields of the enclosing spans are written. Default: `true`. Fields with a position of their own are always
    /// written.
    pub fn spans(mut self, on: bool) -> Self {
        self.settings.spans = on;
        self.planned()
    }

    /// Sets whether parts with dots in their names are written as nested objects. Default: `false`. The names of fields are
    /// unchanged. Affects ECS, Logstash and Datadog only. ECS keeps `log.level` and `ecs.version` at the top level, where its
    /// logging specification requires them.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "shop", "sold");
    /// let mut line = Vec::new();
    /// Preset::ecs().nested_objects(true).format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert!(String::from_utf8_lossy(&line).contains(r#""log.level":"INFO","message":"sold","ecs.version":"8.11.0","log":{"logger":"shop"}"#));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn nested_objects(mut self, on: bool) -> Self {
        self.settings.nested = on;
        self.planned()
    }

    /// Sets how a name that is already present is treated. Default: [`Duplicates::Suffix`].
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.settings.duplicates = duplicates;
        self.planned()
    }

    /// Adds a member `key` with a value that is unique to the line, a string of 40 hexadecimal digits. Use `event.id` for ECS, and
    /// `logging.googleapis.com/insertId` for Google Cloud, which uses it to remove duplicates.
    ///
    /// The value belongs to the line, not to the record: a record that is formatted again gets a new value.
    pub fn unique_id(mut self, key: impl Into<String>) -> Self {
        self.settings.unique_id = Some((key.into(), process_number()));
        self.planned()
    }

    /// Sets how the times of closed spans are written. Default: [`SpanTimes::Units`] for [`tracing`](Self::tracing), otherwise
    /// [`SpanTimes::Nanoseconds`].
    pub fn span_times(mut self, times: SpanTimes) -> Self {
        self.settings.span_times = Some(times);
        self.planned()
    }

    /// Sets the longest string (message, field, bytes as digits, nested value) in bytes. Longer ones are cut and end in `…`.
    /// Default: no limit.
    pub fn max_string(mut self, bytes: usize) -> Self {
        self.settings.max_string = bytes;
        self.planned()
    }

    /// Sets the longest line in bytes, without its framing. In a longer line, strings are cut, and if that is not enough, fields are
    /// omitted. The sink's own [limit](crate::format::Caps::max_bytes), less 8 bytes for the framing, also applies. Default: 256 KiB
    /// for Google Cloud, otherwise no limit.
    ///
    /// # Errors
    ///
    /// Formatting a record that cannot be made that short returns [`Format`](crate::ErrorKind::Format).
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = Some(bytes);
        self.planned()
    }
}

impl Format for Preset {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        let times = self.settings.span_times.unwrap_or(self.table.span_times());
        if times.changes(record) {
            return times.apply(record, |record| self.format(record, out));
        }
        let of_sink = out.caps().max_bytes.map_or(usize::MAX, |bytes| bytes.saturating_sub(FRAME));
        let most = self.settings.max_bytes.or(self.table.max_bytes()).unwrap_or(usize::MAX).min(of_sink);
        let limit = Limit { bytes: self.settings.max_string, marker: MARKER };
        match self.tree.write(record, out.buffer(), limit, most) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Format, format!("the record does not fit into {most} bytes"))),
        }
    }
}

/// The settings that all presets have.
#[derive(Clone, Debug)]
struct PresetSettings {
    /// Stored as the fields of a record.
    constants: RecordBuf,
    fields: Vec<(String, String)>,
    source: bool,
    spans: bool,
    nested: bool,
    duplicates: Duplicates,
    unique_id: Option<(String, u64)>,
    /// `None`: the preset's own default.
    span_times: Option<SpanTimes>,
    max_string: usize,
    max_bytes: Option<usize>,
}

impl Default for PresetSettings {
    fn default() -> Self {
        Self {
            constants: RecordBuf::default(),
            fields: Vec::new(),
            source: false,
            spans: true,
            nested: false,
            duplicates: Duplicates::default(),
            unique_id: None,
            span_times: None,
            max_string: usize::MAX,
            max_bytes: None,
        }
    }
}

#[derive(Clone, Debug)]
enum Table {
    Ecs,
    Gelf { host: String },
    GoogleCloud { project: String },
    Logstash,
    Bunyan { name: String, host: String },
    Otlp,
    Datadog { service: String },
    Tracing(TracingSettings),
}

impl Table {
    fn tree(&self, settings: &PresetSettings) -> Tree {
        let (draft, claims) = self.draft(settings);
        Tree::new(draft.branch(), claims, settings.duplicates, false)
    }

    fn draft(&self, settings: &PresetSettings) -> (Draft, Claims) {
        match self {
            Self::Ecs => ecs::draft(settings),
            Self::Gelf { host } => gelf::draft(settings, host),
            Self::GoogleCloud { project } => google_cloud::draft(settings, project),
            Self::Logstash => logstash::draft(settings),
            Self::Bunyan { name, host } => bunyan::draft(settings, name, host),
            Self::Otlp => otlp::draft(settings),
            Self::Datadog { service } => datadog::draft(settings, service),
            Self::Tracing(own) => tracing::draft(settings, own),
        }
    }

    fn span_times(&self) -> SpanTimes {
        match self {
            Self::Tracing(_) => SpanTimes::Units,
            _ => SpanTimes::Nanoseconds,
        }
    }

    fn max_bytes(&self) -> Option<usize> {
        matches!(self, Self::GoogleCloud { .. }).then_some(google_cloud::MAX_BYTES)
    }
}

/// The steps that the tables have in common.
impl PresetSettings {
    /// Creates an object for readers that treat names with dots as paths.
    fn of_paths(&self) -> Draft {
        Draft::of_paths(self.nested)
    }

    fn put_constants(&self, draft: Draft, keys: &Keys, form: &Form) -> Draft {
        let constants = self.constants.as_record();
        constants
            .fields()
            .fold(draft, |draft, field| draft.instead(&keys.name(field.name), Node::constant(field.value, form)))
    }

    fn put_fields(&self, mut draft: Draft, claims: &mut Claims, keys: &Keys, form: &Form) -> Draft {
        for (name, key) in &self.fields {
            draft = draft.instead(&keys.name(key), claimed(claims, name, form.clone()));
        }
        draft
    }

    fn put_unique_id(&self, draft: Draft, keys: &Keys) -> Draft {
        match &self.unique_id {
            Some((key, process)) => draft.instead(&keys.name(key), Node::UniqueId(*process)),
            None => draft,
        }
    }

    /// Adds constants, then fields with positions of their own, then the unique id, which is the order in most objects.
    fn put_own(&self, draft: Draft, claims: &mut Claims) -> Draft {
        let draft = self.put_constants(draft, &Keys::Plain, &Form::Plain);
        let draft = self.put_fields(draft, claims, &Keys::Plain, &Form::Plain);
        self.put_unique_id(draft, &Keys::Plain)
    }

    fn rest(&self, keys: Keys, form: Form, flat: bool) -> Rest {
        Rest { of: if self.spans { Of::Both } else { Of::Event }, keys, form, flat }
    }
}

fn plain(source: impl Into<Source>) -> Node {
    Node::Value(source.into(), Form::Plain)
}

fn text(text: &str) -> Node {
    Node::constant(Value::Str(text), &Form::Plain)
}

/// Returns a node for the field `name` with any value.
fn claimed(claims: &mut Claims, name: &str, form: Form) -> Node {
    claim(claims.by_name(name, Wants::Anything), form)
}

/// Returns a node for the first present field of those with these names.
fn any_claimed(claims: &mut Claims, names: &[&str], form: &Form) -> Node {
    let places: Vec<_> = names.iter().map(|name| claims.by_name(name, Wants::Anything)).collect();
    for (index, place) in places.iter().enumerate() {
        places[..index].iter().for_each(|before| claims.unless(*place, *before));
    }
    Node::First(places.into_iter().map(|place| claim(place, form.clone())).collect())
}

fn claim(place: Option<usize>, form: Form) -> Node {
    match place {
        Some(place) => Node::Value(Source::Claim(place), form),
        // A node that is never present.
        None => Node::First(Vec::new()),
    }
}

fn trace_id() -> Node {
    Node::Value(Source::Claim(TRACE_ID), Form::Id("".into()))
}

fn span_id() -> Node {
    Node::Value(Source::Claim(SPAN_ID), Form::Id("".into()))
}

/// Returns the number for the severity's range: trace, debug, info, warn, error, fatal.
fn of_level(severity: crate::Severity, numbers: [u32; 6]) -> u32 {
    numbers[usize::from(severity.number().saturating_sub(1) / 4).min(5)]
}

/// Returns a random number that identifies the process. The randomness is that of the standard library's hash keys.
fn process_number() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

const ERROR_TYPE: &[&str] = &["error.type", "exception.type"];
const STACK_TRACE: &[&str] = &["error.stack_trace", "exception.stacktrace", "stack_trace", "backtrace"];
const MARKER: &str = "…";
/// The most bytes that any framing adds.
const FRAME: usize = 8;
/// The most fields set by the user, which leaves room for the presets' own claims.
const MOST_FIELDS: usize = 32;
