//! Signals.

#[cfg(target_os = "linux")]
use std::collections::BTreeSet;

use tracing_handlers::process::{
    flush_on_signal, flush_on_termination, reopen_on_hangup, reopen_on_signal, rotate_on_signal,
};
use tracing_handlers::rotation::{MIB, Rotation};
use tracing_handlers::{ErrorKind, sink};

use super::*;
#[cfg(target_os = "linux")]
use crate::until::within;

cases! {
    what_was_logged_before_a_sigterm_is_there => |ended| ended.is_killed_by(libc::SIGTERM).has_lines(5_000);
    what_was_logged_before_a_sigint_is_there => |ended| ended.is_killed_by(libc::SIGINT).has_lines(5_000);
    without_the_call_a_sigterm_ends_the_process_at_once => |ended| ended.is_killed_by(libc::SIGTERM).has_lines(0);
    called_twice_it_is_as_if_called_once => |ended| ended.is_killed_by(libc::SIGTERM).has_lines(5_000);
    a_handler_of_the_application_goes_on_to_be_called_and_decides_about_the_end => |ended| ended.exits(7).has_lines(100);
    a_signal_that_was_ignored_is_ignored_still => |ended| ended.exits(7).has_lines(100);
    a_sink_that_hangs_holds_up_a_sigterm_no_longer_than_allowed => |ended| ended.is_killed_by(libc::SIGTERM).took_less_than(4);
    a_flush_that_hangs_holds_up_a_sigterm_no_longer_than_allowed => |ended| ended.is_killed_by(libc::SIGTERM).took_less_than(4);
    a_second_signal_ends_the_process_at_once => |ended| ended.is_killed_by(libc::SIGINT).took_less_than(10);
    a_hangup_before_does_not_hold_up_a_sigterm => |ended| ended.is_killed_by(libc::SIGTERM).took_less_than(10);
    a_sigterm_while_main_returns_loses_nothing => |ended| ended.is_killed_by(libc::SIGTERM).has_lines(5_000);
    what_is_logged_while_a_sigterm_is_answered_is_there => |ended| ended.is_killed_by(libc::SIGTERM).has_lines(100);
    a_signal_has_one_meaning => |ended| ended.succeeds();
    a_forked_child_dies_of_the_signal_at_once => |ended| ended.succeeds().has_lines(100);
    a_forked_child_that_asks_for_it_delivers_on_all_of_its_parents_signals => |ended| ended.is_killed_by(libc::SIGTERM).has_lines(100);
    a_hangup_has_an_idle_file_reopened => |ended| ended.succeeds().has_lines(5);
    a_hangup_has_files_of_a_forked_child_reopened => |ended| ended.succeeds().has_lines(5);
    a_signal_has_an_idle_file_rotated => |ended| ended.succeeds().has_lines(5);
    a_request_without_a_signal_is_answered_at_the_flush => |ended| ended.succeeds().has_lines(5);
    a_program_that_writes_on_loses_no_line_to_hangups => |ended| ended.succeeds();
    a_signal_that_the_program_blocks_and_waits_for_reaches_it => |ended| ended.exits(7).has_lines(100);
    a_signal_that_the_program_blocks_everywhere_reaches_the_signal_thread => |ended| ended.is_killed_by(libc::SIGTERM).has_lines(100);
    threads_have_names_that_linux_shows_whole_and_block_signals => |ended| ended.succeeds();
}

fn raise(signal: i32) {
    // SAFETY: a number; what it does to the process is what is tested here.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

fn wait_for_the_end() -> ! {
    loop {
        thread::park();
    }
}

/// Sends a signal to the process, to whichever of its threads takes it.
fn send(signal: i32) {
    // SAFETY: numbers; what the signal does to the process is what is tested here.
    assert_eq!(unsafe { libc::kill(libc::getpid(), signal) }, 0);
}

/// Blocks signals on the current thread.
fn block(signals: &[i32]) -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: the first call initializes the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        signals.iter().for_each(|signal| assert_eq!(libc::sigaddset(set.as_mut_ptr(), *signal), 0));
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()), 0);
        set.assume_init()
    }
}

