//! The number of lines missing from an output's log, until a notice reports them.

use std::fmt::Write as _;

use crate::handler::notice;
use crate::record::RecordBuf;
use crate::{Error, ErrorKind};

/// The number of lines that the sink refused, and why.
#[derive(Debug, Default)]
pub(super) struct Missing {
    count: u64,
    /// The last reason, without the operating system's error number.
    reason: String,
}

impl Missing {
    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.count == 0
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn add(&mut self, records: u64, error: &Error) {
        self.count += records;
        self.reason.clear();
        let _ = match (error.io_error(), error.kind()) {
            (Some(io), _) => write!(self.reason, "{io:#}"),
            (None, ErrorKind::Panic) => write!(self.reason, "the sink panicked"),
            (None, _) => write!(self.reason, "{error:#}"),
        };
        // `No space left on device (os error 28)`: selflog has the number.
        if let Some(end) = self.reason.find(" (os error ") {
            self.reason.truncate(end);
        }
    }

    /// Called when a notice of another handler was refused, and counted as one record: the records that it reports are missing instead.
    pub(super) fn add_untold(&mut self, told: u64, error: &Error) {
        let count = self.count;
        self.add(told, error);
        self.count = (count + told).saturating_sub(1);
    }

    /// The first `records` of them were reported.
    pub(super) fn told(&mut self, records: u64) {
        self.count = self.count.saturating_sub(records);
    }

    /// Called in a forked child: they are missing from the parent's log.
    pub(super) fn forget(&mut self) {
        self.count = 0;
    }

    /// `17 records missing here: No space left on device`.
    pub(super) fn notice(&self) -> RecordBuf {
        notice::missing(self.count, &self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_operating_system_s_without_its_number() {
        let mut missing = Missing::default();
        missing.add(1, &Error::io("cannot write a.log", std::io::Error::from_raw_os_error(28)));
        let notice = missing.notice();
        assert_eq!(notice.as_record().message(), "1 record missing here: No space left on device");
        assert_eq!(notice::count_of(&notice.as_record()), Some(1));
        missing.add(16, &Error::new(ErrorKind::Closed, "closed"));
        assert_eq!(missing.notice().as_record().message(), "17 records missing here: closed");
    }

    #[test]
    fn a_refused_notice_counts_as_the_records_that_it_reports() {
        let full = Error::new(ErrorKind::Full, "no room");
        let mut missing = Missing::default();
        missing.add(1, &full);
        missing.add_untold(5, &full);
        assert_eq!(missing.count(), 5);
        missing.add(1, &full);
        missing.add_untold(0, &full);
        assert_eq!(missing.count(), 5);
        missing.told(7);
        assert!(missing.is_none());
    }
}
