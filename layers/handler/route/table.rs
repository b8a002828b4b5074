use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::clock::Backoff;
use crate::clock::Timestamp;
use crate::handler::{DropReason, Handler, Report, Stats};

/// The made handlers, by the text that they were made for.
#[derive(Default)]
pub(super) struct Table {
    slots: HashMap<Box<str>, Slot>,
    /// The number of uses so far: orders uses at the same time.
    uses: u64,
    /// The number of handlers marked to be closed.
    closing: usize,
    /// The earliest time at which a handler can be idle for too long.
    next_look: Option<Timestamp>,
    looked: Timestamp,
    /// The sum of the counts of closed handlers.
    closed: Stats,
    any_closed: bool,
}

enum Slot {
    /// The thread with this token is making it.
    Making(usize),
    Living(Living),
    Failed(Failed),
}

struct Living {
    handler: Arc<dyn Handler>,
    used: u64,
    last: Timestamp,
    closing: bool,
}

/// The handler could not be made, and there is no other attempt until the `pause` is over.
struct Failed {
    failures: u32,
    used: u64,
    since: Timestamp,
    pause: Duration,
    error: Error,
}

pub(super) enum Found {
    Living(Arc<dyn Handler>),
    Failed(Error),
    /// The thread with this token, possibly this one, is making it.
    Making(usize),
    /// The caller must make it, after this number of failures.
    Missing(u32),
}

/// A handler that is marked to be closed and not in use.
pub(super) struct Closing {
    text: Box<str>,
    pub(super) handler: Arc<dyn Handler>,
    used: u64,
}

impl Table {
    pub(super) fn find(&mut self, text: &str, now: Timestamp, name: &str) -> Found {
        self.uses += 1;
        match self.slots.get_mut(text) {
            None => Found::Missing(0),
            Some(Slot::Making(thread)) => Found::Making(*thread),
            Some(Slot::Living(living)) => {
                self.closing -= usize::from(std::mem::take(&mut living.closing));
                (living.used, living.last) = (self.uses, now);
                Found::Living(living.handler.clone())
            }
            Some(Slot::Failed(failed)) if failed.is_over(now) => Found::Missing(failed.failures),
            Some(Slot::Failed(failed)) => {
                failed.used = self.uses;
                Found::Failed(failed.error.again().with_handler(name))
            }
        }
    }

    /// Notes that `thread` is making a handler. If there are more than `limit` handlers then, the least recently used are marked to
    /// be closed.
    pub(super) fn make(&mut self, text: &str, thread: usize, limit: usize) {
        self.slots.insert(text.into(), Slot::Making(thread));
        while self.slots.len() - self.closing > limit {
            let oldest = self.slots.iter().filter_map(|(text, slot)| Some((slot.used()?, text))).min();
            let Some(text) = oldest.map(|(_, text)| text.clone()) else { return };
            match self.slots.get_mut(&text) {
                Some(Slot::Living(living)) => {
                    living.closing = true;
                    self.closing += 1;
                }
                _ => drop(self.slots.remove(&text)),
            }
        }
    }

    pub(super) fn made(&mut self, text: &str, handler: Arc<dyn Handler>, now: Timestamp, idle: Duration) {
        self.uses += 1;
        let look = now.saturating_add(idle);
        self.next_look = Some(self.next_look.map_or(look, |next| next.min(look)));
        let living = Living { handler, used: self.uses, last: now, closing: false };
        self.slots.insert(text.into(), Slot::Living(living));
    }

    pub(super) fn not_made(&mut self, text: &str, failures: u32, error: &Error, now: Timestamp, backoff: &Backoff) {
        self.uses += 1;
        let failures = failures.saturating_add(1);
        let failed =
            Failed { failures, used: self.uses, since: now, pause: backoff.pause(failures), error: error.again() };
        self.slots.insert(text.into(), Slot::Failed(failed));
    }

    /// Marks the handlers that have been idle for too long.
    #[inline]
    pub(super) fn look_for_idle(&mut self, now: Timestamp, idle: Duration) {
        if self.next_look.is_some_and(|next| now >= next) || now < self.looked {
            self.mark_idle(now, idle);
        }
        self.looked = now;
    }

    #[cold]
    fn mark_idle(&mut self, now: Timestamp, idle: Duration) {
        let mut next = None::<Timestamp>;
        for slot in self.slots.values_mut() {
            let Slot::Living(living) = slot else { continue };
            // A clock that is set back must not keep handlers open for that long.
            living.last = living.last.min(now);
            if living.closing {
                continue;
            }
            if now.since(living.last) >= idle {
                living.closing = true;
                self.closing += 1;
                continue;
            }
            let look = living.last.saturating_add(idle);
            next = Some(next.map_or(look, |next| next.min(look)));
        }
        self.next_look = next;
    }

    pub(super) fn has_closing(&self) -> bool {
        self.closing > 0
    }

    /// Returns a handler that is marked to be closed and not in use. Only [`find`](Self::find) and [`living`](Self::living) hand
    /// handlers out.
    pub(super) fn next_closing(&self) -> Option<Closing> {
        self.slots.iter().find_map(|(text, slot)| match slot {
            Slot::Living(living) if living.closing && Arc::strong_count(&living.handler) == 1 => {
                Some(Closing { text: text.clone(), handler: living.handler.clone(), used: living.used })
            }
            _ => None,
        })
    }

    /// Removes a handler after its flush and its last reports, unless it has been used meanwhile.
    pub(super) fn close(&mut self, closing: &Closing, reports: &[Report]) {
        let Some(Slot::Living(living)) = self.slots.get(&closing.text) else { return };
        // The two references are the table's and the caller's.
        let is_free = living.closing && living.used == closing.used && Arc::strong_count(&living.handler) == 2;
        if !is_free || !Arc::ptr_eq(&living.handler, &closing.handler) {
            return;
        }
        self.slots.remove(&closing.text);
        self.closing -= 1;
        self.any_closed = true;
        for report in reports {
            let mut stats = report.stats;
            // The handler has no more time to deliver what is still pending.
            stats.dropped.add(DropReason::Closed, std::mem::take(&mut stats.pending));
            self.closed.merge(&stats);
        }
    }

    pub(super) fn living(&self) -> Vec<Arc<dyn Handler>> {
        let mut living: Vec<_> = self
            .slots
            .iter()
            .filter_map(|(text, slot)| match slot {
                Slot::Living(living) => Some((text, living.handler.clone())),
                _ => None,
            })
            .collect();
        living.sort_by_key(|(text, _)| *text);
        living.into_iter().map(|(_, handler)| handler).collect()
    }

    pub(super) fn closed(&self) -> Option<Stats> {
        self.any_closed.then_some(self.closed)
    }

    /// Called in a forked child, where the threads that were making handlers do not exist.
    pub(super) fn forget_makers(&mut self) {
        self.slots.retain(|_, slot| !matches!(slot, Slot::Making(_)));
    }
}

impl Slot {
    /// When the slot was last used, if it can be given up.
    fn used(&self) -> Option<u64> {
        match self {
            Self::Living(living) if !living.closing => Some(living.used),
            Self::Failed(failed) => Some(failed.used),
            _ => None,
        }
    }
}

impl Failed {
    fn is_over(&self, now: Timestamp) -> bool {
        now < self.since || now.since(self.since) >= self.pause
    }
}
