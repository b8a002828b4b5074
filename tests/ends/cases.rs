//! The ends of a process. Each case runs in a child process of its own, with a real `main`: this program again, as
//! `ends --child CASE DIRECTORY`.

mod acceptance;
mod around;
mod overload;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use tracing_handlers::filter;
use tracing_handlers::handler::{Filtered, Handler, Overflow, Queue, from_fn};
use tracing_handlers::process::{flush, log_panics, set_exit_timeout};
use tracing_handlers::receive::Lines;
use tracing_handlers::sink::{Framed, Sink};
use tracing_handlers::{Error, Output, Partial, Record, RecordBuf, Severity, format, selflog};
use tracing_subscriber::prelude::*;

use crate::until::{poll, until};

use acceptance::*;
use around::*;
use overload::*;

pub fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, flag, case, directory] = &arguments[..]
        && flag == "--child"
    {
        let case = all_cases().find(|known| known.name == case).expect("the parent knows the cases");
        reset_signals();
        (case.child)(Path::new(directory));
        return ExitCode::SUCCESS;
    }
    let trials = all_cases().map(|case| Trial::test(case.name.replace('_', " "), || run(case)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// Undoes what `nohup` and the shell's `&` do to their programs, which these pass on: some signals are ignored.
fn reset_signals() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: no handler is installed, and no other thread exists yet.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

fn all_cases() -> impl Iterator<Item = &'static Case> {
    CASES
        .iter()
        .chain(attacks::CASES)
        .chain(files::CASES)
        .chain(flush_async::CASES)
        .chain(interest::CASES)
        .chain(limits::CASES)
        .chain(stock::CASES)
        .chain(DESCRIPTOR_CASES)
        .chain(STALLED_CASES)
        .chain(PAUSE_CASES)
        .chain(start::CASES)
        .chain(timed::CASES)
        .chain(trees::CASES)
        .chain(VOLUME_CASES)
        .chain(SIGNAL_CASES)
        .chain(SEAL_CASES)
        .chain(ZONE_CASES)
}

/// What a child process does, and what must be left of it.
pub(crate) struct Case {
    name: &'static str,
    child: fn(&Path),
    check: fn(&Ended),
}

macro_rules! cases {
    ($($(#[$condition:meta])? $name:ident => |$ended:ident| $check:expr;)*) => {
        pub(crate) const CASES: &[Case] = &[$($(#[$condition])? Case { name: stringify!($name), child: $name, check: |$ended| { $check; } }),*];
    };
}

mod attacks;
/// Other systems have no way to close all descriptors at once.
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(target_os = "linux")]
use descriptors::CASES as DESCRIPTOR_CASES;
#[cfg(not(target_os = "linux"))]
const DESCRIPTOR_CASES: &[Case] = &[];

#[cfg(target_os = "linux")]
mod stalled;
#[cfg(target_os = "linux")]
use stalled::{CASES as STALLED_CASES, pauses::CASES as PAUSE_CASES};
#[cfg(not(target_os = "linux"))]
const STALLED_CASES: &[Case] = &[];
#[cfg(not(target_os = "linux"))]
const PAUSE_CASES: &[Case] = &[];

mod files;
mod flush_async;
mod interest;
mod limits;
mod stock;
/// Mounts and attributes of files as Linux has them.
#[cfg(target_os = "linux")]
mod volumes;
#[cfg(target_os = "linux")]
use volumes::CASES as VOLUME_CASES;
#[cfg(not(target_os = "linux"))]
const VOLUME_CASES: &[Case] = &[];

/// In a module of its own, for there is a feature to them.
#[cfg(feature = "signals")]
mod signals;
mod start;
mod timed;
mod trees;
#[cfg(feature = "signals")]
use signals::CASES as SIGNAL_CASES;
#[cfg(not(feature = "signals"))]
const SIGNAL_CASES: &[Case] = &[];

#[cfg(feature = "seal")]
mod seal;
#[cfg(feature = "seal")]
use seal::CASES as SEAL_CASES;
#[cfg(not(feature = "seal"))]
const SEAL_CASES: &[Case] = &[];

#[cfg(feature = "time-zone")]
mod zones;
#[cfg(feature = "time-zone")]
use zones::CASES as ZONE_CASES;
#[cfg(not(feature = "time-zone"))]
const ZONE_CASES: &[Case] = &[];

cases! {
    what_main_logged_is_there_after_it_returns => |ended| ended.succeeds().has_lines(1_000);
    what_main_logged_is_there_after_process_exit => |ended| ended.exits(7).has_lines(1_000);
    what_main_logged_is_there_after_an_exit_on_another_thread => |ended| ended.exits(7).has_lines(1_000);
    what_main_logged_is_there_after_it_panics => |ended| ended.exits(101).has_lines(1_000);
    an_unused_queue_does_not_hold_up_the_exit => |ended| ended.succeeds().has_lines(0).took_less_than(4);
    a_panic_of_a_thread_harms_nothing => |ended| ended.succeeds().has_lines(2_000);
    a_queue_that_is_never_dropped_is_emptied => |ended| ended.succeeds().has_lines(1_000);
    a_buffer_without_a_queue_is_emptied => |ended| ended.succeeds().has_lines(1_000);
    eight_threads_lose_nothing_when_main_returns => |ended| ended.succeeds().has_all_of_each_thread();
    eight_threads_lose_nothing_at_process_exit => |ended| ended.exits(7).has_all_of_each_thread();
    eight_threads_lose_nothing_when_main_panics => |ended| ended.exits(101).has_all_of_each_thread();
    a_panic_that_aborts_is_logged_and_all_before_it_is_there => |ended| ended.is_killed_by(libc::SIGABRT).has_panic_behind(1_000);
    a_panic_is_logged_once_and_the_hook_before_still_runs => |ended| ended.succeeds().has_one_panic();
    a_panic_in_a_sink_does_not_wait_for_itself => |ended| ended.succeeds().took_less_than(4);
    a_sink_that_hangs_holds_up_the_exit_no_longer_than_allowed => |ended| ended.exits(7).took_less_than(4);
    a_full_queue_that_blocks_does_not_hold_up_the_exit_for_ever => |ended| ended.exits(7).took_less_than(4);
    many_records_after_the_exit_timeout_do_not_hold_up_the_exit => |ended| ended.exits(7).took_less_than(4);
    a_sink_that_hangs_under_its_lock_does_not_hold_up_the_exit => |ended| ended.exits(7).took_less_than(4);
    a_queue_that_hangs_does_not_keep_another_from_its_flush => |ended| ended.succeeds().has_lines(10).took_less_than(4);
    what_a_later_exit_handler_logs_through_a_queue_is_there => |ended| ended.succeeds().has_lines(20);
    what_a_later_exit_handler_logs_into_a_buffer_is_there => |ended| ended.succeeds().has_lines(20);
    the_first_record_of_all_in_an_exit_handler_is_there => |ended| ended.succeeds().has_lines(10);
    what_thread_locals_log_when_they_are_dropped_is_there => |ended| ended.succeeds().has_lines(30);
    threads_that_log_during_the_exit_do_not_hold_it_up => |ended| ended.succeeds().has_whole_lines().took_less_than(10);
    an_exit_from_a_handler_comes_to_an_end => |ended| ended.exits(7).took_less_than(4);
    an_exit_from_a_sink_comes_to_an_end => |ended| ended.exits(7).took_less_than(4);
    #[cfg(target_os = "linux")]
    without_a_thread_to_be_had_records_are_written_by_those_who_log => |ended| ended.succeeds().has_lines(100);
    selflog_tells_each_change_of_state_once => |ended| ended.succeeds();
    selflog_tells_a_failure_that_lasts_after_a_short_recovery => |ended| ended.succeeds();
    children_forked_under_load_deliver_their_own_records_once => |ended| ended.succeeds().has_own_records_of_forks();
    a_forked_child_leaves_the_records_in_the_queue_to_its_parent => |ended| ended.succeeds().has_backlog_once();
    a_sink_that_panics_at_a_fork_does_not_end_the_child => |ended| ended.succeeds().has_lines(10);
    a_fork_from_inside_a_handler_does_not_hang => |ended| ended.succeeds().has_fork_in_handler();
    a_fork_from_inside_a_sink_does_not_hang => |ended| ended.succeeds().has_whole_lines();
    commands_with_pre_exec_can_be_spawned_under_load => |ended| ended.succeeds().has_whole_lines();
    a_grandchild_by_a_double_fork_logs => |ended| ended.succeeds().has_generations();
    a_forked_child_can_have_a_subscriber_of_its_own => |ended| ended.succeeds().has_own_subscriber();
    a_fork_while_a_sink_hangs_loses_only_what_that_sink_had => |ended| ended.succeeds().has_lines(10);
    a_fork_without_thread_locals_forgets_the_parents_records => |ended| ended.succeeds().has_lines(10);
    an_atfork_handler_that_logs_does_not_hang => |ended| ended.succeeds().has_lines(3).took_less_than(10);
    three_outputs_show_each_what_it_is_for => |ended| ended.succeeds().has_three_outputs();
    eight_threads_lose_nothing_in_rotating_files_when_main_returns => |ended| ended.succeeds().has_all_in_rotating_files();
    eight_threads_lose_nothing_in_rotating_files_at_process_exit => |ended| ended.exits(7).has_all_in_rotating_files();
    a_debug_that_panics_costs_its_field_and_one_that_logs_nothing => |ended| ended.succeeds().has_odd_values();
    a_sink_that_fails_every_other_time_is_counted_as_it_fails => |ended| ended.succeeds();
    a_stdout_that_was_closed_before_the_start_harms_nothing => |ended| ended.succeeds().has_lines(100);
    a_stdout_that_is_closed_later_is_counted_and_told_once => |ended| ended.succeeds().has_lines(100);
    a_stdout_whose_reader_is_gone_is_counted_and_told_once => |ended| ended.succeeds().has_lines(100);
    a_held_lock_of_stdout_holds_up_no_full_queue => |ended| ended.succeeds().took_less_than(10);
    what_others_want_takes_no_room_in_a_queue => |ended| ended.succeeds().has_lines(10);
    swaps_flushes_reports_and_forks_at_once_leave_nothing_behind => |ended| ended.succeeds().took_less_than(20);
    #[cfg(target_os = "linux")]
    an_idle_process_does_not_wake_up => |ended| ended.succeeds().has_lines(1_000);
    calls_return_while_the_sink_takes_nothing => |ended| ended.succeeds();
    ten_times_too_much_for_a_queue_that_blocks => |ended| ended.succeeds();
    ten_times_too_much_for_a_queue_that_blocks_for_a_time => |ended| ended.succeeds();
    ten_times_too_much_for_a_queue_that_drops_the_newest => |ended| ended.succeeds();
    ten_times_too_much_for_a_queue_that_drops_the_oldest => |ended| ended.succeeds();
    ten_times_too_much_for_a_queue_that_drops_the_unimportant => |ended| ended.succeeds();
    what_a_buffer_keeps_is_let_out_at_exit => |ended| ended.succeeds().has_lines(100);
    what_a_buffer_keeps_in_front_of_a_queue_is_let_out_at_exit => |ended| ended.exits(7).has_lines(100);
    what_a_buffer_keeps_behind_a_queue_is_let_out_at_exit => |ended| ended.succeeds().has_lines(100);
    what_a_later_exit_handler_logs_into_a_buffer_is_let_out => |ended| ended.succeeds().has_lines(20);
    what_a_buffer_is_to_give_up_at_exit_is_given_up => |ended| ended.succeeds().has_lines(0);
    a_panic_lets_out_what_a_buffer_keeps => |ended| ended.is_killed_by(libc::SIGABRT).has_panic_behind(100);
    a_forked_child_leaves_what_a_buffer_keeps_to_its_parent => |ended| ended.succeeds().has_lines(6);
    duplicates_are_told_at_exit => |ended| ended.succeeds().says(&["line", "last message repeated 4 times"]);
    a_forked_child_does_not_tell_its_parents_duplicates => |ended| ended.succeeds().says(&["line", "last message repeated 4 times"]);
    handlers_around_handlers_can_be_forked_under_load => |ended| ended.succeeds().has_whole_lines();
    a_record_that_cannot_be_delivered_stops_the_program => |ended| ended.exits(3).has_lines(10).took_less_than(10);
    a_record_that_cannot_be_delivered_stops_the_program_from_a_queue => |ended| ended.exits(70).has_lines(10).took_less_than(10);
    a_record_that_cannot_be_delivered_aborts_the_program => |ended| ended.is_killed_by(libc::SIGABRT).has_lines(10);
    a_record_that_cannot_be_delivered_at_exit_does_not_hang => |ended| ended.succeeds().took_less_than(10);
    a_record_that_cannot_be_delivered_by_several_threads_stops_the_program_once => |ended| ended.exits(3).says(&["stops"]).took_less_than(10);
    what_was_filtered_is_told_at_the_exit => |ended| ended.exits(7).says_in_any_order(&["3 records filtered here: sampled 3", "line 0"]);
    a_forked_child_tells_of_what_it_filtered_itself => |ended| ended.succeeds().says_in_any_order(&["2 records filtered here: sampled 2", "3 records filtered here: sampled 3", "line 0", "line 4"]);
    a_retry_that_waits_does_not_hold_up_the_exit => |ended| ended.succeeds().has_lines(2).took_less_than(4);
    a_line_of_others_without_an_end_is_there_after_the_exit => |ended| ended.exits(7).has_lines(3);
    a_forked_child_leaves_a_line_without_an_end_to_its_parent => |ended| ended.succeeds().has_lines(2);
    children_forked_while_files_are_compressed_compress_their_own => |ended| ended.succeeds();
    times_without_end_are_times => |ended| ended.succeeds().has_lines(10);
}

/// Runs the child of `case`, and says how it ended.
fn run(case: &Case) -> Result<(), Failed> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let output = fs::File::create(directory.path().join("stderr")).map_err(|error| error.to_string())?;
    let start = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--child", case.name])
        .arg(directory.path())
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .spawn()?;
    let Some(status) = poll(WATCHDOG, || child.try_wait().transpose()) else {
        child.kill()?;
        child.wait()?;
        return Err(format!("hangs; {}", stderr(directory.path())).into());
    };
    let status = status?;
    let ended = Ended { status, took: start.elapsed(), directory: directory.path().to_owned() };
    std::panic::catch_unwind(|| (case.check)(&ended)).map_err(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        format!("{}\n{}", message.unwrap_or_default(), stderr(directory.path())).into()
    })
}

fn stderr(directory: &Path) -> String {
    let text = fs::read_to_string(directory.join("stderr")).unwrap_or_default();
    format!("standard error of the child:\n{}", text.chars().take(4_000).collect::<String>())
}

/// A child that hangs longer than this is killed.
const WATCHDOG: Duration = Duration::from_secs(60);

/// How a child ended, and what it left.
struct Ended {
    status: ExitStatus,
    took: Duration,
    directory: PathBuf,
}

impl Ended {
    #[track_caller]
    fn succeeds(&self) -> &Self {
        self.exits(0)
    }

    #[track_caller]
    fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.status);
        self
    }

    #[track_caller]
    fn is_killed_by(&self, signal: i32) -> &Self {
        use std::os::unix::process::ExitStatusExt as _;
        assert_eq!(self.status.signal(), Some(signal), "{}", self.status);
        self
    }

    #[track_caller]
    fn took_less_than(&self, seconds: u64) {
        assert!(self.took < Duration::from_secs(seconds), "it took {:?}", self.took);
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }

    /// The lines say `line 0`, `line 1` … and nothing else.
    #[track_caller]
    fn has_lines(&self, count: usize) -> &Self {
        let wanted: Vec<_> = (0..count).map(|number| format!("line {number}")).collect();
        let lines = self.lines();
        assert!(lines == wanted, "{} lines instead of {count}; the last: {:?}", lines.len(), lines.last());
        self
    }

    /// The lines, sorted, begin like this.
    #[track_caller]
    fn says_in_any_order(&self, wanted: &[&str]) {
        let mut lines = self.lines();
        lines.sort();
        assert_eq!(lines.len(), wanted.len(), "{lines:?}");
        assert!(lines.iter().zip(wanted).all(|(line, wanted)| line.starts_with(wanted)), "{lines:?}");
    }

    #[track_caller]
    fn says(&self, lines: &[&str]) -> &Self {
        assert_eq!(self.lines(), lines);
        self
    }

    #[track_caller]
    fn has_whole_lines(&self) -> &Self {
        let lines = self.lines();
        assert!(!lines.is_empty());
        for line in lines {
            assert!(line.starts_with("line ") && line.ends_with(TAIL), "{line:?}");
        }
        self
    }

    #[track_caller]
    fn has_all_of_each_thread(&self) {
        let mut next = HashMap::<String, usize>::new();
        for line in self.lines() {
            let line = line.strip_suffix(TAIL).unwrap_or_else(|| panic!("not whole: {line:?}"));
            let (thread, number) = line.rsplit_once(' ').unwrap();
            let next = next.entry(thread.to_owned()).or_default();
            assert_eq!(number.parse(), Ok(*next), "{line:?}");
            *next += 1;
        }
        assert_eq!(next.len(), THREADS);
        assert!(next.values().all(|&count| count == each_thread()), "{next:?}");
    }

    #[track_caller]
    fn has_panic_behind(&self, count: usize) {
        let lines = self.lines();
        assert_eq!(lines.len(), count + 1);
        assert!(lines[count].starts_with("panicked: on purpose"), "{:?}", lines[count]);
    }

    #[track_caller]
    fn has_one_panic(&self) {
        let lines = self.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("panicked: on purpose 7 [panic ERROR location=tests/ends/cases.rs:"), "{lines:?}");
        assert!(lines[0].contains(" thread=unlucky"), "{lines:?}");
        assert!(self.directory.join("hook").exists(), "the hook before did not run");
    }

    #[track_caller]
    fn has_own_records_of_forks(&self) {
        let lines = self.lines();
        let mut counts = HashMap::<&str, usize>::new();
        lines.iter().for_each(|line| *counts.entry(line).or_default() += 1);
        let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).take(5).collect();
        assert!(twice.is_empty(), "written more than once: {twice:?}");
        for way in ["queue", "direct"] {
            for fork in 0..FORKS {
                for number in 0..10 {
                    let line = format!("{way} child {fork} {number}");
                    assert!(counts.contains_key(&*line), "missing: {line}");
                }
            }
            for thread in 0..4 {
                // Whatever the parent counted as sent is there without a gap.
                let prefix = format!("{way} parent {thread} ");
                let last = lines.iter().filter(|line| line.starts_with(&prefix)).count();
                assert!((0..last).all(|number| counts.contains_key(&*format!("{prefix}{number}"))), "{prefix}");
                assert!(last > 0);
            }
        }
    }

    #[track_caller]
    fn has_backlog_once(&self) {
        let mut lines = self.lines();
        let from_children = lines.extract_if(.., |line| line.starts_with("child ")).collect::<Vec<_>>();
        assert_eq!(from_children, ["child flushes", "child exits"]);
        let wanted: Vec<_> = (0..5_000).map(|number| format!("line {number}")).collect();
        assert!(lines == wanted, "{} lines of the parent", lines.len());
    }

    #[track_caller]
    fn has_fork_in_handler(&self) {
        let lines = self.lines();
        for number in 0..100 {
            let line = format!("line {number}");
            assert_eq!(lines.iter().filter(|known| **known == line).count(), 1, "{line}: {lines:?}");
        }
        assert_eq!(lines.iter().filter(|line| *line == "from the child").count(), 2, "{lines:?}");
        assert_eq!(lines.len(), 102);
    }

    #[track_caller]
    fn has_generations(&self) {
        let mut lines = self.lines();
        lines.sort();
        assert_eq!(lines, ["child", "grandchild", "parent after", "parent before"]);
    }

    #[track_caller]
    fn has_own_subscriber(&self) {
        assert_eq!(self.lines(), ["parent"]);
        assert_eq!(fs::read_to_string(self.directory.join("own")).unwrap(), "child 0\nchild 1\n");
    }
}

