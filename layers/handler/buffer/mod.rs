//! [`Buffer`]: records kept until an important one arrives, there are many, or a time has passed.

mod kept;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use self::kept::Kept;
use super::debug::TypeName;
use super::wanted::Wanted;
use super::{DropReason, Handler, Report, Stats, guarded};
use crate::filter::{AnyLevel, Filter, FilterExt};
use crate::process::{self, Alarm, Due, Generation, Lifecycle, Live, Phase, Shelf, thread};
use crate::record::Record;
use crate::selflog::Health;
use crate::sync::{Condvar, MutexGuard, deadline_in, lock, lock_briefly, lock_until, try_lock, wait_timeout};
use crate::{Error, ErrorKind};

/// Keeps records, and releases them when there are many, when one is important, or after a time: Python's `MemoryHandler`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`capacity`](Self::capacity) | 1,024 | the buffer is full with this many records |
/// | [`capacity_bytes`](Self::capacity_bytes) | 4 MiB | the same, by their size in memory |
/// | [`flush_at`](Self::flush_at) | `ERROR` | a record this important releases everything kept, then the record itself |
/// | [`flush_when`](Self::flush_when) | none | a record that passes this filter does the same |
/// | [`flush_after`](Self::flush_after) | no limit | everything is released this long after the first record was kept |
/// | [`ring`](Self::ring) | `false` | a full buffer drops its oldest record for a new one, instead of releasing everything |
/// | [`flush_on_close`](Self::flush_on_close) | `true` | whether what is kept at the end is released or dropped |
/// | [`name`](Self::name) | `buffer` | the name used in reports |
///
/// With [`ring`](Self::ring) and `flush_on_close(false)` it is a flight recorder: the last DEBUG records are available when an
/// ERROR occurs, and cost no more than a copy otherwise.
///
/// Records keep their order. They are handed on in one batch, without a lock, by the thread whose record releases them. An error is
/// returned to that thread, and the records concerned count as failed. Other threads continue to log meanwhile; a thread that finds
/// the buffer full, or has an important record too, waits. The handlers behind the buffer must therefore not wait for a thread that
/// logs into the same buffer, or for another layer's buffer that logs into this one. A `Queue` between them avoids this.
///
/// [`flush`](Handler::flush) releases what is kept, whatever the settings. At the [end of the process](crate::process), and when
/// the buffer is dropped, `flush_on_close` decides; what is dropped then is counted as [`NotNeeded`](DropReason::NotNeeded). A
/// [`Queue`](super::Queue) that is dropped flushes the buffer behind it first.
///
/// Settings must be made before the first record, flush or report; a later change has no effect and is reported to [`selflog`](crate::selflog).
/// Records that the handler behind the buffer does not want are not kept.
///
/// ```
/// use tracing_handlers::handler::Buffer;
/// use tracing_handlers::{Output, format::{Text, Time}, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let output = Output::new(Text::new().time(Time::none()), memory.clone());
/// let buffer = Buffer::new(output).capacity(2).ring(true).flush_on_close(false);
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(buffer));
/// tracing::subscriber::with_default(subscriber, || {
///     (1..=5).for_each(|step| tracing::debug!(target: "shop", step));
///     assert!(memory.lines().is_empty());
///     tracing::error!(target: "shop", "out of stock");
///     tracing::debug!(target: "shop", "not needed unless it fails");
/// });
/// assert_eq!(memory.lines(), ["DEBUG shop: step=4", "DEBUG shop: step=5", "ERROR shop: out of stock"]);
/// ```
#[must_use = "a handler does nothing until records reach it"]
pub struct Buffer<H: Handler> {
    core: Lifecycle<BufferCore<H>>,
}

impl<H: Handler> Buffer<H> {
    /// Creates a buffer in front of `handler`, with the defaults of the table.
    pub fn new(handler: H) -> Self {
        let core = BufferCore {
            handler,
            records: 1_024,
            bytes: 4 << 20,
            flush_at: crate::Severity::ERROR.into(),
            flush_when: None,
            flush_after: None,
            ring: false,
            flush_on_close: true,
            wanted: Wanted::new(),
            done: Condvar::new(),
            health: Health::default(),
        };
        Self { core: Lifecycle::new(BufferCore::<H>::KIND, core, BufferState::default()) }
    }

    /// The number of records at which the buffer is full. At least 1.
    pub fn capacity(self, records: usize) -> Self {
        self.set("capacity", |core| core.records = records.max(1))
    }