/// A queue with so many lines in it, and a handler behind it that stands still until it is let go.
fn install_full_queue(directory: &Path, lines: usize) {
    let file = output(File::open(directory).buffered(BUFFER));
    let gated = from_fn(move |record| {
        until("the queue is let go", || GO.load(Ordering::SeqCst));
        file.handle(record)
    });
    let queue = Arc::new(Queue::new(gated));
    install(queue.clone());
    log_lines(0..lines);
    assert!(queue.stats()[0].stats.pending >= lines as u64 - 1);
}

static GO: AtomicBool = AtomicBool::new(false);

fn end_with_a_full_queue(directory: &Path, signal: i32) {
    install_full_queue(directory, 5_000);
    raise(signal);
    GO.store(true, Ordering::SeqCst);
    wait_for_the_end();
}

fn what_was_logged_before_a_sigterm_is_there(directory: &Path) {
    flush_on_termination().unwrap();
    end_with_a_full_queue(directory, libc::SIGTERM);
}

fn what_was_logged_before_a_sigint_is_there(directory: &Path) {
    flush_on_termination().unwrap();
    end_with_a_full_queue(directory, libc::SIGINT);
}

fn without_the_call_a_sigterm_ends_the_process_at_once(directory: &Path) {
    reopen_on_hangup().unwrap();
    end_with_a_full_queue(directory, libc::SIGTERM);
}

fn called_twice_it_is_as_if_called_once(directory: &Path) {
    flush_on_termination().unwrap();
    flush_on_termination().unwrap();
    flush_on_signal(libc::SIGTERM).unwrap();
    end_with_a_full_queue(directory, libc::SIGTERM);
}

fn a_handler_of_the_application_goes_on_to_be_called_and_decides_about_the_end(directory: &Path) {
    static CALLED: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn own(_: libc::c_int) {
        CALLED.fetch_add(1, Ordering::SeqCst);
    }
    let own: extern "C" fn(libc::c_int) = own;
    // SAFETY: the handler does one atomic addition.
    assert_ne!(unsafe { libc::signal(libc::SIGTERM, own as libc::sighandler_t) }, libc::SIG_ERR);
    flush_on_termination().unwrap();
    install(output(File::open(directory).buffered(BUFFER)));
    let len = || fs::metadata(directory.join("log")).unwrap().len();
    for round in 0..2 {
        log_lines(round * 50..(round + 1) * 50);
        let before = len();
        raise(libc::SIGTERM);
        assert_eq!(CALLED.load(Ordering::SeqCst), round + 1);
        until("the file is flushed", || len() > before);
    }
    std::process::exit(7);
}

fn a_signal_that_was_ignored_is_ignored_still(directory: &Path) {
    // SAFETY: a number and a constant.
    assert_ne!(unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) }, libc::SIG_ERR);
    flush_on_termination().unwrap();
    install_queue(directory);
    log_lines(0..50);
    raise(libc::SIGINT);
    raise(libc::SIGINT);
    log_lines(50..100);
    std::process::exit(7);
}

fn a_sink_that_hangs_holds_up_a_sigterm_no_longer_than_allowed(_: &Path) {
    set_exit_timeout(Duration::from_millis(200));
    flush_on_termination().unwrap();
    install(Queue::new(output(Hangs)));
    log_lines(0..100);
    raise(libc::SIGTERM);
    wait_for_the_end();
}

/// Takes lines, and is stuck in its flush, whatever the deadline.
struct HangsInFlush(Arc<AtomicBool>);

impl Sink for HangsInFlush {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.0.store(true, Ordering::SeqCst);
        wait_for_the_end();
    }

    fn describe(&self) -> String {
        "hangs in flush".to_owned()
    }
}

fn a_flush_that_hangs_holds_up_a_sigterm_no_longer_than_allowed(_: &Path) {
    set_exit_timeout(Duration::from_millis(200));
    flush_on_termination().unwrap();
    install(output(HangsInFlush(Arc::default())));
    log_lines(0..1);
    raise(libc::SIGTERM);
    wait_for_the_end();
}

fn a_second_signal_ends_the_process_at_once(_: &Path) {
    set_exit_timeout(Duration::from_secs(50));
    flush_on_termination().unwrap();
    let entered = Arc::new(AtomicBool::new(false));
    install(output(HangsInFlush(entered.clone())));
    log_lines(0..1);
    raise(libc::SIGTERM);
    until("the flush begins", || entered.load(Ordering::SeqCst));
    raise(libc::SIGINT);
    unreachable!("the process outlived its second signal");
}

