//! SIGXFSZ, which by default kills a process that writes to a file of the maximum size.

use crate::sync::{Mutex, lock};

/// Whether the process ignores SIGXFSZ once it has a [`sink::File`](crate::sink::File) or a [`sink::Console`](crate::sink::Console).
/// Default: yes.
///
/// If a file may not become larger (`ulimit -f`, `RLIMIT_FSIZE`), the kernel sends this signal to the process that writes to it. By
/// default it kills the process, together with the buffered lines of all other files. If it is ignored, only the write fails, with
/// `EFBIG`, and lines are refused or [held](crate::sink::FileOptions::hold) as on a full disk. Python ignores this signal too, from
/// its start. Programs that the process starts inherit that it is ignored.
///
/// Only the default action is replaced, never a handler of the application. With `false`, the default action stays, or is restored
/// if this crate had replaced it. No effect on systems other than Unix.
///
/// ```
/// use tracing_handlers::process;
///
/// process::ignore_file_size_signal(false);
/// ```
pub fn ignore_file_size_signal(ignore: bool) {
    let mut choice = lock(&CHOICE);
    match (ignore, *choice) {
        (true, Choice::Default) => *choice = Choice::Undecided,
        (false, before) => {
            *choice = Choice::Default;
            if before == Choice::Ignored {
                signal::replace(signal::IGNORED, signal::DEFAULT);
            }
        }
        (true, _) => {}
    }
}

/// Called before a file is written to for the first time.
pub(crate) fn ignore_file_size_signal_once() {
    let mut choice = lock(&CHOICE);
    if *choice == Choice::Undecided {
        let replaced = signal::replace(signal::DEFAULT, signal::IGNORED);
        *choice = if replaced { Choice::Ignored } else { Choice::Unneeded };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// The signal is looked at when the first file is opened.
    Undecided,
    /// This crate has replaced the default action.
    Ignored,
    /// It was ignored or handled already.
    Unneeded,
    /// The application keeps the default action.
    Default,
}

static CHOICE: Mutex<Choice> = Mutex::new(Choice::Undecided);

#[cfg(unix)]
mod signal {
    use std::mem::MaybeUninit;

    pub(super) const DEFAULT: libc::sighandler_t = libc::SIG_DFL;
    pub(super) const IGNORED: libc::sighandler_t = libc::SIG_IGN;

    /// Sets the action of SIGXFSZ to `to`, if it is `from`.
    pub(super) fn replace(from: libc::sighandler_t, to: libc::sighandler_t) -> bool {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: no action is set, `action` has room for the current one, and zeros are valid too.
        let current = unsafe {
            libc::sigaction(libc::SIGXFSZ, std::ptr::null(), action.as_mut_ptr());
            action.assume_init().sa_sigaction
        };
        // SAFETY: neither action calls a function.
        current == from && unsafe { libc::signal(libc::SIGXFSZ, to) } != libc::SIG_ERR
    }
}

#[cfg(not(unix))]
mod signal {
    pub(super) const DEFAULT: () = ();
    pub(super) const IGNORED: () = ();

    pub(super) fn replace((): (), (): ()) -> bool {
        false
    }
}
