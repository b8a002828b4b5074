use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::{Filter, LevelFilter, Threshold};
use crate::record::{Meta, Record, this_thread};
use crate::sync::lock;
use crate::{Error, changes, threads};

/// A level that can be changed at run time: permanently, for a period, or for the lifetime of a guard; for all threads or one.
/// Serilog's `LoggingLevelSwitch`, zap's `AtomicLevel`.
///
/// Clones share the level: one is the filter of a handler, or its [level](super::AnyLevel), another changes it. A change makes tracing reconsider every callsite, so
/// it should be rare; a record costs one more load. A record is judged when it reaches the filter, which behind a
/// [`Queue`](crate::Queue) is later than the log call: there, put the switch in front of the queue with
/// [`Filtered`](crate::handler::Filtered).
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::LevelSwitch;
/// use tracing_handlers::{Output, format::Json, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let (level, memory) = (LevelSwitch::new(Level::INFO), Memory::new());
/// let output = Output::new(Json::new(), memory.clone()).filter(level.clone());
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
///     tracing::debug!("not yet");
///     let more = level.scoped(Level::DEBUG);
///     tracing::debug!("now");
///     drop(more);
///     tracing::debug!("no more");
/// });
/// assert_eq!(memory.lines().len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct LevelSwitch(Arc<SwitchCore>);

#[derive(Debug)]
struct SwitchCore {
    /// The number of the least severity that passes on threads without their own level.
    least: AtomicU8,
    /// The same on the most verbose thread.
    least_anywhere: AtomicU8,
    /// Whether any thread has its own level.
    has_threads: AtomicBool,
    /// The threads with their own level; the last entry for a thread applies. No lock: a process may fork while it is held.
    threads: ArcSwap<Vec<(u64, Threshold)>>,
    levels: Mutex<Levels>,
}

#[derive(Debug)]
struct Levels {
    base: Threshold,
    /// The temporary levels; the last one for a thread applies.
    temporary: Vec<Temporary>,
    next: u64,
    /// The temporary level of [`LevelSwitch::set_for`]; dropping the sender cancels its timer.
    timed: Option<(u64, Sender<()>)>,
}

#[derive(Debug)]
struct Temporary {
    number: u64,
    /// `None` for all threads.
    thread: Option<u64>,
    level: Threshold,
}

impl LevelSwitch {
    /// Creates a switch with this level.
    pub fn new(level: impl Into<Threshold>) -> Self {
        let base = level.into();
        let levels = Levels { base, temporary: Vec::new(), next: 1, timed: None };
        let least = AtomicU8::new(base.least());
        let least_anywhere = AtomicU8::new(base.least());
        let (has_threads, threads) = (AtomicBool::new(false), ArcSwap::default());
        Self(Arc::new(SwitchCore { least, least_anywhere, has_threads, threads, levels: Mutex::new(levels) }))
    }

    /// Returns the current level of threads without their own level.
    pub fn level(&self) -> Threshold {
        Threshold::of_least(self.0.least.load(Ordering::Relaxed))
    }

    /// Changes the level permanently. Temporary levels remain until they end.
    pub fn set(&self, level: impl Into<Threshold>) {
        let level = level.into();
        self.0.change(|levels| levels.base = level);
    }