/// Stands at the end of each line, so that half a line shows.
const TAIL: &str = " ..................................................end";
const THREADS: usize = 8;
const FORKS: usize = 200;

/// The whole size takes a release build: `TRACING_HANDLERS_LINES=100000`.
fn each_thread() -> usize {
    std::env::var("TRACING_HANDLERS_LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(10_000)
}

/// A file that keeps up to `room` bytes in a buffer, and does not write them when it is dropped.
struct File {
    file: fs::File,
    buffer: Vec<u8>,
    pending: usize,
    room: usize,
}

impl File {
    fn open(directory: &Path) -> Self {
        Self::named(&directory.join("log"))
    }

    fn named(path: &Path) -> Self {
        let file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        Self { file, buffer: Vec::new(), pending: 0, room: 0 }
    }

    fn buffered(self, room: usize) -> Self {
        Self { room, ..self }
    }

    fn empty(&mut self) -> Result<(), Error> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        self.pending = 0;
        Ok(())
    }
}

impl Sink for File {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.buffer.extend_from_slice(framed.bytes());
        self.pending += framed.ends().len();
        match self.buffer.len() > self.room {
            true => self.empty().map_err(Partial::from),
            false => Ok(()),
        }
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.empty()
    }

    fn pending(&self) -> usize {
        self.pending
    }

    fn describe(&self) -> String {
        "file".to_owned()
    }

    fn forget_pending(&mut self) {
        self.buffer.clear();
        self.pending = 0;
    }
}

