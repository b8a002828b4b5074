//! Filters of tracing-subscriber around layers, which hide events and spans from one layer and not from the others.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Handler, Output, sink::Memory};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "layers-with-filters", about: "stock filters around layers", make, shows: SHOWS };

fn make() -> String {
    let [console, shop, details] = [(); 3].map(|()| Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()), memory.clone());
    let only_shop = Targets::new().with_target("shop", LevelFilter::INFO);
    // `EnvFilter::from_default_env()` reads such directives from RUST_LOG.
    let directives = EnvFilter::new("warn,shop::till=trace");
    let subscriber = tracing_subscriber::registry()
        // A filter inside the output decides about events only: see the spans.
        .with(output(&console).level(tracing::Level::WARN).layer())
        .with(output(&shop).layer().with_filter(only_shop))
        .with(output(&details).layer().with_filter(directives));
    tracing::subscriber::with_default(subscriber, || {
        let _request = tracing::info_span!(target: "server", "request", id = 7).entered();
        let _sale = tracing::info_span!(target: "shop::till", "sale", pieces = 2).entered();
        tracing::trace!(target: "shop::till", "opened");
        tracing::info!(target: "shop", "sold");
        tracing::warn!(target: "server", "slow");
    });
    format!("console:\n{}shop:\n{}details:\n{}", console.text(), shop.text(), details.text())
}

const SHOWS: &str = "
console:
 WARN request{id=7}:sale{pieces=2}: server: slow
shop:
 INFO sale{pieces=2}: shop: sold
details:
TRACE sale{pieces=2}: shop::till: opened
 WARN sale{pieces=2}: server: slow
";
