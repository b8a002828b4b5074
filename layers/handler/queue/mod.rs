//! [`Queue`]: hands records to a thread.

mod backlog;
mod inherited;
mod overflow;
mod stall;
mod worker;

pub use overflow::Overflow;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use self::backlog::Backlog;
use self::inherited::Inherited;
use self::stall::Stall;
use super::debug::TypeName;
use super::wanted::Wanted;
use super::{DropReason, Handler, Report, Stats};
use crate::process::{self, Lifecycle, Live, Parent, Phase, Shelf, thread};
use crate::record::{Kind, Record, Severity};
use crate::selflog::Health;
use crate::sync::{Condvar, JoinHandle, MutexGuard};
use crate::sync::{deadline_in, lock, lock_briefly, lock_until, now, wait_timeout};
use crate::{Error, ErrorKind};

/// A bounded queue in front of handlers, and one thread that serves them all: Python's `QueueHandler` and `QueueListener`
/// in one.
///
/// The thread that logs pays for the capture and one copy; formatting and writing happen on the queue's thread, in
/// batches, in the order in which each thread logged.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`capacity`](Self::capacity) | 8,192 | records in the queue, including those being written |
/// | [`capacity_bytes`](Self::capacity_bytes) | 16 MiB | their size in memory |
/// | [`overflow`](Self::overflow) | block up to 1 s, then drop the newest; at once while the handler is [stalled](Overflow::BlockFor) | what happens to a record when the queue is full |
/// | [`close_timeout`](Self::close_timeout) | 5 s | how long dropping the queue waits for it to empty |
/// | [`name`](Self::name) | `queue` | the name used in reports and for the thread |
///
/// Settings must be made before the first record, flush or report; a later change has no effect and is reported to
/// [`selflog`](crate::selflog). Records that the handler behind the queue does not want are neither queued nor counted.
///
/// Lost records are counted by reason, and reported in the log itself, at the place of the gap, by a WARN record `N records lost
/// here` with the field `lost`.
///
/// The thread starts with the first record. While records arrive it checks the queue every 2 ms, and at once for an ERROR or when
/// 64 KiB are queued. 100 ms after the last record it has the [sinks](crate::Sink::write_buffered) behind the queue write what lies in
/// their buffers, and sleeps until the next record.
///
/// No guard is needed: queued records are delivered at the [end of the process](crate::process), and when the queue is dropped.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::{Handler, Output, Queue, format::Json, sink::Memory};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let memory = Memory::new();
/// let queue = Queue::new(Output::new(Json::new(), memory.clone()));
/// queue.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record())?;
/// queue.flush(std::time::Instant::now() + Duration::from_secs(5))?;
/// assert_eq!(memory.lines().len(), 1);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[must_use = "a handler does nothing until records reach it"]
pub struct Queue<H: Handler> {
    core: Lifecycle<QueueCore<H>>,
    close_timeout: Duration,
}

impl<H: Handler> Queue<H> {
    /// Creates a queue in front of `handler`, which may be several: a tuple, a `Vec`.
    pub fn new(handler: H) -> Self {
        let core = QueueCore {
            handler,
            settings: QueueSettings {
                records: 8_192,
                bytes: 16 << 20,
                overflow: Overflow::BlockFor(Overflow::PATIENCE),
            },
            wanted: Wanted::new(),
            health: Health::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            done: Condvar::new(),
        };
        let core = Lifecycle::new(QueueCore::<H>::KIND, core, QueueState::default());
        Self { core, close_timeout: Duration::from_secs(5) }
    }

    /// The maximum number of records in the queue, including those being written. At least 1.
    pub fn capacity(self, records: usize) -> Self {
        self.set("capacity", |core| core.settings.records = records.max(1))
    }

    /// The maximum memory for queued records, in bytes. A single record larger than this is dropped.
    pub fn capacity_bytes(self, bytes: usize) -> Self {
        self.set("capacity_bytes", |core| core.settings.bytes = bytes.max(1))
    }

    /// What happens to a record when the queue is full.
    pub fn overflow(self, overflow: Overflow) -> Self {
        self.set("overflow", |core| core.settings.overflow = overflow)
    }

