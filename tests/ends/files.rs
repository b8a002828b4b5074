//! Files in processes that fork, and in processes that have few rights.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink;

use super::*;
use crate::skip::needs;

cases! {
    a_forked_child_and_its_parent_write_whole_lines_into_one_file => |ended| ended.succeeds().has_all_lines_of_two(2_000);
    what_lies_in_a_files_buffer_at_a_fork_is_written_once => |ended| ended.succeeds().has_all_lines_of_two(3);
    a_file_rotated_in_a_forked_child_and_then_in_its_parent_keeps_all_lines => |ended| ended.succeeds().has_all_lines_of_two(20);
    two_outputs_on_one_path_can_be_exchanged_rotated_and_forked_under_load => |ended| ended.succeeds().has_all_lines_of_joined();
    forked_children_continue_a_shared_path_that_two_outputs_write_to => |ended| ended.succeeds().has_all_lines_of_joined();
    a_fork_while_a_thread_is_stuck_in_a_pipe_leaves_the_child_an_error => |ended| ended.succeeds().took_less_than(20);
    settings_that_a_second_opening_changes_are_told_once => |ended| ended.succeeds();
    a_report_that_writes_to_the_same_file_does_not_wait_for_itself => |ended| ended.succeeds().took_less_than(20);
    without_the_right_to_give_a_file_away_it_is_not_made => |ended| ended.succeeds();
    what_others_have_put_into_a_shared_directory_is_not_written_to => |ended| ended.succeeds();
    a_shared_directory_of_another_user_may_contain_files_of_that_user => |ended| ended.succeeds();
    programs_that_run_for_a_moment_remove_and_compress_what_they_should => |ended| ended.succeeds();
    an_archive_that_may_not_be_removed_does_not_keep_the_others => |ended| ended.succeeds();
    an_archive_that_may_not_be_read_does_not_keep_the_others_from_being_compressed => |ended| ended.succeeds();
    a_new_file_of_a_rotation_is_like_the_one_before => |ended| ended.succeeds();
    a_file_that_may_not_grow_does_not_kill_the_process_and_its_other_logs => |ended| ended.succeeds().has_lines(3);
    a_console_whose_file_may_not_grow_does_not_kill_the_process => |ended| ended.succeeds().has_lines(3);
    a_program_may_keep_the_signal_of_files_that_may_not_grow => |ended| ended.is_killed_by(libc::SIGXFSZ).has_lines(0);
    a_handler_of_the_signal_of_files_that_may_not_grow_stays => |ended| ended.succeeds().has_lines(3);
}

impl Ended {
    /// `line child 0` …, `line parent 0` …, each once and whole, in `log` and what it was renamed to.
    #[track_caller]
    fn has_all_lines_of_two(&self, count: usize) -> &Self {
        let names = fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().path());
        let logs = names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("log"));
        let mut lines: Vec<_> = logs
            .flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let who = ["child", "parent"];
        let mut wanted: Vec<_> =
            who.iter().flat_map(|who| (0..count).map(move |number| format!("line {who} {number}{TAIL}"))).collect();
        lines.sort();
        wanted.sort();
        assert!(lines == wanted, "{} lines instead of {}; the last: {:?}", lines.len(), wanted.len(), lines.last());
        self
    }
}

/// A program that opens a log, writes 20 KiB and returns from its main function.
fn run_for_a_moment(path: &Path, options: sink::FileOptions, rotation: Rotation) {
    wait_for(fork(|| {
        let mut file = options.rotation(rotation).open(path).unwrap();
        (0..20).for_each(|_| writeln!(file, "{}", "x".repeat(1_023)).unwrap());
        drop(file);
        std::process::exit(0);
    }));
}