fn a_hangup_before_does_not_hold_up_a_sigterm(_: &Path) {
    flush_on_termination().unwrap();
    reopen_on_hangup().unwrap();
    let entered = Arc::new(AtomicBool::new(false));
    install(output(HangsInFlush(entered.clone())));
    log_lines(0..1);
    set_exit_timeout(Duration::from_secs(50));
    (0..10).for_each(|_| raise(libc::SIGHUP));
    until("the flush begins", || entered.load(Ordering::SeqCst));
    set_exit_timeout(Duration::from_millis(200));
    raise(libc::SIGTERM);
    wait_for_the_end();
}

fn a_sigterm_while_main_returns_loses_nothing(directory: &Path) {
    flush_on_termination().unwrap();
    set_exit_timeout(Duration::from_secs(30));
    install_full_queue(directory, 5_000);
    extern "C" fn signals() {
        raise(libc::SIGTERM);
        GO.store(true, Ordering::SeqCst);
        // The rest of the exit waits for the signal's end.
        wait_for_the_end();
    }
    // SAFETY: a plain function, valid for the life of the process; it runs before the library's own.
    assert_eq!(unsafe { libc::atexit(signals) }, 0);
}

fn what_is_logged_while_a_sigterm_is_answered_is_there(directory: &Path) {
    struct WaitsInFlush(Arc<AtomicBool>);
    impl Sink for WaitsInFlush {
        fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
            Ok(())
        }
        fn flush(&mut self, _: Instant) -> Result<(), Error> {
            self.0.store(true, Ordering::SeqCst);
            until("the flush may end", || GO.load(Ordering::SeqCst));
            Ok(())
        }
        fn describe(&self) -> String {
            "waits in flush".to_owned()
        }
    }
    set_exit_timeout(Duration::from_secs(30));
    flush_on_termination().unwrap();
    let entered = Arc::new(AtomicBool::new(false));
    let _waits = output(WaitsInFlush(entered.clone()));
    install_queue(directory);
    raise(libc::SIGTERM);
    until("the flush begins", || entered.load(Ordering::SeqCst));
    // The queue has been flushed; its lines are in a buffer of the sink unless the call waits for them.
    log_lines(0..100);
    GO.store(true, Ordering::SeqCst);
    wait_for_the_end();
}

/// The queue's thread and the one for signals exist before the program blocks the signal.
fn a_signal_that_the_program_blocks_and_waits_for_reaches_it(directory: &Path) {
    reopen_on_hangup().unwrap();
    install_queue(directory);
    log_lines(0..100);
    let set = block(&[libc::SIGTERM]);
    send(libc::SIGTERM);
    let mut signal = 0;
    // SAFETY: both are valid, and the signal is blocked.
    assert_eq!(unsafe { libc::sigwait(&set, &mut signal) }, 0);
    assert_eq!(signal, libc::SIGTERM);
    std::process::exit(7);
}

fn a_signal_that_the_program_blocks_everywhere_reaches_the_signal_thread(directory: &Path) {
    block(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP]);
    reopen_on_hangup().unwrap();
    flush_on_termination().unwrap();
    install_queue(directory);
    log_lines(0..100);
    send(libc::SIGTERM);
    wait_for_the_end();
}

fn a_signal_has_one_meaning(_: &Path) {
    reopen_on_signal(libc::SIGUSR1).unwrap();
    reopen_on_signal(libc::SIGUSR1).unwrap();
    for other in [flush_on_signal(libc::SIGUSR1), rotate_on_signal(libc::SIGUSR1)] {
        assert_eq!(other.unwrap_err().kind(), ErrorKind::Config);
    }
    for unfit in [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, libc::SIGCHLD, 0, -1, 1_000] {
        assert_eq!(flush_on_signal(unfit).unwrap_err().kind(), ErrorKind::Config, "{unfit}");
    }
    raise(libc::SIGUSR1);
}

/// The signal that ended `child`.
#[track_caller]
fn signal_of(child: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is a place for it.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFSIGNALED(status), "the child was not killed: {status:x}");
    libc::WTERMSIG(status)
}

