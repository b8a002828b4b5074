use super::*;
use crate::format::json::node::Levels;

impl Preset {
    /// Creates the structured logging format of Google Cloud Logging, which Cloud Run, GKE and the Ops Agent read from standard
    /// output. `project` is the project id, which trace names begin with.
    ///
    /// Constants are labels. A field `httpRequest` that is an object becomes the entry's
    /// [HttpRequest](https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest), and an object
    /// `logging.googleapis.com/operation` becomes its operation. Without `httpRequest`, the request is built from those of the fields
    /// `http.request.method`, `url.full`, `http.response.status_code`, `user_agent.original` and `client.address`
    /// (OpenTelemetry's names) that are present. Other fields are part of the payload. A line is at most 256 KiB long.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity, Value};
    ///
    /// let record = RecordBuf::new(Severity::NOTICE, "shop", "sold out")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_789))
    ///     .with_location("shop::till", "src/till.rs", 41)
    ///     .with_field("left", 0_u64)
    ///     .with_field("httpRequest", Value::Json(r#"{"requestMethod":"GET","status":200}"#))
    ///     .with_span("request", [
    ///         ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()),
    ///         ("span_id", "00f067aa0ba902b7".into()),
    ///         ("trace_flags", 1_u64.into()),
    ///     ]);
    /// let mut line = Vec::new();
    /// let google = Preset::google_cloud("my-project").source(true).constant("region", "eu");
    /// google.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"severity":"NOTICE","time":"2026-11-21T01:19:03.123456789Z","message":"sold out","#,
    ///         r#""logging.googleapis.com/labels":{"region":"eu"},"#,
    ///         r#""logging.googleapis.com/sourceLocation":{"file":"src/till.rs","line":"41","function":"shop::till"},"#,
    ///         r#""logging.googleapis.com/trace":"projects/my-project/traces/4bf92f3577b34da6a3ce929d0e0e4736","#,
    ///         r#""logging.googleapis.com/spanId":"00f067aa0ba902b7","logging.googleapis.com/trace_sampled":true,"#,
    ///         r#""httpRequest":{"requestMethod":"GET","status":200},"target":"shop","left":0}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// `function` is the module, because `tracing` does not record the function. An event's error is an ordinary field.
    pub fn google_cloud(project: impl Into<String>) -> Self {
        Self::of(Table::GoogleCloud { project: project.into() })
    }
}

pub(super) fn draft(settings: &PresetSettings, project: &str) -> (Draft, Claims) {
    let mut claims = Claims::of_trace();
    let trace = Form::Id(format!("projects/{project}/traces/").into());
    let labels = settings.put_constants(Draft::new(Shape::Object), &Keys::Plain, &Form::Text);
    let (flags, sampled) =
        (claims.by_name("trace_flags", Wants::Flags), claims.by_name("trace_sampled", Wants::Sampled));
    claims.unless(flags, sampled);
    let mut draft = Draft::new(Shape::Object)
        .put("severity", Node::Level(Levels::Keywords(&SEVERITIES)))
        .put("time", Node::Time(Time::rfc3339().precision(9)))
        .put("message", plain(Part::Message))
        .draft("logging.googleapis.com/labels", labels);
    if settings.source {
        let place = Draft::new(Shape::Object)
            .put("file", plain(Part::File))
            .put("line", Node::Value(Part::Line.into(), Form::Text))
            .put("function", plain(Part::ModulePath));
        draft = draft.draft("logging.googleapis.com/sourceLocation", place);
    }
    draft = draft
        .put("logging.googleapis.com/trace", Node::Value(Source::Claim(TRACE_ID), trace))
        .put("logging.googleapis.com/spanId", span_id())
        .put(
            "logging.googleapis.com/trace_sampled",
            Node::First([sampled, flags].map(|place| claim(place, Form::Sampled)).into()),
        )
        .put("httpRequest", http_request(&mut claims))
        .put(OPERATION, claim(claims.by_name(OPERATION, Wants::Object), Form::Plain))
        .reserve(&RESERVED);
    draft = settings.put_fields(draft, &mut claims, &Keys::Plain, &Form::Plain);
    draft = settings.put_unique_id(draft, &Keys::Plain);
    draft = draft
        .put("stack_trace", any_claimed(&mut claims, STACK_TRACE, &Form::Text))
        .put("target", plain(Part::Target))
        .put("thread", plain(Part::ThreadName));
    (draft.rest(settings.rest(Keys::Plain, Form::Plain, false)), claims)
}

fn http_request(claims: &mut Claims) -> Node {
    let given = claims.by_name("httpRequest", Wants::Object);
    let mut part = |name, wants, form| {
        let place = claims.by_name(name, wants);
        claims.unless(place, given);
        claim(place, form)
    };
    let made = Draft::new(Shape::Object)
        .put("requestMethod", part("http.request.method", Wants::Anything, Form::Text))
        .put("requestUrl", part("url.full", Wants::Anything, Form::Text))
        .put("status", part("http.response.status_code", Wants::Integer, Form::Plain))
        .put("userAgent", part("user_agent.original", Wants::Anything, Form::Text))
        .put("remoteIp", part("client.address", Wants::Anything, Form::Text));
    Node::First(vec![claim(given, Form::Plain), Node::Branch(made.branch())])
}

/// The names of `LogSeverity`, by syslog severity.
const SEVERITIES: [&str; 8] = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
const OPERATION: &str = "logging.googleapis.com/operation";
/// Names with a meaning to the receiver. Fields must not use them, because their types could be wrong.
const RESERVED: [&str; 9] = [
    "timestamp",
    "timestampSeconds",
    "timestampNanos",
    "logging.googleapis.com/http_request",
    "logging.googleapis.com/insertId",
    "logging.googleapis.com/sourceLocation",
    "logging.googleapis.com/traceSampled",
    "traceSampled",
    "@type",
];
/// The largest entry that the API accepts, in bytes.
pub(super) const MAX_BYTES: usize = 256 << 10;
