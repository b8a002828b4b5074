use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::order::{List, Order, Place};
use crate::Error;
use crate::clock::Backoff;
use crate::clock::Timestamp;
use crate::handler::{DropReason, Handler, Report, Stats};

/// The made handlers, by the text that they were made for.
pub(super) struct Table {
    slots: HashMap<Arc<str>, Slot>,
    order: Order,
    /// The number of handlers marked to be closed.
    closing: usize,
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
    place: Place,
    closing: bool,
}

/// The handler could not be made, and there is no other attempt until the `pause` is over.
struct Failed {
    failures: u32,
    place: Place,
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
    text: Arc<str>,
    pub(super) handler: Arc<dyn Handler>,
    used: u64,
}

impl Table {
    pub(super) fn find(&mut self, text: &str, now: Timestamp, name: &str) -> Found {
        match self.slots.get_mut(text) {
            None => Found::Missing(0),
            Some(Slot::Making(thread)) => Found::Making(*thread),
            Some(Slot::Living(living)) => {
                self.closing -= usize::from(std::mem::take(&mut living.closing));
                self.order.use_now(living.place, List::Living, now);
                Found::Living(living.handler.clone())
            }
            Some(Slot::Failed(failed)) if failed.is_over(now) => Found::Missing(failed.failures),
            Some(Slot::Failed(failed)) => {
                self.order.use_now(failed.place, List::Failed, now);
                Found::Failed(failed.error.again().with_handler(name))
            }
        }
    }

    /// Notes that `thread` is making a handler. If there are more than `limit` handlers then, the least recently used are marked to
    /// be closed.
    pub(super) fn make(&mut self, text: &str, thread: usize, limit: usize) {
        self.put(text, |_, _| Slot::Making(thread));
        while self.slots.len() - self.closing > limit {
            let oldest =
                [List::Living, List::Failed].into_iter().filter_map(|list| Some((self.order.first(list)?, list)));
            let Some(((text, ..), list)) = oldest.min_by_key(|((_, _, used), _)| *used) else { return };
            let text = text.clone();
            match list {
                List::Failed => self.remove(&text),
                _ => self.mark(&text),
            }
        }
    }

    pub(super) fn made(&mut self, text: &str, handler: Arc<dyn Handler>, now: Timestamp) {
        self.put(text, |order, text| {
            Slot::Living(Living { handler, place: order.add(List::Living, text, now), closing: false })
        });
    }

    pub(super) fn not_made(&mut self, text: &str, failures: u32, error: &Error, now: Timestamp, backoff: &Backoff) {
        let failures = failures.saturating_add(1);
        self.put(text, |order, text| {
            let place = order.add(List::Failed, text, now);
            Slot::Failed(Failed { failures, place, since: now, pause: backoff.pause(failures), error: error.again() })
        });
    }

    /// Sets the slot for `text` to the one that `make` returns.
    fn put(&mut self, text: &str, make: impl FnOnce(&mut Order, Arc<str>) -> Slot) {
        let text = self.slots.get_key_value(text).map_or_else(|| text.into(), |(text, _)| text.clone());
        self.remove(&text);
        let slot = make(&mut self.order, text.clone());
        self.slots.insert(text, slot);
    }

    fn remove(&mut self, text: &str) {
        if let Some(place) = self.slots.remove(text).and_then(|slot| slot.place()) {
            self.order.remove(place);
        }
    }

    /// Marks a living handler to be closed.
    fn mark(&mut self, text: &str) {
        let Some(Slot::Living(living)) = self.slots.get_mut(text) else { return };
        living.closing = true;
        self.closing += 1;
        self.order.shift(living.place, List::Closing);
    }

    /// Marks the handlers that have been idle for too long.
    #[inline]
    pub(super) fn look_for_idle(&mut self, now: Timestamp, idle: Duration) {
        let mut now = now;
        if now < self.looked {
            // Several threads read the clock, and then wait for the lock. Only if it was longer than that, the clock was set back, which
            // must not keep handlers open for that long.
            match now.saturating_add(WAIT) < self.looked {
                true => self.order.set_back(now),
                false => now = self.looked,
            }
        }
        self.looked = now;
        while let Some((text, last, _)) = self.order.first(List::Living)
            && now.since(last) >= idle
        {
            let text = text.clone();
            self.mark(&text);
        }
    }

    pub(super) fn has_closing(&self) -> bool {
        self.closing > 0
    }

    /// Returns a handler that is marked to be closed and not in use. Only [`find`](Self::find) and [`living`](Self::living) hand
    /// handlers out. Looks at `most` of them; those in use come last the next time.
    pub(super) fn next_closing(&mut self, most: usize) -> Option<Closing> {
        for _ in 0..most.min(self.closing) {
            let (text, _, used) = self.order.first(List::Closing)?;
            let Some(Slot::Living(living)) = self.slots.get(text) else { return None };
            if Arc::strong_count(&living.handler) == 1 {
                return Some(Closing { text: text.clone(), handler: living.handler.clone(), used });
            }
            self.order.shift(living.place, List::Closing);
        }
        None
    }

    /// Removes a handler after its flush and its last reports, unless it has been used meanwhile.
    pub(super) fn close(&mut self, closing: &Closing, reports: &[Report]) {
        let Some(Slot::Living(living)) = self.slots.get(&closing.text) else { return };
        // The two references are the table's and the caller's.
        let is_free =
            living.closing && self.order.used(living.place) == closing.used && Arc::strong_count(&living.handler) == 2;
        if !is_free || !Arc::ptr_eq(&living.handler, &closing.handler) {
            return;
        }
        self.remove(&closing.text);
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

/// Empty.
impl Default for Table {
    fn default() -> Self {
        Self {
            slots: HashMap::new(),
            order: Order::new(),
            closing: 0,
            looked: Timestamp::EPOCH,
            closed: Stats::default(),
            any_closed: false,
        }
    }
}

impl Slot {
    fn place(&self) -> Option<Place> {
        match self {
            Self::Making(_) => None,
            Self::Living(Living { place, .. }) | Self::Failed(Failed { place, .. }) => Some(*place),
        }
    }
}

impl Failed {
    fn is_over(&self, now: Timestamp) -> bool {
        now < self.since || now.since(self.since) >= self.pause
    }
}

/// The longest time for which a thread is assumed to wait for the lock.
const WAIT: Duration = Duration::from_secs(1);
