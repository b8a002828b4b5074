//! Fields in Python's formats: "Using LoggerAdapters to impart contextual information" and `extra` in Python's cookbook.
//! The event's fields take precedence over those of spans, and those over the `defaults` of the format.

use tracing_handlers::Output;
use tracing_handlers::format::Python;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "python-extra", about: "fields as Python's extra, with defaults", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let format = Python::brace("{ip:<15} {user:<4} {message} ({price:,.2f})")
        .expect("a format that Python takes")
        .defaults([("ip", "-".into()), ("user", "-".into()), ("price", 0.0.into())]);
    logged(Output::new(format, memory.clone()), || {
        tracing::info!("opened");
        let _connection = tracing::info_span!("connection", ip = "192.168.0.1", user = "fred").entered();
        tracing::info!(price = 1_234.5, "sold");
        tracing::info!(user = "ada", "asked");
    });
    memory.text()
}

const SHOWS: &str = "
-               -    opened (0.00)
192.168.0.1     fred sold (1,234.50)
192.168.0.1     ada  asked (0.00)
";
