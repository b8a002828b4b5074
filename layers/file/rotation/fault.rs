//! Points at which tests can kill the process, to check what a crash leaves behind.
//!
//! They exist only in the unit tests and in builds with `--cfg tracing_handlers_faults`, such as that of `tests/soak/run`: in
//! a program nothing may be killed by a variable of its environment. There, with `TRACING_HANDLERS_KILL_AT=NAME` or `NAME:N` in
//! its environment, a process kills itself by SIGKILL the first (or the Nth) time it reaches the point of that name.
//!
//! | point | the last step |
//! |---|---|
//! | `packing` | the temporary file for the compressed archive was created |
//! | `packed` | the compressed archive is complete and on the disk, under its temporary name |
//! | `renamed` | it has its final name; the uncompressed archive still exists |
//! | `synced` | the directory was synced |
//! | `removed` | the uncompressed archive was removed |
//! | `copied` | the copy of a file that is rotated by copying is complete and on the disk, under its temporary name |
//! | `copy renamed` | it has its final name; the file was not emptied yet |

#[cfg(all(unix, any(test, tracing_handlers_faults)))]
pub(crate) use armed::point;

#[cfg(not(all(unix, any(test, tracing_handlers_faults))))]
#[inline(always)]
pub(crate) fn point(_: &str) {}

#[cfg(all(unix, any(test, tracing_handlers_faults)))]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    pub(crate) fn point(name: &str) {
        let Some((wanted, count)) = WANTED.get_or_init(wanted) else { return };
        if wanted == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *count {
            // SAFETY: takes no pointers, and does not return.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        }
    }

    fn wanted() -> Option<(String, u64)> {
        let value = std::env::var("TRACING_HANDLERS_KILL_AT").ok()?;
        let (name, count) = value.split_once(':').unwrap_or((&value, "1"));
        Some((name.to_owned(), count.parse().ok()?))
    }

    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
}
