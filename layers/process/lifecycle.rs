//! The base of every handler with state.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::registration::register_once;
use super::resource::{Held, Phase, Resource};
use crate::stats::{DropReason, Stats};
use crate::sync::{Mutex, OwnedGuard};
use crate::{Error, ErrorKind, selflog};

/// The part of a handler that a flush at exit and a fork need, even while the handler is being dropped.
pub(crate) trait Live: Send + Sync + Sized + 'static {
    /// The state that a fork must find consistent. Its lock is held around a fork; while it is held, only locks of a later
    /// [`Phase`] may be acquired.
    type Guarded: Send + 'static;

    /// The kind of handler, for messages, and the default name.
    const KIND: &'static str;
    const PHASE: Phase;

    /// Starts a flush that happens on another thread.
    fn begin_flush(shelf: &Shelf<Self>, deadline: Instant) {
        let _ = (shelf, deadline);
    }

    /// Delivers what is held, at the latest by `deadline`.
    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error>;

    /// Called in a forked child: what is pending in `state` belongs to the parent.
    fn forget_pending(&self, state: &mut Self::Guarded);

    /// Called when the current thread has taken the lock for a fork,
    fn held(&self) {}

    /// and before it releases it.
    fn released(&self) {}
}

/// Shares the [`Live`] part of a handler between the handler itself, the exit of the process and forks.
///
/// It is registered with the process once, at first use; until then its settings can be changed.
pub(crate) struct Lifecycle<L: Live>(Arc<Shelf<L>>);

/// The [`Live`] part, and what is the same for all of them.
pub(crate) struct Shelf<L: Live> {
    pub(crate) name: String,
    registered: AtomicBool,
    /// Set if a fork could not lock it: the lock's holder does not exist in this process.
    abandoned: AtomicBool,
    reentrant: AtomicU64,
    live: L,
    pub(crate) state: Mutex<L::Guarded>,
}

impl<L: Live> Lifecycle<L> {
    pub(crate) fn new(name: impl Into<String>, live: L, state: L::Guarded) -> Self {
        Self(Arc::new(Shelf {
            name: name.into(),
            registered: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            reentrant: AtomicU64::new(0),
            live,
            state: Mutex::new(state),
        }))
    }

    /// Changes a setting. After the first use it has no effect, which is reported to selflog.
    pub(crate) fn set(&mut self, setting: &str, change: impl FnOnce(&mut Shelf<L>)) {
        match Arc::get_mut(&mut self.0) {
            Some(shelf) => change(shelf),
            None => selflog::tell(&format!(
                "`{setting}` has no effect: the {} `{}` has already started",
                L::KIND,
                self.name
            )),
        }
    }

    /// Registers it at first use: before its lock is taken for the first time, since a fork at that moment must find it, and
    /// not under the lock, since a fork takes the registry's lock first.
    #[inline]
    pub(crate) fn start(&self) -> &Arc<Shelf<L>> {
        if !self.0.registered.load(Ordering::Acquire) {
            register_once(&self.0, &self.0.registered);
        }
        &self.0
    }

    pub(crate) fn flush(&self, deadline: Instant) -> Result<(), Error> {
        Resource::flush(&**self.start(), deadline)
    }
}

impl<L: Live> Deref for Lifecycle<L> {
    type Target = Shelf<L>;

    #[inline]
    fn deref(&self) -> &Shelf<L> {
        &self.0
    }
}

impl<L: Live> Shelf<L> {
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Counts records that were given up because the handler itself logged them.
    #[cold]
    pub(crate) fn count_reentrant(&self, records: u64) {
        self.reentrant.fetch_add(records, Ordering::Relaxed);
    }

    /// The counts that `count` returns, plus the re-entrant records. If the state is abandoned, `count` is not called.
    pub(crate) fn stats(&self, count: impl FnOnce() -> Stats) -> Stats {
        match self.is_abandoned() {
            true => Stats::default(),
            false => self.add_reentrant(count()),
        }
    }

    /// `stats`, together with the re-entrant records.
    pub(crate) fn add_reentrant(&self, mut stats: Stats) -> Stats {
        stats.add_dropped(DropReason::Reentrant, self.reentrant.load(Ordering::Relaxed));
        stats
    }
}

