//! Records kept until something goes wrong, then written together: "Buffering logging messages and outputting them
//! conditionally" in Python's cookbook, with `MemoryHandler`. A program that succeeds writes nothing.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Buffer;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "buffer", about: "records that are written when an ERROR occurs", make, shows: SHOWS };

fn make() -> String {
    let run = |left: u32| {
        let memory = Memory::new();
        let output = Output::new(Text::new().time(Time::none()), memory.clone());
        logged(Buffer::new(output).flush_on_close(false), || {
            tracing::debug!(target: "shop", left, "looked into the store");
            if left == 0 {
                tracing::error!(target: "shop", "out of stock");
            }
        });
        memory.text()
    };
    format!("with three left:\n{}with none left:\n{}", run(3), run(0))
}

const SHOWS: &str = "
with three left:
with none left:
DEBUG shop: looked into the store left=0
ERROR shop: out of stock
";
