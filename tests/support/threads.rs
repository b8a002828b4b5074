//! The state of this process's threads, as Linux shows it.

#![allow(dead_code, reason = "each binary with tests uses some of this")]

use std::fs;

/// The id of the calling thread.
pub fn thread_id() -> libc::pid_t {
    // SAFETY: it takes no arguments and only returns the id of the calling thread.
    unsafe { libc::gettid() }
}

/// Whether the thread is blocked in a system call. A thread that has ended is not.
pub fn is_blocked(thread: libc::pid_t) -> bool {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('S'))
}

/// Whether the thread sleeps until another one wakes it: it waits for a futex without a time-out.
pub fn sleeps_until_woken(thread: libc::pid_t) -> bool {
    futex_timeout(thread) == Some(0)
}

/// The address of the time-out of the futex that the thread waits for, 0 without a time-out; `None` if it does not wait for one.
fn futex_timeout(thread: libc::pid_t) -> Option<u64> {
    // The number of the system call and its arguments (address, operation, value, time-out), or `running`.
    let call = fs::read_to_string(format!("/proc/self/task/{thread}/syscall")).unwrap();
    let words: Vec<_> = call.split_whitespace().collect();
    if words.first()?.parse() != Ok(libc::SYS_futex) {
        return None;
    }
    u64::from_str_radix(words.get(4)?.strip_prefix("0x")?, 16).ok()
}
