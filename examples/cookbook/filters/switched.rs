//! Directives that an administrator changes while the program runs.

use tracing_handlers::filter::DirectiveSwitch;

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "filter-switched", about: "directives that change while the program runs", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let directives = DirectiveSwitch::new("info").unwrap();
    logged(output.filter(directives.clone()), || {
        let log = |when: &str| tracing::debug!(target: "shop", "a detail {when}");
        log("before");
        // For ten minutes: `directives.set_for("info,shop=debug", Duration::from_secs(600))`.
        let more = directives.scoped("info,shop=debug").unwrap();
        log("meanwhile");
        drop(more);
        log("afterwards");
    });
    format!("{}\n{directives}", memory.text().trim_end())
}

const SHOWS: &str = "
DEBUG shop: a detail meanwhile
info
";
