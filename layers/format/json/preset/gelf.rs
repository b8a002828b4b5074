use super::*;
use crate::format::json::node::Levels;

impl Preset {
    /// Creates the format GELF 1.1, for Graylog. `host` is the name of this machine or application.
    ///
    /// A message of several lines is written as `full_message`, and its first line as `short_message`. The short message is never
    /// empty: for an event without a message it is the event's name. Additional fields are strings and numbers: booleans are
    /// `"true"` and `"false"`, objects are flattened into `_a_b`, and lists are strings. `_` replaces characters that GELF does not
    /// allow in names. A field `id` is written as `_id_`, because Graylog reserves `_id`.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity, Value};
    ///
    /// let record = RecordBuf::new(Severity::WARN, "shop", "running out")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
    ///     .with_thread("main", 1)
    ///     .with_field("left", 2_u64)
    ///     .with_field("last order", Value::Json(r#"{"id":7,"paid":true}"#))
    ///     .with_span("request", [("id", 9_u64.into())]);
    /// let mut line = Vec::new();
    /// let gelf = Preset::gelf("web-1").constant("region", "eu");
    /// gelf.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"version":"1.1","host":"web-1","short_message":"running out","timestamp":1795223943.123456,"level":4,"#,
    ///         r#""_logger":"shop","_thread":"main","_region":"eu","_left":2,"_last_order_id":7,"_last_order_paid":"true","_id_":9}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// Over TCP each line ends in a null byte: [`Framing::Null`](crate::Framing::Null).
    pub fn gelf(host: impl Into<String>) -> Self {
        Self::of(Table::Gelf { host: host.into() })
    }
}

pub(super) fn draft(settings: &PresetSettings, host: &str) -> (Draft, Claims) {
    let mut claims = Claims::of_trace();
    let mut draft = Draft::new(Shape::Object)
        .put("version", text("1.1"))
        .put("host", text(host))
        .put("short_message", plain(Source::Summary))
        .put("full_message", plain(Source::FullMessage))
        .put("timestamp", Node::Time(Time::unix_seconds().precision(6)))
        .put("level", Node::Level(Levels::Number(|severity| severity.syslog().into())))
        .put("_logger", plain(Part::Target))
        .put("_thread", plain(Part::ThreadName));
    if settings.source {
        draft = draft.put("_file", plain(Part::File)).put("_line", plain(Part::Line));
    }
    draft = settings.put_constants(draft, &Keys::Gelf, &Form::TextOrNumber);
    draft = settings.put_fields(draft, &mut claims, &Keys::Gelf, &Form::TextOrNumber);
    draft = settings.put_unique_id(draft, &Keys::Gelf);
    draft = draft.put("_trace_id", trace_id()).put("_span_id", span_id()).reserve(&RESERVED);
    (draft.rest(settings.rest(Keys::Gelf, Form::TextOrNumber, true)), claims)
}

/// Names that Graylog, after it has removed the `_`, has given to the message already. It discards fields of these names.
const RESERVED: [&str; 8] =
    ["_message", "_source", "_timestamp", "_level", "_host", "_short_message", "_full_message", "_streams"];
