//! An audit log that survives a power failure: an action proceeds only when its record is on the disk. The nearest in log4j2 is
//! `immediateFlush="true"`, which hands lines to the operating system; Python's cookbook has no equivalent.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Audit;
use tracing_handlers::sink::{Durability, File};
use tracing_handlers::{Handler, Output, RecordBuf, Severity};

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "durable-audit", about: "on the disk before the money moves", make, shows: SHOWS };

fn make() -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("audit.log");
    let file = File::options().mode(0o600).durability(Durability::Synced).open(&path).expect("it can be made");
    let audit = Audit::new(Output::new(Text::new().time(Time::none()), file));
    let transfer = |cents: u64| {
        let record = RecordBuf::new(Severity::NOTICE, "audit", "transfer").with_field("cents", cents);
        match audit.log(&record.as_record()) {
            Ok(()) => format!("{cents} cents are on their way\n"),
            // The disk failed: an action that is not recorded does not take place.
            Err(error) => format!("{cents} cents stay here: {error:#}\n"),
        }
    };
    let shown = [5, 7].map(transfer).concat();
    let stats = audit.stats()[1].stats;
    let text = std::fs::read_to_string(&path).expect("it is there");
    format!("{shown}{text}on the disk: {}, not yet: {}\n", stats.delivered, stats.pending)
}

const SHOWS: &str = "
5 cents are on their way
7 cents are on their way
NOTICE audit: transfer cents=5
NOTICE audit: transfer cents=7
on the disk: 2, not yet: 0
";
