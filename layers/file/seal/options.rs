use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, System};
use crate::file::key::Key;

/// How a log is sealed: the argument of [`FileOptions::seal`](crate::sink::FileOptions::seal).
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`every`](Self::every) | 1,000 | how many lines at most are between two checkpoints |
/// | [`clock`](Self::clock) | the system's | the time source for checkpoints |
#[must_use = "a seal does nothing until it is given to a file"]
#[derive(Clone)]
pub struct Seal {
    pub(super) key: Key,
    pub(super) every: u64,
    pub(super) clock: Arc<dyn Clock>,
}

impl Seal {
    /// Seals with `key`.
    pub fn new(key: Key) -> Self {
        Self { key, every: 1_000, clock: Arc::new(System) }
    }

    /// Writes a checkpoint after this many lines, at least 1. After a broken line, verification resumes at the next checkpoint.
    pub fn every(mut self, lines: u64) -> Self {
        self.every = lines.max(1);
        self
    }

    /// Sets the time source for checkpoints.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

/// Does not show the key.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("every", &self.every).finish_non_exhaustive()
    }
}
