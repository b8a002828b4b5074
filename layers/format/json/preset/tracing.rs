use super::*;
use crate::format::json::FieldLayout;
use crate::format::json::like_fmt::Which;
use crate::format::kept::FormatId;

/// The settings of this preset alone.
#[derive(Clone, Debug)]
pub(super) struct TracingSettings {
    time: Time,
    level: bool,
    fields: FieldLayout,
    target: bool,
    file: bool,
    line: bool,
    current_span: bool,
    span_list: bool,
    thread_names: bool,
    thread_ids: bool,
}

impl Preset {
    /// Creates the format of tracing-subscriber's `fmt().json()`, for dashboards, `jq` lines and tests that were made for it.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "shop", "sold")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
    ///     .with_field("pieces", 3_u64)
    ///     .with_span("request", [("method", "GET".into())])
    ///     .with_span("query", [("table", "x".into()), ("rows", 1_u64.into())]);
    /// let mut line = Vec::new();
    /// Preset::tracing().format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"timestamp":"2026-11-21T01:19:03.123456Z","level":"INFO","fields":{"message":"sold","pieces":3},"#,
    ///         r#""target":"shop","span":{"rows":1,"table":"x","name":"query"},"#,
    ///         r#""spans":[{"method":"GET","name":"request"},{"rows":1,"table":"x","name":"query"}]}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// Its settings, with the methods of tracing-subscriber that they answer to:
    ///
    /// | setting | default | tracing-subscriber |
    /// |---|---|---|
    /// | [`fields`](Self::fields) | [`FieldLayout::Nested`] | `flatten_event(true)` is [`FieldLayout::Flat`] |
    /// | [`current_span`](Self::current_span) | on | `with_current_span` |
    /// | [`span_list`](Self::span_list) | on | `with_span_list` |
    /// | [`time`](Self::time) | [`Time::rfc3339`] | `with_timer`; `without_time` is [`Time::none`] |
    /// | [`level`](Self::level), [`target`](Self::target) | on | `with_level`, `with_target` |
    /// | [`file`](Self::file), [`line_number`](Self::line_number) | off | `with_file`, `with_line_number`; [`source`](Self::source) is both |
    /// | [`thread_names`](Self::thread_names), [`thread_ids`](Self::thread_ids) | off | `with_thread_names`, `with_thread_ids` |
    /// | [`span_times`](Self::span_times) | [`SpanTimes::Units`](crate::format::SpanTimes::Units) | `time.busy` and `time.idle` of `FmtSpan::CLOSE` |
    ///
    /// The keys and their order are the same, and so are the values: numbers of 128 bits are strings, bytes are what their `Debug`
    /// writes in an event (`"[00 ff]"`) and a list of numbers in a span, an error is its own message without its causes, and `NaN` and
    /// the infinities are `null`. There are no claims on fields, so that `trace_id` is one like others.
    ///
    /// What differs:
    ///
    /// | | tracing-subscriber | here |
    /// |---|---|---|
    /// | two fields of one name in an event, such as `message` | the key twice | the second is `message_2` |
    /// | the same in a span | the last one | the second has a number |
    /// | a flattened field named like a part, such as `timestamp` | the key twice | `timestamp_2` |
    /// | a span's field `name` | the key twice | `name_2` |
    /// | an event with an explicit parent, or a span event | `spans` are those that the thread is in, or `[]` | those that enclose it |
    /// | an event with `parent: None` | `span` and `spans` of the thread | none |
    /// | `message` in `fields` | where the callsite has it | first |
    /// | a `message` that is a number, a boolean, or an error | a number; a boolean; its own message | a text, with the error's causes |
    /// | a field `r#type` of an event | `r#type` | `type`, as in spans |
    /// | fields `log.target` … of the `log` crate's records | in `fields`, and none of a span that begins with `log.` | `target`, `filename` and `line_number` alone; others in `fields` |
    /// | a value that is `nested` | a string of JSON | JSON |
    /// | a level beyond `ERROR` | – | `FATAL`, by a field [`severity`](crate::Severity) |
    /// | invisible and control characters | verbatim | escaped; they are the same when parsed |
    pub fn tracing() -> Self {
        Self::of(Table::Tracing(TracingSettings {
            time: Time::rfc3339(),
            level: true,
            fields: FieldLayout::Nested,
            target: true,
            file: false,
            line: false,
            current_span: true,
            span_list: true,
            thread_names: false,
            thread_ids: false,
        }))
    }

    /// Sets how the time is written. For [`tracing`](Self::tracing) only.
    pub fn time(self, time: Time) -> Self {
        self.set(|settings| settings.time = time)
    }

