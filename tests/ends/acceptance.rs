//! What an application counts on, with the real sinks.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use tracing::{Level, field};
use tracing_handlers::Handle;
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::handler::Stats;
use tracing_handlers::rotation::{KIB, Rotation};
use tracing_handlers::sink::{self, Console};

use super::*;
#[cfg(target_os = "linux")]
use crate::until::within;

/// In the steady state of each report; `pending` is what the caller knows to be on its way.
#[track_caller]
fn assert_accounted(handle: &Handle, reports: usize) -> Vec<Stats> {
    let all = handle.stats();
    assert_eq!(all.len(), reports, "{all:?}");
    for report in &all {
        assert!(report.stats.balances() && report.stats.pending == 0, "{report}");
    }
    all.into_iter().map(|report| report.stats).collect()
}

/// Makes `file` the standard output.
fn stdout_to(file: &impl std::os::fd::AsRawFd) {
    // SAFETY: both are open descriptors.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), libc::STDOUT_FILENO) }, libc::STDOUT_FILENO);
}

/// What selflog is told from now on.
pub fn told() -> Arc<Mutex<Vec<String>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = told.clone();
    selflog::set(move |message| teller.lock().unwrap().push(message.to_owned()));
    told
}

const SOON: Duration = Duration::from_secs(20);
const EVIL: &str = "\u{1b}[2J\n2026-11-21T00:00:00Z ERROR forged: forged \u{9b}31m\r\u{202e}";

pub fn three_outputs_show_each_what_it_is_for(directory: &Path) {
    // SAFETY: there is one thread.
    unsafe {
        std::env::remove_var("NO_COLOR");
        std::env::set_var("CLICOLOR_FORCE", "1");
    }
    stdout_to(&fs::File::create(directory.join("terminal")).unwrap());
    let file = |name: &str| sink::File::open(directory.join(name)).unwrap();
    let handle = tracing_handlers::init((
        Output::new(Text::new(), Console::stdout()).level(Level::INFO),
        Output::new(Text::new(), file("app.log")),
        Queue::new(Output::new(Json::new(), file("app.jsonl"))),
        Output::new(Text::new(), file("errors.log")).level(Level::ERROR),
        Queue::new(Output::new(Json::new(), file("warnings.jsonl")).level(Level::WARN)),
    ));
    let request = tracing::info_span!("request", id = 7, user = field::Empty, evil = EVIL);
    let entered = request.enter();
    tracing::info!("before");
    request.record("user", "anna");
    tracing::debug!(evil = EVIL, "a DEBUG secret of {EVIL}");
    tracing::error!(evil = ?EVIL, "failed {EVIL}");
    request.record("user", "berta");
    tracing::warn!(target: "\u{1b}[31mtarget", "careful");
    tracing::error!(evil = %EVIL, "failed again");
    drop(entered);
    tracing::trace!("outside");
    tracing::error!("outside");
    let handle = handle.unwrap();
    handle.flush(SOON).unwrap();
    let stats = assert_accounted(&handle, 7);
    assert_eq!(stats.iter().map(|stats| stats.delivered).collect::<Vec<_>>(), [5, 7, 7, 7, 3, 4, 4]);
}