const BUFFER: usize = 1 << 20;

fn message(record: &Record<'_>, out: &mut format::Out<'_>) -> Result<(), Error> {
    out.push_str(record.message());
    Ok(())
}

fn output(sink: impl Sink) -> impl Handler {
    Output::new(format::from_fn(message), sink)
}

/// Makes `handler` the process's.
fn install(handler: impl Handler) {
    tracing_subscriber::registry().with(tracing_handlers::layer(handler)).init();
}

fn install_queue(directory: &Path) {
    install(Queue::new(output(File::open(directory).buffered(BUFFER))));
}

fn log_lines(numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| tracing::info!("line {number}"));
}

fn record(message: &str) -> RecordBuf {
    RecordBuf::new(Severity::INFO, "ends", message)
}

/// A handler that never comes back.
fn hangs() -> impl Handler {
    from_fn(|_| {
        loop {
            thread::park();
        }
    })
}

/// A sink that never comes back.
struct Hangs;

impl Sink for Hangs {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        loop {
            thread::park();
        }
    }

    fn describe(&self) -> String {
        "hangs".to_owned()
    }
}

fn quietly() {
    std::panic::set_hook(Box::new(|_| {}));
}

fn what_main_logged_is_there_after_it_returns(directory: &Path) {
    install_queue(directory);
    log_lines(0..1_000);
}

