//! What is on the disk when, by the system calls that a child process makes: this program again, under strace.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tracing_handlers::handler::{Handler, Stats, from_fn};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{Durability, File, FileOptions, Framed, RecordEnd, Sink, Writer};
use tracing_handlers::{Error, ErrorKind, Output, Partial, Queue, Record, RecordBuf, Severity, format, selflog};

use crate::skip::{installed, needs};
use crate::until::{soon, until};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn threads_that_log_at_once_share_syncs() {
    let traced = needs!(trace("threads", &["-e", "inject=fdatasync:delay_enter=3000"]));
    let syncs = traced.count("fdatasync(");
    assert!((1..200).contains(&syncs), "{syncs} syncs for 400 records");
    assert_eq!(traced.lines_of("app.log").iter().collect::<BTreeSet<_>>().len(), 400);
}

fn threads(path: &Path) {
    let output = Arc::new(output(synced(), path));
    on_threads(&output, 16, 25);
    let stats = stats(&output);
    assert_eq!((stats.delivered, stats.pending), (400, 0));
}

#[test]
fn a_writer_lets_threads_share_syncs_too() {
    let traced = needs!(trace("writers", &["-e", "inject=fdatasync:delay_enter=3000"]));
    let syncs = traced.count("fdatasync(");
    assert!((1..200).contains(&syncs), "{syncs} syncs for 400 lines");
    assert_eq!(traced.lines_of("app.log").len(), 400);
}

fn writers(path: &Path) {
    let writer = Writer::new(synced().open(path).unwrap());
    thread::scope(|scope| {
        for _ in 0..16 {
            let mut writer = writer.clone();
            scope.spawn(move || (0..25).for_each(|_| writer.write_all(b"line\n").unwrap()));
        }
    });
}

#[test]
fn one_thread_has_each_record_on_the_disk_when_its_call_returns() {
    let traced = needs!(trace("one_by_one", &[]));
    traced.expect(&[
        ("write", "app.log", "one"),
        ("fdatasync", "app.log", ""),
        ("write", "app.log", "two"),
        ("fdatasync", "app.log", ""),
    ]);
}

fn one_by_one(path: &Path) {
    let output = output(synced(), path);
    ["one", "two"].iter().for_each(|message| log(&output, message).unwrap());
}

#[test]
fn a_flush_returns_after_the_sync_of_all_before_it() {
    let traced = needs!(trace("flush", &["-e", "inject=fdatasync:delay_enter=50000"]));
    traced.expect(&[
        ("write", "app.log", "one"),
        ("write", "app.log", "two"),
        ("fdatasync", "app.log", ""),
        ("write", "flushed", "done"),
    ]);
}

fn flush(path: &Path) {
    let output = output(grouped(HOUR), path);
    ["one", "two"].iter().for_each(|message| log(&output, message).unwrap());
    assert_eq!((stats(&output).delivered, stats(&output).pending), (0, 2));
    output.flush(soon()).unwrap();
    mark(path, "flushed", "done");
    assert_eq!((stats(&output).delivered, stats(&output).pending), (2, 0));
}

#[test]
fn a_group_is_synced_when_its_time_is_up_without_anybody_asking() {
    let traced = needs!(trace("in_time", &[]));
    assert!(traced.count("fdatasync(") >= 1);
}

fn in_time(path: &Path) {
    let output = output(grouped(Duration::from_millis(1)), path);
    log(&output, "one").unwrap();
    until("the first line is synced", || stats(&output).delivered == 1);
    log(&output, "two").unwrap();
    until("the second line is synced", || stats(&output).delivered == 2);
    // No destructor syncs what the thread was to sync.
    std::process::exit(0);
}

#[test]
fn a_process_that_ends_has_synced_what_was_pending() {
    let traced = needs!(trace("end", &[]));
    traced.expect(&[("write", "app.log", "one"), ("fdatasync", "app.log", "")]);
}

fn end(path: &Path) {
    let output = Box::leak(Box::new(output(grouped(HOUR), path)));
    log(output, "one").unwrap();
    std::process::exit(0);
}

#[test]
fn a_file_that_is_dropped_has_synced_what_was_pending() {
    let traced = needs!(trace("dropped", &[]));
    traced.expect(&[("write", "app.log", "one\\ntwo"), ("fdatasync", "app.log", ""), ("write", "dropped", "done")]);
}

