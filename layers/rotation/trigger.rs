/// When a file has to make room.
#[derive(Clone, Debug)]
pub(super) enum Trigger {
    /// Before it would be longer than this many bytes.
    Size(u64),
}

impl Trigger {
    /// How many bytes a file of `len` bytes may still take.
    pub(super) fn room(&self, len: u64) -> u64 {
        match self {
            Self::Size(limit) => limit.saturating_sub(len),
        }
    }
}
