use std::fs::Metadata;

/// Which file it is, whatever its name: the device and the inode. It is that file's alone as long as the file is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        Self(metadata.dev(), metadata.ino())
    }

    /// Where the standard library does not tell: when it was made and changed, which a rename leaves as they are.
    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanos = |time: std::io::Result<std::time::SystemTime>| {
            let time = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            time.map_or(0, |time| time.as_nanos() as u64)
        };
        Self(nanos(metadata.created()), nanos(metadata.modified()))
    }
}