    /// Sets whether the level is written. For [`tracing`](Self::tracing) only.
    pub fn level(self, on: bool) -> Self {
        self.set(|settings| settings.level = on)
    }

    /// Sets whether the message and the fields are written into an object `fields` or into the record's own object. For
    /// [`tracing`](Self::tracing) only.
    pub fn fields(self, layout: FieldLayout) -> Self {
        self.set(|settings| settings.fields = layout)
    }

    /// Sets whether the target is written. For [`tracing`](Self::tracing) only.
    pub fn target(self, on: bool) -> Self {
        self.set(|settings| settings.target = on)
    }

    /// Sets whether the source file is written, as `filename`. For [`tracing`](Self::tracing) only.
    pub fn file(self, on: bool) -> Self {
        self.set(|settings| settings.file = on)
    }

    /// Sets whether the line in the source file is written, as `line_number`. For [`tracing`](Self::tracing) only.
    pub fn line_number(self, on: bool) -> Self {
        self.set(|settings| settings.line = on)
    }

    /// Sets whether the nearest span is written, as `span`. For [`tracing`](Self::tracing) only.
    pub fn current_span(self, on: bool) -> Self {
        self.set(|settings| settings.current_span = on)
    }

    /// Sets whether all spans are written, root first, as `spans`. For [`tracing`](Self::tracing) only.
    pub fn span_list(self, on: bool) -> Self {
        self.set(|settings| settings.span_list = on)
    }

    /// Sets whether the thread's name is written, as `threadName`; for a thread without one its number, unless
    /// [`thread_ids`](Self::thread_ids) are. For [`tracing`](Self::tracing) only.
    pub fn thread_names(self, on: bool) -> Self {
        self.set(|settings| settings.thread_names = on)
    }

    /// Sets whether the thread's number is written, as `threadId`: `"ThreadId(7)"`. For [`tracing`](Self::tracing) only.
    pub fn thread_ids(self, on: bool) -> Self {
        self.set(|settings| settings.thread_ids = on)
    }

    fn set(mut self, set: impl FnOnce(&mut TracingSettings)) -> Self {
        if let Table::Tracing(settings) = &mut self.table {
            set(settings);
        }
        self.planned()
    }
}

pub(super) fn draft(settings: &PresetSettings, own: &TracingSettings) -> (Draft, Claims) {
    let mut claims = Claims::default();
    let mut draft = Draft::new(Shape::Object);
    if !own.time.is_none() {
        draft = draft.put("timestamp", Node::Time(own.time.clone()));
    }
    if own.level {
        draft = draft.put("level", Node::Level(Levels::Names(LevelNames::Upper)));
    }
    draft = match own.fields {
        FieldLayout::Flat => put_event(draft),
        FieldLayout::Nested => {
            let fields = Node::Branch(put_event(Draft::new(Shape::Object)).branch());
            draft.put("fields", Node::First(vec![fields, Node::Constant(Block::new(b"{}"))]))
        }
    };
    if own.target {
        draft = draft.put("target", plain(Source::TargetAlways));
    }
    if own.file || settings.source {
        draft = draft.put("filename", plain(Part::File));
    }
    if own.line || settings.source {
        draft = draft.put("line_number", plain(Part::Line));
    }
    draft = put_threads(put_spans(draft, settings, own), own);
    (settings.put_own(draft, &mut claims), claims)
}

fn put_event(draft: Draft) -> Draft {
    let rest = Rest { of: Of::Event, keys: Keys::Plain, form: Form::LikeFmt, flat: false };
    draft.put("message", plain(Source::MessageIfAny)).rest(rest)
}

fn put_spans(mut draft: Draft, settings: &PresetSettings, own: &TracingSettings) -> Draft {
    let id = FormatId::default();
    if settings.spans && own.current_span {
        draft = draft.put("span", Node::SpansLikeFmt(Which::Nearest, id));
    }
    if settings.spans && own.span_list {
        draft = draft.put("spans", Node::SpansLikeFmt(Which::All, id));
    }
    draft
}

fn put_threads(mut draft: Draft, own: &TracingSettings) -> Draft {
    let id = || Node::Value(Source::Part(Part::ThreadId), Form::ThreadId);
    if own.thread_names {
        let name = plain(Part::ThreadName);
        draft = draft.put("threadName", if own.thread_ids { name } else { Node::First(vec![name, id()]) });
    }
    if own.thread_ids {
        draft = draft.put("threadId", id());
    }
    draft
}
