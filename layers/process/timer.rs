//! A background thread for what has to happen some time after a record, even if no other record follows.
//!
//! The thread starts when the first alarm is set. While no alarm is set, it sleeps and does not wake up. A forked child does not
//! inherit it: the alarms that are set belong to the parent, and the child's first alarm starts a new thread.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::{Generation, Lifecycle, Live, Phase, Shelf};
use crate::sync::{Condvar, lock, lock_briefly, wait, wait_timeout};
use crate::{Error, selflog, threads};

/// What an [`Alarm`] calls.
pub(crate) trait Due: Send + Sync {
    /// Called on the timer's thread when the time is over. It must not wait for a lock that may be held for long, since everything
    /// else that is due waits for it. Returns after which time it is to be called again, if at all.
    fn due(&self) -> Option<Duration>;
}

/// Calls its target once, a time after it was set. Clones are the same alarm.
#[derive(Clone)]
pub(crate) struct Alarm {
    entry: Arc<Entry>,
    timer: Arc<Shelf<Timer>>,
}

impl Alarm {
    /// Creates an alarm that is not set. Must not be called under a lock that is held around forks, since this may register the
    /// timer.
    pub(crate) fn new(target: Weak<dyn Due>) -> Self {
        Self::of(of_process().start(), target)
    }

    fn of(timer: &Arc<Shelf<Timer>>, target: Weak<dyn Due>) -> Self {
        let entry = Entry { at: AtomicU64::new(NOT_SET), is_scheduled: AtomicBool::new(false), target };
        Self { entry: Arc::new(entry), timer: timer.clone() }
    }

    /// Sets the alarm, whether it is set already or not. A time too long to be represented never ends.
    pub(crate) fn set(&self, after: Duration) {
        match u64::try_from(after.as_nanos()).ok().and_then(|after| nanos_of_process().checked_add(after)) {
            Some(at) => self.timer.schedule(&self.entry, at),
            None => self.clear(),
        }
    }

    /// Takes no lock. The target may be called nevertheless if the time is over at this moment.
    #[inline]
    pub(crate) fn clear(&self) {
        self.entry.at.store(NOT_SET, Ordering::Relaxed);
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").field("is_set", &(self.entry.at.load(Ordering::Relaxed) != NOT_SET)).finish()
    }
}

struct Entry {
    /// When it is due, by [`nanos_of_process`]. Set only under the lock of the schedule.
    at: AtomicU64,
    /// Whether the schedule has it. Changed only under the lock of the schedule.
    is_scheduled: AtomicBool,
    target: Weak<dyn Due>,
}

/// The timer of the process. Created without a lock: a fork at that moment would leave it locked in the child.
fn of_process() -> Arc<Lifecycle<Timer>> {
    static TIMER: ArcSwapOption<Lifecycle<Timer>> = ArcSwapOption::const_empty();
    if let Some(timer) = TIMER.load_full() {
        return timer;
    }
    let made = Arc::new(timer());
    let before = TIMER.compare_and_swap(&None::<Arc<_>>, Some(made.clone()));
    before.as_ref().map_or(made, Arc::clone)
}

fn timer() -> Lifecycle<Timer> {
    Lifecycle::new(Timer::KIND, Timer { earlier: Condvar::new() }, Schedule::default())
}

struct Timer {
    /// Where the thread waits until an alarm is due, or one is set that is due earlier.
    earlier: Condvar,
}

#[derive(Default)]
struct Schedule {
    entries: Vec<Arc<Entry>>,
    /// When the waiting thread wakes up; 0: it is not waiting.
    wakes_at: u64,
    thread_lives: bool,
    /// The thread could not be started, and this was reported.
    reported: bool,
}

impl Shelf<Timer> {
    fn schedule(self: &Arc<Self>, entry: &Arc<Entry>, at: u64) {
        if self.is_abandoned() {
            return;
        }
        let mut schedule = lock_briefly(&self.state);
        entry.at.store(at, Ordering::Relaxed);
        if !entry.is_scheduled.swap(true, Ordering::Relaxed) {
            schedule.entries.push(entry.clone());
        }
        if !schedule.thread_lives {
            self.start_thread(&mut schedule);
        }
        let is_earlier = at < schedule.wakes_at;
        drop(schedule);
        if is_earlier {
            self.earlier.notify_one();
        }
    }

    /// If the thread cannot be started, what is due waits until the next attempt.
    #[cold]
    fn start_thread(self: &Arc<Self>, schedule: &mut Schedule) {
        let (process, timer) = (Generation::current(), self.clone());
        let spawned = threads::start("log-timer", move || timer.run(process));
        schedule.thread_lives = spawned.is_ok();
        let reported = std::mem::replace(&mut schedule.reported, spawned.is_err());
        if let (Err(error), false) = (spawned, reported) {
            selflog::tell(&format!("cannot start the timer thread; time limits of buffers have no effect: {error}"));
        }
    }

    fn run(self: &Arc<Self>, process: Generation) {
        let mut due = Vec::new();
        while self.wait(process, &mut due) {
            for entry in due.drain(..) {
                let called = catch_unwind(AssertUnwindSafe(|| entry.target.upgrade().and_then(|target| target.due())));
                if !process.is_current() {
                    // The target has forked, and this is the child: the rest belongs to the parent.
                    return;
                }
                if let Ok(Some(after)) = called {
                    self.schedule(&entry, nanos_of_process().saturating_add(after.as_nanos() as u64));
                }
            }
        }
    }

