use std::mem::MaybeUninit;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{io, ptr};

use signal_hook::SigId;
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::{self, emulate_default_handler};

use super::Answer;
use crate::process::exit::{begin_exit, exit_timeout};
use crate::process::resource::flush_each;
use crate::process::{Generation, hold_at_forks, requests};
use crate::sync::{deadline_in, lock};
use crate::{Error, ErrorKind, selflog, threads};

/// Registers `answer` for `signal`.
pub(super) fn watch(signal: i32, answer: Answer) -> Result<(), Error> {
    if !WATCHABLE.contains(&signal) {
        return Err(Error::new(ErrorKind::Config, format!("signal {signal} cannot be watched")));
    }
    let mut table = lock(&TABLE);
    match table.entry(signal) {
        Some(entry) if entry.answer != answer => {
            Err(Error::new(ErrorKind::Config, format!("signal {signal} is already watched for another purpose")))
        }
        Some(_) => table.ensure_ear().map_err(|error| cannot_watch(signal, error)),
        None => table.add(Entry { signal, answer, before: Before::of(signal)? }),
    }
}

fn cannot_watch(signal: i32, error: io::Error) -> Error {
    Error::io(format!("cannot watch signal {signal}"), error)
}

/// The watched signals, and the thread that handles them.
#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    ear: Option<Ear>,
}

#[derive(Clone, Copy)]
struct Entry {
    signal: i32,
    answer: Answer,
    before: Before,
}

/// The signal thread of one process.
struct Ear {
    process: Generation,
    handle: Handle,
}

