//! Readers that pause, and what is left when the process ends meanwhile.

use super::*;

cases! {
    a_reader_that_pauses_behind_a_queue_misses_nothing => |ended| ended.succeeds().took_less_than(30);
    a_terminal_that_pauses_behind_a_queue_misses_nothing => |ended| ended.succeeds().took_less_than(30);
    a_patience_that_was_set_ends_behind_a_queue_too => |ended| ended.succeeds().took_less_than(30);
    a_reader_that_goes_on_during_the_exit_gets_whole_lines => |ended| goes_on_during_the_exit(ended);
    a_reader_that_goes_on_during_the_exit_gets_all_of_a_queue => |ended| gets_all_of_a_queue(ended);
    a_stalled_stream_ends_with_a_whole_line => |ended| ended.succeeds().took_less_than(20);
    a_stalled_stream_of_errors_ends_with_a_whole_line => |ended| ended.succeeds().took_less_than(20);
    a_stalled_pipe_opened_by_its_path_ends_with_a_whole_line => |ended| ended.succeeds().took_less_than(20);
    records_behind_a_sink_that_hangs_are_counted_at_the_exit => |ended| hangs_at_the_exit(ended);
    a_stall_that_ends_within_the_quiet_time_of_selflog_is_told_later => |ended| ended.succeeds().took_less_than(20);
    panics_while_nobody_reads_wait_once => |ended| ended.succeeds().took_less_than(20);
    a_stopped_reader_of_a_pipe_opened_by_its_path_holds_up_its_writer_once => |ended| ended.succeeds().took_less_than(30);
    a_stopped_reader_of_a_device_opened_by_its_path_holds_up_its_writer_once => |ended| ended.succeeds().took_less_than(30);
    a_regular_file_is_written_to_even_if_the_system_says_that_there_is_no_room => |ended| ended.succeeds().took_less_than(20);
    a_regular_file_in_place_of_a_pipe_is_written_to_even_if_the_system_says_that_there_is_no_room => |ended| ended.succeeds().took_less_than(20);
    a_stopped_reader_of_a_pipe_of_an_older_system_holds_up_its_writer_once => |ended| ended.succeeds().took_less_than(30);
    a_stopped_reader_of_a_small_pipe_of_an_older_system_holds_up_its_writer_once => |ended| ended.succeeds().took_less_than(30);
    a_line_cut_short_by_a_console_that_was_dropped_is_ended => |ended| ended.succeeds().took_less_than(20);
    the_rest_of_a_line_does_not_go_into_another_file => |ended| ended.succeeds().took_less_than(20);
    a_second_stall_soon_after_the_first_is_told => |ended| ended.succeeds().took_less_than(30);
    a_child_forked_while_a_console_waits_refuses_its_records => |ended| ended.succeeds().took_less_than(20);
    a_flush_of_a_pipe_opened_by_its_path_ends_in_time => |ended| ended.succeeds().took_less_than(20);
    a_pipe_opened_by_its_path_that_pauses_behind_a_queue_misses_nothing => |ended| ended.succeeds().took_less_than(30);
}

/// Longer than a writer that holds up others waits.
const PAUSE: Duration = Duration::from_millis(2_500);

fn pause() {
    // Time passes: how long nobody reads is what the test is about.
    thread::sleep(PAUSE);
}

/// Checks that all lines were delivered, none twice.
fn assert_all_read(reader: &Reader, lines: usize) {
    until("everything is read", || reader.seen().lines().count() >= lines);
    let text = reader.seen();
    assert_eq!(
        text.lines().map(number).collect::<Vec<_>>(),
        (0..lines).map(|line| Some(line as u64)).collect::<Vec<_>>()
    );
}

