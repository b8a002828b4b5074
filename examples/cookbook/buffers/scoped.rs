//! Logs the details of a request only if it fails. Monolog calls it fingers crossed; Python's cookbook does it per function and
//! thread, with a MemoryHandler and a decorator ("Buffering logging messages and outputting them conditionally"). Here it is per
//! root span, so it follows the request through threads and tasks.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::ScopedBuffer;
use tracing_handlers::{Output, sink::Memory};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "details-on-error", about: "a request's DEBUG records, only if it fails", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    logged(ScopedBuffer::new(output), || {
        for (id, stock) in [(1, 5), (2, 0)] {
            let _request = tracing::info_span!("request", id).entered();
            tracing::info!("asked");
            tracing::debug!(stock, "looked up");
            if stock == 0 {
                tracing::error!("sold out");
            }
        }
    });
    memory.text()
}

const SHOWS: &str = "
 INFO request{id=1}: asked
 INFO request{id=2}: asked
DEBUG request{id=2}: looked up stock=0
ERROR request{id=2}: sold out
";