    /// How long dropping the queue waits for it to empty.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// The name used in reports, and behind `log-` for the thread, of which Linux shows 15 bytes.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |core| core.name = name.into())
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shelf<QueueCore<H>>)) -> Self {
        self.core.set(setting, set);
        self
    }
}

impl<H: Handler> Handler for Queue<H> {
    #[inline]
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if thread::is_from_worker() || self.core.is_abandoned() {
            self.core.count_reentrant(1);
            return Ok(());
        }
        if !self.core.wants(record) {
            return Ok(());
        }
        let core = self.core.start();
        let mut state = lock_briefly(&core.state);
        if !state.started {
            state = worker::start(core, state);
        }
        if !state.worker_lives {
            drop(state);
            return core.handle_here(record);
        }
        core.push(state, record);
        if process::is_exiting() && !thread::is_worker() {
            // There may be no later flush.
            return self.core.flush(process::exit_deadline());
        }
        Ok(())
    }

    around!(self => self.core.handler);

    fn own_report(&self) -> Option<Report> {
        self.own_stats().map(|stats| Report::new(self.core.name.as_str(), stats))
    }

    fn own_stats(&self) -> Option<Stats> {
        let core = self.core.start();
        Some(core.stats(|| lock(&core.state).backlog.stats()))
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.core.flush(deadline)
    }

    /// Does nothing: the queue's own thread does so when it has run out of records.
    fn write_buffered(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Waits for the queue to empty, then ends its thread.
impl<H: Handler> Drop for Queue<H> {
    fn drop(&mut self) {
        let deadline = deadline_in(self.close_timeout);
        let Some(mut state) = lock_until(&self.core.state, deadline) else { return };
        state.closing = Some(deadline);
        self.core.work.notify_all();
        if worker::is_this_thread(&self.core) {
            // The worker itself is dropping the queue. It delivers the rest when it returns from here.
            return;
        }
        while state.worker_lives && now() < deadline {
            state = wait_timeout(&self.core.done, state, deadline.saturating_duration_since(now()));
        }
        if state.worker_lives {
            let lost = state.backlog.clear_queued(DropReason::Closed);
            drop(state);
            if lost > 0 {
                crate::selflog::tell(&format!("{}: closed with {lost} records not delivered in time", self.core.name));
            }
            return;
        }
        let thread = state.thread.take();
        drop(state);
        // The worker is about to release the handler: wait, so that the handler is dropped here.
        drop(thread.map(JoinHandle::join));
    }
}

/// Takes no lock.
impl<H: Handler> fmt::Debug for Queue<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QueueSettings { records, bytes, overflow } = &self.core.settings;
        f.debug_struct("Queue")
            .field("name", &self.core.name)
            .field("capacity", records)
            .field("capacity_bytes", bytes)
            .field("overflow", overflow)
            .field("close_timeout", &self.close_timeout)
            .field("handler", &TypeName::of(&self.core.handler))
            .finish()
    }
}

struct QueueSettings {
    records: usize,
    bytes: usize,
    overflow: Overflow,
}

/// What the logging threads, the worker, the flush at exit and forks share.
struct QueueCore<H> {
    handler: H,
    settings: QueueSettings,
    wanted: Wanted,
    /// Whether the queue is stalled, for selflog.
    health: Health,
    /// The worker waits here for records.
    work: Condvar,
    /// Logging threads wait here for room.
    room: Condvar,
    /// Flushes and drops wait here for the worker.
    done: Condvar,
}

/// On separate cache lines: neighboring data is read before the lock is taken, by threads that may have to wait for it.
#[derive(Default)]
#[repr(align(128))]
struct QueueState {
    /// The records on their way, and the counts of the others.
    backlog: Backlog,
    inherited: Inherited,
    stall: Stall,
    /// The worker has been started, or found impossible to start.
    started: bool,
    worker_lives: bool,
    rest: Rest,
    /// The queued records must not wait for the next tick.
    urgent: bool,
    /// The number of threads that wait for room.
    waiting: usize,
    /// Set when the queue is dropped: the worker ends when the queue is empty, or at this time.
    closing: Option<Instant>,
    flush: Flush,
    thread: Option<JoinHandle<()>>,
}

/// What the worker is doing, and so whether it must be woken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rest {
    /// It is at work, or has been woken.
    #[default]
    None,
    /// It will check the queue at its next tick.
    Doze,
    /// It sleeps until it is woken.
    Sleep,
}

