//! Readers that do not read: of pipes, of named pipes, of terminals.

use std::io::Read as _;
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd};
use std::process::Child;

use tracing_handlers::Handle;
use tracing_handlers::format::Text;
use tracing_handlers::handler::Stats;
use tracing_handlers::record::Batch;
use tracing_handlers::sink::{Color, Console};

use super::*;
use crate::threads;

pub(crate) mod pauses;

cases! {
    a_stopped_reader_of_a_pipe_holds_up_its_writer_once => |ended| ended.succeeds().took_less_than(30);
    a_stopped_reader_of_a_named_pipe_holds_up_its_writer_once => |ended| ended.succeeds().took_less_than(30);
    threads_that_write_to_a_stopped_reader_wait_for_one_patience_together => |ended| ended.succeeds().took_less_than(20);
    a_stopped_terminal_holds_up_its_writer_once => |ended| ended.succeeds().took_less_than(30);
    lines_that_a_terminal_was_given_are_pending_until_it_is_read => |ended| ended.succeeds().took_less_than(30);
    lines_that_a_terminal_was_given_fail_when_it_goes_away => |ended| ended.succeeds().took_less_than(20);
    a_forked_child_of_a_stopped_terminal_does_not_hang => |ended| ended.succeeds().took_less_than(20);
    a_stopped_reader_does_not_hold_up_the_exit => |ended| ended.exits(7).took_less_than(6);
    a_stopped_terminal_does_not_hold_up_the_exit => |ended| ended.exits(7).took_less_than(6);
    a_slow_reader_behind_a_queue_loses_nothing => |ended| ended.succeeds().took_less_than(30);
    a_patience_without_end_waits_for_the_reader => |ended| ended.succeeds().took_less_than(30);
    selflog_does_not_wait_for_a_stopped_reader_of_standard_error => |ended| ended.succeeds().took_less_than(20);
    reports_do_not_wait_for_a_sink_that_hangs => |ended| ended.succeeds().took_less_than(20);
}

/// `cat`, which copies what it reads to the file `seen`.
struct Reader {
    cat: Child,
    seen: PathBuf,
}

impl Reader {
    fn of(pipe: impl Into<Stdio>, directory: &Path) -> Self {
        let seen = directory.join("seen");
        let copy = fs::File::create(&seen).unwrap();
        let cat = Command::new("cat").stdin(pipe).stdout(copy).spawn().unwrap();
        Self { cat, seen }
    }

    fn signal(&self, signal: i32) {
        // SAFETY: signals a child that has not been waited for.
        assert_eq!(unsafe { libc::kill(self.cat.id() as libc::pid_t, signal) }, 0);
    }

    fn stop(&self) {
        self.signal(libc::SIGSTOP);
        let stat = format!("/proc/{}/stat", self.cat.id());
        until("cat is stopped", || fs::read_to_string(&stat).unwrap().contains(") T "));
    }

    fn go_on(&self) {
        self.signal(libc::SIGCONT);
    }

    fn seen(&self) -> String {
        fs::read_to_string(&self.seen).unwrap()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.cat.kill();
        let _ = self.cat.wait();
    }
}

fn become_stream(file: &impl AsRawFd, number: i32) {
    // SAFETY: both are open descriptors.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), number) }, number);
}