fn programs_that_run_for_a_moment_remove_and_compress_what_they_should(directory: &Path) {
    let names = |folder: &Path| -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let options = sink::File::options;
    let rotation = || Rotation::on_request().on_startup(true).keep(1_000);
    let dated = || rotation().naming(Naming::dated("%F").unwrap());
    for (name, options, rotation) in [
        ("total", options(), rotation()),
        ("shared", options().shared(true), rotation()),
        ("dated", options(), dated()),
        ("live", options().buffer(BUFFER), dated().naming(Naming::numbered().live(true))),
        #[cfg(feature = "seal")]
        ("sealed", options().seal(tracing_handlers::seal::Seal::new(seal::key())), rotation()),
    ] {
        let folder = directory.join(name);
        let rotation = rotation.max_total(100 << 10);
        (0..8).for_each(|_| run_for_a_moment(&folder.join("app.log"), options.clone(), rotation.clone()));
        let files = names(&folder).into_iter().map(|name| folder.join(name)).filter(|path| !path.is_symlink());
        let bytes: u64 = files.map(|path| path.metadata().unwrap().len()).sum();
        assert!((60 << 10..=125 << 10).contains(&bytes), "{name}: {bytes}");
    }

    #[cfg(feature = "gzip")]
    {
        let packed = directory.join("packed");
        let gzip = || rotation().compression(tracing_handlers::rotation::Compression::gzip());
        (0..4).for_each(|_| run_for_a_moment(&packed.join("app.log"), options(), gzip()));
        let mut names = names(&packed);
        names.sort();
        assert_eq!(names, ["app.log", "app.log.1.gz", "app.log.2.gz", "app.log.3.gz"]);
    }

    let old = directory.join("old");
    fs::create_dir(&old).unwrap();
    let archive = fs::File::create(old.join("app.log.1")).unwrap();
    archive.set_modified(std::time::SystemTime::now() - Duration::from_secs(7_200)).unwrap();
    run_for_a_moment(&old.join("app.log"), options(), Rotation::size(1 << 30).max_age(Duration::from_secs(3_600)));
    assert_eq!(names(&old), ["app.log"], "without a rotation");
}

