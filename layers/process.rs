//! What happens at the ends of a process: exit, panic, fork.
//!
//! Nothing needs to be kept or called for this: the first output that is made, or queue that is used, asks the C library to
//! be told of the process's exit, so that records are delivered after a return from `main`, after `std::process::exit` and after a
//! panic, without a guard. [`log_panics`] adds `panic = "abort"`, and a record of each panic.
//!
//! | end | delivered |
//! |---|---|
//! | return from `main`, `std::process::exit`, panic of the main thread | all that was accepted, within the [exit timeout](set_exit_timeout) |
//! | `panic = "abort"` | the same, with [`log_panics`] |
//! | a forked child | what it logs itself; what it inherited is its parent's, and dropped |
//! | SIGTERM, SIGINT | all that was accepted, within the exit timeout, with `flush_on_signals` (feature `signals`); without it as SIGKILL |
//! | `process::abort`, `exec`, `_exit`, SIGKILL, SIGSEGV | what the sinks had written; [`flush`] first where you can |
//!
//! # Files in forked children
//!
//! A child writes to the file that its parent had open, each line by one `write(2)` at the file's end, so that lines of both stand
//! whole beside each other. What lay in a buffer at the fork is written by the parent alone. But the processes do not know of each
//! other: each turns the file by what it knows of it. When one has turned it, the other goes on in the old file until it looks again
//! ([`watch`](crate::sink::FileOptions::watch)), so that files may become longer or shorter than they should be. No line is lost by
//! that, unless both turn the file at the same moment: then one may remove what the other has just renamed. So either
//! the file is [`shared`](crate::sink::FileOptions::shared), or only one process has a
//! [`Rotation`](crate::rotation::Rotation), or a program from outside turns it and asks each of them to [`reopen`].

#[cfg(feature = "signals")]
mod signals;

#[cfg(feature = "signals")]
pub use signals::{flush_on_signal, flush_on_signals, reopen_on_hangup, reopen_on_signal, rotate_on_signal};

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, Weak};
use std::time::{Duration, Instant};

use crate::sync::{OwnedGuard, deadline_in, lock, lock_until};
use crate::{Error, epochs, selflog};

/// Something that holds records: it is flushed at exit, and locked around a fork.
pub(crate) trait Resource: Send + Sync {
    /// Queues are flushed before the outputs behind them.
    fn is_queue(&self) -> bool;

    /// What lets its records go to other resources is flushed before all of them: there may be a queue behind it.
    fn is_buffer(&self) -> bool {
        false
    }

    /// Has it start to flush, where that happens on a thread of its own, and does not wait.
    fn begin_flush(&self, deadline: Instant) {
        let _ = deadline;
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error>;

    /// Locks it, so that a fork finds it whole. `None` where the lock is not to be had by `deadline`.
    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>>;

    /// In a forked child: another thread, which does not exist here, had the lock. It must never be touched again.
    fn abandon(&self);
}

/// A [`Resource`] that is locked while the process forks; dropping this unlocks it.
pub(crate) trait Held {
    /// In the forked child: what is pending is the parent's.
    fn forget_pending(&mut self);
}

/// Has `resource` flushed at exit and held at forks, as long as somebody else keeps it. Once is enough, more do no harm.
pub(crate) fn register(resource: Arc<dyn Resource>) {
    HOOKS.call_once(install_hooks);
    let resource = Arc::downgrade(&resource);
    let mut all = lock(&RESOURCES);
    all.retain(|known| known.strong_count() > 0 && !std::ptr::addr_eq(known.as_ptr(), resource.as_ptr()));
    all.push(resource);
}

/// Has `mutex` locked around forks: the child finds it free, and what lies in it whole. For one that is held for moments, and
/// never while foreign code is called.
pub(crate) fn hold_at_forks<T: Send + 'static>(mutex: &Arc<Mutex<T>>) {
    register(mutex.clone());
}

impl<T: Send + 'static> Resource for Mutex<T> {
    fn is_queue(&self) -> bool {
        false
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(OwnedGuard::lock_until(&self, |mutex| mutex, deadline)?))
    }

    /// Nobody holds it for as long as a fork waits.
    fn abandon(&self) {}
}

impl<T> Held for OwnedGuard<Mutex<T>, T> {
    fn forget_pending(&mut self) {}
}

/// Delivers what all queues and buffers of the process hold, and comes back within `timeout`.
///
/// For the moments that [no hook](self) sees: before `exec`, `abort` or `_exit`.
///
/// # Errors
///
/// The last error, and [`Timeout`](crate::ErrorKind::Timeout) where the time was too short.
pub fn flush(timeout: Duration) -> Result<(), Error> {
    flush_all(deadline_in(timeout))
}