fn misses_nothing(output: impl Handler + 'static, reader: &Reader) {
    selflog::set(|_| ());
    let handle = tracing_handlers::init(Queue::new(output)).unwrap();
    reader.stop();
    // More than a pipe holds, and less than the queue.
    (0..2_000).for_each(log);
    pause();
    reader.go_on();
    handle.flush(Duration::from_secs(20)).unwrap();
    for report in handle.stats() {
        assert_eq!((report.stats.delivered, report.stats.lost()), (2_000, 0), "{report:?}");
    }
    assert_all_read(reader, 2_000);
}

fn a_reader_that_pauses_behind_a_queue_misses_nothing(directory: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    drop(to);
    misses_nothing(Output::new(Text::new(), Console::stdout()), &Reader::of(from, directory));
}

fn a_terminal_that_pauses_behind_a_queue_misses_nothing(_: &Path) {
    selflog::set(|_| ());
    let terminal = Terminal::of_stderr();
    let output = Output::new(Text::new(), Console::stderr().color(Color::Never));
    let handle = tracing_handlers::init(Queue::new(output)).unwrap();
    terminal.stop();
    (0..500).for_each(log);
    pause();
    terminal.go_on();
    let reading = thread::spawn(move || terminal.read_until(|line| number(line) == Some(499)));
    handle.flush(Duration::from_secs(20)).unwrap();
    let text = reading.join().unwrap();
    assert_eq!(text.lines().filter_map(number).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
}

fn a_patience_that_was_set_ends_behind_a_queue_too(directory: &Path) {
    selflog::set(|_| ());
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let reader = Reader::of(from, directory);
    let console = Console::stdout().patience(Duration::from_millis(200));
    let handle = tracing_handlers::init(Queue::new(Output::new(Text::new(), console))).unwrap();
    reader.stop();
    (0..2_000).for_each(log);
    until("the queue is empty", || stats(&handle).pending == 0);
    assert!(stats(&handle).failed > 0);
}

/// Does something some time after the exit has begun.
fn during_the_exit(act: impl FnOnce() + Send + 'static) {
    static ACT: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>> = std::sync::Mutex::new(None);
    extern "C" fn start() {
        let act = ACT.lock().unwrap().take();
        thread::spawn(move || {
            // Time passes: the exit waits for a reader.
            thread::sleep(Duration::from_millis(700));
            act.into_iter().for_each(|act| act());
        });
    }
    *ACT.lock().unwrap() = Some(Box::new(act));
    // SAFETY: an ordinary function, called once.
    unsafe { libc::atexit(start) };
}

/// A reader that outlives this process, of standard output.
fn lasting_reader(directory: &Path) -> &'static Reader {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    Box::leak(Box::new(Reader::of(from, directory)))
}

fn a_reader_that_goes_on_during_the_exit_gets_whole_lines(directory: &Path) {
    let reader = lasting_reader(directory);
    let handle = log_to(Console::stdout());
    reader.stop();
    // Longer than the pipe: its rest is on the way when the stream counts as stalled.
    tracing::info!("line 0{}{TAIL}", ".".repeat(100_000));
    (1..=20).for_each(log);
    assert_eq!((stats(&handle).pending, stats(&handle).failed), (1, 20));
    during_the_exit(|| reader.go_on());
    std::process::exit(7);
}

fn goes_on_during_the_exit(ended: &Ended) {
    ended.exits(7);
    until("cat has read everything", || seen_of(ended).ends_with(TAIL_OF_LINE));
    assert_eq!(seen_of(ended).lines().count(), 1);
    // What is missing is told: nothing is logged later that could say so.
    let told = fs::read_to_string(ended.directory.join("stderr")).unwrap();
    assert!(told.ends_with("stdout: the process ends; records failed: 20, not delivered: 0\n"), "{told}");
}

const TAIL_OF_LINE: &str = "end\n";

fn seen_of(ended: &Ended) -> String {
    fs::read_to_string(ended.directory.join("seen")).unwrap()
}

fn a_reader_that_goes_on_during_the_exit_gets_all_of_a_queue(directory: &Path) {
    let reader = lasting_reader(directory);
    tracing_handlers::init(Queue::new(Output::new(Text::new(), Console::stdout()))).unwrap();
    reader.stop();
    (0..2_000).for_each(log);
    during_the_exit(|| reader.go_on());
    std::process::exit(7);
}

