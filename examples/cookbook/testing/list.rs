//! A handler that keeps records, behind the handlers under test: log4j2's `ListAppender`.

use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::Redact;
use tracing_handlers::testing::{Captured, expect};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "list", about: "the output of custom handlers", make, shows: SHOWS };

fn make() -> String {
    let captured = Captured::new();
    logged(Rewriting::new(Redact::fields(["card"]), captured.clone()), || {
        tracing::info!(target: "shop", card = "4111 1111 1111 1111", pieces = 3, "paid");
    });
    captured.assert_logged(expect().message("paid").field("card", "***").field("pieces", 3));
    captured.text()
}

const SHOWS: &str = "
 INFO shop: paid card=*** pieces=3
";