impl Table {
    fn entry(&self, signal: i32) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.signal == signal).copied()
    }

    fn add(&mut self, entry: Entry) -> Result<(), Error> {
        if entry.answer == Answer::Flush && entry.before == Before::Ignored {
            return Ok(());
        }
        // The thread looks up even the first signal here, because it waits for the lock of this table.
        self.listen(entry).map_err(|error| cannot_watch(entry.signal, error))?;
        self.entries.push(entry);
        Ok(())
    }

    /// Registers the thread and the immediate action. When the signal arrives, they are called in the order of registration.
    fn listen(&mut self, entry: Entry) -> io::Result<()> {
        if entry.answer == Answer::Flush {
            // Otherwise a signal that arrives in between would be lost.
            self.start_ear(Some(entry.signal))?;
            return act_at_once(entry).map(drop);
        }
        // The request is made before the thread flushes.
        let id = act_at_once(entry)?;
        self.start_ear(Some(entry.signal)).inspect_err(|_| {
            low_level::unregister(id);
        })
    }

    /// A forked child inherits an ear without its thread, so it starts a thread of its own, for all signals that its parent watched.
    fn ensure_ear(&mut self) -> io::Result<()> {
        if self.ear.as_ref().is_some_and(|ear| ear.process.is_current()) { Ok(()) } else { self.start_ear(None) }
    }

    /// Starts a thread for the watched signals and `another`. It replaces the one for fewer signals, which blocks the others.
    fn start_ear(&mut self, another: Option<i32>) -> io::Result<()> {
        let watched: Vec<_> = self.entries.iter().map(|entry| entry.signal).chain(another).collect();
        let signals = Signals::new(&watched)?;
        let handle = signals.handle();
        threads::start_for(&watched, "log-signals", move || hear(signals))?;
        let process = Generation::current();
        match self.ear.replace(Ear { process, handle }) {
            // Closed after the new one hears: no signal is lost in between.
            Some(before) if before.process.is_current() => before.handle.close(),
            _ => {
                ENDING.store(false, Ordering::Relaxed);
                OWNER.store(process.0, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// What a signal did before it was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Default,
    Ignored,
    /// It called a handler of the application, which is still called.
    Handled,
}

impl Before {
    fn of(signal: i32) -> Result<Self, Error> {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: no action is set, and `action` has room for the current one.
        let result = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
        if result != 0 {
            return Err(Error::io(format!("cannot inspect signal {signal}"), io::Error::last_os_error()));
        }
        // SAFETY: the call initialized it, and all zeros are valid too.
        Ok(match unsafe { action.assume_init() }.sa_sigaction {
            libc::SIG_DFL => Self::Default,
            libc::SIG_IGN => Self::Ignored,
            _ => Self::Handled,
        })
    }
}

/// Registers what is done inside the signal handler: atomic operations, and the default action.
fn act_at_once(entry: Entry) -> io::Result<SigId> {
    let Entry { signal, answer, before, .. } = entry;
    let act = move || match answer {
        Answer::Reopen => requests::reopen(),
        Answer::Rotate => requests::rotate(),
        Answer::Flush if before == Before::Default => end_where_nobody_hears(signal),
        Answer::Flush => {}
    };
    // SAFETY: `act` allocates nothing, locks nothing and cannot panic; the functions it calls are async-signal-safe.
    unsafe { low_level::register(signal, act) }
}

/// Ends the process at once in a forked child without a signal thread, and at a second signal while records are being delivered.
fn end_where_nobody_hears(signal: i32) {
    if !Generation(OWNER.load(Ordering::Relaxed)).is_current() || ENDING.swap(true, Ordering::Relaxed) {
        let _ = emulate_default_handler(signal);
    }
}

/// The thread's main loop. It is never held up by a handler that hangs.
fn hear(mut signals: Signals) {
    let flusher = Arc::new(Flusher::default());
    for signal in signals.forever() {
        let entry = lock(&TABLE).entry(signal);
        match entry {
            Some(Entry { answer: Answer::Flush, before: Before::Default, .. }) => flush_and_end(signal),
            Some(_) => flusher.flush_soon(signal),
            None => {}
        }
    }
}

fn flush_and_end(signal: i32) {
    let deadline = begin_exit();
    let (sender, receiver) = mpsc::channel();
    // On a separate thread: a sink may hang in a system call and miss the deadline.
    let flush = move || {
        flush_and_tell(signal, deadline);
        let _ = sender.send(());
    };
    match threads::start("log-flush", flush) {
        Ok(_) => drop(receiver.recv_timeout((deadline + LAST_WORDS).saturating_duration_since(Instant::now()))),
        Err(_) => flush_and_tell(signal, deadline),
    }
    let _ = emulate_default_handler(signal);
}

fn flush_and_tell(signal: i32, deadline: Instant) {
    let _ = catch_unwind(|| {
        flush_each(deadline, |error| {
            selflog::tell(&format!("cannot flush everything on signal {signal}: {error:#}"));
        });
    });
}

/// Flushes on a thread started for it: one flush at a time, with at most one more waiting.
#[derive(Default)]
struct Flusher {
    wanted: AtomicBool,
    busy: Mutex<()>,
}

impl Flusher {
    fn flush_soon(self: &Arc<Self>, signal: i32) {
        if self.wanted.swap(true, Ordering::SeqCst) {
            return;
        }
        let this = self.clone();
        let flush = move || {
            let _one_at_a_time = lock(&this.busy);
            // Reset before the flush: a request during it may come too late for a file that was already flushed.
            this.wanted.store(false, Ordering::SeqCst);
            flush_and_tell(signal, deadline_in(exit_timeout()));
        };
        if threads::start("log-flush", flush).is_err() {
            // Nothing is lost: pending records are delivered as they would be without the signal.
            self.wanted.store(false, Ordering::SeqCst);
        }
    }
}

/// Time for a flush that exceeded its deadline to report that.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Held around forks, so that a child finds it free.
static TABLE: LazyLock<Arc<Mutex<Table>>> = LazyLock::new(|| {
    let table = Arc::default();
    hold_at_forks(&table);
    table
});

/// The [`Generation`] of the process whose thread receives the signals.
static OWNER: AtomicU64 = AtomicU64::new(0);
/// Whether a signal that ends the process has arrived.
static ENDING: AtomicBool = AtomicBool::new(false);

pub(super) const HANGUP: i32 = libc::SIGHUP;

/// Signals that end a process by default and do not indicate a fault.
const WATCHABLE: &[i32] =
    &[libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2, libc::SIGALRM];
