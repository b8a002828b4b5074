use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::words::{duration, keyword, millis, size};
use crate::{Error, ErrorKind};

/// Where a line is when the call that logged it returns, and so which failures can still lose it.
///
/// | level | when the call returns, the line is | the process is killed | the power fails |
/// |---|---|---|---|
/// | [`Buffered`](Self::Buffered) | in this process, until the buffer is full or flushed, or [a second](super::FileOptions::flush_after) has passed | lost | lost |
/// | [`Flushed`](Self::Flushed), the default | with the operating system | kept | lost, up to about 30 s of lines |
/// | [`Grouped`](Self::Grouped) | with the operating system, and on the disk within the given time | kept | lost, up to that time |
/// | [`Synced`](Self::Synced) | on the disk | kept | kept |
///
/// At `Synced` and `Grouped` a line counts as delivered when it is on the disk, and as
/// [`pending`](crate::Sink::pending) until then; `flush` returns when everything before it is on the disk. One sync serves all
/// waiting threads: while it runs, others can write, and the next sync covers all of these (group commit, as in databases).
///
/// Files are synced by `fdatasync`. If a file or a directory is created or renamed, its directory is synced too; a file
/// that rotation leaves is synced before the new one is started. Files that are not regular (a pipe, a device) cannot be
/// synced: for them `Synced` and `Grouped` act like `Flushed`.
///
/// After a failed sync it is unknown which parts of the file are on the disk, and a second sync would report success
/// ([fsyncgate](https://wiki.postgresql.org/wiki/Fsync_Errors)). Therefore all lines that it was to cover count as failed,
/// waiting threads get the error, it is reported once to [`selflog`](crate::selflog), and the file is opened again.
///
/// log4j2's `immediateFlush="false"` is `Buffered` without a time limit; `immediateFlush="true"` and Python's `FileHandler` are `Flushed`. Neither
/// has stronger levels.
///
/// As text, a level is `flushed`, `synced`, `buffered 64 KiB` or `grouped 5 ms`.
///
/// ```
/// use std::io::Write;
/// use std::time::Duration;
/// use tracing_handlers::sink::{Durability, File, Sink};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("ledger.log");
/// let mut synced = File::options().durability(Durability::Synced).open(&path)?;
/// synced.write_all(b"on the disk\n")?;
/// assert_eq!(synced.pending(), 0);
///
/// let mut grouped = File::options().durability(Durability::Grouped(Duration::from_secs(3600))).open(&path)?;
/// grouped.write_all(b"on the disk within an hour\n")?;
/// assert_eq!(grouped.pending(), 1);
/// Write::flush(&mut grouped)?;
/// assert_eq!(grouped.pending(), 0);
///
/// assert_eq!("grouped 1 h".parse::<Durability>()?, Durability::Grouped(Duration::from_secs(3600)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Lines are collected in a buffer of this many bytes, for few, long writes, and for
    /// [a second](super::FileOptions::flush_after) at most.
    /// [`FileOptions::buffer`](super::FileOptions::buffer) adds a buffer to the other levels.
    Buffered(usize),
    /// Each batch is written before its call returns.
    #[default]
    Flushed,
    /// Each batch is written and synced before its call returns.
    Synced,
    /// Each batch is written before its call returns, and synced by a thread at most this long after that.
    Grouped(Duration),
}

impl Durability {
    /// Whether this level promises that lines reach the disk.
    pub(super) fn syncs(self) -> bool {
        matches!(self, Self::Synced | Self::Grouped(_))
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buffered(bytes) => f.pad(&format!("buffered {bytes} B")),
            Self::Flushed => f.pad("flushed"),
            Self::Synced => f.pad("synced"),
            Self::Grouped(window) => f.pad(&format!("grouped {}", millis(*window))),
        }
    }
}

/// Reads what `Display` writes, in any case and with any unit: `buffered 64 KiB`, `grouped 1.5 s`.
impl FromStr for Durability {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let words = keyword(text);
        let (level, amount) = words.split_once(char::is_whitespace).unwrap_or((&words, ""));
        match (level, amount.trim()) {
            ("flushed", "") => Ok(Self::Flushed),
            ("synced", "") => Ok(Self::Synced),
            ("buffered", bytes) => Ok(Self::Buffered(usize::try_from(size(bytes)?).unwrap_or(usize::MAX))),
            ("grouped", window) => Ok(Self::Grouped(duration(window)?)),
            _ => Err(Error::new(
                ErrorKind::Config,
                format!("expected `flushed`, `synced`, `buffered SIZE` or `grouped DURATION`, found `{text}`"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_read_as_it_is_displayed() {
        let windows = [0, 1, 1_500_000, 5_000_000, 3_600_000_000_000, u64::MAX].map(Duration::from_nanos);
        let levels = [Durability::Flushed, Durability::Synced, Durability::Buffered(0), Durability::Buffered(65_536)];
        for level in windows.into_iter().chain([Duration::MAX]).map(Durability::Grouped).chain(levels) {
            assert_eq!(level.to_string().parse::<Durability>().unwrap(), level, "{level}");
        }
        assert_eq!("buffered 64 KiB".parse::<Durability>().unwrap(), Durability::Buffered(65_536));
        assert_eq!(Durability::Grouped(Duration::from_micros(1_500)).to_string(), "grouped 1.5 ms");
        for text in ["", "flush", "flushed 1", "buffered", "grouped", "grouped 5", "safe"] {
            assert_eq!(text.parse::<Durability>().unwrap_err().kind(), ErrorKind::Config, "{text}");
        }
    }
}
