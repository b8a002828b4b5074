use super::*;
use crate::format::LevelNames;
use crate::format::json::node::Levels;

impl Preset {
    /// Creates the JSON mapping of OTLP 1.x. Each line is an `ExportLogsServiceRequest` with one record, as written by the file
    /// exporter of the OpenTelemetry Collector and read by its `otlpjsonfile` receiver.
    ///
    /// Constants are attributes of the resource, and the target is the scope's name. 64-bit integers are decimal strings, integers
    /// that do not fit 64 bits are string values, bytes are Base64, and nested values are lists and key-value lists. `eventName` is
    /// written only for events that are named explicitly. [`source`](Self::source) writes `code.file.path`, `code.line.number` and,
    /// from the module, `code.function.name`.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Preset};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "shop", "sold")
    ///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
    ///     .with_field("pieces", 3_u64)
    ///     .with_span("request", [("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into())]);
    /// let mut line = Vec::new();
    /// let otlp = Preset::otlp().constant("service.name", "shop");
    /// otlp.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&line),
    ///     concat!(
    ///         r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"#,
    ///         r#""scopeLogs":[{"scope":{"name":"shop"},"logRecords":[{"#,
    ///         r#""timeUnixNano":"1795223943123456000","observedTimeUnixNano":"1795223943123456000","#,
    ///         r#""severityNumber":9,"severityText":"INFO","body":{"stringValue":"sold"},"#,
    ///         r#""attributes":[{"key":"pieces","value":{"intValue":"3"}}],"#,
    ///         r#""traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}]}]}]}"#,
    ///     ),
    /// );
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// The observed time equals the event's time, because an event is captured as it happens.
    pub fn otlp() -> Self {
        Self::of(Table::Otlp)
    }
}

pub(super) fn draft(settings: &PresetSettings) -> (Draft, Claims) {
    let mut claims = Claims::of_trace();
    let record = Draft::new(Shape::Object)
        .put("timeUnixNano", Node::NanosText)
        .put("observedTimeUnixNano", Node::NanosText)
        .put("severityNumber", Node::Level(Levels::Number(|severity| severity.number().into())))
        .put("severityText", Node::Level(Levels::Names(LevelNames::Upper)))
        .put("eventName", plain(Source::EventName))
        .put("body", Node::Value(Part::Message.into(), Form::AnyValue))
        .draft("attributes", attributes(settings, &mut claims))
        .put("traceId", trace_id())
        .put("spanId", span_id())
        .put("flags", flags(&mut claims));
    let resource = settings.put_constants(Draft::new(Shape::KeyValues), &Keys::Plain, &Form::AnyValue);
    let of_scope = Draft::new(Shape::Object)
        .draft("scope", Draft::new(Shape::Object).put("name", plain(Part::Target)))
        .put("logRecords", list_of(record));
    let of_resource = Draft::new(Shape::Object)
        .draft("resource", Draft::new(Shape::Object).draft("attributes", resource))
        .put("scopeLogs", list_of(of_scope));
    (Draft::new(Shape::Object).put("resourceLogs", list_of(of_resource)), claims)
}

fn attributes(settings: &PresetSettings, claims: &mut Claims) -> Draft {
    let any = |part: Part| Node::Value(part.into(), Form::AnyValue);
    let mut draft = Draft::new(Shape::KeyValues);
    if settings.source {
        draft = draft
            .put("code.file.path", any(Part::File))
            .put("code.line.number", any(Part::Line))
            .put("code.function.name", any(Part::ModulePath));
    }
    draft = draft.put("thread.name", any(Part::ThreadName));
    draft = settings.put_fields(draft, claims, &Keys::Plain, &Form::AnyValue);
    if let Some((key, process)) = &settings.unique_id {
        let id = Draft::new(Shape::Object).put("stringValue", Node::UniqueId(*process));
        draft = draft.draft(key, id);
    }
    draft
        .put("exception.type", any_claimed(claims, ERROR_TYPE, &Form::AnyValue))
        .put("exception.message", claim(claims.error(), Form::AnyValue))
        .put("exception.stacktrace", any_claimed(claims, STACK_TRACE, &Form::AnyValue))
        .rest(settings.rest(Keys::Plain, Form::AnyValue, false))
}

fn list_of(draft: Draft) -> Node {
    Node::List(vec![Node::Branch(draft.branch())])
}

/// Returns a node for the flags. The low 8 bits are the W3C trace flags, whose lowest bit marks a sampled trace.
fn flags(claims: &mut Claims) -> Node {
    let (flags, sampled) =
        (claims.by_name("trace_flags", Wants::Flags), claims.by_name("trace_sampled", Wants::Sampled));
    claims.unless(sampled, flags);
    Node::First([flags, sampled].map(|place| claim(place, Form::Flags)).into())
}
