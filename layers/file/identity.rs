use std::fs::Metadata;

/// Identifies a file regardless of its name: the device and the inode. Unique as long as the file is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    pub(crate) fn new(device: u64, inode: u64) -> Self {
        Self(device, inode)
    }

    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        Self::new(metadata.dev(), metadata.ino())
    }

    /// If the inode is not available: the times of creation and change, which a rename does not change.
    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanos = |time: std::io::Result<std::time::SystemTime>| {
            let time = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            time.map_or(0, |time| time.as_nanos() as u64)
        };
        Self(nanos(metadata.created()), nanos(metadata.modified()))
    }

    /// Like [`of`](Self::of), for a file that is being written to. `None` if the inode is not available.
    pub(crate) fn of_changing(metadata: &Metadata) -> Option<Self> {
        cfg!(unix).then(|| Self::of(metadata))
    }
}
