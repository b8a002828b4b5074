use super::{fork_count, hooks, mark};

/// A process, distinguished from those it was forked from: by the number of forks before it and, since `clone(2)` and `_Fork` call no
/// fork handlers, by a number that the kernel clears in each child. The process id would not do: in another PID namespace a
/// child may have that of its parent.
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
        Self(fork_count::current() << 32 | u64::from(mark::current()))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// `clone(2)` calls no fork handlers.
    fn in_a_bare_child(work: impl FnOnce() -> bool) -> bool {
        // SAFETY: as `fork(2)`; the child only reads atomics and ends.
        let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } as libc::pid_t;
        if child == 0 {
            // SAFETY: it ends the child without running anything of the parent's.
            unsafe { libc::_exit(i32::from(work())) };
        }
        let mut status = 0;
        // SAFETY: waits for the child made above, and writes to a local.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        status != 0
    }

    #[test]
    fn a_child_is_another_process_even_if_no_fork_handler_ran() {
        let parent = Generation::current();
        assert!(parent.is_current());
        assert!(!in_a_bare_child(|| parent.is_current()), "the child takes itself for its parent");
        assert!(parent.is_current());
    }

    #[test]
    fn a_child_and_its_own_child_are_distinguished_without_their_ids() {
        let parent = Generation::current();
        assert!(!in_a_bare_child(|| {
            let child = Generation::now();
            let (low, high) = (child.0 as u32, (child.0 >> 32) as u32);
            // The ids are not part of it, so that it does not matter if they are equal.
            let has_id = [low, high].contains(&std::process::id());
            child == parent || has_id || in_a_bare_child(|| child.is_current() || parent.is_current())
        }));
    }
}
