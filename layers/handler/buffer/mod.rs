//! Records kept until something makes them worth having.

mod kept;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::kept::Kept;
use super::output::thread_token;
use super::wanted::Wanted;
use super::{DropReason, Handler, Report, Stats, guarded, is_from_worker};
use crate::filter::Threshold;
use crate::process::{self, Held, Resource};
use crate::record::{Meta, Record, SpanEvents};
use crate::sync::{OwnedGuard, deadline_in, lock, lock_briefly, lock_until, wait_timeout};
use crate::{Error, ErrorKind};

/// Keeps records, and lets them out when there are many, or when one is important: Python's `MemoryHandler`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`capacity`](Self::capacity) | 1,024 | with so many records the buffer is full |
/// | [`capacity_bytes`](Self::capacity_bytes) | 4 MiB | the same, by their size in memory |
/// | [`flush_at`](Self::flush_at) | `ERROR` | a record this important lets all out, itself last |
/// | [`ring`](Self::ring) | off | when it is full the oldest record goes for a new one, instead of all being let out |
/// | [`flush_on_close`](Self::flush_on_close) | on | whether what is kept at the end is let out, or given up |
/// | [`name`](Self::name) | `buffer` | how reports call it |
///
/// With [`ring`](Self::ring) and `flush_on_close(false)` it is the flight recorder: all DEBUG records are at hand when an ERROR
/// comes, and cost no more than a copy when none does.
///
/// Records keep their order. They are handed on in one batch, without a lock, by the thread whose record lets them out; it has
/// the error, if there is one, and the records that met it have failed. Others who log meanwhile go on; whoever finds the buffer
/// full, or has an important record too, waits for that thread: what is behind must therefore not wait for a thread that logs
/// into the same buffer, or for another layer's buffer that logs into this one. A `Queue` between them waits for nobody.
///
/// [`flush`](Handler::flush) lets out what is kept, whatever the settings. At the [end of the process](crate::process), and when the
/// buffer is dropped, `flush_on_close` decides; what is given up then is counted as
/// [`NotNeeded`](DropReason::NotNeeded). A [`Queue`](super::Queue) that is dropped flushes the buffer behind it first.
///
/// Settings are made before the first record; later ones are not taken, and [`selflog`](crate::selflog) is told. What the handler
/// behind does not want is not kept.
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
///     tracing::debug!(target: "shop", "nobody needs this");
/// });
/// assert_eq!(memory.lines(), ["DEBUG shop: step=4", "DEBUG shop: step=5", "ERROR shop: out of stock"]);
/// ```
pub struct Buffer<H: Handler> {
    shared: Arc<Shared<H>>,
}

impl<H: Handler> Buffer<H> {
    /// A buffer in front of `handler`, with the defaults of the table.
    pub fn new(handler: H) -> Self {
        let shared = Shared {
            handler,
            settings: Settings::default(),
            wanted: Wanted::new(),
            reentrant: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
            registered: AtomicBool::new(false),
            state: Mutex::default(),
            done: Condvar::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// With so many records it is full. At least 1.
    pub fn capacity(self, records: usize) -> Self {
        self.set(|settings| settings.records = records.max(1))
    }

    /// With records that take so many bytes of memory it is full. In a [ring](Self::ring) a record that alone is larger is
    /// dropped, unless it is important enough to be let out at once.
    pub fn capacity_bytes(self, bytes: usize) -> Self {
        self.set(|settings| settings.bytes = bytes.max(1))
    }

    /// A record this important, or more, lets all out: a tracing level, a [`Severity`](crate::Severity); `LevelFilter::OFF`: none
    /// does. Python's `flushLevel`.
    pub fn flush_at(self, severity: impl Into<Threshold>) -> Self {
        self.set(|settings| settings.flush_at = severity.into())
    }

    /// Whether a full buffer gives up its oldest records, counted as [`Oldest`](DropReason::Oldest), instead of letting all out.
    pub fn ring(self, ring: bool) -> Self {
        self.set(|settings| settings.ring = ring)
    }

    /// Whether what is kept when the buffer is dropped, or the process ends, is let out. Python's `flushOnClose`.
    pub fn flush_on_close(self, flush: bool) -> Self {
        self.set(|settings| settings.flush_on_close = flush)
    }

    /// How reports call it.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set(|settings| settings.name = name.into())
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => set(&mut shared.settings),
            // Forks and the exit know of it.
            None => crate::selflog::tell("a buffer that is in use keeps its settings: set them first"),
        }
        self
    }

