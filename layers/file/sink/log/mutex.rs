//! The lock of a log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::{Log, SharedLog};
use crate::process::{self, Held, Phase, Resource, thread};
use crate::sync::{MutexGuard, OwnedGuard, lock_briefly, lock_until, try_lock};
use crate::{Error, ErrorKind};

impl SharedLog {
    /// Locks the log.
    ///
    /// # Errors
    ///
    /// [`Closed`](ErrorKind::Closed) if this thread holds the lock already, or if its holder does not exist in this forked child.
    #[inline]
    pub(in crate::file::sink) fn lock(&self) -> Result<Guard<'_>, Error> {
        let log = match try_lock(&self.state) {
            Some(log) => log,
            None => self.wait_for_lock()?,
        };
        self.holder.store(thread::token(), Ordering::Relaxed);
        Ok(Guard { log, holder: &self.holder })
    }

    #[cold]
    fn wait_for_lock(&self) -> Result<MutexGuard<'_, Log>, Error> {
        if self.is_held_here() {
            return Err(self.closed("it is being written to by this thread"));
        }
        if self.abandoned.load(Ordering::Relaxed) {
            return Err(self.closed("a thread of the parent process was writing to it at the fork"));
        }
        if !process::is_exiting() {
            return Ok(lock_briefly(&self.state));
        }
        // Another thread may hang while it holds the lock.
        lock_until(&self.state, process::exit_deadline())
            .ok_or_else(|| Error::new(ErrorKind::Timeout, format!("file {}: it is busy", self.place.name.display())))
    }

    /// Registers the log with the process, so that a forked child finds it unlocked.
    pub(super) fn hold_at_forks(self: &Arc<Self>) {
        process::register_once(self, &AtomicBool::new(false));
    }

    fn is_held_here(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == thread::token()
    }

    fn closed(&self, why: &str) -> Error {
        Error::new(ErrorKind::Closed, format!("file {}: {why}", self.place.name.display()))
    }
}

/// Holds the lock until it is dropped.
pub(in crate::file::sink) struct Guard<'a> {
    log: MutexGuard<'a, Log>,
    holder: &'a AtomicUsize,
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

impl std::ops::Deref for Guard<'_> {
    type Target = Log;

    fn deref(&self) -> &Log {
        &self.log
    }
}

impl std::ops::DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut Log {
        &mut self.log
    }
}

impl Resource for SharedLog {
    fn phase(&self) -> Phase {
        Phase::Files
    }

    /// The handlers flush what they hold.
    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        // A function that rotates the file may fork.
        if self.is_held_here() {
            return None;
        }
        let log = OwnedGuard::lock_until(&self, |shared| &shared.state, deadline)?;
        self.holder.store(thread::token(), Ordering::Relaxed);
        Some(Box::new(AroundFork { log, shared: self }))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

struct AroundFork {
    log: OwnedGuard<SharedLog, Log>,
    shared: Arc<SharedLog>,
}

impl Held for AroundFork {
    fn forget_pending(&mut self) {
        self.log.forget_rest();
    }
}

impl Drop for AroundFork {
    fn drop(&mut self) {
        self.shared.holder.store(0, Ordering::Relaxed);
    }
}
