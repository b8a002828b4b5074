use std::fmt;
use std::io;
use std::time::Instant;

use super::{Framed, Sink, writer};
use crate::{Error, Partial};

/// A sink that discards everything, for measurements and for switching an output off. Python's `NullHandler`.
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::sink::Null;
///
/// assert_eq!(Null.write(b"gone\n")?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Null;

impl Sink for Null {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn describe(&self) -> String {
        "null".into()
    }
}

impl io::Write for Null {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        writer::write_one(self, bytes)
    }

    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        writer::write_formatted(self, text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
