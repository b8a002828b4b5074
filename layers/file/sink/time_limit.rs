use std::time::Duration;

use crate::sink::Reminder;

/// How long lines may lie in the buffer.
#[derive(Debug)]
pub(super) struct TimeLimit {
    /// `None`: as long as the buffer has room.
    time: Option<Duration>,
    /// `None` if the file's owner has given none.
    reminder: Option<Reminder>,
}

impl TimeLimit {
    pub(super) fn new(time: Option<Duration>) -> Self {
        Self { time, reminder: None }
    }

    pub(super) fn set_reminder(&mut self, reminder: Reminder) {
        self.reminder = Some(reminder);
    }

    /// Called when the first line enters the buffer.
    pub(super) fn start(&self) {
        self.start_for(Duration::ZERO);
    }

    /// Called when lines stay in the buffer because they could not be written.
    pub(super) fn start_again(&self) {
        self.start_for(PAUSE);
    }

    /// Called when the buffer is empty.
    #[inline]
    pub(super) fn end(&self) {
        if let Some(reminder) = &self.reminder {
            reminder.clear();
        }
    }

    fn start_for(&self, least: Duration) {
        if let (Some(time), Some(reminder)) = (self.time, &self.reminder) {
            reminder.set(time.max(least));
        }
    }
}

/// The longest pause between two attempts on a file that cannot be written.
const PAUSE: Duration = Duration::from_secs(1);
