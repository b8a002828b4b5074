use std::time::Duration;

/// Where a line is when the call that logged it returns, and so which failures can still lose it.
///
/// | level | when the call returns, the line is | the process is killed | the power fails |
/// |---|---|---|---|
/// | [`Buffered`](Self::Buffered) | in this process, until the buffer is full or flushed, or the file dropped | lost | lost |
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
/// log4j2's `immediateFlush="false"` is `Buffered`; `immediateFlush="true"` and Python's `FileHandler` are `Flushed`. Neither
/// has stronger levels.
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Lines are collected in a buffer of this many bytes, for few, long writes.
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