fn dropped(path: &Path) {
    let output = output(grouped(HOUR).buffer(4096), path);
    ["one", "two"].iter().for_each(|message| log(&output, message).unwrap());
    drop(output);
    mark(path, "dropped", "done");
}

#[test]
fn an_important_record_is_synced_whatever_the_level() {
    let traced = needs!(trace("important", &[]));
    traced.expect(&[
        ("write", "app.log", "one"),
        ("write", "app.log", "trouble"),
        ("fdatasync", "app.log", ""),
        ("write", "app.log", "two"),
        ("write", "buffered.log", "one"),
        ("write", "buffered.log", "trouble"),
        ("fdatasync", "buffered.log", ""),
        ("write", "buffered.log", "two"),
        ("write", "grouped.log", "one"),
        ("write", "grouped.log", "trouble"),
        ("fdatasync", "grouped.log", ""),
        ("write", "grouped.log", "two"),
        ("fdatasync", "grouped.log", ""),
    ]);
}

fn important(path: &Path) {
    let buffered = File::options().durability(Durability::Buffered(4096));
    for (name, options) in [("app.log", File::options()), ("buffered.log", buffered), ("grouped.log", grouped(HOUR))] {
        let output = output(options.sync_after(Severity::ERROR), &path.with_file_name(name));
        log(&output, "one").unwrap();
        output.handle(&RecordBuf::new(Severity::FATAL, "app", "trouble").as_record()).unwrap();
        log(&output, "two").unwrap();
    }
}

#[test]
fn what_was_logged_before_an_important_record_is_synced_also_where_the_file_was_left_since() {
    let traced = needs!(trace("important_later", &["-e", "trace=rename"]));
    traced.expect(&[
        ("write", "app.log", "one"),
        ("rename", "app.log.1", ""),
        ("fdatasync", "app.log.1", ""),
        ("fsync", "DIRECTORY", ""),
        ("write", "app.log", "two"),
        ("rename", "moved.log", ""),
        ("fsync", "DIRECTORY", ""),
        ("write", "app.log", "trouble"),
        ("fdatasync", "moved.log", ""),
        ("fdatasync", "app.log", ""),
    ]);
}

fn important_later(path: &Path) {
    fs::write(path, "").unwrap();
    let file = File::options().sync_after(Severity::ERROR).rotation(Rotation::size(9)).open(path).unwrap();
    let control = file.control();
    let output = Output::new(format::from_fn(message), file);
    ["one of it", "two"].iter().for_each(|message| log(&output, message).unwrap());
    fs::rename(path, path.with_file_name("moved.log")).unwrap();
    control.reopen();
    output.handle(&RecordBuf::new(Severity::FATAL, "app", "trouble").as_record()).unwrap();
}

#[test]
fn a_flush_that_comes_before_anybody_has_waited_for_an_important_line_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::options().sync_after(Severity::ERROR).open(dir.path().join("app.log")).unwrap();
    assert!(file.commit().is_none());
    let line = [RecordEnd::new(8, Severity::FATAL)];
    Sink::write(&mut file, Framed::new(b"trouble\n", &line)).unwrap();
    Sink::flush(&mut file, soon()).unwrap();
    assert_eq!(file.pending(), 1);
    file.commit().expect("there is a line to wait for").wait(soon()).unwrap();
    assert_eq!(file.pending(), 0);
}

#[test]
fn a_buffer_in_front_of_syncs_is_written_and_synced_by_a_flush() {
    let traced = needs!(trace("buffered", &[]));
    traced.expect(&[("write", "app.log", "one\\ntwo"), ("fdatasync", "app.log", ""), ("write", "flushed", "done")]);
}

fn buffered(path: &Path) {
    let output = output(synced().buffer(4096), path);
    ["one", "two"].iter().for_each(|message| log(&output, message).unwrap());
    assert_eq!(stats(&output).pending, 2);
    output.flush(soon()).unwrap();
    mark(path, "flushed", "done");
    assert_eq!((stats(&output).delivered, stats(&output).pending), (2, 0));
}

#[test]
fn a_full_buffer_is_synced_with_the_line_that_had_no_room() {
    let traced = needs!(trace("overflowing", &[]));
    traced.expect(&[("write", "app.log", "one\\ntwo"), ("write", "app.log", "three"), ("fdatasync", "app.log", "")]);
}

fn overflowing(path: &Path) {
    let output = output(synced().buffer(9), path);
    ["one", "two", "three"].iter().for_each(|message| log(&output, message).unwrap());
    assert_eq!((stats(&output).delivered, stats(&output).pending), (3, 0));
}

