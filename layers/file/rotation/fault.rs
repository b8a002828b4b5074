//! Places at which a test may kill the process, to see what a crash there leaves behind.
//!
//! With `TRACING_HANDLERS_KILL_AT=NAME` or `NAME:N` in its environment, a process built with debug assertions kills
//! itself by SIGKILL the first (the Nth) time it comes to the point of that name. Without, and in release builds,
//! nothing happens.
//!
//! | point | what has just been done |
//! |---|---|
//! | `packing` | the temporary file of an archive was made |
//! | `packed` | the archive is complete and on the disk, under its temporary name |
//! | `renamed` | it has its name, and the file it was made of is still there |
//! | `synced` | the directory is on the disk |
//! | `removed` | the file it was made of is gone |

#[cfg(all(unix, debug_assertions))]
pub(crate) use armed::point;

#[cfg(not(all(unix, debug_assertions)))]
#[inline(always)]
pub(crate) fn point(_: &str) {}

#[cfg(all(unix, debug_assertions))]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    pub(crate) fn point(name: &str) {
        let Some((wanted, count)) = WANTED.get_or_init(wanted) else { return };
        if wanted == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *count {
            // SAFETY: takes no pointers, and does not come back.
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
