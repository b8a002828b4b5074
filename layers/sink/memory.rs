use std::io;
use std::sync::{Arc, Mutex};

use super::{Framed, Sink, writer};
use crate::Partial;
use crate::sync::lock;

/// Keeps every line, to be looked at in a test. A clone is another handle on the same lines.
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
/// It grows without a limit.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Memory {
    /// Without lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// The records, each without the line feed at its end; what is not UTF-8 is replaced.
    pub fn lines(&self) -> Vec<String> {
        let text = |line: &Vec<u8>| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            String::from_utf8_lossy(line).into_owned()
        };
        lock(&self.kept).iter().map(text).collect()
    }

    /// All that was written; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// All that was written.
    pub fn bytes(&self) -> Vec<u8> {
        lock(&self.kept).concat()
    }

    /// Forgets the lines.
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

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