fn a_forked_child_dies_of_the_signal_at_once(directory: &Path) {
    flush_on_termination().unwrap();
    install_queue(directory);
    log_lines(0..50);
    let child = fork(|| {
        raise(libc::SIGTERM);
        unreachable!("the child outlived its signal");
    });
    assert_eq!(signal_of(child), libc::SIGTERM);
    // The parent goes on.
    log_lines(50..100);
}

fn a_forked_child_that_asks_for_it_delivers_on_all_of_its_parents_signals(directory: &Path) {
    flush_on_termination().unwrap();
    install_queue(directory);
    let child = fork(|| {
        flush_on_signal(libc::SIGTERM).unwrap();
        log_lines(0..50);
        raise(libc::SIGINT);
        wait_for_the_end();
    });
    assert_eq!(signal_of(child), libc::SIGINT);
    log_lines(50..100);
    raise(libc::SIGTERM);
    wait_for_the_end();
}

/// A real file, of which `log` is a part of what it becomes.
fn install_file(path: &Path, rotation: Option<Rotation>) {
    // Without a request it stays where it is.
    let mut options = sink::File::options().watch(None);
    if let Some(rotation) = rotation {
        options = options.rotation(rotation);
    }
    install(output(options.open(path).unwrap()));
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn a_hangup_has_an_idle_file_reopened(directory: &Path) {
    let (path, moved) = (directory.join("log"), directory.join("moved"));
    reopen_on_hangup().unwrap();
    install_file(&path, None);
    tracing::info!("before");
    fs::rename(&path, &moved).unwrap();
    tracing::info!("still there");
    raise(libc::SIGHUP);
    // Nobody logs.
    until("the file is reopened", || path.exists());
    log_lines(0..5);
    assert_eq!(text(&moved), "before\nstill there\n");
}

fn a_hangup_has_files_of_a_forked_child_reopened(directory: &Path) {
    let (path, moved) = (directory.join("log"), directory.join("moved"));
    reopen_on_hangup().unwrap();
    install_file(&path, None);
    tracing::info!("before");
    fs::rename(&path, &moved).unwrap();
    wait_for(fork(|| {
        tracing::info!("child");
        raise(libc::SIGHUP);
        log_lines(0..5);
    }));
    // Nobody asked the parent.
    tracing::info!("parent");
    assert_eq!(text(&moved), "before\nchild\nparent\n");
}

fn a_signal_has_an_idle_file_rotated(directory: &Path) {
    let (path, old) = (directory.join("log"), directory.join("log.1"));
    rotate_on_signal(libc::SIGUSR1).unwrap();
    install_file(&path, Some(Rotation::size(MIB)));
    tracing::info!("before");
    raise(libc::SIGUSR1);
    until("the file is rotated", || old.exists() && path.exists());
    log_lines(0..5);
    assert_eq!(text(&old), "before\n");
}

fn a_request_without_a_signal_is_answered_at_the_flush(directory: &Path) {
    let (path, moved) = (directory.join("log"), directory.join("moved"));
    install_file(&path, Some(Rotation::size(MIB)));
    tracing::info!("before");
    fs::rename(&path, &moved).unwrap();
    tracing_handlers::process::reopen();
    assert!(!path.exists());
    flush(Duration::from_secs(15)).unwrap();
    assert!(path.exists());
    tracing::info!("between");
    tracing_handlers::process::rotate();
    flush(Duration::from_secs(15)).unwrap();
    log_lines(0..5);
    assert_eq!((text(&moved), text(&directory.join("log.1"))), ("before\n".to_owned(), "between\n".to_owned()));
}

fn a_program_that_writes_on_loses_no_line_to_hangups(directory: &Path) {
    reopen_on_hangup().unwrap();
    install_file(&directory.join("log"), None);
    let each = 2_000;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|thread| {
                scope.spawn(move || (0..each).for_each(|number| tracing::info!("line {thread} {number}{TAIL}")))
            })
            .collect();
        // What logrotate does.
        for number in 0.. {
            let _ = fs::rename(directory.join("log"), directory.join(format!("log.{number}")));
            raise(libc::SIGHUP);
            if threads.iter().all(|thread| thread.is_finished()) {
                break;
            }
            until("the file is reopened", || directory.join("log").exists());
        }
    });
    flush(Duration::from_secs(15)).unwrap();
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let logs = names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("log"));
    let mut lines: Vec<_> = logs.flat_map(|path| text(&path).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!(lines.len(), 2 * each);
    assert!(lines.iter().all(|line| line.ends_with(TAIL)));
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 2 * each);
}

