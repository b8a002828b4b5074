use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use super::{Framed, Sink, writer};
use crate::Partial;
use crate::sync::lock;

/// A sink that keeps every line in memory, for tests. Clones share the lines.
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::sink::Memory;
///
/// let memory = Memory::new();
/// memory.clone().write_all(b"one\n")?;
/// memory.clone().write_all(b"two\n")?;
/// assert_eq!(memory.lines(), ["one", "two"]);
/// assert_eq!(memory.text(), "one\ntwo\n");
/// memory.clear();
/// assert!(memory.bytes().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It grows without limit.
#[must_use = "a sink does nothing until something is written to it"]
#[derive(Clone, Debug, Default)]
pub struct Memory {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Memory {
    /// Creates a sink without lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the records, each without the line feed at its end; invalid UTF-8 is replaced.
    pub fn lines(&self) -> Vec<String> {
        let text = |line: &Vec<u8>| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            String::from_utf8_lossy(line).into_owned()
        };
        lock(&self.kept).iter().map(text).collect()
    }

    /// Returns everything written, as text; invalid UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Returns everything written.
    pub fn bytes(&self) -> Vec<u8> {
        lock(&self.kept).concat()
    }

    /// Removes all lines.
    pub fn clear(&self) {
        lock(&self.kept).clear();
    }
}

impl Sink for Memory {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        lock(&self.kept).extend(framed.iter().map(|(line, _)| line.to_vec()));
        Ok(())
    }

    fn describe(&self) -> String {
        "memory".into()
    }
}

impl io::Write for Memory {
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