    /// The size of the records in memory, in bytes, at which the buffer is full. In a [ring](Self::ring) a single record larger
    /// than this is dropped, unless it is important enough to be released at once.
    pub fn capacity_bytes(self, bytes: usize) -> Self {
        self.set("capacity_bytes", |core| core.bytes = bytes.max(1))
    }

    /// The level at which a record releases everything: a tracing level, a [`Severity`](crate::Severity), or a
    /// [`LevelSwitch`](crate::filter::LevelSwitch). With `LevelFilter::OFF` no record does. Python's `flushLevel`.
    pub fn flush_at(self, severity: impl Into<AnyLevel>) -> Self {
        self.set("flush_at", |core| core.flush_at = severity.into())
    }

    /// Releases everything when a record passes `filter`, as one [as important as this](Self::flush_at) does, then the record itself.
    /// Of several filters one suffices. Python's `MemoryHandler` has its method `shouldFlush` overridden for this.
    ///
    /// ```
    /// use tracing_handlers::handler::Buffer;
    /// use tracing_handlers::{Output, filter, format::{Text, Time}, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let memory = Memory::new();
    /// let output = Output::new(Text::new().time(Time::none()), memory.clone());
    /// let buffer = Buffer::new(output).flush_when(filter::field("last").eq(true));
    /// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(buffer));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info!(target: "shop", part = 1);
    ///     assert!(memory.lines().is_empty());
    ///     tracing::info!(target: "shop", part = 2, last = true);
    ///     assert_eq!(memory.lines().len(), 2);
    /// });
    /// ```
    pub fn flush_when(self, filter: impl Filter) -> Self {
        self.set("flush_when", |core| {
            core.flush_when = Some(match core.flush_when.take() {
                Some(before) => Box::new(before.or(filter)),
                None => Box::new(filter),
            });
        })
    }

    /// Releases everything at the latest this long after the first record was kept, even if no other record follows. With a
    /// [ring](Self::ring) the time begins with the first record after the last release. `None`, the default, and `Duration::MAX`
    /// set no limit.
    ///
    /// The thread `log-timer` hands the records on then, and reports an error to [`selflog`](crate::selflog). It serves all
    /// buffers of the process, so a slow handler, such as one that waits for a peer, should have a [`Queue`](super::Queue) in front.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::handler::{Buffer, Handler};
    /// use tracing_handlers::{Output, RecordBuf, Severity, format::Text, sink::Memory};
    ///
    /// let memory = Memory::new();
    /// let output = Output::new(Text::new(), memory.clone());
    /// // 100 records or 20 ms, whatever is reached first.
    /// let buffer = Buffer::new(output).capacity(100).flush_after(Duration::from_millis(20));
    /// buffer.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record())?;
    /// # let start = std::time::Instant::now();
    /// while memory.lines().is_empty() {
    ///     std::thread::sleep(Duration::from_millis(10));
    /// #   assert!(start.elapsed() < Duration::from_secs(60));
    /// }
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn flush_after(self, time: impl Into<Option<Duration>>) -> Self {
        self.set("flush_after", |core| core.flush_after = time.into())
    }

    /// Whether a full buffer drops its oldest records, counted as [`Oldest`](DropReason::Oldest), instead of releasing everything.
    pub fn ring(self, ring: bool) -> Self {
        self.set("ring", |core| core.ring = ring)
    }

    /// Whether what is kept when the buffer is dropped, or the process ends, is released. Python's `flushOnClose`.
    pub fn flush_on_close(self, flush: bool) -> Self {
        self.set("flush_on_close", |core| core.flush_on_close = flush)
    }

    /// The name used in reports.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |core| core.name = name.into())
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shelf<BufferCore<H>>)) -> Self {
        self.core.set(setting, set);
        self
    }
}

impl<H: Handler> Handler for Buffer<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if self.core.is_abandoned() {
            self.core.count_reentrant(1);
            return Ok(());
        }
        if !self.core.wanted.look_up(record, || self.core.handler.enabled(&record.meta())) {
            return Ok(());
        }
        keep(self.core.start(), record)
    }

    around!(self => self.core.handler, deciding by self.core.flush_when);

    fn own_report(&self) -> Option<Report> {
        self.own_stats().map(|stats| Report::new(self.core.name.as_str(), stats))
    }

    fn own_stats(&self) -> Option<Stats> {
        let core = self.core.start();
        Some(core.stats(|| lock(&core.state).kept.stats()))
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.core.flush(deadline)
    }

    /// Its own counts, then those of its filter, then those behind it.
    fn report(&self, reports: &mut Vec<Report>) {
        reports.extend(self.own_report());
        if let Some(filter) = &self.core.flush_when {
            filter.report(reports);
        }
        self.core.handler.report(reports);
    }
}

