/// The rules of Python's `RotatingFileHandler(maxBytes, backupCount)`.
///
/// ```
/// use tracing_handlers::rotation::python::Rotating;
///
/// let rule = Rotating::new(10, 2);
/// assert!(!rule.rolls(0, 50), "an empty file is never rolled");
/// assert!(!rule.rolls(5, 4));
/// assert!(rule.rolls(5, 5), "a file stays below the limit, and does not reach it");
/// ```
///
/// Deliberately different: a line is measured in bytes. Python adds its characters to the bytes of the file, so that with text
/// beyond ASCII a file exceeds the limit. Python 3.11 also rolls an empty file.
#[must_use = "a rotation does nothing until it is given to a file"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotating {
    max_bytes: u64,
    backup_count: usize,
}

impl Rotating {
    /// Creates the rule. With a `max_bytes` of 0 it never rolls. With a `backup_count` of 0 the file grows without limit too: Python closes and reopens
    /// it, and neither renames nor empties it.
    pub fn new(max_bytes: u64, backup_count: usize) -> Self {
        Self { max_bytes, backup_count }
    }

    /// Returns the size that no file reaches, except by a single line.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Returns the number of old files to keep; `app.log.1` is the newest.
    pub fn backup_count(&self) -> usize {
        self.backup_count
    }

    /// Whether a file of `len` bytes is rolled before `line` more bytes, including the line's end.
    pub fn rolls(&self, len: u64, line: u64) -> bool {
        self.max_bytes > 0 && len > 0 && len.saturating_add(line) >= self.max_bytes
    }
}
