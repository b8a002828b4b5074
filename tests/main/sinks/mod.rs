//! Sinks against the real thing: closed pipes, full disks, directories, umasks, tracing's own writers.

mod around;
mod console;
pub mod disk;
mod file;
mod formatted;
mod plugs;

use tracing_handlers::sink::{Framed, RecordEnd, Sink};
use tracing_handlers::{Partial, Severity};

/// One batch of these lines.
fn write(sink: &mut impl Sink, lines: &[&str]) -> Result<(), Partial> {
    write_as(sink, &lines.iter().map(|line| (Severity::INFO, *line)).collect::<Vec<_>>())
}

fn write_as(sink: &mut impl Sink, records: &[(Severity, &str)]) -> Result<(), Partial> {
    let (mut bytes, mut lines) = (Vec::new(), Vec::new());
    for (severity, line) in records {
        bytes.extend_from_slice(line.as_bytes());
        lines.push(RecordEnd::new(bytes.len(), *severity));
    }
    sink.write(Framed::new(&bytes, &lines))
}

/// Writes until it is refused. Once is not enough on a pipe whose reader was dropped: a process that another test has
/// forked, and that is not yet the program it will be, still holds a copy.
fn write_until_refused(sink: &mut impl Sink) -> Partial {
    loop {
        if let Err(partial) = write(sink, &["lost\n"]) {
            return partial;
        }
    }
}