impl<L: Live> Deref for Shelf<L> {
    type Target = L;

    #[inline]
    fn deref(&self) -> &L {
        &self.live
    }
}

impl<L: Live> DerefMut for Shelf<L> {
    fn deref_mut(&mut self) -> &mut L {
        &mut self.live
    }
}

impl<L: Live> Resource for Shelf<L> {
    fn phase(&self) -> Phase {
        L::PHASE
    }

    fn begin_flush(&self, deadline: Instant) {
        if !self.is_abandoned() {
            L::begin_flush(self, deadline);
        }
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        if self.is_abandoned() {
            let message =
                format!("the {} `{}` belongs to the parent process and cannot be flushed", L::KIND, self.name);
            return Err(Error::new(ErrorKind::Closed, message));
        }
        L::flush(self, deadline)
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        let state = OwnedGuard::lock_until(&self, |shelf| &shelf.state, deadline)?;
        self.live.held();
        Some(Box::new(HeldShelf { state, shelf: self }))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

struct HeldShelf<L: Live> {
    state: OwnedGuard<Shelf<L>, L::Guarded>,
    shelf: Arc<Shelf<L>>,
}

impl<L: Live> Held for HeldShelf<L> {
    fn forget_pending(&mut self) {
        self.shelf.live.forget_pending(&mut self.state);
    }
}

impl<L: Live> Drop for HeldShelf<L> {
    fn drop(&mut self) {
        self.shelf.live.released();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::lock;

    #[derive(Default)]
    struct Counter {
        step: u32,
        holding: AtomicBool,
    }

    impl Live for Counter {
        type Guarded = u32;
        const KIND: &'static str = "counter";
        const PHASE: Phase = Phase::Ends;

        fn flush(shelf: &Shelf<Self>, _: Instant) -> Result<(), Error> {
            *lock(&shelf.state) += shelf.step;
            Ok(())
        }

        fn forget_pending(&self, state: &mut u32) {
            *state = 0;
        }

        fn held(&self) {
            self.holding.store(true, Ordering::Relaxed);
        }

        fn released(&self) {
            self.holding.store(false, Ordering::Relaxed);
        }
    }

    fn counter() -> Lifecycle<Counter> {
        let mut life = Lifecycle::new(Counter::KIND, Counter::default(), 0);
        life.set("step", |counter| counter.step = 2);
        life.set("name", |shelf| shelf.name = "of tests".into());
        life
    }

    #[test]
    fn settings_can_be_changed_until_the_first_use() {
        let mut life = counter();
        life.flush(Instant::now()).unwrap();
        life.set("step", |counter| counter.step = 5);
        life.set("name", |shelf| shelf.name = "another".into());
        life.flush(Instant::now()).unwrap();
        assert_eq!((*lock(&life.state), life.name.as_str()), (4, "of tests"));
    }

    #[test]
    fn a_fork_holds_the_lock_and_the_child_forgets_what_is_pending() {
        let life = counter();
        life.flush(Instant::now()).unwrap();
        let mut held = life.start().clone().hold(Instant::now()).expect("the lock is free");
        assert!(life.state.try_lock().is_err() && life.holding.load(Ordering::Relaxed));
        held.forget_pending();
        drop(held);
        assert_eq!((*lock(&life.state), life.holding.load(Ordering::Relaxed)), (0, false));
    }

    #[test]
    fn a_lock_that_a_fork_could_not_take_is_never_taken_again() {
        let life = counter();
        let _stuck = lock(&life.state);
        assert!(life.start().clone().hold(Instant::now()).is_none());
        life.start().abandon();
        let error = life.flush(Instant::now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(error.to_string().contains("the counter `of tests`"), "{error}");
        let asked = life.stats(|| unreachable!("its lock is never released"));
        assert_eq!(asked, Stats::default());
    }

    #[test]
    fn records_that_a_handler_logs_itself_are_accepted_and_dropped() {
        let life = counter();
        life.count_reentrant(3);
        let stats = life.stats(|| Stats { accepted: 1, delivered: 1, ..Stats::default() });
        assert!(stats.balances() && stats.dropped.by(DropReason::Reentrant) == 3, "{stats:?}");
    }
}