#[test]
fn a_file_that_rotation_leaves_is_synced_and_so_is_the_directory() {
    let traced = needs!(trace("rotated", &["-e", "trace=rename"]));
    traced.expect(&[
        ("write", "app.log", "one"),
        ("rename", "app.log.1", ""),
        ("fdatasync", "app.log.1", ""),
        ("fsync", "DIRECTORY", ""),
        ("write", "app.log", "two"),
        ("fdatasync", "app.log", ""),
    ]);
}

fn rotated(path: &Path) {
    let output = output(grouped(HOUR).rotation(Rotation::size(5)), path);
    ["one", "two"].iter().for_each(|message| log(&output, message).unwrap());
    assert_eq!((stats(&output).delivered, stats(&output).pending), (1, 1));
}

#[test]
fn directories_that_are_made_are_synced_in_those_above_them() {
    let traced = needs!(trace("directories", &[]));
    traced.expect(&[
        ("fsync", "DIRECTORY", ""),
        ("fsync", "a", ""),
        ("fsync", "b", ""),
        ("write", "new.log", "one"),
        ("fdatasync", "new.log", ""),
    ]);
}

fn directories(path: &Path) {
    let output = output(synced(), &path.with_file_name("a/b/new.log"));
    log(&output, "one").unwrap();
}

#[test]
fn the_default_level_never_syncs() {
    let traced = needs!(trace("flushed", &[]));
    traced.expect(&[("write", "app.log", "one"), ("write", "app.log", "two")]);
}

fn flushed(path: &Path) {
    let output = output(File::options().rotation(Rotation::size(5)), path);
    ["one", "two"].iter().for_each(|message| log(&output, message).unwrap());
    output.flush(soon()).unwrap();
    assert_eq!((stats(&output).delivered, stats(&output).pending), (2, 0));
}

#[test]
fn a_line_costs_one_system_call_and_a_look_each_second_another() {
    let traced = needs!(trace("steady", &["-e", "trace=/."]));
    let calls: Vec<_> = traced.text.lines().filter(|call| call.contains("app.log")).collect();
    let looks = calls.iter().filter(|call| call.contains("stat")).count();
    let all = traced.between_marks("begin", "end");
    assert_eq!(traced.calls_on("write", "app.log"), 2_000);
    assert!((1..60).contains(&looks), "{looks} looks");
    // And those around the marks.
    assert!((1_999..2_010 + looks).contains(&all), "{all} system calls");
}

fn steady(path: &Path) {
    let output = output(File::options(), path);
    log(&output, "first").unwrap();
    mark(path, "begin", "begin");
    (1..2_000).for_each(|_| log(&output, "line").unwrap());
    mark(path, "end", "end");
}

#[test]
fn a_failed_sync_is_counted_reported_once_returned_and_recovered_from() {
    let inject = "inject=fdatasync:error=EIO:when=2..3";
    let traced = needs!(trace("failing", &["-e", inject, "-e", "trace=openat"]));
    // For writing: its last byte is read by another descriptor.
    let is_ours = |call: &&&str| call.contains("app.log\"") && call.contains("O_WRONLY");
    let opened = traced.calls("openat").iter().filter(is_ours).count();
    // Once by the test, once by the sink, once more after each failure.
    assert_eq!(opened, 4, "{}", traced.text);
    assert_eq!(traced.count("fdatasync("), 5);
}

fn failing(path: &Path) {
    let reported = selflog_messages();
    let output = output(synced(), path);
    let results: Vec<_> = ["one", "two", "three", "four", "five"].iter().map(|message| log(&output, message)).collect();
    let kinds: Vec<_> = results.iter().map(|result| result.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Io), Some(ErrorKind::Io), None, None]);
    let stats = stats(&output);
    assert_eq!((stats.accepted, stats.delivered, stats.failed, stats.pending), (5, 3, 2, 0));
    let path = path.display();
    let trouble = format!("file {path}: cannot sync {path}: Input/output error (os error 5)");
    assert_eq!(reported(), [trouble.as_str()]);
    assert!(results[1].as_ref().unwrap_err().to_string().starts_with("cannot sync "));
}

#[test]
fn a_group_whose_sync_fails_is_counted_as_failed_and_the_flush_has_the_error() {
    let traced = needs!(trace("failing_group", &["-e", "inject=fdatasync:error=EIO:when=1"]));
    assert_eq!(traced.count("fdatasync("), 2);
}

