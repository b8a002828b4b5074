//! Measurements: allocations, CPU time, memory, and the duration of single calls.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The system's allocator; each thread counts its own, so that counting does not make threads wait for each other.
pub struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: everything is handed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's contract.
        unsafe { System.realloc(block, layout, size) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[inline]
fn count() {
    // A thread that is ending has no thread-locals any more.
    let _ = SLOT.try_with(|slot| {
        if slot.get() == usize::MAX {
            slot.set(THREADS.fetch_add(1, Ordering::Relaxed) % SLOTS);
        }
        let counter = &COUNTS[slot.get()].0;
        // Only its own thread writes a slot, and so no locked instruction is needed.
        counter.store(counter.load(Ordering::Relaxed) + u64::from(!ASIDE.get()), Ordering::Relaxed);
    });
}

/// Allocations of this thread so far.
pub fn allocations_here() -> u64 {
    match SLOT.get() {
        usize::MAX => 0,
        slot => COUNTS[slot].0.load(Ordering::Relaxed),
    }
}

/// Allocations of all threads so far.
pub fn allocations() -> u64 {
    COUNTS.iter().map(|count| count.0.load(Ordering::Relaxed)).sum()
}

/// Runs what belongs to the harness: its allocations are not counted.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    let before = ASIDE.replace(true);
    let done = work();
    ASIDE.set(before);
    done
}

const SLOTS: usize = 256;

#[repr(align(64))]
struct Slot(AtomicU64);

static COUNTS: [Slot; SLOTS] = [const { Slot(AtomicU64::new(0)) }; SLOTS];
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SLOT: Cell<usize> = const { Cell::new(usize::MAX) };
    static ASIDE: Cell<bool> = const { Cell::new(false) };
}

/// CPU time of all threads of this process so far.
pub fn cpu_time() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the struct it is given; all zeros are valid for it where it fails.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// The peak memory of this process, in KiB. Not getrusage's, which starts with the parent's figure.
pub fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The durations of single calls, in nanoseconds.
#[derive(Default)]
pub struct Latencies(Vec<u64>);

impl Latencies {
    pub fn with_capacity(calls: usize) -> Self {
        aside(|| Self(Vec::with_capacity(calls)))
    }

    #[inline]
    pub fn push(&mut self, duration: Duration) {
        self.0.push(duration.as_nanos() as u64);
    }

    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// p50, p99, p99.9 and the longest; `None` where nothing was timed.
    pub fn summary(mut self) -> Option<[u64; 4]> {
        self.0.sort_unstable();
        let last = self.0.len().checked_sub(1)?;
        let at = |share: f64| self.0[(last as f64 * share) as usize];
        Some([at(0.5), at(0.99), at(0.999), self.0[last]])
    }
}
