//! A table for spreadsheets and databases: custom columns, with titles at the top of each file, also after a rotation.
//! log4j2's CsvLogEventLayout and CsvParameterLayout; in Python's cookbook a Formatter around `csv.writer`.

use tracing_handlers::format::Csv;
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::File;
use tracing_handlers::{Output, Part};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "csv", about: "a table, with titles in each file", make, shows: SHOWS };

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sales.csv");
    let columns = [Part::Level, Part::Message, Part::field("pieces"), Part::Fields, Part::span_field("id")];
    let csv = Csv::new().columns(columns).rename(Part::span_field("id"), "request");
    let file = File::open(&path).expect("a new file").rotation(Rotation::size(105).keep(3));
    logged(Output::new(csv, file), || {
        let _request = tracing::info_span!("request", id = 7).entered();
        tracing::info!(pieces = 3, by = "Ada", "sold, paid");
        tracing::info!(pieces = 1, by = "Grace", "said \"thanks\"\nand left");
        tracing::warn!("running out");
    });
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    format!("{}--\n{}", read("sales.csv.1"), read("sales.csv"))
}

const SHOWS: &str = r#"
level,message,pieces,fields,request
INFO,"sold, paid",3,by=Ada,7
--
level,message,pieces,fields,request
INFO,"said ""thanks""\nand left",1,by=Grace,7
WARN,running out,,,7
"#;
