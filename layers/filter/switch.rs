use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::{Filter, LevelFilter, Threshold};
use crate::record::{Meta, Record, this_thread};
use crate::sync::lock;
use crate::{Error, changes};

/// A level that can be turned while records go through it: for good, for a time, for the length of a guard; for all threads or
/// one. Serilog's `LoggingLevelSwitch`, zap's `AtomicLevel`.
///
/// Clones are the same switch: one goes to a handler as a filter, one stays with whoever turns it. Turning it has tracing ask
/// every callsite anew, so it is for seldom; a record costs one more load. A record is judged when the filter sees it: behind a
/// [`Queue`](crate::Queue) that is a moment after it was logged, so there put the switch in front of the queue, by
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
pub struct LevelSwitch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The number of the least severity that passes on a thread without a level of its own.
    least: AtomicU8,
    /// That of the thread where most passes.
    least_anywhere: AtomicU8,
    /// Whether there are levels of single threads.
    has_threads: AtomicBool,
    /// Those, and their threads; the last one for a thread counts. No lock: a process may fork while another thread has it.
    threads: ArcSwap<Vec<(u64, Threshold)>>,
    levels: Mutex<Levels>,
}

#[derive(Debug)]
struct Levels {
    base: Threshold,
    /// Those that are there for a while; the last one for a thread counts.
    passing: Vec<Passing>,
    next: u64,
    /// What is there for a time, and what keeps its clock running.
    timed: Option<(u64, Sender<()>)>,
}

#[derive(Debug)]
struct Passing {
    number: u64,
    /// `None`: for all.
    thread: Option<u64>,
    level: Threshold,
}

impl LevelSwitch {
    /// A switch that stands at `level`.
    pub fn new(level: impl Into<Threshold>) -> Self {
        let base = level.into();
        let levels = Levels { base, passing: Vec::new(), next: 1, timed: None };
        let least = AtomicU8::new(base.least());
        let least_anywhere = AtomicU8::new(base.least());
        let (has_threads, threads) = (AtomicBool::new(false), ArcSwap::default());
        Self(Arc::new(Inner { least, least_anywhere, has_threads, threads, levels: Mutex::new(levels) }))
    }

    /// Where it stands for threads without a level of their own.
    pub fn level(&self) -> Threshold {
        Threshold::of_least(self.0.least.load(Ordering::Relaxed))
    }

    /// Turns it for good. What holds for a while goes on, and then gives way to this.
    pub fn set(&self, level: impl Into<Threshold>) {
        let level = level.into();
        self.0.change(|levels| levels.base = level);
    }

    /// Turns it for all threads for `time`; then it turns back by itself. A second call takes the place of the first.
    ///
    /// A thread waits for that. In a forked child there is none: there it stays until it is turned again.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io): no thread can be started; then nothing is turned.
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
        let (alarm, called_off) = mpsc::channel();
        let number = self.0.change(|levels| {
            if let Some((before, _)) = levels.timed.take() {
                levels.remove(before);
            }
            let number = levels.add(None, level);
            levels.timed = Some((number, alarm));
            number
        });
        let inner = Arc::downgrade(&self.0);
        let started = std::thread::Builder::new().name("tracing-handlers-level".to_owned()).spawn(move || {
            if called_off.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                turn_back(&inner, number);
            }
        });
        if started.is_err() {
            turn_back(&Arc::downgrade(&self.0), number);
        }
        started.map(drop).map_err(|error| Error::io("cannot start the thread that turns a level back", error))
    }

    /// Turns it for all threads for as long as what is returned is kept.
    pub fn scoped(&self, level: impl Into<Threshold>) -> ScopedLevel {
        self.pass(None, level.into())
    }

    /// Turns it for what this thread logs, for as long as what is returned is kept.
    pub fn scoped_here(&self, level: impl Into<Threshold>) -> ScopedLevel {
        self.pass(Some(this_thread()), level.into())
    }

    /// Runs `f` with the level turned for what this thread logs in it.
    pub fn with<T>(&self, level: impl Into<Threshold>, f: impl FnOnce() -> T) -> T {
        let _turned = self.scoped_here(level);
        f()
    }

    fn pass(&self, thread: Option<u64>, level: Threshold) -> ScopedLevel {
        let number = self.0.change(|levels| levels.add(thread, level));
        ScopedLevel { switch: self.0.clone(), number }
    }
}

/// A level that holds as long as this is kept: see [`LevelSwitch::scoped`].
#[derive(Debug)]
#[must_use = "the level holds only as long as this is kept"]
pub struct ScopedLevel {
    switch: Arc<Inner>,
    number: u64,
}

impl Drop for ScopedLevel {
    fn drop(&mut self) {
        self.switch.change(|levels| levels.remove(self.number));
    }
}

fn turn_back(switch: &Weak<Inner>, number: u64) {
    if let Some(switch) = switch.upgrade() {
        switch.change(|levels| {
            levels.remove(number);
            levels.timed.take_if(|(timed, _)| *timed == number);
        });
    }
}

impl Inner {
    /// The level that a thread has for itself, which goes before that of all.
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
        self.passing.push(Passing { number, thread, level });
        number
    }

    fn remove(&mut self, number: u64) {
        self.passing.retain(|passing| passing.number != number);
    }

    /// That of threads without a level of their own.
    fn of_all(&self) -> Threshold {
        self.passing.iter().rfind(|passing| passing.thread.is_none()).map_or(self.base, |passing| passing.level)
    }

    fn of_threads(&self) -> impl Iterator<Item = (u64, Threshold)> {
        self.passing.iter().filter_map(|passing| Some((passing.thread?, passing.level)))
    }

    fn lowest(&self) -> Threshold {
        self.of_threads().fold(self.of_all(), |lowest, (_, level)| lowest.or(level))
    }
}

impl Filter for LevelSwitch {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta.severity.number() >= self.0.least_anywhere.load(Ordering::Relaxed)
    }

    fn max_level(&self) -> LevelFilter {
        Threshold::of_least(self.0.least_anywhere.load(Ordering::Relaxed)).level()
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        let own = || self.0.of_thread(record.thread_id());
        let own = if self.0.has_threads.load(Ordering::Acquire) { own() } else { None };
        own.unwrap_or_else(|| self.level()).allows(record.severity())
    }
}