/// Has every [`sink::File`](crate::sink::File) of the process open its path anew: what a log rotator that has moved the files
/// away asks for.
///
/// A file does so before its next write, and when it is flushed: [`flush`] behind this call makes it happen at once for files
/// that nobody writes to. What is neither a file nor to be opened again (a pipe) stays as it is. On a signal:
/// `reopen_on_hangup` (feature `signals`).
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::{process, sink};
///
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("app.log");
/// let mut file = sink::File::open(&path)?;
/// file.write_all(b"one\n")?;
/// std::fs::rename(&path, dir.path().join("app.log.1"))?;
/// process::reopen();
/// file.write_all(b"two\n")?;
/// assert_eq!(std::fs::read_to_string(&path)?, "two\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn reopen() {
    epochs::ask_to_reopen();
}

/// Has every file of the process that has a [`Rotation`](crate::rotation::Rotation) begin a new one, whatever its trigger says;
/// one that has no line yet stays.
///
/// A file does so before its next write, and when it is flushed, as with [`reopen`]. On a signal: `rotate_on_signal` (feature
/// `signals`).
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::rotation::{MIB, Rotation};
/// use tracing_handlers::{process, sink};
///
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("app.log");
/// let mut file = sink::File::open(&path)?.rotation(Rotation::size(10 * MIB));
/// file.write_all(b"one\n")?;
/// process::rotate();
/// file.write_all(b"two\n")?;
/// assert_eq!(std::fs::read_to_string(&path)?, "two\n");
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.log.1"))?, "one\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn rotate() {
    epochs::ask_to_rotate();
}

/// How long the exit of the process may be held up for records to be delivered. The default is 5 seconds.
pub fn set_exit_timeout(timeout: Duration) {
    EXIT_TIMEOUT_MILLIS.store(timeout.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Logs each panic as an ERROR record (target `panic`; fields `location`, `thread`, and `backtrace` where
/// `RUST_BACKTRACE` asks for one), delivers what is pending, and then goes on to the hook that was there before.
///
/// A panic of a handler itself goes to [`selflog`] alone: logged, it would come upon the same handler, and a second panic
/// would abort the process.
///
/// This is also what delivers records under `panic = "abort"`. Call it once, after the subscriber is installed.
///
/// ```
/// use tracing_handlers::{Output, format::Json, process, sink::Memory};
///
/// let memory = Memory::new();
/// tracing_handlers::init(Output::new(Json::new(), memory.clone()))?;
/// process::log_panics();
/// let _ = std::thread::spawn(|| panic!("no more stock")).join();
/// assert!(memory.text().contains(r#""target":"panic","message":"panicked: no more stock","location":""#));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn log_panics() {
    let next = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // A panic inside a handler on this thread may also have interrupted the very lock that a flush wants.
        if !crate::handler::is_delivering() && !crate::rotation::is_keeper() {
            log_panic(panic);
            let _ = flush(exit_timeout());
        }
        next(panic);
    }));
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let message = message.unwrap_or("a value that is not a string");
    let location = panic.location().map(tracing::field::display);
    let thread = std::thread::current();
    let backtrace = std::backtrace::Backtrace::capture();
    let backtrace =
        (backtrace.status() == std::backtrace::BacktraceStatus::Captured).then(|| tracing::field::display(backtrace));
    tracing::error!(target: "panic", location, thread = thread.name(), backtrace, "panicked: {message}");
}

/// The process is ending: whatever comes now is delivered before the call returns.
#[inline]
pub(crate) fn is_exiting() -> bool {
    EXITING.load(Ordering::Relaxed)
}

/// Until when what is logged at exit may hold it up.
#[cold]
pub(crate) fn exit_deadline() -> Instant {
    *EXIT_DEADLINE.get_or_init(|| deadline_in(exit_timeout()))
}

fn exit_timeout() -> Duration {
    Duration::from_millis(EXIT_TIMEOUT_MILLIS.load(Ordering::Relaxed))
}

fn flush_all(deadline: Instant) -> Result<(), Error> {
    let Some(resources) = lock_until(&RESOURCES, deadline).map(|all| living(&all)) else {
        return Err(Error::new(crate::ErrorKind::Timeout, "cannot flush: the list of handlers is locked"));
    };
    let (queues, others): (Vec<_>, Vec<_>) = resources.into_iter().partition(|resource| resource.is_queue());
    let (buffers, outputs): (Vec<_>, Vec<_>) = others.into_iter().partition(|resource| resource.is_buffer());
    // All at once: one that is stuck takes the time of nobody else.
    queues.iter().for_each(|queue| queue.begin_flush(deadline));
    let mut all = Ok(());
    for resource in buffers.iter().chain(&queues).chain(&outputs) {
        if let Err(error) = resource.flush(deadline) {
            all = Err(error);
        }
    }
    all
}

