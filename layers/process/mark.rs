//! A number that no child shares with its parent, whichever way it was forked: the kernel clears the page that holds it in
//! each child, also in one that `clone(2)` makes without the fork handlers of the C library.

use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Makes the page, once.
pub(super) fn install() {
    // SAFETY: an anonymous mapping affects no other memory. It is never unmapped once it is in use, and a page is large enough and
    // aligned for a number.
    unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), PAGE, access, kind, -1, 0);
        if page == libc::MAP_FAILED {
            return;
        }
        if libc::madvise(page, PAGE, libc::MADV_WIPEONFORK) != 0 {
            // Linux before 4.14.
            libc::munmap(page, PAGE);
            return;
        }
        MARK.store(page.cast(), Ordering::Release);
    }
}

/// Returns the number of this process: greater than that of its parent, and never 0. Where the kernel does not clear pages, it is
/// the process id. A signal handler may ask.
#[inline]
pub(super) fn current() -> u32 {
    let mark = MARK.load(Ordering::Acquire);
    // SAFETY: the page is never unmapped.
    let Some(mark) = (unsafe { mark.as_ref() }) else { return std::process::id() };
    match mark.load(Ordering::Relaxed) {
        0 => next(mark),
        mark => mark,
    }
}

#[cold]
fn next(mark: &AtomicU32) -> u32 {
    let next = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    // Another thread of this process may have been faster.
    mark.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed).map_or_else(|faster| faster, |_| next)
}

static MARK: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());
/// A child inherits it.
static LAST: AtomicU32 = AtomicU32::new(0);
/// The kernel rounds it up to whole pages.
const PAGE: usize = 4096;
