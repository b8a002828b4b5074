use std::time::Duration;

/// What has become of a line when the call that logged it returns, and so what a failure can still take away.
///
/// | level | when the call returns, the line is | the process is killed | the power fails |
/// |---|---|---|---|
/// | [`Buffered`](Self::Buffered) | in this process, until the buffer is full, or flushed, or the file dropped | lost | lost |
/// | [`Flushed`](Self::Flushed), the default | with the operating system | there | lost, up to some 30 s of lines |
/// | [`Grouped`](Self::Grouped) | with the operating system, and on the disk so much later at the latest | there | lost, up to that time |
/// | [`Synced`](Self::Synced) | on the disk | there | there |
///
/// At `Synced` and `Grouped` a line counts as delivered when it is on the disk, and as
/// [`pending`](crate::Sink::pending) until then; `flush` comes back when everything before it is there. One sync serves all
/// threads that wait for one: while it runs others go on writing, and the next one covers them all (group commit, as
/// databases have it).
///
/// What syncs is `fdatasync`. Where a file or a directory is made, or one is renamed, the directory is synced too; a file
/// that rotation leaves is synced before the new one is begun. What is not a regular file (a pipe, a device) cannot be
/// synced: there `Synced` and `Grouped` are as `Flushed`.
///
/// When a sync fails, nobody knows what of the file is on the disk, and a second sync would say that all is well
/// ([fsyncgate](https://wiki.postgresql.org/wiki/Fsync_Errors)). So all lines that it was to cover count as failed, those
/// who wait for it get the error, it is told once by [`selflog`](crate::selflog), and the file is opened anew.
///
/// log4j2's `immediateFlush="false"` is `Buffered`, `immediateFlush="true"` and Python's `FileHandler` are `Flushed`; neither
/// has more.
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
    /// In a buffer of so many bytes: few, long writes. [`FileOptions::buffer`](super::FileOptions::buffer) puts a buffer in
    /// front of the other levels.
    Buffered(usize),
    /// Each batch is written before its call returns.
    #[default]
    Flushed,
    /// Each batch is written and synced before its call returns.
    Synced,
    /// Each batch is written before its call returns, and synced at most so long after that, by a thread.
    Grouped(Duration),
}

impl Durability {
    /// Whether it promises that lines get to the disk.
    pub(super) fn syncs(self) -> bool {
        matches!(self, Self::Synced | Self::Grouped(_))
    }
}
