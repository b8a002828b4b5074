//! A platform that stops the process between two invocations, such as AWS Lambda: what an invocation logged must be delivered
//! before it returns. `flush_async` waits without blocking the executor, which here has a single thread.

use std::time::Duration;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, Handle, Output, Queue};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "flush-async", about: "delivered at the end of each invocation", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let layer = tracing_handlers::layer(Queue::new(Output::new(Text::new().time(Time::none()), memory.clone())));
    let handle = layer.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime needs nothing");
    let mut shown = String::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for order in 1..=2 {
            let flushed = runtime.block_on(invoke(&handle, order));
            shown += &format!("invocation {order}: {flushed:?}, lines delivered: {}\n", memory.lines().len());
        }
    });
    shown + &memory.text()
}

async fn invoke(handle: &Handle, order: u32) -> Result<(), Error> {
    tracing::info!(target: "shop", order, "sold");
    tokio::task::yield_now().await;
    tracing::info!(target: "shop", order, "packed");
    handle.flush_async(Duration::from_secs(5)).await
}

const SHOWS: &str = "
invocation 1: Ok(()), lines delivered: 2
invocation 2: Ok(()), lines delivered: 4
 INFO shop: sold order=1
 INFO shop: packed order=1
 INFO shop: sold order=2
 INFO shop: packed order=2
";
