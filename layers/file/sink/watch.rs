use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::open::Open;
use crate::clock;

/// Schedules checks whether the file at the path is still the open one.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// Zero means every time.
    interval: Duration,
    next: Duration,
}

/// What was found at the path.
pub(super) enum Found {
    /// The open file, with its current length.
    Same(u64),
    /// Nothing, or another file.
    Other,
    /// The path could not be checked.
    Unknown,
}

impl Watch {
    pub(super) fn every(interval: Duration) -> Self {
        Self { interval, next: Duration::ZERO }
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether a check is due.
    #[inline]
    pub(super) fn is_due(&mut self) -> bool {
        if self.interval.is_zero() {
            return true;
        }
        let now = clock::coarse();
        let is_due = now >= self.next;
        if is_due {
            self.next = now.saturating_add(self.interval);
        }
        is_due
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::every(Duration::from_secs(1))
    }
}

/// Checks what is at the path. Follows links, as opening does.
pub(super) fn look(path: &Path, open: &Open) -> Found {
    match path.metadata() {
        Ok(metadata) if open.is_same(&metadata) => Found::Same(metadata.len()),
        Ok(_) => Found::Other,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Found::Other,
        Err(_) => Found::Unknown,
    }
}
