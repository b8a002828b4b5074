//! Handlers that are added for a while.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::layer_core::LayerCore;
use crate::handler::{Handler, around};
use crate::record::{Record, this_thread};
use crate::sync::deadline_in;
use crate::{Error, ErrorKind, selflog};

/// Keeps a handler that was added: see [`Handle::add`](super::Handle::add). Dropping this flushes the handler, for at most 5 seconds,
/// and removes it.
#[must_use = "dropping this removes the handler"]
pub struct Added {
    core: Arc<LayerCore>,
    number: u64,
    handler: Arc<dyn Handler>,
}

impl Added {
    pub(super) fn new(core: &Arc<LayerCore>, handler: Arc<dyn Handler>) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        core.change(|parts| parts.added.push((number, handler.clone())));
        Self { core: core.clone(), number, handler }
    }
}

impl fmt::Debug for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Added").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Drop for Added {
    fn drop(&mut self) {
        self.core.change(|parts| parts.added.retain(|(number, _)| *number != self.number));
        // A panic here would abort the process if the scope is left by a panic.
        let flushed = catch_unwind(AssertUnwindSafe(|| self.handler.flush(deadline_in(PATIENCE))));
        let flushed = flushed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "the handler panicked in flush")));
        if let Err(error) = flushed
            && error.handler().is_none()
        {
            selflog::tell(&format!("cannot flush an added handler: {error:#}"));
        }
    }
}

/// A handler for what one thread logs.
pub(super) struct OfThread<H> {
    thread: u64,
    handler: H,
}

impl<H> OfThread<H> {
    pub(super) fn this(handler: H) -> Self {
        Self { thread: this_thread(), handler }
    }
}

impl<H: Handler> Handler for OfThread<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        match record.thread_id().unwrap_or(0) == self.thread {
            true => self.handler.handle(record),
            false => Ok(()),
        }
    }

    around!(uncounted self => self.handler);
}

static NEXT: AtomicU64 = AtomicU64::new(1);
const PATIENCE: Duration = Duration::from_secs(5);