fn living(all: &[Weak<dyn Resource>]) -> Vec<Arc<dyn Resource>> {
    all.iter().filter_map(Weak::upgrade).collect()
}

fn install_hooks() {
    // SAFETY: both take plain function pointers, valid for the life of the process.
    unsafe {
        libc::atexit(at_exit);
        #[cfg(unix)]
        libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
    }
}

/// From now on [`is_exiting`] is true. Until when the end may be held up.
fn begin_exit() -> Instant {
    EXITING.store(true, Ordering::Relaxed);
    exit_deadline()
}

extern "C" fn at_exit() {
    let flushed = std::panic::catch_unwind(|| flush_all(begin_exit()));
    if let Ok(Err(error)) = flushed {
        selflog::tell(&format!("at exit: {error}"));
    }
}

/// All that is locked around a fork, so that the child does not find a lock whose holder it does not have.
struct Frozen {
    held: Vec<Box<dyn Held>>,
    missed: Vec<Arc<dyn Resource>>,
    _resources: Option<MutexGuard<'static, Vec<Weak<dyn Resource>>>>,
    _held_back: crate::handler::HeldBack,
    _callsites: Box<dyn std::any::Any>,
    _selflog: Box<dyn std::any::Any>,
    /// Dropped last: what ends with these may want the locks.
    _living: Vec<Arc<dyn Resource>>,
}

#[cfg(unix)]
extern "C" fn before_fork() {
    let frozen = std::panic::catch_unwind(|| {
        let deadline = Instant::now() + FORK_PATIENCE;
        let resources = lock_until(&RESOURCES, deadline);
        let mut frozen = Frozen {
            held: Vec::new(),
            missed: Vec::new(),
            _held_back: crate::handler::HeldBack::start(),
            _callsites: crate::record::freeze_callsites(deadline),
            _selflog: crate::selflog::freeze(deadline),
            _resources: None,
            _living: Vec::new(),
        };
        // A queue's worker takes an output's lock, never the other way round; both are taken in that order here. What is a
        // buffer takes no lock while it has its own.
        let mut living = resources.as_deref().map_or(Vec::new(), |all| living(all));
        living.sort_by_key(|resource| !resource.is_queue());
        for resource in &living {
            match resource.clone().hold(deadline) {
                Some(held) => frozen.held.push(held),
                None => frozen.missed.push(resource.clone()),
            }
        }
        frozen._living = living;
        frozen._resources = resources;
        frozen
    });
    FROZEN.set(frozen.map_or(std::ptr::null_mut(), |frozen| Box::into_raw(Box::new(frozen))));
}

#[cfg(unix)]
extern "C" fn after_fork_in_parent() {
    drop(take_frozen());
}

#[cfg(unix)]
extern "C" fn after_fork_in_child() {
    let Some(mut frozen) = take_frozen() else { return };
    for held in &mut frozen.held {
        // A sink that panics there has its own to answer for, and a panic beyond this function would abort the child.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| held.forget_pending()));
    }
    for resource in frozen.missed.drain(..) {
        resource.abandon();
        // Dropped, it might wait for a thread or a lock that does not exist here.
        std::mem::forget(resource);
    }
}

fn take_frozen() -> Option<Box<Frozen>> {
    let frozen = FROZEN.replace(std::ptr::null_mut());
    // SAFETY: what is not null comes from `Box::into_raw`, and is taken once.
    (!frozen.is_null()).then(|| unsafe { Box::from_raw(frozen) })
}

thread_local! {
    /// A bare pointer has no destructor, and so is there on a thread that is ending too.
    static FROZEN: Cell<*mut Frozen> = const { Cell::new(std::ptr::null_mut()) };
}

static RESOURCES: Mutex<Vec<Weak<dyn Resource>>> = Mutex::new(Vec::new());
static HOOKS: Once = Once::new();
static EXITING: AtomicBool = AtomicBool::new(false);
static EXIT_DEADLINE: OnceLock<Instant> = OnceLock::new();
static EXIT_TIMEOUT_MILLIS: AtomicU64 = AtomicU64::new(5_000);

/// How long a fork waits for the locks: a sink may be stuck in a system call.
const FORK_PATIENCE: Duration = Duration::from_millis(500);