fn failing_group(path: &Path) {
    let reported = selflog_messages();
    let output = output(grouped(HOUR), path);
    ["one", "two", "three"].iter().for_each(|message| log(&output, message).unwrap());
    assert_eq!(output.flush(soon()).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!((stats(&output).failed, stats(&output).pending, reported().len()), (3, 0, 1));
    log(&output, "four").unwrap();
    output.flush(soon()).unwrap();
    let stats = stats(&output);
    assert_eq!((stats.accepted, stats.delivered, stats.failed, stats.pending), (4, 1, 3, 0));
}

#[test]
fn a_failure_that_is_reported_by_logging_it_blocks_no_thread() {
    let traced = needs!(trace("reported_by_logging", &["-e", "inject=fdatasync:error=EIO:when=1"]));
    assert_eq!(traced.lines_of("app.log"), ["one", "reported", "two"]);
}

fn reported_by_logging(path: &Path) {
    let output = Arc::new(output(grouped(Duration::ZERO).sync_after(Severity::ERROR), path));
    let (sent, logger) = (mpsc::channel(), output.clone());
    let sender = Mutex::new(sent.0);
    selflog::set(move |_| {
        let logged = logger.handle(&RecordBuf::new(Severity::ERROR, "app", "reported").as_record());
        sender.lock().unwrap().send(logged.is_ok()).unwrap();
    });
    log(&output, "one").unwrap();
    assert!(sent.1.recv().unwrap());
    selflog::reset();
    log(&output, "two").unwrap();
    // The outcome of the first line is not known yet.
    output.flush(soon()).unwrap_err();
    assert_eq!((stats(&output).delivered, stats(&output).failed), (2, 1));
}

#[test]
fn a_batch_of_a_queue_is_one_commit() {
    let traced = needs!(trace("queued", &[]));
    let (writes, syncs) = (traced.calls_on("write", "app.log"), traced.count("fdatasync("));
    assert!(writes > 20 && syncs < 10, "{writes} writes, {syncs} syncs");
}

fn queued(path: &Path) {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    // Lets the first record through when all others are there.
    let gate = from_fn(move |_: &Record<'_>| {
        let _ = gate.lock().unwrap().recv();
        Ok(())
    });
    // Small records that become long lines: several writes for what the queue hands over at once.
    let long = "x".repeat(5000);
    let format = format::from_fn(move |_: &Record<'_>, out: &mut format::Out<'_>| {
        out.push_str(&long);
        Ok(())
    });
    let queue = Queue::new((gate, Output::new(format, synced().open(path).unwrap())));
    (0..400).for_each(|_| log(&queue, "short").unwrap());
    drop(open);
    queue.flush(soon()).unwrap();
    let reports = queue.stats();
    assert!(
        reports.iter().any(|report| report.name.starts_with("file ") && report.stats.delivered == 400),
        "{reports:?}"
    );
}

#[test]
fn a_sink_around_a_file_that_knows_of_no_commits_loses_nothing_but_time() {
    let traced = needs!(trace("around", &[]));
    assert_eq!(traced.count("fdatasync("), 3);
}

fn around(path: &Path) {
    struct Around(File);
    impl Sink for Around {
        fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
            Sink::write(&mut self.0, framed)
        }

        fn describe(&self) -> String {
            "around a file".to_owned()
        }
    }
    let output = Output::new(format::from_fn(message), Around(synced().open(path).unwrap()));
    ["one", "two", "three"].iter().for_each(|message| log(&output, message).unwrap());
}

#[test]
fn a_forked_child_leaves_the_syncs_to_its_parent_and_has_its_own() {
    let traced = needs!(trace("forked", &[]));
    assert_eq!(traced.count("fdatasync("), 2);
    assert_eq!(traced.lines_of("app.log"), ["one", "two", "of the child"]);
}

#[cfg(unix)]
fn forked(path: &Path) {
    let output = output(grouped(HOUR), path);
    ["one", "two"].iter().for_each(|message| log(&output, message).unwrap());
    // SAFETY: the child does what any program may do, since the handlers are whole in it, and ends by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let all_is_well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert_eq!((stats(&output).pending, stats(&output).dropped.total()), (0, 2));
            log(&output, "of the child").unwrap();
            output.flush(soon()).unwrap();
            assert_eq!((stats(&output).delivered, stats(&output).pending), (1, 0));
        }));
        // SAFETY: it has no preconditions.
        unsafe { libc::_exit(i32::from(all_is_well.is_err())) }
    }
    let mut status = 0;
    // SAFETY: `status` lives while the call lasts.
    unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(status, 0, "the child failed");
    assert_eq!(stats(&output).pending, 2);
    output.flush(soon()).unwrap();
    assert_eq!(stats(&output).delivered, 2);
}

