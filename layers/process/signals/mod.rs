//! Reactions to signals: deliver and end, reopen files, rotate files.
//!
//! The work is done by a thread (`log-signals`, started by the first call), never inside the signal handler. It waits
//! in `read(2)` and does not wake up until a signal arrives.

#[cfg(not(unix))]
mod nowhere;
#[cfg(unix)]
mod watch;

#[cfg(not(unix))]
use nowhere::{HANGUP, watch};
#[cfg(unix)]
use watch::{HANGUP, watch};

use crate::Error;

/// Delivers what is pending on SIGTERM or SIGINT, and then lets the process die of that signal: [`flush_on_signal`] for the two
/// signals that service managers, containers and Ctrl-C send.
///
/// ```
/// use tracing_handlers::{Output, Queue, format::Json, process, sink::Memory};
///
/// tracing_handlers::init(Queue::new(Output::new(Json::new(), Memory::new())))?;
/// process::flush_on_termination()?;
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// As those of [`flush_on_signal`].
pub fn flush_on_termination() -> Result<(), Error> {
    flush_on_signal(libc::SIGTERM)?;
    flush_on_signal(libc::SIGINT)
}

/// Delivers what is pending when `signal` arrives, within the [exit timeout](super::set_exit_timeout), and then lets the signal
/// take its previous effect.
///
/// | what the signal did before this call | when it arrives |
/// |---|---|
/// | ended the process (the default) | records are delivered, then the process dies of that signal, as a shell or a service manager can see. Records logged meanwhile are delivered before the log call returns |
/// | ended the process, and it or another such signal arrives while records are being delivered | the process dies at once |
/// | was ignored (`nohup`, `&` in a script) | it is still ignored |
/// | called a handler of the application | the handler runs at once, as before; records are delivered, and the process continues, since ending it is up to the handler |
///
/// So install the application's handlers first and make this call after that. A handler installed later *instead* of this one (by
/// `sigaction`, or the `ctrlc` crate) replaces it. One installed later *beside* it (by `signal-hook`, `tokio::signal`) runs, but
/// the process dies when the records are delivered.
///
/// Signals that can be watched are SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 and SIGALRM. Calling this again for the same
/// signal has no effect.
///
/// **A forked child** has no such thread: these signals end it at once, as by default, without delivering anything. To deliver
/// records there too, call this again in the child. A handler of the application runs there as in the parent.
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
/// [`Config`](crate::ErrorKind::Config) if the signal cannot be watched, or is already watched for another purpose
/// ([`reopen_on_signal`], [`rotate_on_signal`]), and on systems other than Unix; [`Io`](crate::ErrorKind::Io) if the thread or a
/// file descriptor cannot be created.
pub fn flush_on_signal(signal: i32) -> Result<(), Error> {
    watch(signal, Answer::Flush)
}

/// Reopens every [`sink::File`](crate::sink::File) on SIGHUP: [`reopen_on_signal`] for the signal that logrotate's `postrotate`
/// scripts send.
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

/// Reopens every [`sink::File`](crate::sink::File) when `signal` arrives, as [`reopen`](super::reopen) does, and then flushes all
/// handlers, so that files that are not being written to are reopened too.
///
/// The signal no longer ends the process, and is answered even if it was ignored before; a handler of the application runs as
/// before. In a forked child the files are reopened as well, each at its next write or flush.
///
/// # Errors
///
/// As those of [`flush_on_signal`].
pub fn reopen_on_signal(signal: i32) -> Result<(), Error> {
    watch(signal, Answer::Reopen)
}

/// Rotates every file that has a rotation when `signal` arrives, as [`rotate`](super::rotate) does, and then flushes all handlers,
/// so that files that are not being written to are rotated too. Otherwise like [`reopen_on_signal`].
///
/// ```
/// use tracing_handlers::process;
///
/// process::rotate_on_signal(libc::SIGUSR1)?;
/// let error = process::reopen_on_signal(libc::SIGUSR1).unwrap_err();
/// assert!(error.to_string().ends_with("is already watched for another purpose"));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// As those of [`flush_on_signal`].
pub fn rotate_on_signal(signal: i32) -> Result<(), Error> {
    watch(signal, Answer::Rotate)
}

/// The reaction to a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Flush,
    Reopen,
    Rotate,
}
