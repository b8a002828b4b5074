//! The crate's own troubles: told in one place, once per change of state, never through tracing.

use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::Error;
use crate::sync::lock;

type Tell = dyn Fn(&str) + Send + Sync;

static TELL: Mutex<Option<Arc<Tell>>> = Mutex::new(None);

/// Hands every message to `tell` from now on, instead of writing it to standard error.
///
/// A message is one line without its end: `file logs/app.jsonl: cannot write: No space left on device (os error 28)`.
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

/// Messages go to standard error again.
pub fn reset() {
    *lock(&TELL) = None;
}

/// Tells of a trouble: for handlers, formats and sinks, this crate's and others'.
pub fn tell(message: &str) {
    let tell = lock(&TELL).clone();
    match tell {
        // Not under the lock: the closure may call `set`. A closure that panics is no reason to stop.
        Some(tell) => drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tell(message)))),
        None => to_stderr(message),
    }
}

/// Past `std::io::Stderr`, whose lock the application may hold, and without a panic where standard error is closed.
#[cfg(unix)]
fn to_stderr(message: &str) {
    use std::os::fd::FromRawFd;

    let line = format!("tracing-handlers: {message}\n");
    // SAFETY: descriptor 2 is standard error for the life of the process, and ManuallyDrop keeps it open.
    let mut stderr = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(2) });
    let _ = stderr.write_all(line.as_bytes());
}

#[cfg(not(unix))]
fn to_stderr(message: &str) {
    let line = format!("tracing-handlers: {message}\n");
    let mut stderr = ManuallyDrop::new(std::io::stderr());
    let _ = stderr.write_all(line.as_bytes());
}

/// Remembers whether something works, so that only the changes are told.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// The last that was told is a failure.
    told_failing: bool,
    /// Records since it was last told that it works.
    failed: u64,
    told: Option<Instant>,
}

impl Health {
    /// `records` could not be delivered.
    pub(crate) fn failed(&mut self, name: &str, error: &Error, records: usize) {
        self.failed += records as u64;
        if self.is_news(true) {
            tell(&format!("{name}: {error}"));
        }
    }

    /// It works. Costs one comparison where it worked before.
    #[inline]
    pub(crate) fn works(&mut self, name: &str) {
        if self.told_failing {
            self.recovered(name);
        }
    }

    #[cold]
    fn recovered(&mut self, name: &str) {
        if self.is_news(false) {
            tell(&format!("{name}: works again; {} records failed", std::mem::take(&mut self.failed)));
        }
    }

    /// Whether it must be told that it fails, or that it does not any more; then that counts as told.
    #[inline]
    pub(crate) fn is_news(&mut self, failing: bool) -> bool {
        let news = self.told_failing != failing && self.may_tell();
        if news {
            self.told_failing = failing;
        }
        news
    }

    /// What fails every other time is not told every time; the state that lasts is told when the time is up.
    fn may_tell(&mut self) -> bool {
        let now = Instant::now();
        let may = self.told.is_none_or(|told| now.duration_since(told) >= QUIET);
        if may {
            self.told = Some(now);
        }
        may
    }
}

/// Keeps selflog whole while the process forks.
pub(crate) fn freeze(deadline: Instant) -> Box<dyn std::any::Any> {
    Box::new(crate::sync::lock_until(&TELL, deadline))
}

const QUIET: Duration = Duration::from_secs(1);
