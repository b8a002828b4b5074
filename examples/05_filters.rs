//! Filters per handler: by level, by target, by the fields of the record and of its enclosing spans.
//!
//! ```text
//! cargo run --example 05_filters
//! ```

use tracing::{Level, debug, info, info_span, warn};
use tracing_handlers::filter::{self, FilterExt};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Value};
use tracing_subscriber::prelude::*;

fn main() {
    let [important, stock, slow, mias] = [(); 4].map(|()| Memory::new());
    let text = || Text::new().time(Time::none());

    let of_mia = |record: &tracing_handlers::Record<'_>| {
        record.spans().any(|span| matches!(span.field("user"), Some(Value::Str("mia"))))
    };
    let layer = tracing_handlers::layer((
        Output::new(text(), important.clone()).level(Level::WARN),
        Output::new(text(), stock.clone()).filter(filter::targets(["shop::stock"]).with("shop", Level::WARN)),
        Output::new(text(), slow.clone())
            .filter(filter::on_record(|r| matches!(r.field("ms"), Some(Value::U64(500..))))),
        Output::new(text(), mias.clone())
            .filter(filter::on_record(of_mia).and(filter::between(Level::INFO, Level::WARN))),
    ));
    tracing_subscriber::registry().with(layer).init();

    debug!(target: "shop::stock", pieces = 7, "counted");
    info_span!("request", user = "mia").in_scope(|| {
        info!(target: "shop", ms = 12_u64, "sold");
        debug!(target: "shop", "thought");
    });
    info_span!("request", user = "li").in_scope(|| warn!(target: "shop", ms = 731_u64, "sold late"));

    for (name, memory) in [("important", &important), ("stock", &stock), ("slow", &slow), ("mia's", &mias)] {
        println!("{name}\n  {}", memory.lines().join("\n  "));
    }
    let late = " WARN request{user=li}: shop: sold late ms=731";
    assert_eq!(important.lines(), [late]);
    assert_eq!(stock.lines(), ["DEBUG shop::stock: counted pieces=7", late]);
    assert_eq!(slow.lines(), [late]);
    assert_eq!(mias.lines(), [" INFO request{user=mia}: shop: sold ms=12"]);
}