fn is_non_blocking(number: i32) -> bool {
    // SAFETY: fcntl with these arguments touches no memory.
    unsafe { libc::fcntl(number, libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}

fn log_to(console: Console) -> Handle {
    tracing_handlers::init(Output::new(Text::new(), console)).unwrap()
}

fn stats(handle: &Handle) -> Stats {
    let stats = handle.stats()[0].stats;
    assert!(stats.balances(), "{stats:?}");
    stats
}

/// Logs `line N`, with [`TAIL`].
fn log(number: usize) {
    tracing::info!("line {number}{TAIL}");
}

/// Logs until the stream has stalled and then a thousand lines; returns how long each of these took, longest last, and the longest
/// call before.
fn stall(handle: &Handle) -> (Vec<Duration>, Duration) {
    let timed = |number| {
        let start = Instant::now();
        log(number);
        start.elapsed()
    };
    let mut longest = Duration::ZERO;
    let mut number = 0;
    while stats(handle).failed == 0 && longest < Duration::from_millis(900) {
        longest = longest.max(timed(number));
        number += 1;
        assert!(number < 100_000, "the stream is never full");
    }
    let mut later: Vec<_> = (number..number + 1_000).map(timed).collect();
    later.sort();
    (later, longest)
}

/// Checks that a call waited for the patience and later ones did not wait, and that this was told once.
fn assert_held_up_once((later, longest): (Vec<Duration>, Duration), told: &[String]) {
    assert!((900..2_500).contains(&longest.as_millis()), "{longest:?}");
    // Tries wait for a moment for a thread.
    assert!(later[980] < Duration::from_millis(5), "{:?}", &later[980..]);
    let all: Duration = later.iter().sum();
    assert!(all < Duration::from_secs(1), "{all:?}");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("nothing was read from it for 1s"), "{told:?}");
}

/// Holds what was read against the counts: whole lines in their order, with one notice of those that were refused.
fn assert_read_as_counted(text: &str, stats: Stats) {
    let (notices, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.contains("missing here"));
    assert_eq!((lines.len() as u64, stats.pending), (stats.delivered, 0), "{stats:?}");
    let mut before = None;
    for line in lines {
        let number = number(line);
        assert!(number.is_some() && number > before, "{before:?} {line:?}");
        before = number;
    }
    let missing: u64 = notices.iter().map(|notice| lost(notice)).sum();
    assert_eq!(missing, stats.failed);
}

fn lost(notice: &str) -> u64 {
    let (_, rest) = notice.split_once(" lost=").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// Logs until lines are written again: first the rest of one that was cut short, and then one behind the notice of all that were
/// refused.
fn recover(handle: &Handle) {
    for first in [1_000_000, LAST] {
        let before = stats(handle);
        until("a line is written", || {
            log((first + stats(handle).accepted) as usize);
            stats(handle).delivered > before.delivered + before.pending
        });
        flush(Duration::from_secs(20)).unwrap();
    }
}

/// The numbers of the last lines are larger.
const LAST: u64 = 9_000_000;

fn is_last(line: &str) -> bool {
    number(line).is_some_and(|number| number >= LAST)
}

fn number(line: &str) -> Option<u64> {
    line.split_once(": line ")?.1.strip_suffix(TAIL)?.parse().ok()
}

fn a_stopped_reader_holds_up_its_writer_once(reader: &Reader, number: i32) {
    let told = told();
    let handle = log_to(Console::stdout());
    reader.stop();
    let times = stall(&handle);
    assert_held_up_once(times, &told.lock().unwrap());
    assert!(!is_non_blocking(number));
    let stalled = stats(&handle);
    assert_eq!(stalled.delivered + stalled.failed + stalled.pending, stalled.accepted);
    reader.go_on();
    recover(&handle);
    let wanted = stats(&handle);
    until("cat has read everything", || {
        reader.seen().ends_with('\n') && {
            let text = reader.seen();
            text.lines().filter(|line| !line.contains("missing here")).count() as u64 == wanted.delivered
        }
    });
    assert_read_as_counted(&reader.seen(), wanted);
}

fn a_stopped_reader_of_a_pipe_holds_up_its_writer_once(directory: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    drop(to);
    a_stopped_reader_holds_up_its_writer_once(&Reader::of(from, directory), 1);
}

/// To which no kernel writes without waiting.
fn a_stopped_reader_of_a_named_pipe_holds_up_its_writer_once(directory: &Path) {
    let path = directory.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let both = fs::File::options().read(true).write(true).open(&path).unwrap();
    let from = fs::File::open(&path).unwrap();
    become_stream(&fs::File::options().write(true).open(&path).unwrap(), 1);
    drop(both);
    a_stopped_reader_holds_up_its_writer_once(&Reader::of(from, directory), 1);
}

fn threads_that_write_to_a_stopped_reader_wait_for_one_patience_together(directory: &Path) {
    selflog::set(|_| ());
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let reader = Reader::of(from, directory);
    let handle = log_to(Console::stdout());
    reader.stop();
    let start = Instant::now();
    thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(|| log_lines(0..1_000)))));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    let stats = stats(&handle);
    assert!(stats.accepted == 8_000 && stats.failed > 0, "{stats:?}");
}

/// Shows panics where standard error led to before it becomes something else.
fn keep_panics() {
    // SAFETY: makes a descriptor that belongs to no one else.
    let stderr = unsafe { fs::File::from_raw_fd(libc::dup(2)) };
    std::panic::set_hook(Box::new(move |panic| {
        let _ = writeln!(&stderr, "{panic}");
    }));
}

/// A pseudo-terminal, of which this is the other end.
struct Terminal(fs::File);