    /// Before the lock is taken for the first time, and not under it: a fork takes the list of resources first.
    #[inline]
    fn register(&self) {
        if !self.shared.registered.load(Ordering::Acquire) {
            process::register(self.shared.clone());
            self.shared.registered.store(true, Ordering::Release);
        }
    }
}

impl<H: Handler> Handler for Buffer<H> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.shared.handler.enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.shared.handler.max_level()
    }

    fn span_events(&self) -> SpanEvents {
        self.shared.handler.span_events()
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let shared = &self.shared;
        if shared.abandoned.load(Ordering::Relaxed) {
            shared.reentrant.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        if !shared.wanted.look_up(record, || shared.handler.enabled(&record.meta())) {
            return Ok(());
        }
        self.register();
        shared.keep(record)
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.register();
        Resource::flush(&*self.shared, deadline)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.register();
        reports.push(self.shared.report());
        self.shared.handler.report(reports);
    }
}

/// Lets out, or gives up, what is kept.
impl<H: Handler> Drop for Buffer<H> {
    fn drop(&mut self) {
        let shared = &self.shared;
        if shared.abandoned.load(Ordering::Relaxed) {
            return;
        }
        if !shared.settings.flush_on_close {
            lock(&shared.state).kept.give_up(DropReason::NotNeeded);
            return;
        }
        if let Err(error) = shared.let_out(deadline_in(CLOSE_TIMEOUT)) {
            crate::selflog::tell(&format!("{}: closed: {error}", shared.settings.name));
        }
    }
}

struct Settings {
    records: usize,
    bytes: usize,
    flush_at: Threshold,
    ring: bool,
    flush_on_close: bool,
    name: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            records: 1_024,
            bytes: 4 << 20,
            flush_at: crate::Severity::ERROR.into(),
            ring: false,
            flush_on_close: true,
            name: "buffer".to_owned(),
        }
    }
}

/// What outlives the buffer itself: a flush at exit and a fork find it here.
struct Shared<H> {
    handler: H,
    settings: Settings,
    wanted: Wanted,
    reentrant: AtomicU64,
    abandoned: AtomicBool,
    registered: AtomicBool,
    state: Mutex<State>,
    /// Those wait here who want to let records out while another thread does.
    done: Condvar,
}

#[derive(Default)]
struct State {
    kept: Kept,
    /// The thread that is letting records out, by its token; 0: none.
    deliverer: usize,
    /// Goes up with each fork: a deliverer of an earlier one is none.
    generation: u64,
}

type Locked<'a> = MutexGuard<'a, State>;

impl<H: Handler> Shared<H> {
    fn keep(&self, record: &Record<'_>) -> Result<(), Error> {
        let settings = &self.settings;
        let mut state = lock_briefly(&self.state);
        let is_important = settings.flush_at.allows(record.severity());
        if settings.ring && !is_important {
            state.kept.push_in_ring(record, settings.records, settings.bytes);
            return self.keep_at_exit(state);
        }
        // A handler that is slower than those who log holds them up, as it would without a buffer.
        if state.deliverer != 0 && state.kept.is_full(settings.records, settings.bytes) {
            match self.wait_for_deliverer(state, None) {
                Ok(free) => state = free,
                Err(mut state) => {
                    state.kept.refuse(DropReason::Reentrant);
                    return Ok(());
                }
            }
        }
        state.kept.push(record);
        let is_full = !settings.ring && state.kept.is_full(settings.records, settings.bytes);
        match is_important || is_full {
            true => self.let_out_from(state),
            false => self.keep_at_exit(state),
        }
    }

