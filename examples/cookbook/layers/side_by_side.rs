//! A layer for each handler, beside those of other crates. The layers share what they capture.

use tracing::Level;
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::{Handler, Output, sink::Memory};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "layers-side-by-side", about: "a layer for each output, some of them optional", make, shows: SHOWS };

fn make() -> String {
    // In a program, a console and two files.
    let [console, json, errors] = [(); 3].map(|()| Memory::new());
    let text = |memory: &Memory| Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    let files = vec![
        Output::new(Json::new().time(Time::none()), json.clone()).layer().boxed(),
        text(&errors).level(Level::ERROR).layer().boxed(),
    ];
    let audit: Option<Memory> = None;
    let console_layer = text(&console).layer();
    let handle = console_layer.handle();
    let subscriber = tracing_subscriber::registry()
        .with(files)
        .with(console_layer)
        .with(audit.map(|memory| Output::new(Json::new(), memory).layer()));
    tracing::subscriber::with_default(subscriber, || {
        let _request = tracing::info_span!("request", id = 7).entered();
        tracing::info!("paid");
        tracing::error!("out of paper");
    });
    // Each handle counts what its own layer received.
    let counted = handle.stats()[0].stats.delivered;
    format!("console, {counted}:\n{}json:\n{}errors:\n{}", console.text(), json.text(), errors.text())
}

const SHOWS: &str = r#"
console, 2:
 INFO request{id=7}: paid
ERROR request{id=7}: out of paper
json:
{"level":"INFO","target":"cookbook::layers::side_by_side","message":"paid","spans":[{"name":"request","id":7}]}
{"level":"ERROR","target":"cookbook::layers::side_by_side","message":"out of paper","spans":[{"name":"request","id":7}]}
errors:
ERROR request{id=7}: out of paper
"#;
