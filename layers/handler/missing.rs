//! How many lines are missing in an output's own log, until that tells of them.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::notice;
use crate::record::RecordBuf;
use crate::{Error, ErrorKind};

/// Without a lock: what a resting output is passed over for must not wait for a sink that is stuck.
#[derive(Debug, Default)]
pub(super) struct Missing(AtomicU64);

impl Missing {
    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, records: u64) {
        self.0.fetch_add(records, Ordering::Relaxed);
    }

    /// They were told, or are not missing after all.
    pub(super) fn subtract(&self, records: u64) {
        let less = |count: u64| Some(count.saturating_sub(records));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// A notice of another handler was counted as one record: what it tells of is missing now.
    pub(super) fn add_untold(&self, told: u64) {
        match told {
            0 => self.subtract(1),
            told => self.add(told - 1),
        }
    }
}

/// Why they are missing, in a few words: the last reason, where there were several.
#[derive(Debug, Default)]
pub(super) struct Reason(String);

impl Reason {
    pub(super) fn is(&mut self, error: &Error) {
        self.0.clear();
        let _ = match (error.io_error(), error.kind()) {
            (Some(io), _) => write!(self.0, "{io}"),
            (None, ErrorKind::Panic) => write!(self.0, "the sink panicked"),
            (None, _) => write!(self.0, "{error}"),
        };
        // `No space left on device (os error 28)`: the number is for those who look it up, and stands in selflog.
        if let Some(end) = self.0.find(" (os error ") {
            self.0.truncate(end);
        }
    }

    /// `17 records missing here: No space left on device`.
    pub(super) fn notice(&self, records: u64) -> RecordBuf {
        notice::missing(records, if self.0.is_empty() { "left to other handlers" } else { &self.0 })
    }
}

/// While it lives, what this thread hands to an output has been handed to it before: it is missing there no longer.
pub(super) struct Again(bool);

impl Again {
    pub(super) fn enter() -> Self {
        // A thread that is ending has no marks; a notice may then tell of one too many.
        Self(AGAIN.try_with(|again| again.replace(true)).unwrap_or(true))
    }

    pub(super) fn is_on() -> bool {
        AGAIN.try_with(Cell::get).unwrap_or(false)
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        let _ = AGAIN.try_with(|again| again.set(self.0));
    }
}

thread_local! {
    static AGAIN: Cell<bool> = const { Cell::new(false) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_system_s_without_its_number() {
        let mut reason = Reason::default();
        assert_eq!(reason.notice(2).as_record().message(), "2 records missing here: left to other handlers");
        reason.is(&Error::io("cannot write a.log", std::io::Error::from_raw_os_error(28)));
        let notice = reason.notice(1);
        assert_eq!(notice.as_record().message(), "1 record missing here: No space left on device");
        assert_eq!(notice::count_of(&notice.as_record()), Some(1));
        reason.is(&Error::new(ErrorKind::Closed, "closed"));
        assert_eq!(reason.notice(17).as_record().message(), "17 records missing here: closed");
    }

    #[test]
    fn counts_do_not_fall_below_nothing() {
        let missing = Missing::default();
        missing.add_untold(0);
        assert!(missing.is_none());
        missing.add(1);
        missing.add_untold(5);
        assert_eq!(missing.count(), 5);
        missing.subtract(7);
        assert!(missing.is_none());
    }
}
