//! A custom handler around another one, and a drawing of the installed handlers: Python's recipe of a handler that wraps a handler,
//! and the package `logging_tree`. It implements `handle` and `inner`; levels, flushes, reports and the drawing follow from these.

use std::ops::ControlFlow;

use tracing::Level;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Buffer, Handler};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, Output, Record};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "wrapper", about: "a handler of your own, in the tree", make, shows: SHOWS };

/// Passes on records from outside the library `chatty`.
struct WithoutChatty<H>(H);

impl<H: Handler> Handler for WithoutChatty<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        match record.target().starts_with("chatty") {
            true => Ok(()),
            false => self.0.handle(record),
        }
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.0)
    }
}

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone()).name("memory").level(Level::INFO);
    let layer = tracing_handlers::layer(WithoutChatty(Buffer::new(output)));
    let handle = layer.handle();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!(target: "chatty::pool", "connection reused");
        tracing::info!(target: "shop", "sold");
        tracing::debug!(target: "shop", "counted");
    });
    handle.flush(std::time::Duration::from_secs(5)).expect("memory takes everything");
    format!("{}\n{}", memory.text(), handle.tree())
}

const SHOWS: &str = "
 INFO shop: sold

handlers, up to INFO
└─ buffer: accepted 1, delivered 1, dropped 0, failed 0, pending 0
   └─ memory [INFO]: accepted 1, delivered 1, dropped 0, failed 0, pending 0
";
