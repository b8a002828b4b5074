//! Flushes that an executor waits for, and its threads do not.
//!
//! A flush blocks, so a thread of its own performs it: one for each layer, while a future waits for it. Those who begin to wait
//! meanwhile are served together by its next flush, since records that they have logged may be too late for the present one.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::layer_core::LayerCore;
use crate::process::{Alarm, Due, Generation, NotInherited};
use crate::sync::{Mutex, deadline_in, lock, now};
use crate::{Error, ErrorKind, threads};

/// The future of [`Handle::flush_async`](super::Handle::flush_async).
#[must_use = "a future does nothing unless it is awaited"]
pub struct Flushing {
    core: Arc<LayerCore>,
    timeout: Duration,
    begun: Option<Begun>,
}

impl Flushing {
    pub(super) fn new(core: Arc<LayerCore>, timeout: Duration) -> Self {
        Self { core, timeout, begun: None }
    }
}

impl Future for Flushing {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = &mut *self;
        let begun = this.begun.get_or_insert_with(|| Begun::begin(&this.core, this.timeout));
        begun.waiter.poll(context.waker().clone())
    }
}

impl std::fmt::Debug for Flushing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let begun = self.begun.is_some();
        f.debug_struct("Flushing").field("timeout", &self.timeout).field("begun", &begun).finish_non_exhaustive()
    }
}

/// A flush that was asked for.
struct Begun {
    layer: u32,
    waiter: Arc<Waiter>,
    alarm: Alarm,
}

impl Begun {
    fn begin(core: &Arc<LayerCore>, timeout: Duration) -> Self {
        let waiter = Arc::new(Waiter {
            process: Generation::current(),
            deadline: deadline_in(timeout),
            state: Mutex::new(State::default()),
        });
        let due: Weak<dyn Due> = Arc::<Waiter>::downgrade(&waiter);
        let alarm = Alarm::new(due);
        // Set first, so that it is known to have fired if the flush never ends.
        alarm.set(timeout.saturating_add(GRACE));
        enlist(core, &waiter);
        Self { layer: core.id, waiter, alarm }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.alarm.clear();
        if self.waiter.process.is_current() {
            withdraw(self.layer, &self.waiter);
        }
    }
}

/// Shared by the future, the thread that flushes and the timer.
struct Waiter {
    process: Generation,
    deadline: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outcome: Option<Result<(), Error>>,
    waker: Option<Waker>,
}

impl Waiter {
    fn poll(&self, waker: Waker) -> Poll<Result<(), Error>> {
        if !self.process.is_current() {
            // The lock may be held by a thread that does not exist here.
            return Poll::Ready(Err(Error::new(ErrorKind::Closed, "this flush belongs to the parent process")));
        }
        let mut state = lock(&self.state);
        if state.outcome.is_none() && now() >= self.deadline + GRACE {
            state.outcome = Some(Err(too_late()));
        }
        match &state.outcome {
            Some(outcome) => Poll::Ready(again(outcome)),
            None => {
                let before = state.waker.replace(waker);
                drop(state);
                // Without the lock, since it is foreign code.
                drop(before);
                Poll::Pending
            }
        }
    }

    fn complete(&self, outcome: Result<(), Error>) {
        let mut state = lock(&self.state);
        state.outcome.get_or_insert(outcome);
        let waker = state.waker.take();
        drop(state);
        // A waker is foreign code. One that panics must not keep the others waiting.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.map(Waker::wake)));
    }
}

/// A sink may ignore its deadline.
impl Due for Waiter {
    fn due(&self) -> Option<Duration> {
        self.complete(Err(too_late()));
        None
    }
}