    /// While the process ends nobody may come to flush after this.
    #[inline]
    fn keep_at_exit(&self, state: Locked<'_>) -> Result<(), Error> {
        match process::is_exiting() && self.settings.flush_on_close {
            true => self.let_out_from(state),
            false => Ok(()),
        }
    }

    /// After the deliverer, where there is one. A thread that this one may be waiting for leaves its record in the buffer.
    #[cold]
    fn let_out_from(&self, state: Locked<'_>) -> Result<(), Error> {
        match self.wait_for_deliverer(state, None) {
            Ok(state) => self.deliver(state),
            Err(_) => Ok(()),
        }
    }

    /// Waits until nobody is letting records out. The `Err`: this must not be waited for, or the time is over.
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
            if is_over || state.deliverer == thread_token() || is_from_worker() {
                return Err(state);
            }
            state = wait_timeout(&self.done, state, left.unwrap_or(LOOK).min(LOOK));
        }
        Ok(state)
    }

    /// Hands on all that is kept.
    fn deliver(&self, mut state: Locked<'_>) -> Result<(), Error> {
        if state.kept.is_empty() {
            return Ok(());
        }
        let generation = state.generation;
        state.deliverer = thread_token();
        let taken = state.kept.take();
        drop(state);
        let handled = guarded(|| self.handler.handle_batch(taken.records()));
        let mut state = lock(&self.state);
        if state.generation != generation {
            // The handler has forked, and this is the child: the records are the parent's.
            return Ok(());
        }
        let done = state.kept.done(taken, handled);
        state.deliverer = 0;
        drop(state);
        self.done.notify_all();
        done
    }

    fn let_out(&self, deadline: Instant) -> Result<(), Error> {
        let late = || Error::new(ErrorKind::Timeout, format!("{}: not empty in time", self.settings.name));
        let state = lock_until(&self.state, deadline).ok_or_else(late)?;
        match self.wait_for_deliverer(state, Some(deadline)) {
            Ok(state) => self.deliver(state),
            Err(state) if state.deliverer == thread_token() => {
                Err(Error::new(ErrorKind::Closed, "a buffer cannot be flushed by the handler behind it"))
            }
            Err(_) => Err(late()),
        }
    }

    fn report(&self) -> Report {
        let name = self.settings.name.clone();
        if self.abandoned.load(Ordering::Relaxed) {
            return Report::new(name, Stats::default());
        }
        let mut stats = lock(&self.state).kept.stats();
        let reentrant = self.reentrant.load(Ordering::Relaxed);
        stats.accepted += reentrant;
        stats.dropped.add(DropReason::Reentrant, reentrant);
        Report::new(name, stats)
    }
}

impl<H: Handler> Resource for Shared<H> {
    fn is_queue(&self) -> bool {
        false
    }

    fn is_buffer(&self) -> bool {
        true
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        if self.abandoned.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Closed, "a buffer of the parent process cannot be flushed"));
        }
        let let_out = match process::is_exiting() && !self.settings.flush_on_close {
            true => {
                lock(&self.state).kept.give_up(DropReason::NotNeeded);
                Ok(())
            }
            false => self.let_out(deadline),
        };
        let_out.and(guarded(|| self.handler.flush(deadline)))
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(OwnedGuard::lock_until(&self, |shared| &shared.state, deadline)?))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

impl<H: Handler> Held for OwnedGuard<Shared<H>, State> {
    fn forget_pending(&mut self) {
        self.kept.forget_inherited();
        self.deliverer = 0;
        self.generation += 1;
    }
}

/// How often one who waits looks whether the process ends.
const LOOK: Duration = Duration::from_millis(100);
/// How long dropping the buffer may wait for another thread that lets records out.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