fn what_main_logged_is_there_after_process_exit(directory: &Path) {
    install_queue(directory);
    log_lines(0..1_000);
    std::process::exit(7);
}

fn filtered(directory: &Path) -> impl Handler {
    let queue = Queue::new(output(File::open(directory).buffered(BUFFER)));
    Filtered::new(filter::one_in(4), queue).tell_every(Duration::from_secs(3_600))
}

fn what_was_filtered_is_told_at_the_exit(directory: &Path) {
    install(filtered(directory));
    log_lines(0..4);
    std::process::exit(7);
}

fn a_forked_child_tells_of_what_it_filtered_itself(directory: &Path) {
    install(filtered(directory));
    log_lines(0..4);
    wait_for(fork(|| {
        log_lines(4..7);
        std::process::exit(0);
    }));
}

fn what_main_logged_is_there_after_an_exit_on_another_thread(directory: &Path) {
    install_queue(directory);
    log_lines(0..1_000);
    let _ = thread::spawn(|| std::process::exit(7)).join();
}

fn what_main_logged_is_there_after_it_panics(directory: &Path) {
    install_queue(directory);
    log_lines(0..1_000);
    panic!("on purpose");
}

fn an_unused_queue_does_not_hold_up_the_exit(directory: &Path) {
    install_queue(directory);
}

