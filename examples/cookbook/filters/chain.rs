//! A chain of rules, each with a verdict for records that match and for those that do not: log4j2's `onMatch` and `onMismatch`.

use tracing::Level;
use tracing_handlers::filter::{self, Chain, Verdict};

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "filter-chain", about: "accept, neutral, deny, as in log4j2", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let chain = Chain::new()
        .accept(filter::name("audit"))
        .deny(filter::message().contains("heartbeat"))
        .rule(Level::WARN, Verdict::Accept, Verdict::Neutral)
        .require(filter::name("shop"))
        .otherwise(Verdict::Accept);
    logged(output.filter(chain), || {
        tracing::debug!(target: "audit", "heartbeat of the auditor");
        tracing::error!(target: "shop", "heartbeat missing");
        tracing::warn!(target: "hyper", "connection lost");
        tracing::info!(target: "hyper", "connected");
        tracing::info!(target: "shop", "sold");
    });
    memory.text()
}

const SHOWS: &str = "
DEBUG audit: heartbeat of the auditor
 WARN hyper: connection lost
 INFO shop: sold
";
