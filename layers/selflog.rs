//! Reports of the crate's own failures, once per change of state and never through tracing.
//!
//! By default they are written to standard error; [`set`] redirects them. If standard error is not read from, a message waits for
//! 100 ms, further ones not at all, and the next one that is written says how many are missing.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::Error;
use crate::bytes::one_line::escaped;
use crate::stream::{Outlet, Stream};
use crate::sync::{lock, lock_until, now, try_lock};

type Tell = dyn Fn(&str) + Send + Sync;

static TELL: Mutex<Option<Arc<Tell>>> = Mutex::new(None);

/// Passes every message from now on to `tell`, instead of writing it to standard error.
///
/// A message is one line without a line feed: `file logs/app.jsonl: cannot write: No space left on device (os error 28)`. Control
/// characters in it, line breaks, and characters that change the direction of text are escaped: `\n`, `\u{1b}`.
/// `tell` may be called from any thread, and must not log through tracing.
///
/// ```
/// use std::sync::mpsc;
///
/// let (sender, receiver) = mpsc::channel();
/// tracing_handlers::selflog::set(move |message| {
///     let _ = sender.send(message.to_owned());
/// });
/// tracing_handlers::selflog::tell("trouble");
/// assert_eq!(receiver.recv().unwrap(), "trouble");
/// # tracing_handlers::selflog::reset();
/// ```
pub fn set(tell: impl Fn(&str) + Send + Sync + 'static) {
    *lock(&TELL) = Some(Arc::new(tell));
}

/// Writes messages to standard error again.
pub fn reset() {
    *lock(&TELL) = None;
}

/// Reports a failure. For handlers, formats and sinks, of this crate and of others.
///
/// Control characters, line breaks, and characters that change the direction of text are escaped, so that a name or an error from
/// elsewhere forges neither a second line nor a terminal's commands.
pub fn tell(message: &str) {
    let message = &*escaped(message);
    let tell = lock(&TELL).clone();
    match tell {
        // Not under the lock: the closure may call `set`. A panic of the closure is ignored.
        Some(tell) => drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tell(message)))),
        None => to_stderr(message),
    }
}

/// Bypasses `std::io::Stderr`, whose lock the application may hold, does not panic if standard error is closed, and does not wait for
/// long if it is not read from: the caller may be a thread that logs. What cannot be written is counted.
fn to_stderr(message: &str) {
    let Some(mut stderr) = lock_until(&STDERR, now() + PATIENCE) else {
        UNWRITTEN.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let unwritten = UNWRITTEN.swap(0, Ordering::Relaxed);
    let mut line = match unwritten {
        0 => String::new(),
        1 => "tracing-handlers: 1 message could not be written here\n".to_owned(),
        _ => format!("tracing-handlers: {unwritten} messages could not be written here\n"),
    };
    line.push_str("tracing-handlers: ");
    line.push_str(message);
    line.push('\n');
    // Its message was counted as written.
    let _ = stderr.take_error();
    let written = stderr.attempt(false).and_then(|mut attempt| attempt.write_all(line.as_bytes()));
    if written.is_err() {
        UNWRITTEN.fetch_add(unwritten + 1, Ordering::Relaxed);
    }
}

static STDERR: Mutex<Outlet> = Mutex::new(Outlet::new(Stream::Err, PATIENCE));
/// Messages that could not be written to standard error.
static UNWRITTEN: AtomicU64 = AtomicU64::new(0);
/// How long a message waits for the reader of standard error.
const PATIENCE: Duration = Duration::from_millis(100);

/// The thread that writes to a terminal does not exist in a forked child.
pub(crate) fn after_fork_in_child() {
    if let Some(mut stderr) = try_lock(&STDERR) {
        stderr.forget_helper();
    }
}

/// Tracks whether something works, so that only changes are reported. Lock-free, so that a fork cannot find it locked and the
/// closure that receives a report may re-enter it.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// The last message reported a failure.
    told_failing: AtomicBool,
    /// Records that failed since the last message about recovery.
    failed: AtomicU64,
    /// When the last message was sent, by [`nanos_of_process`]; 0 means never.
    told: AtomicU64,
}

impl Health {
    /// Called when `records` records could not be delivered.
    pub(crate) fn failed(&self, name: &str, error: &Error, records: usize) {
        self.failed.fetch_add(records as u64, Ordering::Relaxed);
        if self.is_news(true) {
            tell(&format!("{name}: {error:#}"));
        }
    }

    /// Called when `records` records were lost, and that is to be reported with the recovery.
    pub(crate) fn count(&self, records: u64) {
        self.failed.fetch_add(records, Ordering::Relaxed);
    }

    /// Returns how many records have failed since the last message about recovery, once.
    pub(crate) fn take_failed(&self) -> u64 {
        self.failed.swap(0, Ordering::Relaxed)
    }

    /// Whether a failure was reported, or records failed, and the end of that was not reported yet.
    #[inline]
    pub(crate) fn has_failures(&self) -> bool {
        self.told_failing.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed) > 0
    }

    /// Returns how many records have failed, if it is time to report the end of the failures; it then counts as reported.
    pub(crate) fn end_of_failures(&self) -> Option<u64> {
        (self.has_failures() && self.may_tell()).then(|| {
            self.told_failing.store(false, Ordering::Relaxed);
            self.take_failed()
        })
    }

    /// Called in a forked child: what has failed is the parent's to report.
    pub(crate) fn forget(&self) {
        self.take_failed();
        self.told_failing.store(false, Ordering::Relaxed);
    }

    /// Called on success. Costs one load if the previous call succeeded too.
    #[inline]
    pub(crate) fn works(&self, name: &str) {
        if self.told_failing.load(Ordering::Relaxed) {
            self.recovered(name);
        }
    }

    #[cold]
    fn recovered(&self, name: &str) {
        if self.is_news(false) {
            tell(&format!("{name}: works again; {} records failed", self.take_failed()));
        }
    }

    /// Whether the caller has to report this state; if so, the state counts as reported.
    #[inline]
    pub(crate) fn is_news(&self, failing: bool) -> bool {
        let news = self.told_failing.load(Ordering::Relaxed) != failing && self.may_tell();
        if news {
            self.told_failing.store(failing, Ordering::Relaxed);
        }
        news
    }

    /// Limits the rate: something that fails every other time is not reported every time, and a lasting state is reported when the
    /// interval is over. Of several threads only one may report.
    fn may_tell(&self) -> bool {
        let (now, told) = (nanos_of_process(), self.told.load(Ordering::Relaxed));
        (told == 0 || now.saturating_sub(told) >= QUIET.as_nanos() as u64)
            && self.told.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Nanoseconds since the first call, starting at 1.
fn nanos_of_process() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}

/// Locks selflog while the process forks.
pub(crate) fn freeze(deadline: Instant) -> Box<dyn std::any::Any> {
    Box::new((lock_until(&TELL, deadline), lock_until(&STDERR, deadline)))
}

const QUIET: Duration = Duration::from_secs(1);