impl Ended {
    #[track_caller]
    pub fn has_three_outputs(&self) {
        let read = |name: &str| fs::read_to_string(self.directory.join(name)).unwrap();
        for name in ["app.log", "app.jsonl", "errors.log", "warnings.jsonl"] {
            let text = read(name);
            let bad = text.chars().find(|letter| letter.is_control() && *letter != '\n' || *letter == '\u{202e}');
            assert_eq!(bad, None, "{name}: {text:?}");
        }
        let terminal = read("terminal");
        assert!(terminal.contains("\u{1b}["), "no colors: {terminal:?}");
        assert!(!terminal.contains("\u{1b}[2J") && !terminal.contains("\u{1b}[31mtarget"), "{terminal:?}");
        assert!(!terminal.contains("DEBUG") && !terminal.contains("TRACE"), "{terminal:?}");
        assert_eq!(terminal.lines().count(), 5);

        let has = |line: &str, user: &str| {
            assert_eq!((line.matches("user=").count(), line.matches("id=7").count()), (1, 1), "{line:?}");
            assert!(line.contains(&format!("user={user}")) || line.contains(&format!("user=\"{user}\"")), "{line:?}");
        };
        let errors = read("errors.log");
        let errors: Vec<_> = errors.lines().collect();
        assert!(errors.len() == 3 && errors.iter().all(|line| line.contains(" ERROR ")), "{errors:#?}");
        has(errors[0], "anna");
        has(errors[1], "berta");
        assert!(!errors[2].contains("request"), "{:?}", errors[2]);

        let text = read("app.log");
        let text: Vec<_> = text.lines().collect();
        assert_eq!(text.len(), 7);
        assert!(!text[0].contains("user"), "{:?}", text[0]);
        [(1, "anna"), (2, "anna"), (3, "berta"), (4, "berta")].iter().for_each(|(line, user)| has(text[*line], user));

        let users = |name: &str| -> Vec<_> {
            let text = read(name);
            text.lines()
                .map(|line| {
                    assert!(line.matches("\"user\":").count() <= 1, "{line}");
                    let json: serde_json::Value = serde_json::from_str(line).unwrap();
                    assert!(json["spans"].is_null() || json["spans"][0]["id"] == 7, "{line}");
                    (json["level"].as_str().unwrap().to_owned(), json["spans"][0]["user"].as_str().map(str::to_owned))
                })
                .collect()
        };
        let wanted = [
            ("INFO", None),
            ("DEBUG", Some("anna")),
            ("ERROR", Some("anna")),
            ("WARN", Some("berta")),
            ("ERROR", Some("berta")),
            ("TRACE", None),
            ("ERROR", None),
        ]
        .map(|(level, user)| (level.to_owned(), user.map(str::to_owned)));
        assert_eq!(users("app.jsonl"), wanted);
        let warnings: Vec<_> =
            wanted.into_iter().filter(|(level, _)| ["WARN", "ERROR"].contains(&level.as_str())).collect();
        assert_eq!(users("warnings.jsonl"), warnings);
    }
}

/// The whole size takes a release build: `TRACING_HANDLERS_LINES=100000`.
fn lines_of_each() -> usize {
    std::env::var("TRACING_HANDLERS_LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(2_000)
}

fn log_into_rotating_files(directory: &Path) {
    let file = sink::File::open(directory.join("app.jsonl")).unwrap();
    let output = Output::new(Json::new(), file.rotation(Rotation::size(256 * KIB).keep(usize::MAX)));
    tracing_handlers::init(Queue::new(output).capacity(1_024).overflow(Overflow::Block)).unwrap();
    let threads = (0..THREADS).map(|thread| {
        thread::spawn(move || {
            let _span = tracing::info_span!("worker", thread).entered();
            (0..lines_of_each()).for_each(|number| tracing::info!(number, "done{TAIL}"));
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
}

pub fn eight_threads_lose_nothing_in_rotating_files_when_main_returns(directory: &Path) {
    log_into_rotating_files(directory);
}

pub fn eight_threads_lose_nothing_in_rotating_files_at_process_exit(directory: &Path) {
    log_into_rotating_files(directory);
    std::process::exit(7);
}

impl Ended {
    #[track_caller]
    pub fn has_all_in_rotating_files(&self) {
        let old = |number: usize| self.directory.join(format!("app.jsonl.{number}"));
        let count = (1..).take_while(|&number| old(number).exists()).count();
        let expected = lines_of_each() * THREADS * 100 / (256 << 10);
        assert!(count >= expected, "only {count} old files");
        let files = (1..=count).rev().map(old).chain([self.directory.join("app.jsonl")]);
        let mut next = [0; THREADS];
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.len() <= 256 << 10 && text.ends_with('\n'), "{}: {} bytes", path.display(), text.len());
            for line in text.lines() {
                let json: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
                assert_eq!(json["message"], format!("done{TAIL}"));
                let next = &mut next[json["spans"][0]["thread"].as_u64().unwrap() as usize];
                assert_eq!(json["number"], *next, "{}: {line}", path.display());
                *next += 1;
            }
        }
        assert_eq!(next, [lines_of_each(); THREADS]);
    }
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of it")?;
        panic!("on purpose")
    }
}

struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::warn!("from inside");
        f.write_str("whole")
    }
}