fn a_panic_of_a_thread_harms_nothing(directory: &Path) {
    install_queue(directory);
    log_lines(0..1_000);
    thread::spawn(|| panic!("on purpose")).join().unwrap_err();
    log_lines(1_000..2_000);
}

fn a_queue_that_is_never_dropped_is_emptied(directory: &Path) {
    let queue = Box::leak(Box::new(Queue::new(output(File::open(directory).buffered(BUFFER)))));
    (0..1_000).for_each(|number| queue.handle(&record(&format!("line {number}")).as_record()).unwrap());
}

fn a_buffer_without_a_queue_is_emptied(directory: &Path) {
    install(output(File::open(directory).buffered(BUFFER)));
    log_lines(0..1_000);
}

fn a_line_of_others_without_an_end_is_there_after_the_exit(directory: &Path) {
    let queue = Arc::new(Queue::new(output(File::open(directory).buffered(BUFFER))));
    let mut lines = Lines::new(queue.clone());
    lines.write_all(b"line 0\nline 1\nli").unwrap();
    // Asked for before the exit, a flush leaves the line alone: it goes on.
    flush(Duration::from_secs(5)).unwrap();
    lines.write_all(b"ne 2").unwrap();
    std::process::exit(7);
}

fn a_forked_child_leaves_a_line_without_an_end_to_its_parent(directory: &Path) {
    let mut lines = Lines::new(output(File::open(directory)));
    lines.write_all(b"line 0\nline").unwrap();
    wait_for(fork(|| std::process::exit(0)));
    lines.write_all(b" 1\n").unwrap();
}

fn log_from_eight_threads(directory: &Path) {
    let queue = Queue::new(output(File::open(directory).buffered(BUFFER)));
    install(queue.capacity(1_024).overflow(Overflow::Block));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || (0..each_thread()).for_each(|number| tracing::info!("thread {thread} {number}{TAIL}")));
        }
    });
}

fn eight_threads_lose_nothing_when_main_returns(directory: &Path) {
    log_from_eight_threads(directory);
}

fn eight_threads_lose_nothing_at_process_exit(directory: &Path) {
    log_from_eight_threads(directory);
    std::process::exit(7);
}

fn eight_threads_lose_nothing_when_main_panics(directory: &Path) {
    log_from_eight_threads(directory);
    panic!("on purpose");
}

/// What `panic = "abort"` does: the hook, then the end, without unwinding. A test cannot be built with that profile.
fn a_panic_that_aborts_is_logged_and_all_before_it_is_there(directory: &Path) {
    std::panic::set_hook(Box::new(|_| std::process::abort()));
    install_queue(directory);
    log_panics();
    log_lines(0..1_000);
    panic!("on purpose");
}

fn a_panic_is_logged_once_and_the_hook_before_still_runs(directory: &Path) {
    let marker = directory.join("hook");
    std::panic::set_hook(Box::new(move |_| fs::write(&marker, "").unwrap()));
    let detailed = |record: &Record<'_>, out: &mut format::Out<'_>| {
        let _ = write!(out, "{} [{} {}", record.message(), record.target(), record.severity());
        record.fields().for_each(|field| drop(write!(out, " {}={}", field.name, field.value)));
        out.push(b']');
        Ok(())
    };
    install(Queue::new(Output::new(format::from_fn(detailed), File::open(directory))));
    log_panics();
    let unlucky = thread::Builder::new().name("unlucky".to_owned());
    unlucky.spawn(|| panic!("on purpose {}", 7)).unwrap().join().unwrap_err();
}

fn a_panic_in_a_sink_does_not_wait_for_itself(_: &Path) {
    struct Panics;
    impl Sink for Panics {
        fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
            panic!("on purpose");
        }
        fn describe(&self) -> String {
            "panics".to_owned()
        }
    }
    quietly();
    install((output(Panics), Queue::new(output(Panics))));
    log_panics();
    log_lines(0..3);
    thread::spawn(|| log_lines(0..3)).join().unwrap();
}

fn a_sink_that_hangs_holds_up_the_exit_no_longer_than_allowed(_: &Path) {
    set_exit_timeout(Duration::from_millis(200));
    install(Queue::new(output(Hangs)));
    log_lines(0..100);
    std::process::exit(7);
}

fn a_full_queue_that_blocks_does_not_hold_up_the_exit_for_ever(_: &Path) {
    set_exit_timeout(Duration::from_millis(200));
    log_late(0..10);
    install(Queue::new(hangs()).capacity(3).overflow(Overflow::Block));
    log_lines(0..3);
    std::process::exit(7);
}

