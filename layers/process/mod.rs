//! What happens at the ends of a process: exit, panic, fork.
//!
//! Nothing has to be kept or called for this: the first output that is created, or queue that is used, registers with the C library,
//! so that records are delivered after a return from `main`, after `std::process::exit` and after a panic, without a guard.
//! [`log_panics`] adds `panic = "abort"`, and a record of each panic.
//!
//! | end | delivered |
//! |---|---|
//! | return from `main`, `std::process::exit`, panic of the main thread | all accepted records, within the [exit timeout](set_exit_timeout) |
//! | `panic = "abort"` | the same, with [`log_panics`] |
//! | a forked child | what it logs itself; what it inherited belongs to its parent and is dropped |
//! | SIGTERM, SIGINT | all accepted records, within the exit timeout, with `flush_on_termination` (feature `signals`); without it as SIGKILL |
//! | SIGXFSZ, of a file that may not grow | the process does not end, since it [ignores](ignore_file_size_signal) this signal; the lines are refused or held |
//! | `process::abort`, `exec`, `_exit`, SIGKILL, SIGSEGV | what the sinks had written; call [`flush`] first where you can |
//!
//! Handlers are flushed in the order in which records pass through them: sources of records, then buffers, then queues, which all
//! work at the same time, then outputs.
//!
//! # Daemons
//!
//! A program that becomes a daemon forks, and its parent ends by `_exit`: [`daemon(3)`](https://man7.org/linux/man-pages/man3/daemon.3.html)
//! does so. What lay in queues and buffers at the fork belongs to the parent, which does not deliver it any more. Therefore call
//! [`flush`] before the fork, or make the handlers after it:
//!
//! ```
//! use std::time::Duration;
//! use tracing_handlers::process;
//!
//! process::flush(Duration::from_secs(5))?;
//! // And now `daemon`.
//! # Ok::<(), tracing_handlers::Error>(())
//! ```
//!
//! A child that logs after its parent has ended reports to [`selflog`](crate::selflog) how many records lay in each of its queues.
//!
//! # Files in forked children
//!
//! A child writes to the file that its parent had open, each line by one `write(2)` at the end of the file, so that whole lines
//! of both stand beside each other. What was buffered at the fork is written by the parent alone. The processes do not know of each
//! other, though: each rotates the file by what it knows of it. After one has rotated it, the other continues in the old file until
//! it looks again ([`watch`](crate::sink::FileOptions::watch)), so that files may become longer or shorter than they should be. No
//! line is lost by that, unless both rotate the file at the same moment: then one may remove what the other has just renamed.
//! Therefore either make the file [`shared`](crate::sink::FileOptions::shared), or give only one process a
//! [`Rotation`](crate::rotation::Rotation), or have a program from outside rotate it and ask each process to [`reopen`].
//!
//! # Threads
//!
//! Threads of this crate have names that begin with `log-` and fit into the 15 bytes that Linux shows, in `top -H` or a debugger
//! for example:
//!
//! | thread | what it does | exists |
//! |---|---|---|
//! | `log-NAME`, by default `log-queue` | delivers the records of the [`Queue`](crate::Queue) called `NAME` | from the queue's first record until the queue is dropped |
//! | `log-files` | compresses and removes the old files of all [rotations](crate::rotation::Rotation) | while there is such work, and a little longer |
//! | `log-sync` | syncs a file with [`Durability::Grouped`](crate::sink::Durability::Grouped) | from the file's first record until the file is closed |
//! | `log-timer` | writes or releases what a buffer holds when its time limit is reached, and completes flushes that are too late | from the first record in such a buffer, or the first `flush_async`, on; it sleeps while there is none |
//! | `log-signals` | waits for signals (feature `signals`) | from the first call of `flush_on_termination` and the like on |
//! | `log-flush` | flushes everything on a signal | until the flush is done |
//! | `log-flush-async` | flushes the handlers of a layer for [`Handle::flush_async`](crate::Handle::flush_async) | while a future waits for it |
//! | `log-stdout`, `log-stderr` | writes to a terminal, or to a full pipe where the system cannot do so without waiting | from the first such write of a [`Console`](crate::sink::Console) or of [`selflog`](crate::selflog) until that is dropped |
//! | `log-level` | restores a [level](crate::filter::LevelSwitch) that was set for a limited time | until the time has passed |
//! | `log-lines` | reads the output of a child process ([`receive::spawn`](crate::receive::spawn)), two for each | until the output ends |
//! | `log-contract` | runs a check of [`testing`](crate::testing) | until the check is done |
//!
//! They block all signals but those of faults and of profilers. `log-signals` also leaves those unblocked that it waits for, and
//! `log-stdout` and `log-stderr` those that a write causes (SIGPIPE, SIGTTOU), if the thread that started them did not block them: a
//! program that blocks a signal and waits for it with `sigwait` is not disturbed by them.

mod exit;
mod file_size;
#[cfg_attr(not(unix), expect(dead_code, reason = "only Unix forks"))]
mod fork;
mod fork_count;
mod generation;
mod hooks;
mod lifecycle;
#[cfg_attr(any(not(target_os = "linux"), miri), path = "mark_by_id.rs")]
mod mark;
mod panics;
#[cfg_attr(not(unix), expect(dead_code, reason = "only Unix forks"))]
mod parent;
mod registration;
pub(crate) mod requests;
mod resource;
#[cfg(feature = "signals")]
mod signals;
pub(crate) mod thread;
mod timer;

pub use exit::set_exit_timeout;
pub use file_size::ignore_file_size_signal;
pub use panics::log_panics;
#[cfg(feature = "signals")]
pub use signals::{flush_on_signal, flush_on_termination, reopen_on_hangup, reopen_on_signal, rotate_on_signal};

pub(crate) use exit::{exit_deadline, is_exiting};
pub(crate) use file_size::ignore_file_size_signal_once;
pub(crate) use fork_count::current as forks;
pub(crate) use generation::Generation;
pub(crate) use lifecycle::{Lifecycle, Live, Shelf};
pub(crate) use parent::Parent;
pub(crate) use registration::{NotInherited, hold_at_forks, register_once};
pub(crate) use resource::{Held, Phase, Resource};
pub(crate) use timer::{Alarm, Due};

use std::time::Duration;

use crate::Error;
use crate::sync::deadline_in;

/// Delivers what all handlers of the process hold, and returns within `timeout`.
///
/// For ends of the process that [no hook](self) detects: call it before `exec`, `abort` or `_exit`.
///
/// # Errors
///
/// The last error, and [`Timeout`](crate::ErrorKind::Timeout) if the time was too short.
pub fn flush(timeout: Duration) -> Result<(), Error> {
    resource::flush_all(deadline_in(timeout))
}

/// Asks every [`sink::File`](crate::sink::File) of the process to open its path again, as a log rotator requires after it has moved
/// the files away.
///
/// A file does so before its next write, and when it is flushed: calling [`flush`] after this makes it happen at once for files
/// that are not being written to. A file that cannot be opened again (a pipe) stays as it is. On a signal:
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
    requests::reopen();
}

/// Asks every file of the process that has a [`Rotation`](crate::rotation::Rotation) to begin a new one, whatever its trigger says;
/// an empty file stays.
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
    requests::rotate();
}