/// The names of this process's threads, as `top -H` shows them.
#[cfg(target_os = "linux")]
fn names_of_threads() -> BTreeSet<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // A thread may end meanwhile.
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .collect()
}

/// The names of the threads, and the signals that each blocks: a bit for each, from 1 on.
#[cfg(target_os = "linux")]
fn masks_of_threads() -> Vec<(String, u64)> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let of_status = |status: String| {
        let line = |start| status.lines().find_map(|line| line.strip_prefix(start)).unwrap().trim().to_owned();
        (line("Name:"), u64::from_str_radix(&line("SigBlk:"), 16).unwrap())
    };
    tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok()).map(of_status).collect()
}

#[cfg(not(target_os = "linux"))]
fn threads_have_names_that_linux_shows_whole_and_block_signals(_: &Path) {}

#[cfg(target_os = "linux")]
fn threads_have_names_that_linux_shows_whole_and_block_signals(directory: &Path) {
    use tracing_handlers::testing::check_format;

    struct WaitsInFlush;
    impl Sink for WaitsInFlush {
        fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
            Ok(())
        }
        fn flush(&mut self, _: Instant) -> Result<(), Error> {
            until("the flush may end", || GO.load(Ordering::SeqCst));
            Ok(())
        }
        fn describe(&self) -> String {
            "waits in flush".to_owned()
        }
    }
    let expected = ["queue", "audit", "files", "sync", "signals", "flush", "level", "lines", "contract"];
    let expected: BTreeSet<String> = expected.iter().map(|name| format!("log-{name}")).collect();

    let _waits = output(WaitsInFlush);
    reopen_on_hangup().unwrap();
    raise(libc::SIGHUP);
    let queues = ["queue", "audit"].map(|name| Queue::new(from_fn(|_| Ok(()))).name(name));
    queues.iter().for_each(|queue| queue.handle(&record("one").as_record()).unwrap());
    let grouped = sink::Durability::Grouped(Duration::from_secs(60));
    let mut synced = sink::File::options().durability(grouped).open(directory.join("synced")).unwrap();
    synced.write_all(b"one\n").unwrap();
    let mut rotated = sink::File::open(directory.join("log")).unwrap().rotation(Rotation::size(1).max_total(1));
    (0..4).for_each(|line| writeln!(rotated, "{line}").unwrap());
    let level = filter::LevelSwitch::new(Severity::INFO);
    level.set_for(Severity::DEBUG, Duration::from_secs(60)).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "read line"]);
    let lines = || Lines::new(from_fn(|_| Ok(())));
    let mut child = tracing_handlers::receive::spawn(shell, lines(), lines()).unwrap();
    let check = thread::spawn(|| {
        check_format(|| {
            format::from_fn(|record, out| {
                until("the flush may end", || GO.load(Ordering::SeqCst));
                message(record, out)
            })
        })
    });

    within(Duration::from_secs(30), || names_of_threads().is_superset(&expected));
    let ours: BTreeSet<_> = names_of_threads().into_iter().filter(|name| name.starts_with("log-")).collect();
    assert_eq!(ours, expected);
    for (name, mask) in masks_of_threads().into_iter().filter(|(name, _)| name.starts_with("log-")) {
        let is_blocked = |signal: i32| mask >> (signal - 1) & 1 == 1;
        assert_eq!(is_blocked(libc::SIGHUP), name != "log-signals", "{name}");
        let blocked = [libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGCHLD, libc::SIGALRM, libc::SIGWINCH];
        assert!(blocked.into_iter().all(is_blocked), "{name}: {mask:x}");
        assert!(!is_blocked(libc::SIGSEGV) && !is_blocked(libc::SIGPROF), "{name}: {mask:x}");
    }
    GO.store(true, Ordering::SeqCst);
    child.kill().unwrap();
    drop(check.join().unwrap());
}