fn many_records_after_the_exit_timeout_do_not_hold_up_the_exit(_: &Path) {
    set_exit_timeout(Duration::from_millis(200));
    log_late(0..100);
    install(Queue::new(hangs()));
    log_lines(0..3);
    std::process::exit(7);
}

fn a_sink_that_hangs_under_its_lock_does_not_hold_up_the_exit(_: &Path) {
    set_exit_timeout(Duration::from_millis(200));
    log_late(0..10);
    let output = Arc::new(output(HangsOnce(ENTERED.clone())));
    install(output.clone());
    thread::spawn(|| tracing::info!("stays"));
    until("the sink hangs", || ENTERED.load(Ordering::SeqCst));
    std::process::exit(7);
}

static ENTERED: std::sync::LazyLock<Arc<AtomicBool>> = std::sync::LazyLock::new(Arc::default);

/// Hangs, and tells that it does.
struct HangsOnce(Arc<AtomicBool>);

impl Sink for HangsOnce {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        self.0.store(true, Ordering::SeqCst);
        loop {
            thread::park();
        }
    }

    fn describe(&self) -> String {
        "hangs".to_owned()
    }
}

fn a_queue_that_hangs_does_not_keep_another_from_its_flush(directory: &Path) {
    /// Buffers by itself, so that only the queue in front of it can have it flushed.
    struct Batching(std::sync::Mutex<File>);
    impl Handler for Batching {
        fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
            let mut file = self.0.lock().unwrap();
            file.buffer.extend_from_slice(format!("{}\n", record.message()).as_bytes());
            Ok(())
        }
        fn flush(&self, deadline: Instant) -> Result<(), Error> {
            self.0.lock().unwrap().flush(deadline)
        }
    }
    set_exit_timeout(Duration::from_millis(500));
    let batching = Batching(File::open(directory).into());
    install((Queue::new(hangs()), Queue::new(batching)));
    log_lines(0..10);
}

/// Has these lines logged by an exit handler that runs after the library's, for it was there first.
fn log_late(numbers: std::ops::Range<usize>) {
    extern "C" fn late() {
        log_lines(LATE.get().unwrap().clone());
    }
    static LATE: OnceLock<std::ops::Range<usize>> = OnceLock::new();
    LATE.set(numbers).unwrap();
    // SAFETY: a plain function, valid for the life of the process.
    assert_eq!(unsafe { libc::atexit(late) }, 0);
}

fn what_a_later_exit_handler_logs_through_a_queue_is_there(directory: &Path) {
    log_late(10..20);
    install_queue(directory);
    log_lines(0..10);
}

fn what_a_later_exit_handler_logs_into_a_buffer_is_there(directory: &Path) {
    log_late(10..20);
    install(output(File::open(directory).buffered(BUFFER)));
    log_lines(0..10);
}

fn the_first_record_of_all_in_an_exit_handler_is_there(directory: &Path) {
    log_late(0..10);
    install_queue(directory);
}

fn what_thread_locals_log_when_they_are_dropped_is_there(directory: &Path) {
    struct Logs(std::ops::Range<usize>);
    impl Drop for Logs {
        fn drop(&mut self) {
            log_lines(self.0.clone());
        }
    }
    thread_local! {
        static LOGS: RefCell<Option<Logs>> = const { RefCell::new(None) };
    }
    install_queue(directory);
    thread::spawn(|| {
        // Made before those of the library, and so dropped after them.
        LOGS.set(Some(Logs(10..20)));
        log_lines(0..10);
    })
    .join()
    .unwrap();
    LOGS.set(Some(Logs(20..30)));
}

