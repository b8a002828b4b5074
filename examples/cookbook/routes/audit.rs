//! Audit records, without which an action must not proceed: the call returns when the record has been delivered, or an error.
//! Serilog's `AuditTo`; log4j2's `ignoreExceptions="false"`; Python's `raiseExceptions` only prints.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Audit;
use tracing_handlers::sink::{Framed, Memory, Sink};
use tracing_handlers::{Error, ErrorKind, Output, Partial, RecordBuf, Severity};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "audit", about: "delivered when the call returns, or an error", make, shows: SHOWS };

/// A disk with room for two lines.
struct Small(Memory);

impl Sink for Small {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        match self.0.lines().len() {
            0..2 => self.0.write(framed),
            _ => Err(Error::new(ErrorKind::Full, "no space left").into()),
        }
    }

    fn describe(&self) -> String {
        "small disk".to_owned()
    }
}

fn make() -> String {
    let memory = Memory::new();
    let audit = Audit::new(Output::new(Text::new().time(Time::none()), Small(memory.clone())));
    let transfer = |cents: u64| {
        let record = RecordBuf::new(Severity::NOTICE, "audit", "transfer").with_field("cents", cents);
        match audit.log(&record.as_record()) {
            Ok(()) => format!("{cents} cents are on their way\n"),
            Err(error) => format!("{cents} cents stay here: {error:#}\n"),
        }
    };
    let mut told = String::new();
    // A clone goes into the layer, so that events logged through tracing reach the same handler.
    logged(audit.clone(), || {
        tracing::info!(target: "audit", user = "ada", "signed in");
        told = [5, 7].map(transfer).concat();
    });
    format!("{told}the disk:\n{}", memory.text())
}

const SHOWS: &str = "
5 cents are on their way
7 cents stay here: no space left
the disk:
 INFO audit: signed in user=ada
NOTICE audit: transfer cents=5
";
