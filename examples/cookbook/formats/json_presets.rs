//! JSON as well-known receivers expect it: the same event for each of them.
//!
//! log4j2's JsonTemplateLayout includes layouts such as `EcsLayout.json`, `GelfLayout.json`, `GcpLayout.json` and
//! `LogstashJsonEventLayoutV1.json`; Python's cookbook ("Implementing structured logging") writes them by hand.

use tracing_handlers::format::Preset;
use tracing_handlers::handler::Rewriting;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, RecordBuf};

use super::json_shared::at_a_fixed_time;
use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe {
    name: "json-presets",
    about: "ECS, GELF, Google Cloud, Logstash, Bunyan, OTLP, Datadog",
    make,
    shows: SHOWS,
};

fn make() -> String {
    let memory = Memory::new();
    let presets = [
        Preset::ecs().constant("service.name", "shop"),
        Preset::gelf("web-1"),
        Preset::google_cloud("my-project"),
        Preset::logstash(),
        Preset::bunyan("shop").constant("hostname", "web-1").constant("pid", 123_u64),
        Preset::otlp().constant("service.name", "shop"),
        Preset::datadog("shop"),
    ];
    let outputs: Vec<_> = presets.map(|preset| Output::new(preset, memory.clone())).into();
    logged(Rewriting::new(|record: &mut RecordBuf| at_a_fixed_time(record), outputs), || {
        let _request = tracing::info_span!("request", trace_id = "4bf92f3577b34da6a3ce929d0e0e4736").entered();
        tracing::warn!(target: "shop", left = 2, "running out");
    });
    memory.text()
}

const SHOWS: &str = r#"
{"@timestamp":"2026-11-21T01:19:03.123456Z","log.level":"WARN","message":"running out","ecs.version":"8.11.0","log.logger":"shop","process.thread.name":"main","service.name":"shop","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","labels":{"left":2}}
{"version":"1.1","host":"web-1","short_message":"running out","timestamp":1795223943.123456,"level":4,"_logger":"shop","_thread":"main","_trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","_left":2}
{"severity":"WARNING","time":"2026-11-21T01:19:03.123456000Z","message":"running out","logging.googleapis.com/trace":"projects/my-project/traces/4bf92f3577b34da6a3ce929d0e0e4736","target":"shop","thread":"main","left":2}
{"@timestamp":"2026-11-21T01:19:03.123456Z","@version":"1","message":"running out","logger_name":"shop","thread_name":"main","level":"WARN","level_value":30000,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","left":2}
{"v":0,"name":"shop","hostname":"web-1","pid":123,"level":40,"time":"2026-11-21T01:19:03.123Z","msg":"running out","target":"shop","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","left":2}
{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"scope":{"name":"shop"},"logRecords":[{"timeUnixNano":"1795223943123456000","observedTimeUnixNano":"1795223943123456000","severityNumber":13,"severityText":"WARN","body":{"stringValue":"running out"},"attributes":[{"key":"thread.name","value":{"stringValue":"main"}},{"key":"left","value":{"intValue":"2"}}],"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}]}]}]}
{"timestamp":"2026-11-21T01:19:03.123456Z","status":"warn","message":"running out","service":"shop","logger.name":"shop","logger.thread_name":"main","dd.trace_id":"11803532876627986230","left":2}
"#;
