//! A test that fails if an ERROR is logged, even if nothing else goes wrong.

use tracing_handlers::testing::{expect, fail_on_error};

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "fail-on-error", about: "an ERROR in the log fails the test", make, shows: SHOWS };

fn make() -> String {
    let guard = fail_on_error().allow(expect().target("shop::till").message_contains("jammed"));
    tracing::error!(target: "shop::till", "jammed, as usual");
    tracing::warn!(target: "shop", "running out");
    // If another ERROR were logged, the guard would panic here: "errors were logged (1): …".
    let text = guard.text();
    drop(guard);
    text
}

const SHOWS: &str = "
ERROR shop::till: jammed, as usual
 WARN shop: running out
";
