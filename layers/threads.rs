//! Starts the threads of this crate.

use std::io;

use crate::sync::{JoinHandle, ThreadBuilder};

/// Starts a thread of this crate. The program's signals are not delivered to it: a program that blocks SIGTERM in all of its threads and
/// waits for it would be killed by a thread that it does not know of.
pub(crate) fn start<T: Send + 'static>(
    name: impl Into<String>,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    start_for(&[], name, run)
}

/// Starts a thread to which `signals` are delivered, and no others.
#[cfg(unix)]
pub(crate) fn start_for<T: Send + 'static>(
    signals: &[i32],
    name: impl Into<String>,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // Inherited by the thread, so that there is no moment at which it has the mask of the caller.
    let _blocked = mask::Blocked::all_but(signals);
    ThreadBuilder::new().name(name.into()).spawn(run)
}

/// Those of `signals` that the current thread does not block.
#[cfg(unix)]
pub(crate) fn unblocked(signals: &[i32]) -> Vec<i32> {
    let mut blocked = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the first call fills `blocked`, for which zeros are valid too; the second one reads it.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), blocked.as_mut_ptr());
        signals.iter().copied().filter(|signal| libc::sigismember(blocked.as_ptr(), *signal) == 0).collect()
    }
}

#[cfg(not(unix))]
pub(crate) fn unblocked(_: &[i32]) -> Vec<i32> {
    Vec::new()
}

#[cfg(not(unix))]
pub(crate) fn start_for<T: Send + 'static>(
    _: &[i32],
    name: impl Into<String>,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    ThreadBuilder::new().name(name.into()).spawn(run)
}

#[cfg(unix)]
mod mask {
    use std::mem::MaybeUninit;
    use std::ptr;

    /// While it lives, the current thread blocks signals.
    pub(super) struct Blocked {
        before: libc::sigset_t,
    }

    impl Blocked {
        /// Blocks all but `signals` and [`OF_THREADS`].
        pub(super) fn all_but(signals: &[i32]) -> Self {
            let (mut blocked, mut before) = (MaybeUninit::uninit(), MaybeUninit::zeroed());
            // SAFETY: the first call initializes `blocked`, and the last one `before`, for which zeros are valid too. These fail
            // only for numbers that are not signals, and then change nothing.
            unsafe {
                libc::sigfillset(blocked.as_mut_ptr());
                for signal in OF_THREADS.iter().chain(signals) {
                    libc::sigdelset(blocked.as_mut_ptr(), *signal);
                }
                libc::pthread_sigmask(libc::SIG_SETMASK, blocked.as_ptr(), before.as_mut_ptr());
                Self { before: before.assume_init() }
            }
        }
    }

    impl Drop for Blocked {
        fn drop(&mut self) {
            // SAFETY: a mask that was in use before.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, ptr::null_mut()) };
        }
    }

    /// Signals that belong to the thread that causes them: faults, which a program may report from a handler, as std does when
    /// a stack overflows, and the ticks of profilers.
    const OF_THREADS: [i32; 8] = [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGSYS,
        libc::SIGABRT,
        libc::SIGPROF,
    ];
}
