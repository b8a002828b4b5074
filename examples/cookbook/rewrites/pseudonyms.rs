//! Names are replaced by keyed hashes: records of the same customer can be recognized, but not the customer.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::{HashKey, Redact};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "pseudonyms", about: "equal values stay comparable: keyed hashes", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    // A program would use HashKey::from_env("LOG_HASH_KEY").
    let key = HashKey::new("an example, and no secret at all").expect("long enough");
    logged(Rewriting::new(Redact::fields(["customer"]).hash(key.digits(12)), output), || {
        for customer in ["ada", "bob", "ada"] {
            tracing::info!(target: "shop", customer, "sold");
        }
    });
    memory.text()
}

const SHOWS: &str = "
 INFO shop: sold customer=1f37cc1c8e90
 INFO shop: sold customer=94e37d433584
 INFO shop: sold customer=1f37cc1c8e90
";