fn threads_that_log_during_the_exit_do_not_hold_it_up(directory: &Path) {
    let queue = Queue::new(output(File::open(directory).buffered(BUFFER))).capacity(64).overflow(Overflow::Block);
    install((queue, output(File::open(directory))));
    static LOGGED: AtomicUsize = AtomicUsize::new(0);
    for thread in 0..4 {
        thread::spawn(move || {
            for number in 0.. {
                tracing::info!("line {thread} {number}{TAIL}");
                LOGGED.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    until("the threads are at work", || LOGGED.load(Ordering::Relaxed) >= 1_000);
}

fn an_exit_from_a_handler_comes_to_an_end(_: &Path) {
    set_exit_timeout(Duration::from_millis(200));
    install(Queue::new(from_fn(|_| std::process::exit(7))));
    log_lines(0..10);
    loop {
        thread::park();
    }
}

fn an_exit_from_a_sink_comes_to_an_end(_: &Path) {
    struct Exits;
    impl Sink for Exits {
        fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
            std::process::exit(7);
        }
        fn describe(&self) -> String {
            "exits".to_owned()
        }
    }
    set_exit_timeout(Duration::from_millis(200));
    install(output(Exits));
    log_lines(0..10);
}

#[cfg(target_os = "linux")]
fn without_a_thread_to_be_had_records_are_written_by_those_who_log(directory: &Path) {
    let queue = Arc::new(Queue::new(output(File::open(directory).buffered(BUFFER))));
    install(queue.clone());
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split_whitespace().next().unwrap().parse().unwrap();
    // Less than a thread's stack.
    let most = pages * 4_096 + (1 << 20);
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: `limit` is whole.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
    assert!(thread::Builder::new().spawn(|| {}).is_err(), "there are threads to be had");
    log_lines(0..100);
    let stats = queue.stats()[0].stats;
    assert!(stats.balances() && stats.delivered == 100, "{stats:?}");
}

/// A sink that works or fails as it is told.
struct Fickle(Arc<AtomicBool>);

impl Sink for Fickle {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        match self.0.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(Error::new(tracing_handlers::ErrorKind::Io, "on purpose").into()),
        }
    }

    fn describe(&self) -> String {
        "fickle".to_owned()
    }
}

/// A fickle output, behind a queue, its switch, and what selflog was told.
fn fickle() -> (impl Fn(usize), Arc<AtomicBool>, impl Fn() -> Vec<String>) {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (works, teller) = (Arc::new(AtomicBool::new(true)), told.clone());
    selflog::set(move |message| teller.lock().unwrap().push(message.to_owned()));
    let queue = Queue::new(output(Fickle(works.clone())));
    let log = move |records| {
        (0..records).for_each(|_| queue.handle(&record("x").as_record()).unwrap());
        queue.flush(Instant::now() + Duration::from_secs(20)).unwrap();
    };
    (log, works, move || told.lock().unwrap().clone())
}

fn selflog_tells_each_change_of_state_once(_: &Path) {
    let (log, works, told) = fickle();
    log(100);
    assert_eq!(told(), [] as [&str; 0]);
    works.store(false, Ordering::SeqCst);
    log(100);
    log(100);
    assert_eq!(told(), ["fickle: on purpose"]);
    works.store(true, Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs(20);
    // Not within a second of the last.
    while told().len() < 2 {
        assert!(Instant::now() < deadline);
        log(1);
    }
    log(100);
    assert_eq!(told(), ["fickle: on purpose", "fickle: works again; 200 records failed"]);
}

fn selflog_tells_a_failure_that_lasts_after_a_short_recovery(_: &Path) {
    let (log, works, told) = fickle();
    works.store(false, Ordering::SeqCst);
    log(1);
    works.store(true, Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs(20);
    while told().len() < 2 {
        assert!(Instant::now() < deadline);
        log(1);
    }
    // At once again, and from now on for good.
    works.store(false, Ordering::SeqCst);
    while told().len() < 3 {
        assert!(Instant::now() < deadline, "it fails, and the last that was told is {:?}", told().last());
        log(1);
    }
    assert_eq!(told()[2], "fickle: on purpose");
}

/// Forks; the child does `child`, and leaves without a word to anybody.
fn fork(child: impl FnOnce()) -> libc::pid_t {
    // SAFETY: what the child of a program with threads may do is what is tested here.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: a child that hangs is ended by the signal.
            unsafe { libc::alarm(20) };
            child();
            // SAFETY: it ends this process, and takes a number.
            unsafe { libc::_exit(0) }
        }
        child => {
            assert!(child > 0);
            child
        }
    }
}

#[track_caller]
fn wait_for(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: `status` is a place for it.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "a forked child hung or failed");
}

fn children_forked_under_load_deliver_their_own_records_once(directory: &Path) {
    let queue = Arc::new(Queue::new(output(File::open(directory).buffered(4_096))).overflow(Overflow::Block));
    let direct = Arc::new(output(File::open(directory).buffered(4_096)));
    let log = {
        let (queue, direct) = (queue.clone(), direct.clone());
        Arc::new(move |who: &str| {
            queue.handle(&record(&format!("queue {who}")).as_record()).unwrap();
            direct.handle(&record(&format!("direct {who}")).as_record()).unwrap();
        })
    };
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (log, stop) = (log.clone(), stop.clone());
            thread::spawn(move || {
                for number in 0.. {
                    log(&format!("parent {thread} {number}"));
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            })
        })
        .collect();
    for number in 0..FORKS {
        let child = fork(|| {
            (0..10).for_each(|record| log(&format!("child {number} {record}")));
            match number % 2 {
                0 => flush(Duration::from_secs(15)).unwrap(),
                _ => std::process::exit(0),
            }
        });
        wait_for(child);
    }
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    flush(Duration::from_secs(20)).unwrap();
    for report in queue.stats().into_iter().chain(direct.stats()) {
        assert!(report.stats.balances() && report.stats.lost() == 0, "{report}");
    }
}

/// Writes, but forgets nothing.
struct Unforgetting(File);

impl Sink for Unforgetting {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.0.write(framed)
    }

    fn describe(&self) -> String {
        "unforgetting".to_owned()
    }

    fn forget_pending(&mut self) {
        panic!("on purpose");
    }
}

fn a_sink_that_panics_at_a_fork_does_not_end_the_child(directory: &Path) {
    install(output(Unforgetting(File::open(directory))));
    log_lines(0..5);
    wait_for(fork(|| log_lines(5..10)));
}

fn a_forked_child_leaves_the_records_in_the_queue_to_its_parent(directory: &Path) {
    static GO: AtomicBool = AtomicBool::new(false);
    let file = output(File::open(directory).buffered(BUFFER));
    let gated = from_fn(move |record| {
        until("the queue is let go", || GO.load(Ordering::SeqCst));
        file.handle(record)
    });
    // The file is an Output that only the handler knows: it is flushed at exit by itself.
    let queue = Arc::new(Queue::new(gated));
    install(queue.clone());
    log_lines(0..5_000);
    assert!(queue.stats()[0].stats.pending >= 4_999);
    for exits in [false, true] {
        let queue = queue.clone();
        wait_for(fork(move || {
            GO.store(true, Ordering::SeqCst);
            let inherited = queue.stats()[0].stats;
            assert!(inherited.balances() && inherited.pending == 0, "{inherited:?}");
            if exits {
                tracing::info!("child exits");
                std::process::exit(0);
            }
            tracing::info!("child flushes");
            flush(Duration::from_secs(15)).unwrap();
        }));
    }
    GO.store(true, Ordering::SeqCst);
}

fn a_fork_from_inside_a_handler_does_not_hang(directory: &Path) {
    let file = output(File::open(directory));
    let forks = from_fn(move |handled| {
        file.handle(handled)?;
        let child = || file.handle(&record("from the child").as_record()).unwrap();
        match handled.message() {
            "line 50" => wait_for(fork(child)),
            // This child comes back from here as the queue's thread, in a process that has no other. (The handler goes on
            // there with what is left of its batch: here that is nothing.)
            "line 99" => {
                // SAFETY: as in `fork`.
                match unsafe { libc::fork() } {
                    0 => {
                        // SAFETY: as in `fork`.
                        unsafe { libc::alarm(20) };
                        child();
                    }
                    child => wait_for(child),
                }
            }
            _ => {}
        }
        Ok(())
    });
    install(Queue::new(forks));
    log_lines(0..100);
}

