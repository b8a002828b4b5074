//! Masks fields by name, including those of spans: logback's masking, a `logging.Filter` in Python.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::Redact;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "redact", about: "fields masked by name", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    logged(Rewriting::new(Redact::fields(["password", "*_token"]), output), || {
        let _login = tracing::info_span!("login", user = "ada", access_token = "t0p-s3cret").entered();
        tracing::info!(target: "shop", password = "hunter2", attempt = 1, "logged in");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO login{user=ada access_token=***}: shop: logged in password=*** attempt=1
";
