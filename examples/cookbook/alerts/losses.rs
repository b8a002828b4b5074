//! The outcome of records per handler, for Prometheus: an alarm on `log_handler_dropped_total` reports gaps in the log.

use tracing_handlers::format::Json;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Handler, Output, Queue, RecordBuf, Severity, stats};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "losses", about: "handlers' counters for Prometheus", make, shows: SHOWS };

fn make() -> String {
    let queue = Queue::new(Output::new(Json::new(), Memory::new()).name("file")).name("queue").capacity_bytes(500);
    let large = RecordBuf::new(Severity::INFO, "shop", &"x".repeat(1_000));
    queue.handle(&large.as_record()).expect("it is dropped, which is no error");
    let text = stats::prometheus(&queue.stats());
    // The lines that an alarm uses.
    text.lines().filter(|line| line.contains("dropped") && !line.starts_with('#')).collect()
}

const SHOWS: &str = r#"
log_handler_dropped_total{handler="queue",reason="larger than the queue"} 1
"#;