    /// Waits until at least one alarm is due, and moves those that are to `due`. Returns `false` in a forked child.
    fn wait(&self, process: Generation, due: &mut Vec<Arc<Entry>>) -> bool {
        let mut schedule = lock(&self.state);
        loop {
            if !process.is_current() {
                return false;
            }
            let now = nanos_of_process();
            let next = schedule.take_due(now, due);
            if !due.is_empty() {
                schedule.wakes_at = 0;
                return true;
            }
            schedule.wakes_at = next;
            schedule = match next {
                NOT_SET => wait(&self.earlier, schedule),
                next => wait_timeout(&self.earlier, schedule, Duration::from_nanos(next - now)),
            };
        }
    }
}

impl Schedule {
    /// Moves the entries that are due to `due`, and removes those that were cleared. Returns when the next one is due.
    fn take_due(&mut self, now: u64, due: &mut Vec<Arc<Entry>>) -> u64 {
        let mut next = NOT_SET;
        self.entries.retain(|entry| {
            let at = entry.at.load(Ordering::Relaxed);
            let stays = at != NOT_SET && at > now;
            if stays {
                next = next.min(at);
                return true;
            }
            entry.is_scheduled.store(false, Ordering::Relaxed);
            if at != NOT_SET {
                entry.at.store(NOT_SET, Ordering::Relaxed);
                due.push(entry.clone());
            }
            false
        });
        next
    }
}

/// The lock is held only briefly, never while a target is called.
impl Live for Timer {
    type Guarded = Schedule;
    const KIND: &'static str = "timer";
    const PHASE: Phase = Phase::Locks;

    /// What is to be flushed is flushed by its owner.
    fn flush(_: &Shelf<Self>, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn forget_pending(&self, schedule: &mut Schedule) {
        for entry in std::mem::take(schedule).entries {
            entry.at.store(NOT_SET, Ordering::Relaxed);
            entry.is_scheduled.store(false, Ordering::Relaxed);
        }
    }
}

/// Nanoseconds since the first call.
fn nanos_of_process() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

const NOT_SET: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::until::until;

    /// Tells when it is called, and wants to be called again after the given times.
    struct Target {
        called: Sender<Instant>,
        again: Mutex<Vec<Duration>>,
    }

    impl Due for Target {
        fn due(&self) -> Option<Duration> {
            self.called.send(Instant::now()).unwrap();
            lock(&self.again).pop()
        }
    }

    fn timer() -> Arc<Shelf<Timer>> {
        super::timer().start().clone()
    }

    fn target(again: &[Duration]) -> (Arc<Target>, Receiver<Instant>) {
        let (called, calls) = channel();
        (Arc::new(Target { called, again: Mutex::new(again.to_vec()) }), calls)
    }

    fn alarm(timer: &Arc<Shelf<Timer>>, target: &Arc<Target>) -> Alarm {
        Alarm::of(timer, Arc::downgrade(target) as Weak<dyn Due>)
    }

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(3_600);
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn an_alarm_calls_its_target_once_when_its_time_is_over() {
        let (target, calls) = target(&[]);
        let timer = timer();
        let alarm = alarm(&timer, &target);
        let start = Instant::now();
        alarm.set(SHORT);
        assert!(calls.recv_timeout(PATIENCE).unwrap() >= start + SHORT);
        until("no alarm is set", || lock(&timer.state).wakes_at == NOT_SET);
        assert!(lock(&timer.state).entries.is_empty() && calls.try_recv().is_err());
    }

    #[test]
    fn an_earlier_alarm_does_not_wait_for_a_later_one() {
        let timer = timer();
        let ((late, _late_calls), (early, calls)) = (target(&[]), target(&[]));
        let (late, early) = (alarm(&timer, &late), alarm(&timer, &early));
        late.set(LONG);
        until("the timer waits for the later one", || lock(&timer.state).wakes_at != 0);
        early.set(SHORT);
        calls.recv_timeout(PATIENCE).unwrap();
        assert_eq!(lock(&timer.state).entries.len(), 1);
    }

    #[test]
    fn a_target_is_called_again_if_it_wants_to_be() {
        let (target, calls) = target(&[SHORT, SHORT]);
        alarm(&timer(), &target).set(Duration::ZERO);
        for _ in 0..3 {
            calls.recv_timeout(PATIENCE).unwrap();
        }
    }

    #[test]
    fn an_alarm_that_was_cleared_is_forgotten_and_one_of_a_dropped_target_too() {
        let timer = timer();
        let ((kept, calls), (gone, _)) = (target(&[]), target(&[]));
        let (cleared, orphan) = (alarm(&timer, &kept), alarm(&timer, &gone));
        drop(gone);
        orphan.set(SHORT);
        cleared.set(SHORT);
        cleared.clear();
        until("no alarm is set", || lock(&timer.state).wakes_at == NOT_SET);
        assert!(lock(&timer.state).entries.is_empty() && calls.try_recv().is_err());
        cleared.set(Duration::MAX);
        assert!(lock(&timer.state).entries.is_empty());
    }

    /// The state as a fork leaves it; tests/ends has a real fork.
    #[test]
    fn a_forked_child_drops_inherited_alarms_and_sets_its_own() {
        let timer = timer();
        let (target, calls) = target(&[]);
        let alarm = alarm(&timer, &target);
        alarm.set(LONG);
        timer.forget_pending(&mut lock(&timer.state));
        assert!(!lock(&timer.state).thread_lives && lock(&timer.state).entries.is_empty());
        alarm.set(SHORT);
        calls.recv_timeout(PATIENCE).unwrap();
    }
}
