//! Records of spans that are created, entered, exited and closed, with the time they took: tracing-subscriber's `with_span_events`.

use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::record::SpanEvents;
use tracing_handlers::{Output, sink::Memory};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "span-events", about: "how long each span took", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone())
        .span_events(SpanEvents::NEW | SpanEvents::CLOSE);
    let clock = Arc::new(Manual::new(Timestamp::EPOCH));
    let layer = tracing_handlers::layer(output).clock(clock.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let request = tracing::info_span!("request", id = 7);
        clock.advance(Duration::from_millis(3));
        request.in_scope(|| clock.advance(Duration::from_millis(40)));
    });
    memory.text()
}

const SHOWS: &str = "
 INFO request{id=7}: new
 INFO request{id=7}: close time.busy=40.0ms time.idle=3.00ms
";
