//! Renames and removes fields for a system that uses other names.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::{Remove, Rename};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "rename", about: "fields renamed and removed", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let rewrite = (Remove::fields(["debug_*"]), Rename::fields([("user", "user.name"), ("ip", "source.ip")]));
    logged(Rewriting::new(rewrite, output), || {
        let _request = tracing::info_span!("request", user = "ada", debug_headers = "…").entered();
        tracing::info!(target: "shop", ip = "10.0.0.7", debug_body = "{}", "asked");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO request{user.name=ada}: shop: asked source.ip=10.0.0.7
";