/// Releases, or drops, what is kept.
impl<H: Handler> Drop for Buffer<H> {
    fn drop(&mut self) {
        let core = &self.core;
        if core.is_abandoned() {
            return;
        }
        if !core.flush_on_close {
            lock(&core.state).kept.give_up(DropReason::NotNeeded);
            return;
        }
        if let Err(error) = core.release(deadline_in(CLOSE_TIMEOUT)) {
            crate::selflog::tell(&format!("{}: closed: {error:#}", core.name));
        }
    }
}

/// Takes no lock.
impl<H: Handler> fmt::Debug for Buffer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BufferCore { handler, records, bytes, flush_at, flush_when, flush_after, ring, flush_on_close, .. } =
            &**self.core;
        f.debug_struct("Buffer")
            .field("name", &self.core.name)
            .field("capacity", records)
            .field("capacity_bytes", bytes)
            .field("flush_at", flush_at)
            .field("flush_when", &flush_when.is_some())
            .field("flush_after", flush_after)
            .field("ring", ring)
            .field("flush_on_close", flush_on_close)
            .field("handler", &TypeName::of(handler))
            .finish()
    }
}

/// The part that a flush at exit and a fork need, even while the buffer is being dropped.
struct BufferCore<H> {
    handler: H,
    records: usize,
    bytes: usize,
    flush_at: AnyLevel,
    flush_when: Option<Box<dyn Filter>>,
    flush_after: Option<Duration>,
    ring: bool,
    flush_on_close: bool,
    wanted: Wanted,
    /// Threads that want to release records wait here while another one does.
    done: Condvar,
    /// Reports errors that no logging thread sees.
    health: Health,
}

#[derive(Default)]
struct BufferState {
    kept: Kept,
    /// The thread that is releasing records, by its token; 0: none.
    deliverer: usize,
    /// Rings when the time limit is reached. Made at the first use, if there is a limit.
    alarm: Option<Alarm>,
}

type Locked<'a> = MutexGuard<'a, BufferState>;

#[inline]
fn keep<H: Handler>(core: &Arc<Shelf<BufferCore<H>>>, record: &Record<'_>) -> Result<(), Error> {
    let is_important = core.is_important(record);
    let mut state = lock_briefly(&core.state);
    if core.flush_after.is_some() && state.alarm.is_none() {
        drop(state);
        state = make_alarm(core);
    }
    core.keep(state, record, is_important)
}

/// Not under the lock, because a fork takes the lock of the registry first.
#[cold]
fn make_alarm<H: Handler>(core: &Arc<Shelf<BufferCore<H>>>) -> Locked<'_> {
    let owner: Weak<Shelf<BufferCore<H>>> = Arc::downgrade(core);
    let alarm = Alarm::new(owner);
    let mut state = lock_briefly(&core.state);
    state.alarm.get_or_insert(alarm);
    state
}

impl<H: Handler> Shelf<BufferCore<H>> {
    /// Asks the filter without a lock, since it is foreign code. If it panics, nothing is kept back.
    #[inline]
    fn is_important(&self, record: &Record<'_>) -> bool {
        self.flush_at.allows(record)
            || self
                .flush_when
                .as_ref()
                .is_some_and(|filter| catch_unwind(AssertUnwindSafe(|| filter.passes(record))).unwrap_or(true))
    }

    fn keep(&self, mut state: Locked<'_>, record: &Record<'_>, is_important: bool) -> Result<(), Error> {
        if self.ring && !is_important {
            self.start_time(&state);
            state.kept.push_in_ring(record, self.records, self.bytes);
            return self.keep_at_exit(state);
        }
        // A handler that is slower than the logging threads holds them up, as it would without a buffer.
        if state.deliverer != 0 && state.kept.is_full(self.records, self.bytes) {
            match self.wait_for_deliverer(state, None) {
                Ok(free) => state = free,
                Err(mut state) => {
                    state.kept.refuse(DropReason::Reentrant);
                    return Ok(());
                }
            }
        }
        self.start_time(&state);
        state.kept.push(record);
        let is_full = !self.ring && state.kept.is_full(self.records, self.bytes);
        match is_important || is_full {
            true => self.release_from(state),
            false => self.keep_at_exit(state),
        }
    }

    /// Called before a record is kept.
    #[inline]
    fn start_time(&self, state: &BufferState) {
        if let (Some(time), Some(alarm)) = (self.flush_after, &state.alarm)
            && state.kept.is_empty()
        {
            alarm.set(time);
        }
    }