/// Flushes are numbered; the worker performs all that were requested when it took its last batch at once.
#[derive(Default)]
struct Flush {
    wanted: u64,
    done: u64,
    deadline: Option<Instant>,
    error: Option<Error>,
}

impl<H: Handler> Shelf<QueueCore<H>> {
    /// Whether the handler behind the queue wants the record: records for handlers beside the queue must not take up room. A
    /// handler that panics here does so again on the worker's thread, where that is counted.
    #[inline]
    fn wants(&self, record: &Record<'_>) -> bool {
        let ask = || catch_unwind(AssertUnwindSafe(|| self.handler.enabled(&record.meta()))).unwrap_or(true);
        self.wanted.look_up(record, ask)
    }

    /// Puts the record into the backlog, or drops it as the settings say.
    #[inline]
    fn push(&self, mut state: MutexGuard<'_, QueueState>, record: &Record<'_>) {
        if !state.backlog.fits(&self.settings, record.raw().len()) {
            match self.make_room(state, record) {
                Some(roomy) => state = roomy,
                None => return,
            }
        }
        state.backlog.append(record);
        let urgent = record.severity().is_at_least(Severity::ERROR) || state.backlog.is_at_mark(&self.settings);
        if state.must_wake(urgent) {
            drop(state);
            self.work.notify_one();
        }
    }

    #[cold]
    fn make_room<'a>(
        &self,
        mut state: MutexGuard<'a, QueueState>,
        record: &Record<'_>,
    ) -> Option<MutexGuard<'a, QueueState>> {
        // A handler that logs to the queue in front of it would wait for itself; and a loss notice might make it do so again,
        // endlessly.
        if worker::is_this_thread(self) {
            self.count_reentrant(1);
            return None;
        }
        let needed = record.raw().len();
        let (patience, reason) = match self.settings.overflow {
            _ if needed > self.settings.bytes => (Duration::ZERO, DropReason::TooLarge),
            Overflow::Block => (Duration::MAX, DropReason::Timeout),
            Overflow::BlockFor(patience) => (patience, DropReason::Timeout),
            Overflow::DropNewest => (Duration::ZERO, DropReason::QueueFull),
            Overflow::DropOldest => {
                state.backlog.drop_oldest(&self.settings, needed);
                (Duration::ZERO, DropReason::QueueFull)
            }
            Overflow::DropBelow(severity) if !record.severity().is_at_least(severity) => {
                (Duration::ZERO, DropReason::Unimportant)
            }
            Overflow::DropBelow(_) => (Overflow::PATIENCE, DropReason::Timeout),
        };
        if !patience.is_zero() && !state.stall.is_hopeless(patience) {
            state = self.wait_for_room(state, needed, patience);
        }
        if state.backlog.fits(&self.settings, needed) {
            return Some(state);
        }
        state.backlog.lose(record, reason);
        if reason == DropReason::Timeout {
            state.stall.dropped(now(), patience, record.kind() != Kind::Loss);
        }
        let tell = reason == DropReason::Timeout && state.stall.is_stalled();
        // Wake the worker if it sleeps: only it can make room.
        if state.must_wake(true) {
            self.work.notify_one();
        }
        drop(state);
        if tell {
            self.tell_stalled(patience);
        }
        None
    }

    #[cold]
    fn tell_stalled(&self, patience: Duration) {
        if self.health.is_news(true) {
            crate::selflog::tell(&format!(
                "{}: full, and nothing was delivered for {patience:?}; dropping records at once until the handlers behind it deliver \
                 again",
                self.name
            ));
        }
    }

    /// Called when records are delivered and the end of a stall is still to be reported.
    #[cold]
    fn tell_delivers(&self) {
        if let Some(dropped) = self.health.end_of_failures() {
            crate::selflog::tell(&format!("{}: delivers again; records dropped: {dropped}", self.name));
        }
    }

    /// What a flush leaves behind that was too late.
    #[cold]
    fn missing(&self, state: &QueueState) -> String {
        let pending = state.backlog.stats().pending;
        let dropped = state.stall.lost() + if process::is_exiting() { self.health.take_failed() } else { 0 };
        match dropped {
            0 => format!("; records not delivered: {pending}"),
            _ => format!("; records not delivered: {pending}, dropped: {dropped}"),
        }
    }

    /// Waits until the record fits, at most for as long as `patience` since something was delivered.
    fn wait_for_room<'a>(
        &self,
        mut state: MutexGuard<'a, QueueState>,
        needed: usize,
        patience: Duration,
    ) -> MutexGuard<'a, QueueState> {
        let since = now();
        state.waiting += 1;
        while !state.backlog.fits(&self.settings, needed) && state.worker_lives {
            let exit = process::is_exiting().then(process::exit_deadline);
            let at = now();
            let deadline = state.stall.deadline(since, at, patience).into_iter().chain(exit).min();
            let left = deadline.map_or(LOOK_AT_LEAST, |deadline| deadline.saturating_duration_since(at));
            if left.is_zero() {
                break;
            }
            if state.must_wake(true) {
                self.work.notify_one();
            }
            // The worker does not notify of every bit of room it makes, and its next batch may take long.
            let pause = at.duration_since(since).clamp(LOOK_AT_MOST, LOOK_AT_LEAST);
            state = wait_timeout(&self.room, state, left.min(pause));
        }
        state.waiting -= 1;
        state
    }

    /// Handles the record on this thread, because the worker could not be started.
    #[cold]
    fn handle_here(&self, record: &Record<'_>) -> Result<(), Error> {
        let handled = self.handler.handle(record);
        lock(&self.state).backlog.handled_here(handled.is_ok());
        handled
    }
}

