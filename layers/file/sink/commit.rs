use std::sync::Arc;
use std::time::Instant;

use super::group::{Failure, Group, Ticket};
use crate::{Error, ErrorKind};

/// Lines that a sink has written but not yet made durable. The writer waits for them after releasing the sink.
///
/// Returned by [`Sink::commit`](crate::Sink::commit). While one thread waits, others can write, and one sync serves all of them.
///
/// ```
/// use std::time::{Duration, Instant};
/// use tracing_handlers::Severity;
/// use tracing_handlers::sink::{Framed, Durability, File, RecordEnd, Sink};
///
/// # let dir = tempfile::tempdir()?;
/// let mut file = File::options().durability(Durability::Synced).open(dir.path().join("app.log"))?;
/// // From the first call on, it is the caller who waits.
/// assert!(file.commit().is_none());
/// let line = [RecordEnd::new(4, Severity::INFO)];
/// file.write(Framed::new(b"one\n", &line)).map_err(|partial| partial.error)?;
/// assert_eq!(file.pending(), 1);
/// let commit = file.commit().expect("there is a line to wait for");
/// commit.wait(Instant::now() + Duration::from_secs(60))?;
/// assert_eq!(file.pending(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "what was written is durable only after it was waited for"]
pub struct Commit {
    group: Arc<Group>,
    ticket: Ticket,
    /// Whether there is nothing to return to the group, or it was returned.
    is_back: bool,
}

impl Commit {
    pub(super) fn new(group: Arc<Group>, ticket: Ticket) -> Self {
        Self { is_back: !ticket.is_counted, group, ticket }
    }

    /// Waits until the lines are durable, or until `deadline`. If no other thread is syncing the file, this one does; a sync that
    /// has begun is not interrupted.
    ///
    /// # Errors
    ///
    /// - [`Io`](ErrorKind::Io) if the sync failed: the lines are [lost](crate::Sink::lost).
    /// - [`Timeout`](ErrorKind::Timeout) if it took too long: the lines are still pending.
    pub fn wait(mut self, deadline: Instant) -> Result<(), Error> {
        if !self.group.wait(self.ticket.round, deadline) {
            let message = format!("cannot sync {} in time", self.group.path().display());
            return Err(Error::new(ErrorKind::Timeout, message));
        }
        let failed = self.give_back().or(self.ticket.failed);
        failed.map_or(Ok(()), |failure| Err(self.group.error(failure)))
    }

    fn give_back(&mut self) -> Option<Failure> {
        match std::mem::replace(&mut self.is_back, true) {
            true => None,
            false => self.group.give_back(&self.ticket),
        }
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        self.give_back();
    }
}