pub fn a_debug_that_panics_costs_its_field_and_one_that_logs_nothing(directory: &Path) {
    quietly();
    let file = |name: &str| sink::File::open(directory.join(name)).unwrap();
    let handle = tracing_handlers::init((
        Output::new(Text::new().time(Time::none()), file("app.log")),
        Queue::new(Output::new(Json::new().time(Time::none()), file("app.jsonl"))),
    ))
    .unwrap();
    for _ in 0..100 {
        let _span = tracing::info_span!("span", before = 1, panics = ?Panics, logs = ?Logs, after = 2).entered();
        tracing::info!(before = 3, panics = ?Panics, logs = ?Logs, after = 4, "event {:?}", Logs);
        let _ = std::panic::catch_unwind(|| tracing::info!("message {:?}", Panics));
    }
    handle.flush(SOON).unwrap();
    let stats = assert_accounted(&handle, 3);
    assert!(stats.iter().all(|stats| stats.lost() == 0 && stats.failed == 0), "{stats:?}");
}

impl Ended {
    #[track_caller]
    pub fn has_odd_values(&self) {
        let text = fs::read_to_string(self.directory.join("app.log")).unwrap();
        let json = fs::read_to_string(self.directory.join("app.jsonl")).unwrap();
        for text in [&text, &json] {
            assert_eq!(text.lines().filter(|line| line.contains("from inside")).count(), 300, "{text}");
        }
        let json = json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let events: Vec<_> = json.filter(|json| json["message"] == "event whole").collect();
        assert_eq!(events.len(), 100);
        for event in events {
            for (object, before, after) in [(&event, 3, 4), (&event["spans"][0], 1, 2)] {
                assert_eq!((&object["before"], &object["after"]), (&before.into(), &after.into()), "{event}");
                assert_eq!(object["logs"], "whole", "{event}");
                assert!(!object["panics"].to_string().contains("half"), "{event}");
            }
        }
    }
}

/// Fails every other time with the first half of the lines taken, and counts for itself.
struct EveryOther {
    calls: usize,
    taken: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Sink for EveryOther {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.calls += 1;
        let lines = framed.ends().len();
        let taken = if self.calls.is_multiple_of(2) { lines / 2 } else { lines };
        self.taken.fetch_add(taken as u64, Ordering::SeqCst);
        self.refused.fetch_add((lines - taken) as u64, Ordering::SeqCst);
        match taken == lines {
            true => Ok(()),
            false => Err(Partial::new(taken, Error::new(tracing_handlers::ErrorKind::Io, "on purpose"))),
        }
    }

    fn describe(&self) -> String {
        "every other".to_owned()
    }
}

pub fn a_sink_that_fails_every_other_time_is_counted_as_it_fails(_: &Path) {
    let told = told();
    let counts: [(Arc<AtomicU64>, Arc<AtomicU64>); 2] = Default::default();
    // The notices of what is missing would count as lines too.
    let every_other = |at: usize| {
        let sink = EveryOther { calls: 0, taken: counts[at].0.clone(), refused: counts[at].1.clone() };
        Output::new(format::from_fn(message), sink).tell_missing(false)
    };
    let queue = Queue::new(every_other(1)).capacity(64).overflow(Overflow::Block);
    let handle = tracing_handlers::init((every_other(0), queue)).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for report in handle.stats() {
                    assert!(report.stats.balances(), "{report}");
                }
            }
        });
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| log_lines(0..5_000))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        stop.store(true, Ordering::Relaxed);
    });
    handle.flush(SOON).unwrap();
    let stats = assert_accounted(&handle, 3);
    for (stats, (taken, refused)) in stats.iter().zip([&counts[0], &counts[1], &counts[1]]) {
        assert_eq!(stats.accepted, 20_000);
        let counted = (taken.load(Ordering::SeqCst), refused.load(Ordering::SeqCst));
        assert_eq!((stats.delivered, stats.failed), counted);
        assert!(counted.1 > 0);
    }
    assert!(told.lock().unwrap().len() < 40, "{:?}", told.lock().unwrap());
}

/// To standard output by two ways, and into the file that shows that the program went on.
fn stdout_beside_a_file(directory: &Path) -> Handle {
    tracing_handlers::init((
        Output::new(Text::new(), Console::stdout()),
        Queue::new(Output::new(Text::new(), Console::stdout())).capacity(8).overflow(Overflow::Block),
        output(File::open(directory)),
    ))
    .unwrap()
}

