//! Panics as records.

use super::exit::exit_timeout;
use super::{flush, thread};

/// Logs each panic as an ERROR record (target `panic`; fields `location`, `thread`, and `backtrace` if `RUST_BACKTRACE` asks for
/// one), delivers what is pending, and then calls the hook that was installed before.
///
/// A panic of a handler itself is reported only to [`selflog`](crate::selflog): if it were logged, it would reach the same handler,
/// and a second panic would abort the process.
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
