//! What a process does on a signal: deliver and end, have its files opened anew, have them turned.
//!
//! The work is done by a thread (`tracing-handlers-signals`, made by the first call), never inside the signal's handler. It
//! waits in `read(2)` and does not wake up until a signal comes.

#[cfg(not(unix))]
mod nowhere;
#[cfg(unix)]
mod watch;

#[cfg(not(unix))]
use nowhere::{HANGUP, watch};
#[cfg(unix)]
use watch::{HANGUP, watch};

use crate::Error;

/// Delivers what is pending when SIGTERM or SIGINT comes, and then lets the process die of that signal: [`flush_on_signal`]
/// for these two, which is what service managers, containers and Ctrl-C send.
///
/// ```
/// use tracing_handlers::{Output, Queue, format::Json, process, sink::Memory};
///
/// tracing_handlers::init(Queue::new(Output::new(Json::new(), Memory::new())))?;
/// process::flush_on_signals()?;
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// As those of [`flush_on_signal`].
pub fn flush_on_signals() -> Result<(), Error> {
    flush_on_signal(libc::SIGTERM)?;
    flush_on_signal(libc::SIGINT)
}

/// Delivers what is pending when `signal` comes, within the [exit timeout](super::set_exit_timeout), and then lets the signal do
/// what it would have done.
///
/// | what the signal did before this call | when it comes |
/// |---|---|
/// | ended the process (the default) | records are delivered, then the process dies of that signal: a shell, a service manager sees so. What is logged meanwhile is delivered before the call returns |
/// | ended the process, and it comes again, or another one like it, while records are being delivered | it dies at once |
/// | was ignored (`nohup`, `&` in a script) | it is ignored still |
/// | had a handler of the application's | that runs at once, as before; records are delivered, and the process goes on, for its end is the handler's business |
///
/// So handlers of the application come first, this call after them. One that is installed later *instead* of this one (by
/// `sigaction`, or the `ctrlc` crate) has the signal for itself alone. One that is installed later *beside* it (by
/// `signal-hook`, `tokio::signal`) runs, but the process dies when the records are delivered.
///
/// Signals that can be watched are SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 and SIGALRM. Called again for the same signal
/// it does nothing.
///
/// **A forked child** has no such thread: of these signals it dies at once, as by default, without delivering anything; where
/// it is to deliver, it calls this again. A handler of the application's runs there as in the parent.
///
/// ```
/// use tracing_handlers::process;
///
/// process::flush_on_signal(libc::SIGQUIT)?;
/// let error = process::flush_on_signal(libc::SIGKILL).unwrap_err();
/// assert_eq!(error.to_string(), "signal 9 cannot be watched");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// [`Config`](crate::ErrorKind::Config) for a signal that cannot be watched, that has another meaning already
/// ([`reopen_on_signal`], [`rotate_on_signal`]), and off unix; [`Io`](crate::ErrorKind::Io) where there is no thread or no
/// descriptor to be had.
pub fn flush_on_signal(signal: i32) -> Result<(), Error> {
    watch(signal, Answer::Flush)
}

/// Has every [`sink::File`](crate::sink::File) open its path anew when SIGHUP comes: [`reopen_on_signal`] for the signal that
/// logrotate's `postrotate` scripts send.
///
/// ```
/// use tracing_handlers::process;
///
/// process::reopen_on_hangup()?;
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// As those of [`reopen_on_signal`].
pub fn reopen_on_hangup() -> Result<(), Error> {
    reopen_on_signal(HANGUP)
}

/// Has every [`sink::File`](crate::sink::File) open its path anew when `signal` comes, as [`reopen`](super::reopen) does, and
/// then flushes all handlers, so that files which nobody writes to are opened anew too.
///
/// The signal does not end the process any more, also where it was ignored before; a handler of the application's runs as
/// before. In a forked child the files are opened anew as well, each at its next write or flush.
///
/// # Errors
///
/// As those of [`flush_on_signal`].
pub fn reopen_on_signal(signal: i32) -> Result<(), Error> {
    watch(signal, Answer::Reopen)
}

/// Has every rotating file begin a new one when `signal` comes, as [`rotate`](super::rotate) does, and then flushes all
/// handlers, so that files which nobody writes to turn too. Otherwise as [`reopen_on_signal`].
///
/// ```
/// use tracing_handlers::process;
///
/// process::rotate_on_signal(libc::SIGUSR1)?;
/// let error = process::reopen_on_signal(libc::SIGUSR1).unwrap_err();
/// assert!(error.to_string().ends_with("has another meaning already"));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// As those of [`flush_on_signal`].
pub fn rotate_on_signal(signal: i32) -> Result<(), Error> {
    watch(signal, Answer::Rotate)
}

/// What is done when a signal comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Flush,
    Reopen,
    Rotate,
}
