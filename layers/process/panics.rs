//! Panics as records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::exit::exit_timeout;
use super::resource::flush_all;
use super::thread;
use crate::sync::{deadline_in, now};

/// Logs each panic as an ERROR record (target `panic`; fields `location`, `thread`, and `backtrace` if `RUST_BACKTRACE` asks for
/// one), delivers what is pending, and then calls the hook that was installed before.
///
/// A panic of a handler itself is reported only to [`selflog`](crate::selflog): if it were logged, it would reach the same handler,
/// and a second panic would abort the process.
///
/// Delivering takes at most the [exit timeout](super::set_exit_timeout). Once that has been exceeded, further panics wait for hardly any
/// time, until everything can be delivered again.
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
        // A panic inside a handler on this thread may have interrupted the very lock that a flush needs.
        if !thread::is_delivering() && !thread::is_keeper() {
            log_panic(panic);
            flush_once_in_vain();
        }
        next(panic);
    }));
}

/// After a flush that took too long, the next ones do not wait for long, until one succeeds: a service that survives its panics must not
/// stop for seconds at each.
fn flush_once_in_vain() {
    let time = if IN_VAIN.load(Ordering::Relaxed) { BRIEF } else { exit_timeout() };
    let deadline = deadline_in(time);
    let flushed = flush_all(deadline);
    IN_VAIN.store(flushed.is_err() && now() >= deadline, Ordering::Relaxed);
}

static IN_VAIN: AtomicBool = AtomicBool::new(false);
const BRIEF: Duration = Duration::from_millis(50);

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
