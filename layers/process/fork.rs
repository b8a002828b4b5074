//! Forks: all locks are held around a fork, so that the child does not find one whose holder does not exist there.

use std::cell::Cell;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::fork_count;
use super::parent;
use super::resource::{Held, REGISTRY, Registry, Resource};
use super::thread::HeldBack;
use crate::sync::lock_until;

/// The locks held around a fork.
struct Frozen {
    held: Vec<Box<dyn Held>>,
    missed: Vec<Arc<dyn Resource>>,
    resources: Option<MutexGuard<'static, Registry>>,
    _held_back: HeldBack,
    _callsites: Box<dyn std::any::Any>,
    _selflog: Box<dyn std::any::Any>,
    /// Dropped last: dropping these may need the locks.
    _living: Vec<Arc<dyn Resource>>,
}

pub(super) extern "C" fn before_fork() {
    parent::before_fork();
    let frozen = std::panic::catch_unwind(|| {
        let deadline = Instant::now() + FORK_PATIENCE;
        let resources = lock_until(&REGISTRY, deadline);
        let mut frozen = Frozen {
            held: Vec::new(),
            missed: Vec::new(),
            _held_back: HeldBack::start(),
            _callsites: crate::record::freeze_callsites(deadline),
            _selflog: crate::selflog::freeze(deadline),
            resources: None,
            _living: Vec::new(),
        };
        // In the order in which handlers take them: a queue's worker takes an output's lock, never the other way round.
        let mut living = resources.as_deref().map_or(Vec::new(), Registry::living);
        living.sort_by_key(|resource| resource.phase());
        for resource in &living {
            match resource.clone().hold(deadline) {
                Some(held) => frozen.held.push(held),
                None => frozen.missed.push(resource.clone()),
            }
        }
        frozen._living = living;
        frozen.resources = resources;
        frozen
    });
    FROZEN.set(frozen.map_or(std::ptr::null_mut(), |frozen| Box::into_raw(Box::new(frozen))));
}

pub(super) extern "C" fn after_fork_in_parent() {
    drop(take_frozen());
}

pub(super) extern "C" fn after_fork_in_child() {
    // First, because what is dropped below asks which process it belongs to.
    fork_count::increment();
    crate::stream::after_fork_in_child();
    let Some(mut frozen) = take_frozen() else { return };
    // A sink that is told to forget may use a handler that is not registered yet.
    drop(frozen.resources.take());
    for held in &mut frozen.held {
        // A panic of a sink must not affect the others, and outside this function it would abort the child.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| held.forget_pending()));
    }
    for resource in frozen.missed.drain(..) {
        resource.abandon();
        // Dropping it might wait for a thread or a lock's holder that does not exist here.
        std::mem::forget(resource);
    }
    drop(frozen);
    crate::selflog::after_fork_in_child();
}

fn take_frozen() -> Option<Box<Frozen>> {
    let frozen = FROZEN.replace(std::ptr::null_mut());
    // SAFETY: a pointer that is not null comes from `Box::into_raw`, and is taken once.
    (!frozen.is_null()).then(|| unsafe { Box::from_raw(frozen) })
}

thread_local! {
    /// A bare pointer has no destructor, so it is also available on a thread that is ending.
    static FROZEN: Cell<*mut Frozen> = const { Cell::new(std::ptr::null_mut()) };
}

/// How long a fork waits for the locks: a sink may hang in a system call.
const FORK_PATIENCE: Duration = Duration::from_millis(500);