fn gets_all_of_a_queue(ended: &Ended) {
    ended.exits(7);
    until("cat has read everything", || seen_of(ended).lines().count() == 2_000);
    assert!(seen_of(ended).lines().map(number).eq((0..2_000).map(Some)));
    assert_eq!(fs::read_to_string(ended.directory.join("stderr")).unwrap(), "");
}

/// What a process that is killed would leave in its pipe, and on its terminal.
fn a_stalled_stream_ends_with_a_whole_line(_: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    ends_with_a_whole_line(from, Output::new(Text::new(), Console::stdout()));
}

fn a_stalled_stream_of_errors_ends_with_a_whole_line(_: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 2);
    selflog::set(|_| ());
    ends_with_a_whole_line(from, Output::new(Text::new(), Console::stderr().color(Color::Never)));
}

fn a_stalled_pipe_opened_by_its_path_ends_with_a_whole_line(directory: &Path) {
    let (path, from, _both) = fifo(directory);
    let file = tracing_handlers::sink::File::open(&path).unwrap();
    ends_with_a_whole_line(from, Output::new(Text::new(), file));
}

fn ends_with_a_whole_line(mut from: impl std::io::Read + AsRawFd, output: impl Handler + 'static) {
    tracing_handlers::init(Queue::new(output)).unwrap();
    // Batches are larger than the pipe. Lines of different lengths, so that few end where a page does.
    (0..2_000).for_each(|number| tracing::info!("line {number}{}{TAIL}", ".".repeat(number % 97)));
    let mut before = 0;
    until("the pipe is full", || {
        let filled = unread(&from);
        std::mem::replace(&mut before, filled) == filled && filled > 32_768
    });
    let mut all = vec![0; unread(&from)];
    from.read_exact(&mut all).unwrap();
    assert!(all.ends_with(TAIL_OF_LINE.as_bytes()), "{:?}", String::from_utf8_lossy(&all[all.len() - 200..]));
    set_exit_timeout(Duration::from_millis(100));
    selflog::set(|_| ());
}

/// The number of bytes in the pipe.
fn unread(pipe: &impl AsRawFd) -> usize {
    let mut unread = 0;
    // SAFETY: writes one integer.
    assert_eq!(unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut unread) }, 0);
    unread as usize
}

fn a_stall_that_ends_within_the_quiet_time_of_selflog_is_told_later(_: &Path) {
    static SHUT: AtomicBool = AtomicBool::new(true);
    struct Gate;
    impl Sink for Gate {
        fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
            until("it opens", || !SHUT.load(Ordering::SeqCst));
            Ok(())
        }
        fn describe(&self) -> String {
            "gate".to_owned()
        }
    }
    let told = told();
    let overflow = Overflow::BlockFor(Duration::from_millis(20));
    let queue = Queue::new(Output::new(Text::new(), Gate)).capacity(1).overflow(overflow).name("brief");
    let handle = tracing_handlers::init(queue).unwrap();
    (0..5).for_each(log);
    assert_eq!(told.lock().unwrap().len(), 1, "{told:?}");
    SHUT.store(false, Ordering::SeqCst);
    handle.flush(Duration::from_secs(20)).unwrap();
    until("the end of the stall is told", || {
        log(5);
        told.lock().unwrap().len() > 1
    });
    assert_eq!(told.lock().unwrap()[1], "brief: delivers again; records dropped: 4");
}

fn records_behind_a_sink_that_hangs_are_counted_at_the_exit(_: &Path) {
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
    set_exit_timeout(Duration::from_secs(1));
    let queue = |name| {
        let overflow = Overflow::BlockFor(Duration::from_millis(100));
        Queue::new(Output::new(Text::new(), Hangs)).capacity(20).overflow(overflow).name(name)
    };
    tracing_handlers::init((queue("first"), queue("second"))).unwrap();
    (0..50).for_each(log);
    std::process::exit(7);
}