    /// Keeps nothing back: while the process ends there may be no later flush.
    #[inline]
    fn keep_at_exit(&self, state: Locked<'_>) -> Result<(), Error> {
        match process::is_exiting() && self.flush_on_close {
            true => self.release_from(state),
            false => Ok(()),
        }
    }

    /// Waits for the delivering thread, if there is one, then releases what is kept. A thread that must not wait leaves its record
    /// in the buffer.
    #[cold]
    fn release_from(&self, state: Locked<'_>) -> Result<(), Error> {
        match self.wait_for_deliverer(state, None) {
            Ok(state) => self.deliver(state),
            Err(_) => Ok(()),
        }
    }

    /// Waits until no thread is releasing records. Returns `Err` if this thread must not wait for that, or the time is over.
    #[cold]
    fn wait_for_deliverer<'a>(
        &self,
        mut state: Locked<'a>,
        deadline: Option<Instant>,
    ) -> Result<Locked<'a>, Locked<'a>> {
        while state.deliverer != 0 {
            let exit = process::is_exiting().then(process::exit_deadline);
            let left = deadline.into_iter().chain(exit).min().map(|end| end.saturating_duration_since(Instant::now()));
            let is_over = left.is_some_and(|left| left.is_zero());
            if is_over || state.deliverer == thread::token() || thread::is_from_worker() {
                return Err(state);
            }
            state = wait_timeout(&self.done, state, left.unwrap_or(LOOK).min(LOOK));
        }
        Ok(state)
    }

    /// Hands on everything that is kept.
    fn deliver(&self, mut state: Locked<'_>) -> Result<(), Error> {
        if state.kept.is_empty() {
            return Ok(());
        }
        let process = Generation::current();
        state.deliverer = thread::token();
        if let Some(alarm) = &state.alarm {
            alarm.clear();
        }
        let taken = state.kept.take();
        drop(state);
        let handled = guarded(|| self.handler.handle_batch(taken.records()));
        let mut state = lock(&self.state);
        if !process.is_current() {
            // The handler has forked, and this is the child: the records belong to the parent.
            return Ok(());
        }
        let done = state.kept.done(taken, handled);
        state.deliverer = 0;
        drop(state);
        self.done.notify_all();
        done
    }

    fn release(&self, deadline: Instant) -> Result<(), Error> {
        let late = || Error::new(ErrorKind::Timeout, format!("{}: could not be emptied in time", self.name));
        let state = lock_until(&self.state, deadline).ok_or_else(late)?;
        match self.wait_for_deliverer(state, Some(deadline)) {
            Ok(state) => self.deliver(state),
            Err(state) if state.deliverer == thread::token() => {
                Err(Error::new(ErrorKind::Closed, "a buffer cannot be flushed by the handler behind it"))
            }
            Err(_) => Err(late()),
        }
    }
}

impl<H: Handler> Live for BufferCore<H> {
    type Guarded = BufferState;
    const KIND: &'static str = "buffer";
    const PHASE: Phase = Phase::Buffers;

    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        let released = match process::is_exiting() && !shelf.flush_on_close {
            true => {
                lock(&shelf.state).kept.give_up(DropReason::NotNeeded);
                Ok(())
            }
            false => shelf.release(deadline),
        };
        released.and(guarded(|| shelf.handler.flush(deadline)))
    }

    fn forget_pending(&self, state: &mut BufferState) {
        state.kept.forget_inherited();
        state.deliverer = 0;
        if let Some(alarm) = &state.alarm {
            alarm.clear();
        }
    }
}

/// On the timer's thread.
impl<H: Handler> Due for Shelf<BufferCore<H>> {
    fn due(&self) -> Option<Duration> {
        if self.is_abandoned() {
            return None;
        }
        let Some(state) = try_lock(&self.state) else { return Some(BUSY) };
        if state.kept.is_empty() {
            return None;
        }
        if state.deliverer != 0 {
            return Some(BUSY);
        }
        let before = state.kept.stats().failed;
        match self.deliver(state) {
            Ok(()) => self.health.works(&self.name),
            Err(error) if error.handler().is_none() => {
                let failed = lock(&self.state).kept.stats().failed - before;
                self.health.failed(&self.name, &error, failed as usize);
            }
            Err(_) => {}
        }
        None
    }
}

/// When the timer looks again for a buffer that is in use.
const BUSY: Duration = Duration::from_millis(5);
/// How often a waiting thread checks whether the process is ending.
const LOOK: Duration = Duration::from_millis(100);
/// How long dropping the buffer may wait for another thread that is releasing records.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
