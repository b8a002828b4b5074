//! A queue that is asked for more than it can do, and one that is asked for nothing. Memory and wake-ups
//! are those of a whole process.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use tracing_handlers::Value;
use tracing_handlers::handler::{DropReason, Stats};
use tracing_handlers::record::Kind;

use super::*;
#[cfg(target_os = "linux")]
use crate::threads;

#[cfg(target_os = "linux")]
pub fn an_idle_process_does_not_wake_up(directory: &Path) {
    install_queue(directory);
    log_lines(0..500);
    flush(Duration::from_secs(20)).unwrap();
    log_lines(500..1_000);
    until("every other thread sleeps", || other_threads().into_iter().all(threads::sleeps_until_woken));
    let before = switches();
    assert_eq!(before.len(), 1, "the queue has one thread");
    // Time passes: what wakes up, and how often, shows only over time.
    thread::sleep(idle_time());
    assert_eq!(switches(), before);
}

/// The full length: `TRACING_HANDLERS_IDLE_SECONDS=10`.
#[cfg(target_os = "linux")]
fn idle_time() -> Duration {
    let seconds = std::env::var("TRACING_HANDLERS_IDLE_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(3))
}

/// The number of context switches of each thread but this one, voluntary and involuntary.
#[cfg(target_os = "linux")]
pub fn switches() -> Vec<(libc::pid_t, u64)> {
    let count = |thread: libc::pid_t| {
        let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
        let lines = status.lines().filter(|line| line.contains("voluntary_ctxt_switches"));
        lines.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum()
    };
    other_threads().into_iter().map(|thread| (thread, count(thread))).collect()
}

#[cfg(target_os = "linux")]
pub fn other_threads() -> Vec<libc::pid_t> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let ids = tasks.map(|task| task.unwrap().file_name().to_str().unwrap().parse().unwrap());
    ids.filter(|id| *id != threads::thread_id()).collect()
}

pub fn calls_return_while_the_sink_takes_nothing(_: &Path) {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest, Overflow::DropBelow(Severity::WARN)] {
        let (release, released) = channel::<()>();
        let released = Mutex::new(released);
        let queue = Queue::new(from_fn(move |_| {
            // Until the sender is gone: a call that waited for this would wait for itself.
            let _ = released.lock().unwrap().recv();
            Ok(())
        }));
        let queue = queue.capacity(100).overflow(overflow);
        let each = 20_000;
        thread::scope(|scope| {
            for thread in 0..4 {
                let queue = &queue;
                scope.spawn(move || {
                    (0..each).for_each(|number| send(queue, Severity::INFO, &format!("{thread} {number}")));
                });
            }
        });
        let stats = queue.stats()[0].stats;
        assert!(stats.balances(), "{stats:?}");
        assert_eq!((stats.accepted, stats.pending, stats.delivered), (4 * each, 100, 0), "{overflow:?}");
        drop(release);
        queue.flush(Instant::now() + Duration::from_secs(20)).unwrap();
    }
}

pub fn ten_times_too_much_for_a_queue_that_blocks(_: &Path) {
    let end = overload(Overflow::Block);
    assert_eq!(end.dropped.total(), 0);
}

pub fn ten_times_too_much_for_a_queue_that_blocks_for_a_time(_: &Path) {
    let end = overload(Overflow::BlockFor(Duration::from_micros(10)));
    assert_eq!(end.dropped.by(DropReason::Timeout), end.dropped.total());
    assert_mostly_dropped(end);
}

pub fn ten_times_too_much_for_a_queue_that_drops_the_newest(_: &Path) {
    let end = overload(Overflow::DropNewest);
    assert_eq!(end.dropped.by(DropReason::QueueFull), end.dropped.total());
    assert_mostly_dropped(end);
}

pub fn ten_times_too_much_for_a_queue_that_drops_the_oldest(_: &Path) {
    let end = overload(Overflow::DropOldest);
    // Where all room is taken by what is being written there is nothing old to drop.
    assert_eq!(end.dropped.by(DropReason::Oldest) + end.dropped.by(DropReason::QueueFull), end.dropped.total());
    assert_mostly_dropped(end);
}