#[cfg(not(unix))]
fn forked(_: &Path) {}

#[test]
fn a_boxed_file_hands_its_commits_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut boxed: Box<dyn Sink> = Box::new(synced().open(dir.path().join("app.log")).unwrap());
    assert!(boxed.commit().is_none());
    boxed.write(Framed::new(b"one\n", &[RecordEnd::new(4, Severity::INFO)])).unwrap();
    let commit = boxed.commit().unwrap();
    assert_eq!((boxed.pending(), boxed.lost()), (1, 0));
    commit.wait(soon()).unwrap();
    assert_eq!((boxed.pending(), boxed.lost()), (0, 0));
    assert!(boxed.commit().is_none());
}

#[cfg(unix)]
#[test]
fn what_is_not_a_regular_file_is_not_synced() {
    let mut null = synced().open("/dev/null").unwrap();
    null.write_all(b"gone\n").unwrap();
    assert_eq!(null.pending(), 0);
}

#[test]
fn durable_files_keep_the_contracts_of_sinks() {
    for options in
        [synced(), synced().buffer(40), grouped(HOUR), grouped(HOUR).buffer(40), synced().sync_after(Severity::INFO)]
    {
        tracing_handlers::testing::check_sink(|| {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("app.log");
            let file = options.clone().open(&path).unwrap();
            tracing_handlers::testing::SinkHarness::new(file).read(move || {
                let _ = &dir;
                fs::read(&path).unwrap()
            })
        })
        .unwrap();
    }
}

/// What a child does, by its name.
type Case = (&'static str, fn(&Path));

/// Each in a process of its own.
const CASES: &[Case] = &[
    ("threads", threads),
    ("writers", writers),
    ("one_by_one", one_by_one),
    ("flush", flush),
    ("in_time", in_time),
    ("end", end),
    ("dropped", dropped),
    ("important", important),
    ("buffered", buffered),
    ("overflowing", overflowing),
    ("rotated", rotated),
    ("directories", directories),
    ("flushed", flushed),
    ("failing", failing),
    ("failing_group", failing_group),
    ("queued", queued),
    ("around", around),
    ("forked", forked),
    ("important_later", important_later),
    ("steady", steady),
    ("reported_by_logging", reported_by_logging),
];

/// The child process that [`trace`] starts. Without a case, whether each case is traced by a test.
#[test]
fn child() {
    match std::env::var(CASE) {
        Ok(case) => run(&case),
        Err(_) => CASES.iter().for_each(|(name, _)| assert!(SOURCE.contains(&format!("trace(\"{name}\", ")), "{name}")),
    }
}

fn run(case: &str) {
    let path = PathBuf::from(std::env::var_os(LOG).unwrap());
    let (_, run) = CASES.iter().find(|(name, _)| case == *name).unwrap();
    run(&path);
}

const SOURCE: &str = include_str!("durability.rs");
const CASE: &str = "TRACING_HANDLERS_DURABILITY_CASE";
const LOG: &str = "TRACING_HANDLERS_DURABILITY_LOG";

/// What a child process did.
struct Traced {
    dir: tempfile::TempDir,
    text: String,
}

/// Runs a case under strace, which records writes and syncs and does what else the `arguments` ask for. The error is the reason
/// why it cannot.
fn trace(case: &str, arguments: &[&str]) -> Result<Traced, String> {
    let works = installed("strace", Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output())?;
    if !works.status.success() {
        return Err("strace is not permitted to trace".to_owned());
    }
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let more: Vec<_> = arguments.iter().filter_map(|argument| argument.strip_prefix("trace=")).collect();
    let calls = [&["fdatasync", "fsync", "write"], &more[..]].concat().join(",");
    let rest = arguments.chunks(2).filter(|pair| !pair[1].starts_with("trace=")).flatten();
    let output = Command::new("strace")
        .args(["-f", "-qq", "-y", "-s", "64", "-e", &format!("trace={calls}"), "-e", "signal=none", "-o"])
        .arg(&trace)
        .args(rest)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "durability::child", "--nocapture"])
        .env(CASE, case)
        .env(LOG, dir.path().join("app.log"))
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && printed.contains("running 1 test"), "{case}: {printed}");
    let text = fs::read_to_string(trace).unwrap();
    Ok(Traced { dir, text })
}

