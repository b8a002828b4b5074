//! Uses a second handler while the first one fails, and the first one again when it works: log4j2's `Failover`, with its
//! `retryIntervalSeconds`; Serilog's `FallbackChain`. Python has none: a handler's error goes to `handleError`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracing_handlers::clock::Manual;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Fallback, Handler, from_fn};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, ErrorKind, Output};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "failover", about: "another handler while the first one fails", make, shows: SHOWS };

fn make() -> String {
    let (network, disk) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()), memory.clone());
    let up = Arc::new(AtomicBool::new(true));
    let (is_up, to_network) = (up.clone(), output(&network));
    let primary = from_fn(move |record| match is_up.load(Ordering::Relaxed) {
        true => to_network.handle(record),
        false => Err(Error::new(ErrorKind::Io, "no route to host")),
    });
    // Programs do not set a clock.
    let clock = Arc::new(Manual::default());
    let fallback =
        Fallback::new(primary).or(output(&disk)).retry_interval(Duration::from_secs(60)).clock(clock.clone());
    logged(fallback, || {
        tracing::info!(target: "shop", "one");
        up.store(false, Ordering::Relaxed);
        tracing::info!(target: "shop", "two");
        up.store(true, Ordering::Relaxed);
        tracing::info!(target: "shop", "three: the network is left alone for a minute");
        clock.advance(Duration::from_secs(60));
        tracing::info!(target: "shop", "four");
    });
    format!("network:\n{}disk:\n{}", network.text(), disk.text())
}

const SHOWS: &str = "
network:
 INFO shop: one
 INFO shop: four
disk:
 INFO shop: two
 INFO shop: three: the network is left alone for a minute
";
