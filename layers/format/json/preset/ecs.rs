use super::*;
use crate::format::LevelNames;
use crate::format::json::node::Levels;

impl Preset {
    /// Creates the Elastic Common Schema format of ecs-logging, for Elasticsearch and OpenSearch. No ingest pipeline is needed.
    ///
    /// `@timestamp`, `log.level` and `message` come first, in this order, and are always present. Fields of the event and of
    /// spans are `labels`, which are scalars: in their names `_` replaces `.`, `*` and `\`, objects are flattened into labels such
    /// as `a_b`, and lists are strings. To write a field under a name that ECS defines, use [`field`](Self::field).
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity, Value};
    ///
    /// let record = RecordBuf::new(Severity::ERROR, "shop", "not paid")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
    ///     .with_location("shop::till", "src/till.rs", 41)
    ///     .with_thread("main", 1)
    ///     .with_field("http.method", "POST")
    ///     .with_field("order", Value::Json(r#"{"id":7,"items":[1,2]}"#))
    ///     .with_error("cause", &["no answer", "timed out"]);
    /// let mut line = Vec::new();
    /// let ecs = Preset::ecs().field("http.method", "http.request.method").source(true);
    /// ecs.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"@timestamp":"2026-11-21T01:19:03.123456Z","log.level":"ERROR","message":"not paid","#,
    ///         r#""ecs.version":"8.11.0","log.logger":"shop","process.thread.name":"main","#,
    ///         r#""log.origin.file.name":"src/till.rs","log.origin.file.line":41,"log.origin.function":"shop::till","#,
    ///         r#""http.request.method":"POST","error.message":"no answer: timed out","#,
    ///         r#""labels":{"order_id":7,"order_items":"[1,2]"}}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// `log.origin.function` is the module, because `tracing` does not record the function.
    pub fn ecs() -> Self {
        Self::of(Table::Ecs)
    }
}

pub(super) fn draft(settings: &PresetSettings) -> (Draft, Claims) {
    let mut claims = Claims::of_trace();
    let mut draft = settings
        .of_paths()
        .unnested(&TOP_LEVEL)
        .put("@timestamp", Node::Time(Time::rfc3339()))
        .put("log.level", Node::Level(Levels::Names(LevelNames::Upper)))
        .put("message", plain(Source::MessageAlways))
        .put("ecs.version", text("8.11.0"))
        .put("log.logger", plain(Part::Target))
        .put("process.thread.name", plain(Part::ThreadName));
    if settings.source {
        draft = draft
            .put("log.origin.file.name", plain(Part::File))
            .put("log.origin.file.line", plain(Part::Line))
            .put("log.origin.function", plain(Part::ModulePath));
    }
    draft = settings.put_own(draft, &mut claims);
    draft = draft
        .put("trace.id", trace_id())
        .put("span.id", span_id())
        .put("transaction.id", claimed(&mut claims, "transaction_id", Form::Text))
        .put("error.type", any_claimed(&mut claims, ERROR_TYPE, &Form::Text))
        .put("error.message", claim(claims.error(), Form::Text))
        .put("error.stack_trace", any_claimed(&mut claims, STACK_TRACE, &Form::Text));
    let labels = Draft::new(Shape::Object).rest(settings.rest(Keys::Labels, Form::Scalar, true));
    (draft.draft("labels", labels), claims)
}

/// The fields that the specification of ecs-logging calls `top_level_field`: members of the line itself, with dots in their names.
const TOP_LEVEL: [&str; 2] = ["log.level", "ecs.version"];
