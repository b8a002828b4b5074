//! When a file is full, what it is then called, and which old ones stay.
//!
//! A [`Rotation`] is a trigger × a naming × a retention. The trigger is the size; the old files are numbered as by
//! Python's `RotatingFileHandler`; so many of them are kept.

mod date_pattern;
mod naming;
pub mod python;
mod retention;
mod rotator;
mod schedule;
mod trigger;
mod words;
mod zone;

pub(crate) use rotator::Rotator;
pub use schedule::Schedule;

use naming::Naming;
use retention::Retention;
use trigger::Trigger;

/// 1,024 bytes.
pub const KIB: u64 = 1 << 10;
/// 1,048,576 bytes.
pub const MIB: u64 = 1 << 20;
/// 1,073,741,824 bytes.
pub const GIB: u64 = 1 << 30;

/// When a file makes room for a new one, and what becomes of the old ones.
///
/// `app.log` becomes `app.log.1`, what was `app.log.1` becomes `app.log.2`, and so on: `app.log.1` is always the newest
/// old file, as in Python's `RotatingFileHandler(maxBytes, backupCount)`. A line is never divided between two files.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`size`](Self::size) | - | a file never grows beyond so many bytes |
/// | [`keep`](Self::keep) | 5 | so many old files stay, those numbered higher are removed |
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::rotation::Rotation;
/// use tracing_handlers::sink;
///
/// # let dir = tempfile::tempdir().unwrap();
/// let path = dir.path().join("app.log");
/// let mut file = sink::File::open(&path)?.rotation(Rotation::size(10).keep(1));
/// for line in ["one\n", "two\n", "three\n", "four\n"] {
///     file.write_all(line.as_bytes())?;
/// }
/// assert_eq!(std::fs::read_to_string(&path)?, "four\n");
/// assert_eq!(std::fs::read_to_string(path.with_extension("log.1"))?, "three\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Where the renaming fails (a directory in the way, no permission) the lines go on into the same file, beyond the
/// limit; it is told once by [`selflog`](crate::selflog), and tried again after a second at the earliest.
#[derive(Clone, Debug)]
pub struct Rotation {
    trigger: Trigger,
    naming: Naming,
    retention: Retention,
}

impl Rotation {
    /// Turns the file before the line that would make it longer than `bytes`.
    ///
    /// A line longer than that goes alone into a file of its own; so with `size(0)` every line does. What is not a
    /// regular file (a pipe, a device) is never turned.
    pub fn size(bytes: u64) -> Self {
        Self { trigger: Trigger::Size(bytes), naming: Naming::Numbered, retention: Retention::Count(5) }
    }

    /// How many old files stay; by default 5, so that logs alone never fill a disk.
    ///
    /// With `keep(0)` the file is emptied and started anew. Files left from a time when more were kept are removed at the
    /// next turn.
    pub fn keep(mut self, files: usize) -> Self {
        self.retention = Retention::Count(files);
        self
    }
}