/// In a directory with the sticky bit, only its owner removes or renames a file.
fn with_files_of_root(directory: &Path, names: &[&str]) -> PathBuf {
    let shared = shared_directory(directory);
    for name in names {
        fs::write(shared.join(name), "root's").unwrap();
        fs::set_permissions(shared.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    shared
}

fn an_archive_that_may_not_be_removed_does_not_keep_the_others(directory: &Path) {
    let shared = with_files_of_root(directory, &["app.log.3", "app.log.6"]);
    needs!(become_nobody());
    for number in [1, 2, 4, 5, 7] {
        fs::write(shared.join(format!("app.log.{number}")), "older").unwrap();
    }
    let mut file = sink::File::open(shared.join("app.log")).unwrap().rotation(Rotation::size(1).keep(3));
    (0..5).for_each(|number| writeln!(file, "{number}").unwrap());
    let text = |name: &str| fs::read_to_string(shared.join(name)).unwrap();
    assert_eq!([text("app.log"), text("app.log.1"), text("app.log.2")], ["4\n", "3\n", "2\n"]);
    let mut names: Vec<_> =
        fs::read_dir(&shared).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["app.log", "app.log.1", "app.log.2", "app.log.3", "app.log.6"]);
}

#[cfg(not(feature = "gzip"))]
fn an_archive_that_may_not_be_read_does_not_keep_the_others_from_being_compressed(_: &Path) {}

#[cfg(feature = "gzip")]
fn an_archive_that_may_not_be_read_does_not_keep_the_others_from_being_compressed(directory: &Path) {
    use tracing_handlers::rotation::{Compression, settle};

    let shared = with_files_of_root(directory, &["app.log.2"]);
    needs!(become_nobody());
    [1, 3].iter().for_each(|number| fs::write(shared.join(format!("app.log.{number}")), "ours").unwrap());
    let _file =
        sink::File::open(shared.join("app.log")).unwrap().rotation(Rotation::size(1).compression(Compression::gzip()));
    assert!(settle(Duration::from_secs(15)));
    assert!(shared.join("app.log.1.gz").exists() && shared.join("app.log.3.gz").exists());
    assert!(shared.join("app.log.2").exists());
}

fn a_new_file_of_a_rotation_is_like_the_one_before(directory: &Path) {
    // SAFETY: takes no pointers, and no other thread of this process makes files.
    unsafe { libc::umask(0o022) };
    // SAFETY: takes no arguments and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    let options = sink::File::options;
    for (name, options, mode, naming) in [
        ("like", options(), 0o600, Naming::numbered()),
        ("open", options(), 0o664, Naming::dated("%F").unwrap()),
        ("set", options().mode(0o640), 0o640, Naming::numbered_oldest_first()),
        ("shared", options().shared(true), 0o600, Naming::numbered()),
        ("live", options(), 0o660, Naming::numbered().live(true)),
    ] {
        let path = directory.join(name);
        let mut file = options.rotation(Rotation::size(1).naming(naming)).open(&path).unwrap();
        writeln!(file, "one").unwrap();
        if name != "set" {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        if is_root {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        writeln!(file, "two").unwrap();
        let new = path.metadata().unwrap();
        assert_eq!(new.mode() & 0o7777, mode, "{name}");
        assert_eq!(new.len(), 4);
        assert_eq!(new.uid() == NOBODY && new.gid() == NOBODY, is_root, "{name}");
    }
}

/// A file of this process may have so many bytes.
fn limit_file_size(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the limit is a whole struct.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
}

/// Logs three lines to a file with a buffer, and beside it lines to a file until that may not grow.
fn fill_a_file_beside_a_buffer(directory: &Path) {
    install(output(sink::File::options().buffer(BUFFER).open(directory.join("log")).unwrap()));
    log_lines(0..3);
    limit_file_size(1_000);
    let mut full = sink::File::open(directory.join("full")).unwrap();
    let refused = (0..100).find_map(|_| full.write_all(&[b'x'; 99]).err()).expect("the limit is reached");
    assert_eq!(refused.raw_os_error().or(source_of(&refused)), Some(libc::EFBIG), "{refused:?}");
}

/// The code of the system's error behind one of this crate.
fn source_of(error: &std::io::Error) -> Option<i32> {
    error.get_ref()?.downcast_ref::<Error>()?.io_error()?.raw_os_error()
}

fn a_file_that_may_not_grow_does_not_kill_the_process_and_its_other_logs(directory: &Path) {
    fill_a_file_beside_a_buffer(directory);
}

fn a_console_whose_file_may_not_grow_does_not_kill_the_process(directory: &Path) {
    use std::os::fd::AsRawFd as _;

    let mut console = sink::Console::stdout();
    let full = fs::File::create(directory.join("full")).unwrap();
    // SAFETY: both are open; nothing of this process uses the standard output but the console.
    assert_eq!(unsafe { libc::dup2(full.as_raw_fd(), 1) }, 1);
    limit_file_size(1_000);
    let refused = (0..100).find_map(|_| writeln!(console, "{}", "x".repeat(98)).err());
    assert!(refused.is_some(), "the limit is reached");
    install(output(sink::File::open(directory.join("log")).unwrap()));
    log_lines(0..3);
}

fn a_program_may_keep_the_signal_of_files_that_may_not_grow(directory: &Path) {
    drop(sink::File::open(directory.join("before")).unwrap());
    tracing_handlers::process::ignore_file_size_signal(false);
    fill_a_file_beside_a_buffer(directory);
}

fn a_handler_of_the_signal_of_files_that_may_not_grow_stays(directory: &Path) {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn count(_: libc::c_int) {
        CALLS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler increments an atomic.
    unsafe { libc::signal(libc::SIGXFSZ, count as *const () as libc::sighandler_t) };
    fill_a_file_beside_a_buffer(directory);
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
}

fn log_as(who: &str, numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| tracing::info!("line {who} {number}{TAIL}"));
}

fn a_forked_child_and_its_parent_write_whole_lines_into_one_file(directory: &Path) {
    install(output(sink::File::open(directory.join("log")).unwrap()));
    log_as("parent", 0..1);
    let child = fork(|| log_as("child", 0..2_000));
    log_as("parent", 1..2_000);
    wait_for(child);
}

fn what_lies_in_a_files_buffer_at_a_fork_is_written_once(directory: &Path) {
    install(output(sink::File::options().buffer(BUFFER).open(directory.join("log")).unwrap()));
    log_as("parent", 0..2);
    wait_for(fork(|| {
        log_as("child", 0..3);
        flush(Duration::from_secs(15)).unwrap();
    }));
    log_as("parent", 2..3);
}

fn a_file_rotated_in_a_forked_child_and_then_in_its_parent_keeps_all_lines(directory: &Path) {
    let rotation = Rotation::size(300).keep(100);
    install(output(sink::File::options().rotation(rotation).open(directory.join("log")).unwrap()));
    log_as("parent", 0..2);
    wait_for(fork(|| log_as("child", 0..20)));
    assert!(directory.join("log.1").exists());
    log_as("parent", 2..20);
}

const WRITERS: usize = 3;
const EACH: usize = 3_000;
const FORKS: usize = 12;
const OF_EACH_FORK: usize = 20;

impl Ended {
    /// What the threads, and the processes forked meanwhile, have written through both handlers, each line once and whole.
    #[track_caller]
    fn has_all_lines_of_joined(&self) -> &Self {
        let names = fs::read_dir(self.directory.join("logs")).unwrap().map(|entry| entry.unwrap().path());
        let mut lines: Vec<_> = names
            .flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let threads =
            (0..WRITERS).flat_map(|thread| (0..EACH).map(move |number| format!("line t{thread} {number}{TAIL}")));
        let forks =
            (0..FORKS).flat_map(|child| (0..OF_EACH_FORK).map(move |number| format!("line c{child} {number}{TAIL}")));
        let mut wanted: Vec<_> = threads.chain(forks).collect();
        lines.sort();
        wanted.sort();
        let other = lines.iter().zip(&wanted).find(|(line, wanted)| line != wanted);
        assert!(lines == wanted, "{} lines instead of {}; the first other: {other:?}", lines.len(), wanted.len());
        self
    }
}

fn two_outputs_on_one_path_can_be_exchanged_rotated_and_forked_under_load(directory: &Path) {
    // Children do not write to this path: of two processes that rotate it, both may rename one file.
    exchange_under_load(&directory.join("logs"), sink::File::options(), |_, path, number| {
        let own = path.with_file_name(format!("child{number}"));
        [(); 2].map(|()| Arc::new(output(sink::File::open(&own).unwrap())) as Arc<dyn Handler>)
    });
}

fn forked_children_continue_a_shared_path_that_two_outputs_write_to(directory: &Path) {
    let options = sink::File::options().shared(true);
    exchange_under_load(&directory.join("logs"), options, |inherited, _, _| inherited.clone());
    fs::remove_file(directory.join("logs/.log.lock")).unwrap();
}

/// Threads write through two handlers of one path, one of which is exchanged all the time, while the file is rotated and the process
/// forked. The children write to what `choose` returns of the inherited handlers, the path and the number of the child.
fn exchange_under_load(
    logs: &Path,
    options: sink::FileOptions,
    choose: impl Fn(&[Arc<dyn Handler>; 2], &Path, usize) -> [Arc<dyn Handler>; 2],
) {
    let path = logs.join("log");
    let open = |size| -> Arc<dyn Handler> {
        let rotation = Rotation::size(size).keep(usize::MAX);
        Arc::new(output(options.clone().rotation(rotation).open(&path).unwrap()))
    };
    let handlers = std::sync::RwLock::new([open(20_000), open(30_000)]);
    let done = AtomicBool::new(false);
    let now = || handlers.read().unwrap().clone();
    let write = |thread: usize| (0..EACH).for_each(|number| write_to(&now(), &format!("t{thread}"), number));
    thread::scope(|scope| {
        let (handlers, done, open, write) = (&handlers, &done, &open, &write);
        let writers: Vec<_> = (0..WRITERS).map(|thread| scope.spawn(move || write(thread))).collect();
        let changer = scope.spawn(move || {
            let mut exchanges = 0;
            while !done.load(Ordering::Relaxed) {
                let next = open(20_000);
                drop(std::mem::replace(&mut handlers.write().unwrap()[0], next));
                exchanges += 1;
            }
            exchanges
        });
        for child in 0..FORKS {
            let inherited = now();
            wait_for(fork(|| {
                let handlers = choose(&inherited, &path, child);
                (0..OF_EACH_FORK).for_each(|number| write_to(&handlers, &format!("c{child}"), number));
            }));
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        assert!(changer.join().unwrap() > 3);
    });
}

fn write_to(handlers: &[Arc<dyn Handler>; 2], who: &str, number: usize) {
    let record = RecordBuf::new(Severity::INFO, "app", &format!("line {who} {number}{TAIL}"));
    handlers[number % 2].handle(&record.as_record()).unwrap();
}

fn a_fork_while_a_thread_is_stuck_in_a_pipe_leaves_the_child_an_error(directory: &Path) {
    let pipe = directory.join("pipe");
    make_pipe(&pipe);
    let reader = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let (mut long, mut short) = (sink::File::open(&pipe).unwrap(), sink::File::open(&pipe).unwrap());
    let stuck = thread::spawn(move || long.write_all(&[b'x'; 1 << 20]));
    // SAFETY: asks for the number of bytes in the pipe.
    until("the pipe is full", || unsafe {
        let mut bytes: libc::c_int = 0;
        libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(&reader), libc::FIONREAD, &mut bytes) == 0 && bytes >= 1 << 16
    });
    wait_for(fork(|| {
        assert_eq!(short.pending(), 0);
        let error = std::io::Write::write_all(&mut short, b"y").unwrap_err();
        assert!(error.to_string().contains("a thread of the parent process was writing to it at the fork"), "{error}");
    }));
    let mut reader = reader;
    let mut bytes = vec![0; 1 << 20];
    std::io::Read::read_exact(&mut reader, &mut bytes).unwrap();
    stuck.join().unwrap().unwrap();
    std::io::Write::write_all(&mut short, b"y").unwrap();
}

fn settings_that_a_second_opening_changes_are_told_once(directory: &Path) {
    let told: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let tell = told.clone();
    selflog::set(move |message| tell.lock().unwrap().push(message.to_owned()));
    let path = directory.join("log");
    let rotation = || Rotation::schedule(tracing_handlers::rotation::Schedule::daily()).keep(7);
    let open = || sink::File::options().mode(0o640).rotation(rotation()).open(&path).unwrap();
    let mut first = open();
    for _ in 0..3 {
        let again = open();
        drop(std::mem::replace(&mut first, again));
    }
    let plain = sink::File::open(&path).unwrap().rotation(rotation());
    assert_eq!(*told.lock().unwrap(), [""; 0]);
    let options = sink::File::options().mode(0o600).follow_links(true).watch(None);
    let others = options.rotation(rotation().keep(8)).open(&path).unwrap();
    writeln!(first, "line").unwrap();
    drop((first, plain));
    writeln!(&mut { others }, "line").unwrap();
    let names = "mode, follow_links, rotation, watch";
    let text = format!(
        "file {}: opened again with other settings, which now apply to all handlers that write to it: {names}",
        path.display()
    );
    assert_eq!(*told.lock().unwrap(), [text]);
}

/// Reports must not be logged, but one that is must not hang.
fn a_report_that_writes_to_the_same_file_does_not_wait_for_itself(directory: &Path) {
    let path = directory.join("log");
    let rotation = Rotation::size(1).rotator(|_, _| Err(std::io::Error::other("on purpose")));
    let mut file = sink::File::open(&path).unwrap().rotation(rotation);
    let reports = std::sync::Mutex::new(sink::File::open(&path).unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    selflog::set(move |message| {
        let error = writeln!(reports.lock().unwrap(), "{message}").unwrap_err();
        assert!(error.to_string().contains("it is being written to by this thread"), "{error}");
        count.fetch_add(1, Ordering::Relaxed);
    });
    (0..2).for_each(|_| writeln!(file, "line").unwrap());
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    assert_eq!(fs::read_to_string(path).unwrap(), "line\nline\n");
    selflog::reset();
}

/// From now on the process is the user and the group 65534, which it must be permitted to become.
pub(crate) fn become_nobody() -> Result<(), &'static str> {
    // SAFETY: numbers, and no list of groups.
    let done =
        unsafe { libc::setgroups(0, std::ptr::null()) == 0 && libc::setgid(NOBODY) == 0 && libc::setuid(NOBODY) == 0 };
    if done { Ok(()) } else { Err("not running as root") }
}

const NOBODY: u32 = 65_534;

fn shared_directory(directory: &Path) -> PathBuf {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    let shared = directory.join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    shared
}

#[track_caller]
pub(crate) fn refused(path: &Path, why: &str) {
    let error = format!("{:#}", sink::File::open(path).unwrap_err());
    assert!(error.contains(why), "{error}");
}

fn make_pipe(path: &Path) {
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
    // SAFETY: the name ends with a zero.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o666) }, 0);
}

fn without_the_right_to_give_a_file_away_it_is_not_made(directory: &Path) {
    let shared = shared_directory(directory);
    needs!(become_nobody());
    let options = || sink::File::options().mode(0o640).dir_mode(0o750);
    for (options, whom) in [(options().owner(0), "user 0"), (options().group("root"), "group 0")] {
        for (path, step) in [("app.log", "open"), ("logs/app.log", "create directory")] {
            let error = options.clone().open(shared.join(path)).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.starts_with(&format!("cannot {step} ")), "{error}");
            assert!(error.contains(&format!("cannot set its owner to {whom}: Operation not permitted")), "{error}");
        }
    }
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
    // To oneself anybody may.
    options().owner(NOBODY).group(NOBODY).open(shared.join("logs/app.log")).unwrap();
    assert_eq!(shared.join("logs").metadata().unwrap().mode() & 0o7777, 0o750);
}

fn what_others_have_put_into_a_shared_directory_is_not_written_to(directory: &Path) {
    let shared = shared_directory(directory);
    let precious = shared.join("precious");
    let make = |name: &str, owner: u32| {
        let path = shared.join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let _ = chown(&path, Some(owner), None);
        path
    };
    let (of_user_1, of_root) = (make("of user 1", 1), make("of root", 0));
    make("precious", NOBODY);
    symlink(&precious, shared.join("link of root")).unwrap();
    make_pipe(&shared.join("pipe"));
    let _ = chown(shared.join("pipe"), Some(1), None);
    needs!(become_nobody());
    fs::hard_link(&precious, shared.join("second name")).unwrap();
    refused(&of_user_1, "it belongs to user 1, and others can write to its directory");
    // It has no reader, and opening must not wait for one.
    refused(&shared.join("pipe"), "it belongs to user 1, and others can write to its directory");
    refused(&shared.join("link of root"), "it is a symbolic link, and others can write to its directory");
    refused(&shared.join("second name"), "it has 2 hard links, and others can write to its directory");
    sink::File::open(of_root).unwrap();
    sink::File::options().follow_links(true).open(of_user_1).unwrap();

    let own = shared.join("own");
    fs::create_dir(&own).unwrap();
    symlink(&precious, own.join("link")).unwrap();
    sink::File::open(own.join("link")).unwrap();
    // A user's own group counts as that user.
    fs::set_permissions(&own, fs::Permissions::from_mode(0o775)).unwrap();
    sink::File::open(own.join("link")).unwrap();
}

fn a_shared_directory_of_another_user_may_contain_files_of_that_user(directory: &Path) {
    let shared = shared_directory(directory);
    let theirs = shared.join("theirs");
    fs::create_dir(&theirs).unwrap();
    for name in ["app.log", "other.log"] {
        fs::write(theirs.join(name), "").unwrap();
        fs::set_permissions(theirs.join(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    symlink("app.log", theirs.join("link")).unwrap();
    let given = [(theirs.clone(), 1), (theirs.join("app.log"), 1), (theirs.join("other.log"), 2)];
    let given = given.iter().all(|(path, owner)| chown(path, Some(*owner), None).is_ok());
    needs!(become_nobody());
    assert!(given);
    sink::File::open(theirs.join("app.log")).unwrap();
    refused(&theirs.join("other.log"), "it belongs to user 2");
    refused(&theirs.join("link"), "it is a symbolic link");
}
