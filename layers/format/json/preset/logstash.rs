use super::*;
use crate::format::LevelNames;
use crate::format::json::node::Levels;

impl Preset {
    /// Creates Logstash's event format, version 1, as written by logstash-logback-encoder.
    ///
    /// `level_value` is Logback's number: 5000 (trace), 10000, 20000, 30000, 40000 (error), or 50000 for severities from `FATAL`
    /// on. Fields of the event and of spans are members of the same object as the parts.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "shop", "sold")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
    ///     .with_thread("main", 1)
    ///     .with_field("pieces", 3_u64)
    ///     .with_field("pieces.left", 2_u64)
    ///     .with_span("request", [("user", "ada".into())]);
    /// let mut line = Vec::new();
    /// Preset::logstash().format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"@timestamp":"2026-11-21T01:19:03.123456Z","@version":"1","message":"sold","logger_name":"shop","#,
    ///         r#""thread_name":"main","level":"INFO","level_value":20000,"pieces":3,"pieces_left":2,"user":"ada"}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn logstash() -> Self {
        Self::of(Table::Logstash)
    }
}

pub(super) fn draft(settings: &PresetSettings) -> (Draft, Claims) {
    let mut claims = Claims::of_trace();
    let mut draft = settings
        .of_paths()
        .put("@timestamp", Node::Time(Time::rfc3339()))
        .put("@version", text("1"))
        .put("message", plain(Source::MessageAlways))
        .put("logger_name", plain(Part::Target))
        .put("thread_name", plain(Part::ThreadName))
        .put("level", Node::Level(Levels::Names(LevelNames::Upper)))
        .put("level_value", Node::Level(Levels::Number(level_value)));
    if settings.source {
        draft = draft
            .put("caller_class_name", plain(Part::ModulePath))
            .put("caller_file_name", plain(Part::File))
            .put("caller_line_number", plain(Part::Line));
    }
    draft = settings.put_own(draft, &mut claims);
    draft = draft
        .put("trace_id", trace_id())
        .put("span_id", span_id())
        .put("stack_trace", any_claimed(&mut claims, STACK_TRACE, &Form::Text))
        .reserve(&RESERVED);
    (draft.rest(settings.rest(Keys::Plain, Form::Plain, false)), claims)
}

/// Names that Logstash keeps for itself: of what is only for its pipeline, and of a list of texts.
const RESERVED: [&str; 2] = ["@metadata", "tags"];

/// Returns the number of `ch.qos.logback.classic.Level`, and log4j's number for `FATAL`.
fn level_value(severity: crate::Severity) -> u32 {
    of_level(severity, [5_000, 10_000, 20_000, 30_000, 40_000, 50_000])
}