pub fn a_stdout_that_was_closed_before_the_start_harms_nothing(directory: &Path) {
    const INNER: &str = "TRACING_HANDLERS_INNER";
    if std::env::var_os(INNER).is_none() {
        let script = r#"exec "$0" --child a_stdout_that_was_closed_before_the_start_harms_nothing "$1" >&-"#;
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", script]).arg(std::env::current_exe().unwrap()).arg(directory).env(INNER, "1");
        assert!(shell.status().unwrap().success());
        return;
    }
    let handle = stdout_beside_a_file(directory);
    log_lines(0..100);
    handle.flush(SOON).unwrap();
    let stats = assert_accounted(&handle, 4);
    assert!(stats.iter().all(|stats| stats.accepted == 100), "{stats:?}");
}

fn log_to_a_broken_stdout(directory: &Path, handle: &Handle, told: &Mutex<Vec<String>>) {
    log_lines(0..100);
    let _ = handle.flush(SOON);
    let stats = assert_accounted(handle, 4);
    assert!(stats[..3].iter().all(|stats| (stats.accepted, stats.failed) == (100, 100)), "{stats:?}");
    assert_eq!(stats[3].delivered, 100);
    let told = told.lock().unwrap();
    // One for each output.
    assert!(
        told.len() == 2 && told.iter().all(|told| told.starts_with("stdout: cannot write to stdout: ")),
        "{told:?}"
    );
    assert!(directory.join("log").exists());
}

pub fn a_stdout_that_is_closed_later_is_counted_and_told_once(directory: &Path) {
    let told = told();
    let handle = stdout_beside_a_file(directory);
    // SAFETY: nothing else is opened after this that could take its place, and be written into.
    assert_eq!(unsafe { libc::close(libc::STDOUT_FILENO) }, 0);
    log_to_a_broken_stdout(directory, &handle, &told);
}

pub fn a_stdout_whose_reader_is_gone_is_counted_and_told_once(directory: &Path) {
    let told = told();
    let (reader, writer) = std::io::pipe().unwrap();
    stdout_to(&writer);
    drop((reader, writer));
    let handle = stdout_beside_a_file(directory);
    log_to_a_broken_stdout(directory, &handle, &told);
}

pub fn a_held_lock_of_stdout_holds_up_no_full_queue(directory: &Path) {
    const COUNT: usize = 2_000;
    stdout_to(&fs::File::create(directory.join("stdout")).unwrap());
    let modes = [
        Overflow::Block,
        Overflow::BlockFor(Duration::from_secs(5)),
        Overflow::DropNewest,
        Overflow::DropOldest,
        Overflow::DropBelow(Severity::WARN),
    ];
    let queues: Vec<_> = modes
        .into_iter()
        .map(|mode| Queue::new(Output::new(Text::new(), Console::stdout())).capacity(4).overflow(mode))
        .collect();
    let handle = tracing_handlers::init(queues).unwrap();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "locked").unwrap();
    log_lines(0..COUNT);
    handle.flush(SOON).unwrap();
    drop(stdout);
    let stats = assert_accounted(&handle, 2 * modes.len());
    assert!(stats.iter().step_by(2).all(|stats| stats.accepted == COUNT as u64), "{stats:?}");
    for blocking in &stats[..4] {
        assert_eq!(blocking.delivered, COUNT as u64);
    }
    let lost: u64 = stats[4..].iter().step_by(2).map(|stats| stats.dropped.total()).sum();
    assert!(lost > 0, "no queue was ever full");
    let text = fs::read_to_string(directory.join("stdout")).unwrap();
    let delivered: u64 = stats.iter().step_by(2).map(|stats| stats.delivered).sum();
    assert_eq!(text.lines().filter(|line| line.contains(": line ")).count() as u64, delivered);
}

#[cfg(target_os = "linux")]
fn entries(directory: &str) -> usize {
    fs::read_dir(directory).unwrap().count()
}

/// The files in `directory` that are open for writing, sorted, each as often as it is open. Others may be open for reading: a
/// file that a forked child has written to is checked for a partial line at its end.
#[cfg(target_os = "linux")]
fn written_files(directory: &Path) -> Vec<PathBuf> {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap());
    let writable = descriptors.filter(|entry| is_writable(&entry.file_name()));
    let mut files: Vec<_> = writable.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    files.retain(|file| file.starts_with(directory) && !file.ends_with("stderr"));
    files.sort();
    files
}