fn a_fork_from_inside_a_sink_does_not_hang(directory: &Path) {
    struct Forks(File);
    impl Sink for Forks {
        fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
            self.0.write(framed)?;
            wait_for(fork(|| tracing::info!("line of the child{TAIL}")));
            Ok(())
        }
        fn describe(&self) -> String {
            "forks".to_owned()
        }
    }
    install((output(Forks(File::open(directory))), Queue::new(output(File::open(directory)))));
    (0..3).for_each(|number| tracing::info!("line {number}{TAIL}"));
}

fn commands_with_pre_exec_can_be_spawned_under_load(directory: &Path) {
    use std::os::unix::process::CommandExt as _;
    install((Queue::new(output(File::open(directory))), output(File::open(directory))));
    static STOP: AtomicBool = AtomicBool::new(false);
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            thread::spawn(move || {
                for number in 0.. {
                    tracing::info!("line {thread} {number}{TAIL}");
                    if STOP.load(Ordering::Relaxed) {
                        break;
                    }
                }
            })
        })
        .collect();
    for _ in 0..30 {
        let mut command = Command::new("/bin/true");
        // SAFETY: it does nothing.
        unsafe { command.pre_exec(|| Ok(())) };
        assert!(command.status().unwrap().success());
    }
    STOP.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn a_grandchild_by_a_double_fork_logs(directory: &Path) {
    install_queue(directory);
    tracing::info!("parent before");
    wait_for(fork(|| {
        tracing::info!("child");
        wait_for(fork(|| {
            tracing::info!("grandchild");
            std::process::exit(0);
        }));
        flush(Duration::from_secs(15)).unwrap();
    }));
    tracing::info!("parent after");
}

fn a_forked_child_can_have_a_subscriber_of_its_own(directory: &Path) {
    install_queue(directory);
    tracing::info!("parent");
    wait_for(fork(|| {
        let own = Queue::new(output(File::named(&directory.join("own")).buffered(BUFFER)));
        let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(own));
        let guard = tracing::subscriber::set_default(subscriber);
        (0..2).for_each(|number| tracing::info!("child {number}"));
        std::mem::forget(guard);
        std::process::exit(0);
    }));
}

fn a_fork_while_a_sink_hangs_loses_only_what_that_sink_had(directory: &Path) {
    set_exit_timeout(Duration::from_millis(500));
    install((
        Queue::new(output(HangsOnce(ENTERED.clone()))),
        Queue::new(output(File::open(directory).buffered(BUFFER))),
    ));
    log_lines(0..5);
    until("the sink hangs", || ENTERED.load(Ordering::SeqCst));
    // What the healthy queue has is out before the child's lines come.
    let _ = flush(Duration::from_millis(500));
    wait_for(fork(|| {
        log_lines(5..10);
        std::process::exit(0);
    }));
}

/// After main has returned its thread-locals are gone; exit handlers may still fork.
fn a_fork_without_thread_locals_forgets_the_parents_records(directory: &Path) {
    extern "C" fn forks() {
        log_lines(5..10);
        wait_for(fork(|| flush(Duration::from_secs(15)).unwrap()));
    }
    install(output(File::open(directory).buffered(BUFFER)));
    log_lines(0..5);
    // SAFETY: a plain function; it runs before the library's own, which was there first.
    assert_eq!(unsafe { libc::atexit(forks) }, 0);
}

fn children_forked_while_files_are_compressed_compress_their_own(directory: &Path) {
    use tracing_handlers::{read, rotation, sink};

    let make = |name: String| {
        let rotation = rotation::Rotation::size(20_000).keep(1_000);
        #[cfg(feature = "gzip")]
        let rotation = rotation.compression(rotation::Compression::gzip());
        let path = directory.join(name);
        let file = sink::File::open(&path).unwrap().rotation(rotation);
        (path, output(file))
    };
    let check = |path: PathBuf, count| {
        assert!(rotation::settle(Duration::from_secs(15)));
        let lines: Vec<_> = read::Reader::open(path).unwrap().map(|event| event.line().unwrap().bytes).collect();
        assert_eq!(lines, (0..count).map(|number| format!("line {number}").into_bytes()).collect::<Vec<_>>());
    };
    let (path, parent) = make("parent.log".to_owned());
    let mut children = Vec::new();
    for number in 0..40_000 {
        parent.handle(&record(&format!("line {number}")).as_record()).unwrap();
        if number % 2_000 == 1_999 {
            children.push(fork(|| {
                let (path, own) = make(format!("child.{number}.log"));
                (0..5_000).for_each(|line| own.handle(&record(&format!("line {line}")).as_record()).unwrap());
                check(path, 5_000);
            }));
        }
    }
    children.into_iter().for_each(wait_for);
    check(path, 40_000);
}

fn an_atfork_handler_that_logs_does_not_hang(directory: &Path) {
    extern "C" fn logs() {
        log_lines(LINE..LINE + 1);
    }
    const LINE: usize = 1;
    // It was there first: in the parent and the child it runs before the library lets go of its locks.
    // SAFETY: a plain function, valid for the life of the process.
    assert_eq!(unsafe { libc::pthread_atfork(None, Some(logs), Some(logs)) }, 0);
    install((Queue::new(output(File::open(directory))), output(File::named(&directory.join("direct")))));
    log_lines(0..1);
    logs();
    // While the locks are held neither can be handed on: they are counted, and dropped.
    wait_for(fork(|| {}));
    log_lines(2..3);
}
