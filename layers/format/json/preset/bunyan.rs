use super::*;
use crate::format::json::node::Levels;

impl Preset {
    /// Creates Bunyan's format, version 0, for viewers such as `bunyan` and `pino-pretty`. `name` is the application's name.
    ///
    /// `level` is 10 (trace), 20, 30, 40, 50 (error) or, for severities from `FATAL` on, 60. `hostname` is the name of this
    /// machine, read from `/proc` on Linux and otherwise from the environment variables `HOSTNAME` or `COMPUTERNAME`; if none is
    /// available, it is `localhost`. A [`constant`](Self::constant) overrides it. An error is the object `err`. Fields of the event
    /// and of spans are members of the same object as the parts.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::ERROR, "shop::till", "not paid")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
    ///     .with_field("order", 7_u64)
    ///     .with_error("cause", &["no answer", "timed out"])
    ///     .with_span("request", [("level", "gold".into())]);
    /// let mut line = Vec::new();
    /// let bunyan = Preset::bunyan("shop").constant("hostname", "web-1").constant("pid", 123_u64);
    /// bunyan.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"v":0,"name":"shop","hostname":"web-1","pid":123,"level":50,"time":"2026-11-21T01:19:03.123Z","#,
    ///         r#""msg":"not paid","target":"shop::till","err":{"message":"no answer: timed out"},"order":7,"level_2":"gold"}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn bunyan(name: impl Into<String>) -> Self {
        Self::of(Table::Bunyan { name: name.into(), host: host_name() })
    }
}

pub(super) fn draft(settings: &PresetSettings, name: &str, host: &str) -> (Draft, Claims) {
    let mut claims = Claims::of_trace();
    let mut draft = Draft::new(Shape::Object)
        .put("v", Node::constant(Value::U64(0), &Form::Plain))
        .put("name", text(name))
        .put("hostname", text(host))
        .put("pid", plain(Part::ProcessId))
        .put("level", Node::Level(Levels::Number(level)))
        .put("time", Node::Time(Time::rfc3339().precision(3)))
        .put("msg", plain(Source::MessageAlways))
        .put("target", plain(Part::Target));
    if settings.source {
        let place = Draft::new(Shape::Object).put("file", plain(Part::File)).put("line", plain(Part::Line));
        draft = draft.draft("src", place);
    }
    draft = settings.put_own(draft, &mut claims);
    let error = Draft::new(Shape::Object)
        .put("message", claim(claims.error(), Form::Text))
        .put("name", any_claimed(&mut claims, ERROR_TYPE, &Form::Text))
        .put("stack", any_claimed(&mut claims, STACK_TRACE, &Form::Text));
    draft = draft.draft("err", error).put("trace_id", trace_id()).put("span_id", span_id());
    // The source position, which the `bunyan` program expects to be an object, whether or not it is written.
    draft = draft.reserve(&["src"]);
    (draft.rest(settings.rest(Keys::Plain, Form::Plain, false)), claims)
}

fn level(severity: crate::Severity) -> u32 {
    of_level(severity, [10, 20, 30, 40, 50, 60])
}

fn host_name() -> String {
    let of_system = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let given = of_system.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    given.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or("localhost".to_owned())
}