fn hangs_at_the_exit(ended: &Ended) {
    ended.exits(7).took_less_than(10);
    let told = fs::read_to_string(ended.directory.join("stderr")).unwrap();
    for queue in ["first", "second"] {
        let wanted =
            format!("at exit: {queue}: could not be emptied in time; records not delivered: 20, dropped: 30\n");
        assert!(told.contains(&wanted), "{told}");
    }
}

fn panics_while_nobody_reads_wait_once(directory: &Path) {
    selflog::set(|_| ());
    set_exit_timeout(Duration::from_secs(1));
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let reader = Reader::of(from, directory);
    // One that fails at once must not hide the one that is late.
    let fails = from_flush(|| Err(Error::new(tracing_handlers::ErrorKind::Closed, "on purpose")));
    let direct = Output::new(Text::new(), Console::stdout()).filter(filter::targets(["direct"]));
    let queued = Queue::new(Output::new(Text::new(), Console::stdout()).filter(filter::targets(["ends"])));
    let handle = tracing_handlers::init((direct, queued, fails)).unwrap();
    log_panics();
    reader.stop();
    // Longer than the pipe, so that its rest is pending.
    tracing::info!(target: "direct", "{}{TAIL}", ".".repeat(100_000));
    log_lines(0..2_000);
    let panics = |count| {
        let start = Instant::now();
        (0..count).for_each(|_| drop(thread::spawn(|| panic!("on purpose")).join()));
        start.elapsed()
    };
    let first = panics(1);
    assert!((900..3_000).contains(&first.as_millis()), "{first:?}");
    let others = panics(10);
    assert!(others < Duration::from_secs(3), "{others:?}");
    reader.go_on();
    let _ = handle.flush(Duration::from_secs(20));
    panics(1);
}

/// A handler whose flush is `flush`.
fn from_flush(flush: fn() -> Result<(), Error>) -> impl Handler {
    struct Flushes(fn() -> Result<(), Error>);
    impl Handler for Flushes {
        fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
            Ok(())
        }
        fn flush(&self, _: Instant) -> Result<(), Error> {
            (self.0)()
        }
    }
    Flushes(flush)
}

/// Opens `path` as a file, whose reader is stopped.
fn a_file_holds_up_its_writer_once(path: &Path, reader: &Reader) {
    let told = told();
    let handle =
        tracing_handlers::init(Output::new(Text::new(), tracing_handlers::sink::File::open(path).unwrap())).unwrap();
    reader.stop();
    let times = stall(&handle);
    assert_held_up_once(times, &told.lock().unwrap());
    assert!(!is_non_blocking(1), "a standard stream stays as it is");
    reader.go_on();
    recover(&handle);
    let wanted = stats(&handle);
    until("cat has read everything", || {
        reader.seen().ends_with('\n')
            && reader.seen().lines().filter(|line| !line.contains("missing here")).count() as u64 == wanted.delivered
    });
    assert_read_as_counted(&reader.seen(), wanted);
}

fn fifo(directory: &Path) -> (PathBuf, fs::File, fs::File) {
    let path = directory.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let both = fs::File::options().read(true).write(true).open(&path).unwrap();
    let from = fs::File::open(&path).unwrap();
    (path, from, both)
}

fn a_stopped_reader_of_a_pipe_opened_by_its_path_holds_up_its_writer_once(directory: &Path) {
    let (path, from, _both) = fifo(directory);
    a_file_holds_up_its_writer_once(&path, &Reader::of(from, directory));
}

fn a_stopped_reader_of_a_device_opened_by_its_path_holds_up_its_writer_once(directory: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    drop(to);
    a_file_holds_up_its_writer_once(Path::new("/dev/stdout"), &Reader::of(from, directory));
}

fn a_pipe_opened_by_its_path_that_pauses_behind_a_queue_misses_nothing(directory: &Path) {
    let (path, from, _both) = fifo(directory);
    let file = tracing_handlers::sink::File::open(&path).unwrap();
    misses_nothing(Output::new(Text::new(), file), &Reader::of(from, directory));
}