#[cfg(target_os = "linux")]
fn is_writable(descriptor: &std::ffi::OsStr) -> bool {
    let Ok(info) = fs::read_to_string(Path::new("/proc/self/fdinfo").join(descriptor)) else { return false };
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    i32::from_str_radix(flags.trim(), 8).unwrap() & libc::O_ACCMODE != libc::O_RDONLY
}

#[cfg(target_os = "linux")]
fn has_twice(sorted: &[PathBuf]) -> bool {
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

/// The queue's handler hangs, as good as for ever, while others want what it does not.
pub fn what_others_want_takes_no_room_in_a_queue(directory: &Path) {
    static GO: AtomicBool = AtomicBool::new(false);
    let file = sink::File::open(directory.join("log")).unwrap();
    let errors = Output::new(format::from_fn(message), file).level(Level::ERROR);
    let gate = format::from_fn(|_, _| {
        until("the queue is let go", || GO.load(Ordering::SeqCst));
        Ok(())
    });
    let gate = Output::new(gate, sink::Null).level(Level::ERROR);
    let queue = Queue::new((gate, errors)).capacity(16).overflow(Overflow::DropNewest);
    let handle = tracing_handlers::init((output(sink::Null), queue)).unwrap();
    for number in 0..10 {
        (0..100).for_each(|number| tracing::debug!("noise {number}"));
        tracing::error!("line {number}");
    }
    GO.store(true, Ordering::SeqCst);
    handle.flush(SOON).unwrap();
    let stats = assert_accounted(&handle, 4);
    assert_eq!(stats.iter().map(|stats| stats.delivered).collect::<Vec<_>>(), [1_010, 10, 10, 10]);
}

pub fn swaps_flushes_reports_and_forks_at_once_leave_nothing_behind(directory: &Path) {
    let handlers = || {
        let file = |name: &str| sink::File::options().buffer(1 << 10).open(directory.join(name)).unwrap();
        (
            Output::new(Text::new(), file("direct.log").rotation(Rotation::size(64 * KIB).keep(2))),
            Queue::new(Output::new(Json::new(), file("queue.jsonl"))).capacity(32).overflow(Overflow::Block),
            Queue::new(Output::new(Json::new(), file("oldest.jsonl"))).capacity(32).overflow(Overflow::DropOldest),
        )
    };
    let handle = tracing_handlers::init(handlers()).unwrap();
    let stop = AtomicBool::new(false);
    let until_the_end = |work: &dyn Fn()| {
        while !stop.load(Ordering::Relaxed) {
            work();
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| until_the_end(&|| tracing::info!(big = TAIL, "line{TAIL}")));
        }
        scope.spawn(|| until_the_end(&|| handle.flush(SOON).unwrap()));
        scope.spawn(|| {
            until_the_end(&|| {
                for report in handle.stats() {
                    assert!(report.stats.balances(), "{report}");
                }
            });
        });
        for number in 0..60 {
            handle.swap(handlers());
            if number % 3 == 0 {
                // In the child a panic would unwind into the scope, and wait there for threads that it does not have.
                wait_for(fork(|| {
                    tracing::info!("child{TAIL}");
                    if handle.flush(Duration::from_secs(10)).is_err() {
                        std::process::abort();
                    }
                }));
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    #[cfg(target_os = "linux")]
    await_the_end_of_threads_and_files(directory);
}

/// The end of a scope is not quite that of its threads; beside this one there are two behind queues, and the one for time limits.
#[cfg(target_os = "linux")]
fn await_the_end_of_threads_and_files(directory: &Path) {
    let ended = || entries("/proc/self/task") <= 4 && !has_twice(&written_files(directory));
    let threads = || entries("/proc/self/task");
    assert!(within(SOON, ended), "{} threads; open: {:?}", threads(), written_files(directory));
}

pub fn times_without_end_are_times(directory: &Path) {
    set_exit_timeout(Duration::MAX);
    let queue = || Queue::new(output(File::open(directory))).close_timeout(Duration::MAX);
    let handle = tracing_handlers::init(queue().overflow(Overflow::BlockFor(Duration::MAX))).unwrap();
    log_lines(0..5);
    handle.flush(Duration::MAX).unwrap();
    flush(Duration::MAX).unwrap();
    handle.swap(queue());
    log_lines(5..10);
}