    /// Changes the level for all threads for `time`. A second call replaces the first.
    ///
    /// A thread waits for the end of the period. It does not exist in a forked child: there the level stays until the next change.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the thread cannot be started; the level is then unchanged.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing::Level;
    /// use tracing_handlers::filter::LevelSwitch;
    ///
    /// let level = LevelSwitch::new(Level::INFO);
    /// level.set_for(Level::DEBUG, Duration::from_millis(500))?;
    /// assert_eq!(level.level(), Level::DEBUG.into());
    /// while level.level() != Level::INFO.into() {
    ///     std::thread::yield_now();
    /// }
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn set_for(&self, level: impl Into<Threshold>, time: Duration) -> Result<(), Error> {
        let level = level.into();
        let (timer, canceled) = mpsc::channel();
        let number = self.0.change(|levels| {
            if let Some((before, _)) = levels.timed.take() {
                levels.remove(before);
            }
            let number = levels.add(None, level);
            levels.timed = Some((number, timer));
            number
        });
        let core = Arc::downgrade(&self.0);
        let started = threads::start("log-level", move || {
            if canceled.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                restore(&core, number);
            }
        });
        if started.is_err() {
            restore(&Arc::downgrade(&self.0), number);
        }
        started.map(drop).map_err(|error| Error::io("cannot start the thread that restores a level", error))
    }

    /// Changes the level for all threads for the lifetime of the guard.
    pub fn scoped(&self, level: impl Into<Threshold>) -> ScopedLevel {
        self.add(None, level.into())
    }

    /// Changes the level for this thread's events for the lifetime of the guard.
    pub fn scoped_here(&self, level: impl Into<Threshold>) -> ScopedLevel {
        self.add(Some(this_thread()), level.into())
    }

    /// Runs `f` with another level for this thread's events.
    pub fn with<T>(&self, level: impl Into<Threshold>, f: impl FnOnce() -> T) -> T {
        let _guard = self.scoped_here(level);
        f()
    }

    /// The number of the least severity that passes on any thread.
    pub(super) fn least_anywhere(&self) -> u8 {
        self.0.least_anywhere.load(Ordering::Relaxed)
    }

    fn add(&self, thread: Option<u64>, level: Threshold) -> ScopedLevel {
        let number = self.0.change(|levels| levels.add(thread, level));
        ScopedLevel { switch: self.0.clone(), number }
    }
}

/// Keeps a temporary level until it is dropped: see [`LevelSwitch::scoped`].
#[derive(Debug)]
#[must_use = "the level ends when the guard is dropped"]
pub struct ScopedLevel {
    switch: Arc<SwitchCore>,
    number: u64,
}

impl Drop for ScopedLevel {
    fn drop(&mut self) {
        self.switch.change(|levels| levels.remove(self.number));
    }
}

fn restore(switch: &Weak<SwitchCore>, number: u64) {
    if let Some(switch) = switch.upgrade() {
        switch.change(|levels| {
            levels.remove(number);
            levels.timed.take_if(|(timed, _)| *timed == number);
        });
    }
}

impl SwitchCore {
    /// Returns the thread's own level, which takes precedence.
    fn of_thread(&self, thread: u64) -> Option<Threshold> {
        let threads = self.threads.load();
        threads.iter().rfind(|(of, _)| *of == thread).map(|(_, level)| *level)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Levels) -> T) -> T {
        let mut levels = lock(&self.levels);
        let changed = change(&mut levels);
        self.least.store(levels.of_all().least(), Ordering::Relaxed);
        self.least_anywhere.store(levels.lowest().least(), Ordering::Relaxed);
        let threads: Vec<_> = levels.of_threads().collect();
        let has_threads = !threads.is_empty();
        self.threads.store(Arc::new(threads));
        self.has_threads.store(has_threads, Ordering::Release);
        drop(levels);
        changes::announce();
        changed
    }
}

impl Levels {
    fn add(&mut self, thread: Option<u64>, level: Threshold) -> u64 {
        let number = self.next;
        self.next += 1;
        self.temporary.push(Temporary { number, thread, level });
        number
    }

    fn remove(&mut self, number: u64) {
        self.temporary.retain(|temporary| temporary.number != number);
    }

    /// Returns the level of threads without their own level.
    fn of_all(&self) -> Threshold {
        self.temporary.iter().rfind(|temporary| temporary.thread.is_none()).map_or(self.base, |last| last.level)
    }

    fn of_threads(&self) -> impl Iterator<Item = (u64, Threshold)> {
        self.temporary.iter().filter_map(|temporary| Some((temporary.thread?, temporary.level)))
    }

    fn lowest(&self) -> Threshold {
        self.of_threads().fold(self.of_all(), |lowest, (_, level)| lowest.or(level))
    }
}

impl Filter for LevelSwitch {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta.severity.number() >= self.least_anywhere()
    }

    fn max_level(&self) -> LevelFilter {
        Threshold::of_least(self.least_anywhere()).level()
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        let own = || record.thread_id().and_then(|thread| self.0.of_thread(thread));
        let own = if self.0.has_threads.load(Ordering::Acquire) { own() } else { None };
        own.unwrap_or_else(|| self.level()).allows(record.severity())
    }
}