/// Has the system call `pwritev2` fail with `error`, as on other systems and files.
fn refuse_writes_without_waiting(error: i32) {
    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
    let filter = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let mut filters = [
        // The number of the call is the first word.
        filter(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        filter(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_pwritev2 as u32),
        filter(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | error as u32),
        filter(libc::BPF_RET | libc::BPF_K, 0, 0, ALLOW),
    ];
    let program = libc::sock_fprog { len: filters.len() as u16, filter: filters.as_mut_ptr() };
    // SAFETY: the kernel copies the program, which lives beyond the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
    }
}

/// As XFS and btrfs do.
fn a_regular_file_is_written_to_even_if_the_system_says_that_there_is_no_room(directory: &Path) {
    refuse_writes_without_waiting(libc::EAGAIN);
    let path = directory.join("redirected");
    become_stream(&fs::File::create(&path).unwrap(), 1);
    let handle = log_to(Console::stdout());
    let start = Instant::now();
    log_lines(0..100);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!((stats(&handle).delivered, fs::read_to_string(&path).unwrap().lines().count()), (100, 100));
    // Another file on the same descriptor.
    let other = directory.join("other");
    become_stream(&fs::File::create(&other).unwrap(), 1);
    log_lines(0..100);
    assert_eq!(fs::read_to_string(&other).unwrap().lines().count(), 100);
}

fn a_regular_file_in_place_of_a_pipe_is_written_to_even_if_the_system_says_that_there_is_no_room(directory: &Path) {
    let (_from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let handle = log_to(Console::stdout());
    log_lines(0..10);
    refuse_writes_without_waiting(libc::EAGAIN);
    let path = directory.join("redirected");
    become_stream(&fs::File::create(&path).unwrap(), 1);
    log_lines(0..100);
    assert_eq!((stats(&handle).delivered, fs::read_to_string(&path).unwrap().lines().count()), (110, 100));
}

fn a_stopped_reader_of_a_pipe_of_an_older_system_holds_up_its_writer_once(directory: &Path) {
    refuse_writes_without_waiting(libc::EOPNOTSUPP);
    a_stopped_reader_of_a_pipe_holds_up_its_writer_once(directory);
}

fn a_stopped_reader_of_a_small_pipe_of_an_older_system_holds_up_its_writer_once(directory: &Path) {
    refuse_writes_without_waiting(libc::ENOSYS);
    let (from, to) = std::io::pipe().unwrap();
    // SAFETY: fcntl with these arguments touches no memory.
    assert!(unsafe { libc::fcntl(to.as_raw_fd(), libc::F_SETPIPE_SZ, 4_096) } > 0);
    become_stream(&to, 1);
    drop(to);
    let reader = Reader::of(from, directory);
    let told = told();
    let handle = log_to(Console::stdout());
    reader.stop();
    tracing::info!("{}{TAIL}", ".".repeat(400));
    let start = Instant::now();
    tracing::info!("{}{TAIL}", ".".repeat(3_800));
    assert!((900..2_500).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(stats(&handle).delivered, 1);
    assert_eq!(told.lock().unwrap().len(), 1);
}

fn a_line_cut_short_by_a_console_that_was_dropped_is_ended(directory: &Path) {
    let told = told();
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let reader = Reader::of(from, directory);
    let handle = log_to(Console::stdout());
    reader.stop();
    tracing::info!("first{}{TAIL}", ".".repeat(100_000));
    handle.swap(Output::new(Text::new(), Console::stdout()));
    assert!(told.lock().unwrap().iter().any(|told| told.ends_with("lines not written whole: 1")), "{told:?}");
    reader.go_on();
    until("the next line is written", || {
        log(2);
        reader.seen().ends_with(TAIL_OF_LINE)
    });
    let text = reader.seen();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].contains("first...") && !lines[0].contains("line 2"), "{}", &lines[0][65_000..]);
    assert!(lines[1..].iter().all(|line| number(line).is_some() || line.contains("missing here")), "{:?}", &lines[1..]);
}

