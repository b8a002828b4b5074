//! Libraries that use the `log` crate: `init` receives their records, with their key-values and in the spans around them.
//!
//! ```text
//! cargo run --example 07_log_crate
//! ```

use tracing_handlers::Output;
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::sink::{Console, Memory};

fn main() -> Result<(), tracing_handlers::Error> {
    let memory = Memory::new();
    tracing_handlers::init((
        Output::new(Text::compact(), Console::stderr()),
        // The same records in memory, for the assertion below.
        Output::new(Json::new().time(Time::none()), memory.clone()),
    ))?;

    let request = tracing::info_span!("request", id = 7).entered();
    log::info!(target: "library", pieces = 3, user:? = ("mia", 7); "sold");
    drop(request);
    tracing::info!(pieces = 3, "both go the same way");

    assert_eq!(
        memory.lines(),
        [
            concat!(
                r#"{"level":"INFO","target":"library","message":"sold","pieces":3,"user":"(\"mia\", 7)","#,
                r#""spans":[{"name":"request","id":7}]}"#
            ),
            r#"{"level":"INFO","target":"07_log_crate","message":"both go the same way","pieces":3}"#,
        ]
    );
    Ok(())
}