pub fn ten_times_too_much_for_a_queue_that_drops_the_unimportant(_: &Path) {
    // The important ones wait, and every one of them comes through.
    let end = overload(Overflow::DropBelow(Severity::WARN));
    assert_eq!(end.dropped.by(DropReason::Unimportant), end.dropped.total());
    assert_mostly_dropped(end);
}

#[track_caller]
fn assert_mostly_dropped(end: Stats) {
    assert!(end.dropped.total() > end.accepted * 7 / 10, "it was no overload: {end:?}");
}

const PRODUCERS: u64 = 2;
const EACH: u64 = 10_000;
/// Of a record's message: all of them together are 80 times what the queue may hold.
const MESSAGE: usize = 4_096;
const CAPACITY: usize = 1 << 20;

/// Two threads log ten times as much as the sink takes; everything about the queue is looked at meanwhile.
fn overload(overflow: Overflow) -> Stats {
    selflog::set(|_| {});
    let fit = how_many_fit();
    let load = Arc::new(Load::default());
    let (tokens, wanted) = sync_channel(0);
    let queue = Queue::new(sink(load.clone(), wanted)).capacity_bytes(CAPACITY).overflow(overflow);
    let before = resident();
    thread::scope(|scope| {
        let (queue, load) = (&queue, &*load);
        let producers: Vec<_> =
            (0..PRODUCERS).map(|producer| scope.spawn(move || produce(queue, load, producer, overflow))).collect();
        dose(queue, load, &tokens, fit, || producers.iter().all(|producer| producer.is_finished()));
    });
    // From here on the sink takes all there is.
    drop(tokens);
    queue.flush(Instant::now() + Duration::from_secs(20)).unwrap();
    let grown = peak().saturating_sub(before);
    assert!(grown < 8 * CAPACITY, "it holds 1 MiB, and takes {grown} bytes");
    let end = snapshot(&queue, &load);
    let told = load.told.load(Ordering::SeqCst);
    assert_eq!((end.accepted, end.pending, end.dropped.total()), (PRODUCERS * EACH, 0, told));
    assert_eq!((end.delivered, end.failed), (load.delivered(), load.failed()));
    assert!(end.failed > 0);
    end
}

/// What is known of the load without asking the queue.
#[derive(Default)]
struct Load {
    /// Calls begun, and calls that have come back.
    begun: AtomicU64,
    returned: AtomicU64,
    /// Calls that are under way and may wait.
    patient: AtomicU64,
    /// What the sink took, and what it failed on.
    taken: AtomicU64,
    failed: AtomicU64,
    /// Lost records that the log tells of.
    told: AtomicU64,
}

impl Load {
    fn failed(&self) -> u64 {
        self.failed.load(Ordering::SeqCst)
    }

    fn delivered(&self) -> u64 {
        self.taken.load(Ordering::SeqCst) - self.failed()
    }
}

fn produce(queue: &Queue<impl Handler>, load: &Load, producer: u64, overflow: Overflow) {
    let filling = "x".repeat(MESSAGE);
    for number in 0..EACH {
        let severity = if number % 500 == 499 { Severity::WARN } else { Severity::INFO };
        let patient = match overflow {
            Overflow::Block => 1,
            Overflow::DropBelow(least) => u64::from(severity.is_at_least(least)),
            _ => 0,
        };
        load.patient.fetch_add(patient, Ordering::SeqCst);
        load.begun.fetch_add(1, Ordering::SeqCst);
        send(queue, severity, &format!("{producer} {number} {filling}"));
        load.returned.fetch_add(1, Ordering::SeqCst);
        load.patient.fetch_sub(patient, Ordering::SeqCst);
    }
}