fn the_rest_of_a_line_does_not_go_into_another_file(directory: &Path) {
    let told = told();
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let reader = Reader::of(from, directory);
    let handle = log_to(Console::stdout());
    reader.stop();
    tracing::info!("first{}{TAIL}", ".".repeat(100_000));
    assert_eq!(stats(&handle).pending, 1);
    let path = directory.join("other");
    become_stream(&fs::File::create(&path).unwrap(), 1);
    until("the next line is written", || {
        log(2);
        stats(&handle).delivered > 0
    });
    let stats = stats(&handle);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().all(|line| number(line) == Some(2) || line.contains("missing here")), "{text:.200}");
    assert!(stats.failed > 0 && stats.pending == 0, "{stats:?}");
    assert!(told.lock().unwrap().iter().any(|told| told.contains("the rest of a line is lost")), "{told:?}");
}

fn a_second_stall_soon_after_the_first_is_told(_: &Path) {
    static SHUT: AtomicBool = AtomicBool::new(true);
    struct Gate;
    impl Sink for Gate {
        fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
            until("it opens", || !SHUT.load(Ordering::SeqCst));
            Ok(())
        }
        fn describe(&self) -> String {
            "gate".to_owned()
        }
    }
    let told = told();
    let said = |text: &str| told.lock().unwrap().iter().filter(|told| told.contains(text)).count();
    let overflow = Overflow::BlockFor(Duration::from_millis(20));
    let queue = Queue::new(Output::new(Text::new(), Gate)).capacity(1).overflow(overflow).name("brief");
    let handle = tracing_handlers::init(queue).unwrap();
    (0..5).for_each(log);
    SHUT.store(false, Ordering::SeqCst);
    until("the end of the stall is told", || {
        log(5);
        said("delivers again") == 1
    });
    // Within the quiet time of selflog.
    SHUT.store(true, Ordering::SeqCst);
    (0..5).for_each(log);
    until("the second stall is told", || {
        log(6);
        said("nothing was delivered for 20ms") == 2
    });
    SHUT.store(false, Ordering::SeqCst);
    handle.flush(Duration::from_secs(20)).unwrap();
}

fn a_child_forked_while_a_console_waits_refuses_its_records(directory: &Path) {
    let (from, to) = std::io::pipe().unwrap();
    become_stream(&to, 1);
    let reader = Reader::of(from, directory);
    let handle = tracing_handlers::init(Queue::new(Output::new(Text::new(), Console::stdout()))).unwrap();
    reader.stop();
    (0..2_000).for_each(log);
    let output = || handle.stats()[1].stats;
    until("the queue waits", || output().accepted > 0);
    wait_for(fork(|| {
        let (told, before) = (told(), handle.stats()[0].stats);
        (0..10).for_each(log);
        let _ = handle.flush(Duration::from_secs(5));
        let queue = handle.stats()[0].stats;
        assert_eq!((queue.failed, queue.delivered), (10, before.delivered), "{queue:?}");
        assert!(told.lock().unwrap().iter().any(|told| told.contains("when the process was forked")), "{told:?}");
    }));
    reader.go_on();
    handle.flush(Duration::from_secs(20)).unwrap();
    assert_all_read(&reader, 2_000);
}

fn a_flush_of_a_pipe_opened_by_its_path_ends_in_time(directory: &Path) {
    selflog::set(|_| ());
    let (path, _from, _both) = fifo(directory);
    let file = tracing_handlers::sink::File::options().buffer(200_000).open(&path).unwrap();
    let handle = tracing_handlers::init(Output::new(Text::new(), file)).unwrap();
    (0..1_000).for_each(log);
    let start = Instant::now();
    handle.flush(Duration::from_millis(20)).unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    set_exit_timeout(Duration::from_millis(100));
}
