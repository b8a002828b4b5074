use super::*;
use crate::format::json::node::Levels;

impl Preset {
    /// Creates a format with Datadog's standard attributes, for its agent and its HTTP intake. `service` is the application's name.
    ///
    /// `status` is one of `emergency`, `alert`, `critical`, `error`, `warn`, `notice`, `info` and `debug`. `dd.trace_id` and
    /// `dd.span_id` are the last 64 bits of the ids as decimal strings, as in Datadog's tracers. Fields of the event and of spans
    /// are members of the same object as the parts. Set `env`, `version`, `host`, `ddsource` and `ddtags` as
    /// [constants](Self::constant).
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::WARN, "shop::stock", "running out")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
    ///     .with_thread("main", 1)
    ///     .with_field("left", 2_u64)
    ///     .with_span("request", [
    ///         ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()),
    ///         ("span_id", "00f067aa0ba902b7".into()),
    ///     ]);
    /// let mut line = Vec::new();
    /// let datadog = Preset::datadog("shop").constant("ddsource", "rust").constant("env", "test");
    /// datadog.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"timestamp":"2026-11-21T01:19:03.123456Z","status":"warn","message":"running out","service":"shop","#,
    ///         r#""logger.name":"shop::stock","logger.thread_name":"main","ddsource":"rust","env":"test","#,
    ///         r#""dd.trace_id":"11803532876627986230","dd.span_id":"67667974448284343","left":2}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn datadog(service: impl Into<String>) -> Self {
        Self::of(Table::Datadog { service: service.into() })
    }
}

pub(super) fn draft(settings: &PresetSettings, service: &str) -> (Draft, Claims) {
    let mut claims = Claims::of_trace();
    let mut draft = settings
        .of_paths()
        .put("timestamp", Node::Time(Time::rfc3339()))
        .put("status", Node::Level(Levels::Keywords(&STATUSES)))
        .put("message", plain(Source::MessageAlways))
        .put("service", text(service))
        .put("logger.name", plain(Part::Target))
        .put("logger.thread_name", plain(Part::ThreadName));
    if settings.source {
        draft = draft
            .put("code.file.path", plain(Part::File))
            .put("code.line.number", plain(Part::Line))
            .put("code.function.name", plain(Part::ModulePath));
    }
    draft = settings.put_own(draft, &mut claims);
    draft = draft
        .put("dd.trace_id", Node::Value(Source::Claim(TRACE_ID), Form::DecimalId))
        .put("dd.span_id", Node::Value(Source::Claim(SPAN_ID), Form::DecimalId))
        .put("error.kind", any_claimed(&mut claims, ERROR_TYPE, &Form::Text))
        .put("error.message", claim(claims.error(), Form::Text))
        .put("error.stack", any_claimed(&mut claims, STACK_TRACE, &Form::Text))
        .reserve(&RESERVED);
    (draft.rest(settings.rest(Keys::Plain, Form::Plain, false)), claims)
}

/// The statuses that Datadog's status remapper produces, by syslog severity.
const STATUSES: [&str; 8] = ["emergency", "alert", "critical", "error", "warn", "notice", "info", "debug"];
/// Names that Datadog takes for the date, the host, the service, the status, the message, the trace or the tags, in some cases before
/// those of the parts. A field that a caller of the program can fill must not have them.
const RESERVED: [&str; 28] = [
    "@timestamp",
    "_timestamp",
    "Timestamp",
    "eventTime",
    "date",
    "published_date",
    "syslog.timestamp",
    "host",
    "hostname",
    "syslog.hostname",
    "syslog.appname",
    "dd.service",
    "dd.env",
    "dd.version",
    "severity",
    "level",
    "syslog.severity",
    "msg",
    "log",
    "trace_id",
    "span_id",
    "contextMap.dd.trace_id",
    "contextMap.dd.span_id",
    "named_tags.dd.trace_id",
    "named_tags.dd.span_id",
    "ddsource",
    "ddtags",
    "source",
];