/// Lets the sink take one record for ten calls; and more only while a call may be waiting for it. A queue need not tell those
/// who wait of the first little room there is.
fn dose(queue: &Queue<impl Handler>, load: &Load, tokens: &SyncSender<()>, fit: u64, done: impl Fn() -> bool) {
    let mut given = 0;
    while !done() {
        let now = snapshot(queue, load);
        let waits = load.patient.load(Ordering::SeqCst) > 0 && now.pending > fit / 2;
        if (waits || load.begun.load(Ordering::SeqCst) > 10 * given) && tokens.try_send(()).is_ok() {
            given += 1;
        }
        thread::yield_now();
    }
}

/// A sink that takes a record only for a token, until there will be no more of them. It fails now and then.
fn sink(load: Arc<Load>, tokens: Receiver<()>) -> impl Handler {
    let state = Mutex::new((tokens, [None; PRODUCERS as usize]));
    from_fn(move |record| {
        let (tokens, last) = &mut *state.lock().unwrap();
        let _ = tokens.recv();
        if record.kind() == Kind::Loss {
            let Some(Value::U64(lost)) = record.field("lost") else { panic!("a notice without its number") };
            load.told.fetch_add(lost, Ordering::SeqCst);
            return Ok(());
        }
        let mut words = record.message().split(' ').map(|word| word.parse::<u64>().ok());
        let (Some(Some(producer)), Some(number)) = (words.next(), words.next()) else { panic!("not whole") };
        let before = std::mem::replace(&mut last[producer as usize], number);
        assert!(before < number, "out of order: {before:?} {number:?}");
        let taken = load.taken.fetch_add(1, Ordering::SeqCst);
        if taken % 50 == 49 {
            load.failed.fetch_add(1, Ordering::SeqCst);
            return Err(std::io::Error::other("on purpose").into());
        }
        Ok(())
    })
}

/// The queue's own account, held against what is known from outside.
#[track_caller]
fn snapshot(queue: &Queue<impl Handler>, load: &Load) -> Stats {
    let (returned, taken) = (load.returned.load(Ordering::SeqCst), load.taken.load(Ordering::SeqCst));
    let stats = queue.stats()[0].stats;
    assert!(stats.balances(), "{stats:?}");
    assert!(returned <= stats.accepted && stats.accepted <= load.begun.load(Ordering::SeqCst), "{stats:?}");
    // What the sink has taken is through, or is still counted as pending; and nothing is through that it has not taken.
    let through = stats.delivered + stats.failed;
    assert!(through <= load.taken.load(Ordering::SeqCst) && taken <= through + stats.pending, "{stats:?} {taken}");
    stats
}

fn send(queue: &Queue<impl Handler>, severity: Severity, message: &str) {
    queue.handle(&RecordBuf::new(severity, "overload", message).as_record()).unwrap();
}

/// How many of the load's records the queue can hold.
fn how_many_fit() -> u64 {
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let stuck = Queue::new(from_fn(move |_| {
        let _ = released.lock().unwrap().recv();
        Ok(())
    }));
    let queue = stuck.capacity_bytes(CAPACITY).overflow(Overflow::DropNewest);
    (0..CAPACITY / MESSAGE).for_each(|_| send(&queue, Severity::INFO, &"x".repeat(MESSAGE + 7)));
    let fit = queue.stats()[0].stats.pending;
    drop(release);
    fit
}

/// The memory that this process holds now, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    memory("VmRSS:")
}

/// The most memory that this process has held, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> usize {
    memory("VmHWM:")
}

#[cfg(target_os = "linux")]
fn memory(line: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|known| known.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// What is held now has no portable call: the peak so far stands for it, which is little more this early.
#[cfg(not(target_os = "linux"))]
fn resident() -> usize {
    peak()
}

#[cfg(not(target_os = "linux"))]
fn peak() -> usize {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole struct, for which zeros are valid.
    let usage = unsafe {
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), 0);
        usage.assume_init()
    };
    // Bytes on Apple's systems, kibibytes on the BSDs.
    usage.ru_maxrss as usize * if cfg!(target_vendor = "apple") { 1 } else { 1 << 10 }
}