impl QueueState {
    /// Whether the caller must wake the worker: because a record is `urgent`, or because the worker sleeps. A worker that is busy
    /// checks the queue by itself, so waking it would waste a system call.
    #[inline]
    fn must_wake(&mut self, urgent: bool) -> bool {
        self.urgent |= urgent;
        let wake = self.rest == Rest::Sleep || (urgent && self.rest == Rest::Doze);
        if wake {
            self.rest = Rest::None;
        }
        wake
    }

    /// Requests a flush. Returns whether the caller must wake the worker for it.
    fn want_flush(&mut self, deadline: Instant) -> bool {
        self.flush.wanted += 1;
        self.flush.deadline = self.flush.deadline.max(Some(deadline));
        self.must_wake(true)
    }
}

impl<H: Handler> Live for QueueCore<H> {
    type Guarded = QueueState;
    const KIND: &'static str = "queue";
    const PHASE: Phase = Phase::Queues;

    fn begin_flush(shelf: &Shelf<Self>, deadline: Instant) {
        let Some(mut state) = lock_until(&shelf.state, now()) else { return };
        if state.worker_lives && state.want_flush(deadline) {
            shelf.work.notify_one();
        }
    }

    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        let timeout =
            |more: &str| Error::new(ErrorKind::Timeout, format!("{}: could not be emptied in time{more}", shelf.name));
        if worker::is_this_thread(shelf) {
            return Err(Error::new(ErrorKind::Closed, "a queue cannot be flushed from its own thread"));
        }
        let mut state = lock_until(&shelf.state, deadline).ok_or_else(|| timeout(""))?;
        if !state.worker_lives {
            drop(state);
            return shelf.handler.flush(deadline);
        }
        if state.want_flush(deadline) {
            shelf.work.notify_one();
        }
        let ticket = state.flush.wanted;
        while state.flush.done < ticket && state.worker_lives {
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                return Err(timeout(&shelf.missing(&state)));
            }
            state = wait_timeout(&shelf.done, state, left);
        }
        state.flush.error.as_ref().map_or(Ok(()), |error| Err(error.again()))
    }

    /// The worker does not exist in the child: a new one starts with the child's first record.
    fn forget_pending(&self, state: &mut QueueState) {
        let (mut backlog, mut inherited) = (std::mem::take(&mut state.backlog), std::mem::take(&mut state.inherited));
        inherited.add(Parent::of_this_fork(), backlog.forget_inherited());
        // There is no thread to join in this process.
        std::mem::forget(state.thread.take());
        *state = QueueState { backlog, inherited, ..QueueState::default() };
        self.health.forget();
    }
}

/// A thread that waits for room checks again after doubling its waiting time, but at most this often,
const LOOK_AT_MOST: Duration = Duration::from_millis(2);
/// and at least this often.
const LOOK_AT_LEAST: Duration = Duration::from_secs(1);