impl Terminal {
    /// Creates one, which becomes standard error.
    fn of_stderr() -> Self {
        let (mut ours, mut theirs) = (0, 0);
        let null = std::ptr::null_mut();
        // SAFETY: two integers are written to; name and settings may be null.
        assert_eq!(unsafe { libc::openpty(&raw mut ours, &raw mut theirs, null, null.cast(), null.cast()) }, 0);
        // SAFETY: descriptors that were just made, and belong to no one else.
        let (ours, theirs) = unsafe { (fs::File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
        keep_panics();
        become_stream(&theirs, 2);
        Self(ours)
    }

    /// What Ctrl-S does.
    fn stop(&self) {
        self.press(19);
    }

    /// What Ctrl-Q does.
    fn go_on(&self) {
        self.press(17);
    }

    fn press(&self, key: u8) {
        assert_eq!((&self.0).write(&[key]).unwrap(), 1);
    }

    /// Reads until there is a line that satisfies `is_last`.
    fn read_until(&self, is_last: impl Fn(&str) -> bool) -> String {
        let mut all = Vec::new();
        let mut some = [0; 4_096];
        while !String::from_utf8_lossy(&all).lines().any(&is_last) || all.last() != Some(&b'\n') {
            let read = (&self.0).read(&mut some).unwrap();
            all.extend_from_slice(&some[..read]);
        }
        String::from_utf8(all).unwrap().replace("\r\n", "\n")
    }
}

fn a_stopped_terminal_holds_up_its_writer_once(_: &Path) {
    let told = told();
    let terminal = Terminal::of_stderr();
    let handle = log_to(Console::stderr().color(Color::Never));
    log(0);
    assert!(terminal.read_until(|line| line.ends_with(TAIL)).contains(": line 0"));
    terminal.stop();
    let times = stall(&handle);
    assert_held_up_once(times, &told.lock().unwrap());
    assert!(!is_non_blocking(2));
    terminal.go_on();
    let reading = thread::spawn(move || terminal.read_until(is_last));
    recover(&handle);
    let text = reading.join().unwrap();
    let mut stats = stats(&handle);
    // The first line was read before.
    stats.delivered -= 1;
    assert_read_as_counted(&text, stats);
}

type Stuck = Arc<Output<Text, Console>>;

/// Hands a terminal that nobody reads from more lines than it has room for. When the patience ends, a thread is in the middle of some
/// that cannot be taken back.
fn get_stuck() -> (Stuck, Handle) {
    selflog::set(|_| ());
    let output = Arc::new(Output::new(Text::new(), Console::stderr().color(Color::Never)));
    let handle = tracing_handlers::init(output.clone()).unwrap();
    let lines: Vec<_> = (0..2_000).map(|number| record(&format!("line {number}{TAIL}"))).collect();
    let lines: Batch = lines.iter().collect();
    let start = Instant::now();
    let partial = output.handle_batch(lines.records()).unwrap_err();
    assert!((900..2_500).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    let stuck = stats(&handle);
    assert_eq!((stuck.accepted, stuck.delivered + stuck.pending), (2_000, partial.delivered as u64));
    assert!((2..200).contains(&stuck.pending), "{stuck:?}");
    (output, handle)
}

fn lines_that_a_terminal_was_given_are_pending_until_it_is_read(_: &Path) {
    let terminal = Terminal::of_stderr();
    let (_, handle) = get_stuck();
    let stuck = stats(&handle);
    log(3_000);
    let refused = stats(&handle);
    assert_eq!((refused.accepted, refused.pending, refused.failed), (2_001, stuck.pending, stuck.failed + 1));
    let reading = thread::spawn(move || terminal.read_until(is_last));
    recover(&handle);
    assert_read_as_counted(&reading.join().unwrap(), stats(&handle));
}

fn lines_that_a_terminal_was_given_fail_when_it_goes_away(_: &Path) {
    let terminal = Terminal::of_stderr();
    let (_, handle) = get_stuck();
    let stuck = stats(&handle);
    drop(terminal);
    until("the lines are lost", || stats(&handle).pending == 0);
    let gone = stats(&handle);
    assert_eq!((gone.delivered, gone.failed), (stuck.delivered, stuck.failed + stuck.pending), "{gone:?}");
    log(3_000);
    assert_eq!(stats(&handle).failed, gone.failed + 1);
}

fn a_forked_child_of_a_stopped_terminal_does_not_hang(_: &Path) {
    let terminal = Terminal::of_stderr();
    let (_, handle) = get_stuck();
    let stuck = stats(&handle);
    wait_for(fork(|| {
        assert_eq!(stats(&handle).pending, 0, "they are the parent's to write");
        let start = Instant::now();
        (0..100).for_each(log);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }));
    assert_eq!(stats(&handle).pending, stuck.pending);
    drop(terminal);
}

fn a_stopped_reader_does_not_hold_up_the_exit(directory: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    become_stream(&to, 2);
    // Leaked: while it is stopped, it reads nothing.
    let reader = Box::leak(Box::new(Reader::of(from, directory)));
    reader.stop();
    tracing_handlers::init((
        Output::new(Text::new(), Console::stdout()),
        Queue::new(Output::new(Text::new(), Console::stderr())),
    ))
    .unwrap();
    log_lines(0..3_000);
    let id = reader.cat.id() as libc::pid_t;
    extern "C" fn kill_reader() {
        // SAFETY: signals a child that has not been waited for.
        unsafe { libc::kill(READER.load(Ordering::SeqCst) as libc::pid_t, libc::SIGKILL) };
    }
    READER.store(id as usize, Ordering::SeqCst);
    // SAFETY: an ordinary function, called once.
    unsafe { libc::atexit(kill_reader) };
    // Shorter than the watchdog's, longer than the flush of a stream that works.
    set_exit_timeout(Duration::from_secs(2));
    std::process::exit(7);
}

static READER: AtomicUsize = AtomicUsize::new(0);

fn a_stopped_terminal_does_not_hold_up_the_exit(_: &Path) {
    let terminal = Terminal::of_stderr();
    log_to(Console::stderr().color(Color::Never));
    log_panics();
    terminal.stop();
    log_lines(0..3_000);
    set_exit_timeout(Duration::from_secs(2));
    std::mem::forget(terminal);
    std::process::exit(7);
}

/// It takes less in a second than a batch.
fn a_slow_reader_behind_a_queue_loses_nothing(_: &Path) {
    const LINES: usize = 3_000;
    let (mut from, to) = std::io::pipe().unwrap();
    // A page, so that each read makes a little room.
    // SAFETY: fcntl with these arguments touches no memory.
    assert!(unsafe { libc::fcntl(to.as_raw_fd(), libc::F_SETPIPE_SZ, 4_096) } > 0);
    become_stream(&to, 1);
    drop(to);
    let handle = tracing_handlers::init(Queue::new(Output::new(Text::new(), Console::stdout()))).unwrap();
    let reading = thread::spawn(move || {
        let mut all = Vec::new();
        let mut some = [0; 8_192];
        while all.iter().filter(|byte| **byte == b'\n').count() < LINES {
            // Time passes: how slowly it reads is what the test is about.
            thread::sleep(Duration::from_millis(40));
            let read = from.read(&mut some).unwrap();
            all.extend_from_slice(&some[..read]);
        }
        String::from_utf8(all).unwrap()
    });
    (0..LINES).for_each(log);
    handle.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(handle.stats()[1].stats.delivered, LINES as u64);
    assert_read_as_counted(&reading.join().unwrap(), handle.stats()[1].stats);
}

fn a_patience_without_end_waits_for_the_reader(directory: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let reader = Reader::of(from, directory);
    let handle = log_to(Console::stdout().patience(Duration::MAX));
    reader.stop();
    let id = threads::thread_id();
    let reader = thread::spawn(move || {
        until("the writer waits", || threads::is_blocked(id));
        // Time passes: more than the patience there is by default.
        thread::sleep(Duration::from_millis(1_300));
        reader.go_on();
        reader
    });
    (0..3_000).for_each(log);
    let stats = stats(&handle);
    assert_eq!((stats.delivered, stats.failed), (3_000, 0));
    drop(reader.join().unwrap());
}

fn selflog_does_not_wait_for_a_stopped_reader_of_standard_error(directory: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 2);
    let reader = Reader::of(from, directory);
    reader.stop();
    let message = "x".repeat(1_000);
    let start = Instant::now();
    (0..1_000).for_each(|number| selflog::tell(&format!("{number} {message}")));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    reader.go_on();
    until("it is told what is missing", || {
        selflog::tell("again");
        reader.seen().contains("messages could not be written here\n")
    });
    let text = reader.seen();
    let whole = text.lines().filter(|line| line.ends_with(&message)).count();
    let (before, _) = text.split_once(" messages could not be written here\n").unwrap();
    let missing: usize = before.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((1_000..1_100).contains(&(whole + missing)), "{whole} {missing}");
}

/// A sink that takes a line, and hangs with the second one.
fn reports_do_not_wait_for_a_sink_that_hangs(_: &Path) {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    struct Hangs;
    impl Sink for Hangs {
        fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
            if CALLS.fetch_add(1, Ordering::SeqCst) > 0 {
                loop {
                    thread::park();
                }
            }
            Ok(())
        }
        fn describe(&self) -> String {
            "hangs".to_owned()
        }
    }
    set_exit_timeout(Duration::from_secs(1));
    selflog::set(|_| ());
    let direct = Output::new(Text::new(), Hangs).name("direct");
    let handle = tracing_handlers::init(Queue::new(direct)).unwrap();
    log(0);
    handle.flush(Duration::from_secs(20)).unwrap();
    log(1);
    until("the sink hangs", || CALLS.load(Ordering::SeqCst) == 2);
    log(2);
    let start = Instant::now();
    let reports = handle.stats();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(handle.tree().to_string().contains("direct"));
    let (queue, output) = (reports[0].stats, reports[1].stats);
    assert_eq!((queue.accepted, queue.delivered, queue.pending), (3, 1, 2), "{queue:?}");
    assert_eq!((output.accepted, output.delivered, output.pending), (2, 1, 1), "{output:?}");
    assert_eq!(&*reports[1].name, "direct");
}
