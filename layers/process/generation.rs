use super::{fork_count, hooks};

/// A process, told from those it was forked from: by the number of forks before it, since PID namespaces give the same process id to
/// parent and child, and by the process id, since `clone(2)` and `_Fork` call no fork handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(pub(in crate::process) u64);

impl Generation {
    /// This process.
    pub(crate) fn current() -> Self {
        hooks::install();
        Self::now()
    }

    /// Whether it is this process. A signal handler may ask.
    #[inline]
    pub(crate) fn is_current(self) -> bool {
        self == Self::now()
    }

    fn now() -> Self {
        Self(fork_count::current() << 32 | u64::from(std::process::id()))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// `clone(2)` calls no fork handlers.
    #[test]
    fn a_child_is_another_process_even_if_no_fork_handler_ran() {
        let parent = Generation::current();
        assert!(parent.is_current());
        // SAFETY: as `fork(2)`; the child only reads an atomic, asks for its process id and ends.
        let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } as libc::pid_t;
        if child == 0 {
            // SAFETY: it ends the child without running anything of the parent's.
            unsafe { libc::_exit(i32::from(parent.is_current())) };
        }
        let mut status = 0;
        // SAFETY: waits for the child made above, and writes to a local.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0, "the child takes itself for its parent");
    }
}
