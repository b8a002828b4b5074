//! Retries failed records behind a queue, whose thread can wait: NLog's `RetryingWrapper`. Python's `SocketHandler` only pauses
//! before it connects again, and loses the records in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Handler, Queue, Retry, from_fn};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, ErrorKind, Output};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "retry", about: "failed records are retried", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let tries = AtomicU32::new(0);
    let unsteady = from_fn(move |record| match tries.fetch_add(1, Ordering::Relaxed) {
        2.. => output.handle(record),
        _ => Err(Error::new(ErrorKind::Io, "connection refused")),
    });
    let retry = Retry::new(unsteady).times(5).initial(Duration::from_millis(1)).deadline(Duration::from_secs(10));
    let queue = Arc::new(Queue::new(retry));
    logged(queue.clone(), || tracing::info!(target: "shop", "sold"));
    tracing_handlers::process::flush(Duration::from_secs(20)).expect("the queue empties");
    format!("{}\n{}", queue.stats()[1], memory.text())
}

const SHOWS: &str = "
retry: accepted 1, delivered 1, dropped 0, failed 0, pending 0
 INFO shop: sold
";