/// Adds `waiter` to those of the layer, and starts the thread that flushes if there is none.
fn enlist(core: &Arc<LayerCore>, waiter: &Arc<Waiter>) {
    let begins = {
        let jobs = jobs();
        let mut jobs = jobs.lock();
        let jobs = jobs.get_or_insert_default();
        match jobs.iter_mut().find(|job| job.layer == core.id) {
            Some(job) => {
                job.waiting.push(waiter.clone());
                false
            }
            None => {
                jobs.push(Job { layer: core.id, waiting: vec![waiter.clone()] });
                true
            }
        }
    };
    if !begins {
        return;
    }
    let (layer, core) = (core.id, Arc::downgrade(core));
    if let Err(error) = threads::start("log-flush-async", move || run(layer, &core)) {
        let error = Error::io("cannot start the thread that flushes", error);
        end(layer).iter().for_each(|waiter| waiter.complete(Err(error.again())));
    }
}

/// Called when a future is dropped: a flush that has not begun is not needed for it.
fn withdraw(layer: u32, waiter: &Arc<Waiter>) {
    let jobs = jobs();
    let mut jobs = jobs.lock();
    if let Some(job) = jobs.iter_mut().flatten().find(|job| job.layer == layer) {
        job.waiting.retain(|waiting| !Arc::ptr_eq(waiting, waiter));
    }
}

/// Flushes until no future waits any more.
fn run(layer: u32, core: &Weak<LayerCore>) {
    while let Some((waiting, deadline)) = next_round(layer) {
        let flushed = catch_unwind(AssertUnwindSafe(|| flush(core, deadline)));
        let outcome =
            flushed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked when it was flushed")));
        waiting.iter().for_each(|waiter| waiter.complete(again(&outcome)));
    }
}

/// The handlers are not kept alive beyond this, so that those who waited can drop them.
fn flush(core: &Weak<LayerCore>, deadline: Instant) -> Result<(), Error> {
    let Some(core) = core.upgrade() else { return Ok(()) };
    let graph = core.graph.load_full();
    graph.handler.flush(deadline)
}

/// Takes all who wait, and the last of their deadlines: the alarms of the others are earlier. `None`, and the thread is to end, if
/// there are none, or if this is a forked child.
fn next_round(layer: u32) -> Option<(Vec<Arc<Waiter>>, Instant)> {
    let jobs = jobs();
    let mut jobs = jobs.lock();
    let jobs = jobs.as_mut()?;
    let job = jobs.iter_mut().find(|job| job.layer == layer)?;
    let waiting = std::mem::take(&mut job.waiting);
    let deadline = waiting.iter().map(|waiter| waiter.deadline).max();
    if deadline.is_none() {
        jobs.retain(|job| job.layer != layer);
    }
    Some((waiting, deadline?))
}

/// Returns those who wait for a layer whose thread could not be started.
fn end(layer: u32) -> Vec<Arc<Waiter>> {
    let jobs = jobs();
    let mut jobs = jobs.lock();
    let all = jobs.get_or_insert_default();
    let place = all.iter().position(|job| job.layer == layer);
    place.map_or(Vec::new(), |place| all.swap_remove(place).waiting)
}

/// A layer whose thread is flushing, or about to.
struct Job {
    layer: u32,
    /// Those who wait for its next flush.
    waiting: Vec<Arc<Waiter>>,
}

type Jobs = NotInherited<Vec<Job>>;

/// The flushes of the process. Made without a lock: a fork at that moment would leave it locked in the child.
fn jobs() -> Arc<Jobs> {
    static JOBS: ArcSwapOption<Jobs> = ArcSwapOption::const_empty();
    if let Some(jobs) = JOBS.load_full() {
        return jobs;
    }
    let made = NotInherited::empty();
    let before = JOBS.compare_and_swap(&None::<Arc<_>>, Some(made.clone()));
    before.as_ref().map_or(made, Arc::clone)
}

fn again(outcome: &Result<(), Error>) -> Result<(), Error> {
    outcome.as_ref().map_or_else(|error| Err(error.again()), |()| Ok(()))
}

fn too_late() -> Error {
    Error::new(ErrorKind::Timeout, "the handlers could not be flushed in time")
}

/// A flush that keeps its deadline has a better message than the alarm.
const GRACE: Duration = Duration::from_millis(10);