impl Traced {
    fn count(&self, what: &str) -> usize {
        self.text.matches(what).count()
    }

    fn calls(&self, name: &str) -> Vec<&str> {
        self.text.lines().filter(|line| line.contains(&format!(" {name}("))).collect()
    }

    fn calls_on(&self, name: &str, file: &str) -> usize {
        self.calls(name).iter().filter(|call| call.contains(&format!("/{file}>"))).count()
    }

    /// The calls on files of the directory, in this order: what, on which file, with what text.
    fn expect(&self, wanted: &[(&str, &str, &str)]) {
        let dir = self.dir.path().canonicalize().unwrap().display().to_string();
        // A call that others interrupted in the list stands where it ended.
        let mut begun = std::collections::HashMap::new();
        let mut calls = Vec::new();
        for line in self.text.lines() {
            let (thread, call) = line.split_once(' ').unwrap();
            let call = call.trim_start();
            if let Some(start) = call.strip_suffix(" <unfinished ...>") {
                begun.insert(thread, start);
            } else if call.starts_with("<... ") {
                calls.extend(begun.remove(thread));
            } else {
                calls.push(call);
            }
        }
        calls.retain(|call| call.contains(&dir) && !call.contains(".lock"));
        let shows = |call: &str, (name, file, text): (&str, &str, &str)| {
            let place = if file == "DIRECTORY" { dir.clone() } else { format!("/{file}") };
            let is_there = [">", "\""].iter().any(|end| call.contains(&format!("{place}{end}")));
            call.starts_with(&format!("{name}(")) && is_there && call.contains(text)
        };
        let fits = calls.len() == wanted.len() && calls.iter().zip(wanted).all(|(call, wanted)| shows(call, *wanted));
        assert!(fits, "{calls:#?}\nis not {wanted:#?}");
    }

    /// How many system calls the thread that made the marks made between them.
    fn between_marks(&self, begin: &str, end: &str) -> usize {
        let is_mark = |call: &&str, mark: &str| call.contains("write(") && call.contains(&format!("/{mark}>"));
        let thread =
            self.text.lines().find(|call| is_mark(call, begin)).and_then(|call| call.split(' ').next()).unwrap();
        let calls = self.text.lines().filter(|call| call.split(' ').next() == Some(thread));
        let behind = calls.skip_while(|call| !is_mark(call, begin)).skip(1);
        behind.take_while(|call| !is_mark(call, end)).count()
    }

    fn lines_of(&self, file: &str) -> Vec<String> {
        fs::read_to_string(self.dir.path().join(file)).unwrap().lines().map(str::to_owned).collect()
    }
}

fn synced() -> FileOptions {
    File::options().durability(Durability::Synced)
}

fn grouped(window: Duration) -> FileOptions {
    File::options().durability(Durability::Grouped(window))
}

/// Lines are the bare messages. The file is there before: what making it costs is the matter of one test.
fn output(options: FileOptions, path: &Path) -> impl Handler + use<> {
    if path.extension().is_some() && path.file_stem() != Some("new".as_ref()) {
        fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    }
    Output::new(format::from_fn(message), options.open(path).unwrap())
}

fn message(record: &Record<'_>, out: &mut format::Out<'_>) -> Result<(), Error> {
    out.push_str(record.message());
    Ok(())
}

fn log(handler: &impl Handler, message: &str) -> Result<(), Error> {
    handler.handle(&RecordBuf::new(Severity::INFO, "app", message).as_record())
}

fn on_threads(output: &Arc<impl Handler>, threads: usize, records: usize) {
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || (0..records).for_each(|record| log(output, &format!("{thread} {record}")).unwrap()));
        }
    });
}

fn stats(handler: &impl Handler) -> Stats {
    let stats = handler.stats()[0].stats;
    assert!(stats.balances(), "{stats:?}");
    stats
}

/// Leaves a mark in the list of calls.
fn mark(path: &Path, name: &str, text: &str) {
    fs::File::create(path.with_file_name(name)).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The selflog messages from now on.
fn selflog_messages() -> impl Fn() -> Vec<String> {
    let messages = Arc::new(Mutex::new(Vec::new()));
    let kept = messages.clone();
    selflog::set(move |message| kept.lock().unwrap().push(message.to_owned()));
    move || messages.lock().unwrap().clone()
}
