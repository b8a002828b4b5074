//! A file with one JSON object per line, including the fields of the enclosing spans.
//!
//! ```text
//! cargo run --example 02_json_file
//! ```

use serde_json::{Value, json};
use tracing::field::Empty;
use tracing::{info, info_span};
use tracing_handlers::Output;
use tracing_handlers::format::{Json, Time};
use tracing_handlers::sink::File;
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("logs/app.jsonl");
    let output = Output::new(Json::new().time(Time::none()), File::open(&path)?);
    tracing_subscriber::registry().with(tracing_handlers::layer(output)).init();

    let request = info_span!("request", path = "/orders", status = Empty);
    request.in_scope(|| {
        info!(pieces = 3, price = 9.5, paid = true, "sold");
        request.record("status", 201);
        info!("answered");
    });

    // There is no guard to keep and nothing to flush: without a queue, a logged line is in the file at once.
    let text = std::fs::read_to_string(&path)?;
    print!("{text}");
    let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(
        lines,
        [
            json!({
                "level": "INFO", "target": "02_json_file", "message": "sold",
                "pieces": 3, "price": 9.5, "paid": true,
                "spans": [{ "name": "request", "path": "/orders" }],
            }),
            json!({
                "level": "INFO", "target": "02_json_file", "message": "answered",
                "spans": [{ "name": "request", "path": "/orders", "status": 201 }],
            }),
        ]
    );
    Ok(())
}
