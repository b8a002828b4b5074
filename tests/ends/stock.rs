//! What the guide says about the defaults of tracing-subscriber and tracing-appender, in processes of their own: a new version that
//! changes one of them shows here.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::panic::catch_unwind;
use std::sync::mpsc::{Receiver, channel};

use tracing::Level;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{Builder, RollingFileAppender, Rotation};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::Memory;
use tracing_subscriber::fmt;

use super::*;

cases! {
    stock_init_without_a_variable_shows_errors_alone => |ended| ended.succeeds();
    stock_init_with_an_empty_variable_shows_errors_alone => |ended| ended.succeeds();
    stock_fmt_shows_info_whatever_the_variable_is => |ended| ended.succeeds();
    a_stock_layer_shows_everything => |ended| ended.succeeds();
    stock_lines_go_to_stdout_in_color_even_in_a_file => |ended| ended.succeeds();
    a_stock_filter_hides_the_spans_of_what_it_lets_pass => |ended| ended.succeeds();
    a_line_break_in_a_stock_message_is_a_line_break => |ended| ended.succeeds();
    stock_lines_and_ours_look_as_the_guide_says => |ended| ended.succeeds();
    a_second_stock_init_panics => |ended| ended.succeeds();
    stock_init_panics_where_log_has_a_logger => |ended| ended.succeeds();
    a_stock_layer_says_nothing_of_a_closed_pipe => |ended| ended.succeeds().told(0);
    stock_fmt_tells_of_a_closed_pipe_with_each_line => |ended| ended.succeeds().told(10);
    a_stock_test_writer_panics_at_a_closed_pipe => |ended| ended.succeeds();
    a_stock_queue_that_is_full_drops_lines_and_only_its_counter_tells => |ended| ended.succeeds();
    a_stock_queue_loses_its_lines_at_process_exit => |ended| ended.exits(7).has_lines(0);
    a_stock_queue_without_its_guard_loses_all_lines => |ended| ended.succeeds().has_lines(0);
    a_stock_guard_waits_for_a_second => |ended| ended.succeeds();
    a_stock_file_that_cannot_be_created_is_a_panic => |ended| ended.succeeds();
    a_stock_file_has_its_date_from_the_start_and_all_are_kept => |ended| ended.succeeds();
}

impl Ended {
    /// How many errors of writing the child told of on standard error.
    #[track_caller]
    fn told(&self, count: usize) {
        let text = fs::read_to_string(self.directory.join("stderr")).unwrap();
        assert_eq!(text.matches("Unable to write an event").count(), count, "{text}");
    }
}

/// Logs with what `install` installs, and returns what has come to standard output.
fn stdout_of(directory: &Path, variable: Option<&str>, install: fn()) -> String {
    let path = directory.join("stdout");
    become_stdout(&File::create(&path).unwrap());
    // SAFETY: there is one thread.
    unsafe {
        std::env::remove_var("NO_COLOR");
        std::env::remove_var("RUST_LOG");
        variable.iter().for_each(|variable| std::env::set_var("RUST_LOG", variable));
    }
    install();
    tracing::info_span!("request").in_scope(|| tracing::error!("an error"));
    tracing::info!("one\ntwo");
    tracing::trace!("a trace");
    io::stdout().flush().unwrap();
    fs::read_to_string(path).unwrap()
}

fn become_stdout(file: &impl AsRawFd) {
    // SAFETY: both are open descriptors.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), libc::STDOUT_FILENO) }, libc::STDOUT_FILENO);
}

fn says(text: &str) -> [bool; 3] {
    ["an error", "one", "a trace"].map(|message| text.contains(message))
}

fn stock_init_without_a_variable_shows_errors_alone(directory: &Path) {
    assert_eq!(says(&stdout_of(directory, None, fmt::init)), [true, false, false]);
}

fn stock_init_with_an_empty_variable_shows_errors_alone(directory: &Path) {
    assert_eq!(says(&stdout_of(directory, Some(""), fmt::init)), [true, false, false]);
}

fn stock_fmt_shows_info_whatever_the_variable_is(directory: &Path) {
    assert_eq!(says(&stdout_of(directory, Some("trace"), || fmt().init())), [true, true, false]);
}

fn a_stock_layer_shows_everything(directory: &Path) {
    let install = || tracing_subscriber::registry().with(fmt::layer()).init();
    assert_eq!(says(&stdout_of(directory, None, install)), [true; 3]);
}

fn stock_lines_go_to_stdout_in_color_even_in_a_file(directory: &Path) {
    assert!(stdout_of(directory, None, || fmt().init()).contains("\x1b[31mERROR"));
}

fn a_stock_filter_hides_the_spans_of_what_it_lets_pass(directory: &Path) {
    let install = || fmt().with_max_level(Level::WARN).with_ansi(false).init();
    assert!(!stdout_of(directory, None, install).contains("request"));
}

fn a_line_break_in_a_stock_message_is_a_line_break(directory: &Path) {
    assert!(stdout_of(directory, None, || fmt().with_ansi(false).init()).contains("one\ntwo\n"));
}

#[derive(Debug)]
struct Failed(Option<Box<Failed>>);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "outer" } else { "inner" })
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|inner| inner as _)
    }
}

fn sell(subscriber: impl Into<tracing::Dispatch>) {
    tracing::dispatcher::with_default(&subscriber.into(), || {
        let request = tracing::info_span!("request", id = 7, status = tracing::field::Empty).entered();
        request.record("status", 1).record("status", 2);
        let _query = tracing::info_span!("query", table = "x").entered();
        let error = Failed(Some(Box::new(Failed(None))));
        tracing::info!(target: "shop", error = &error as &dyn std::error::Error, user = "mia", name = "two words", "sold");
    });
}

fn stock_lines_and_ours_look_as_the_guide_says(_: &Path) {
    let [full, compact, threads, ours, ours_compact, ours_threads] = [(); 6].map(|()| Memory::new());
    let write = |memory: &Memory| {
        let memory = memory.clone();
        fmt::layer().without_time().with_ansi(false).with_writer(move || memory.clone())
    };
    let stock = vec![
        write(&full).boxed(),
        write(&compact).compact().boxed(),
        write(&threads).with_thread_names(true).with_thread_ids(true).boxed(),
    ];
    let text = || Text::new().time(Time::none());
    let ours_all = (
        Output::new(text(), ours.clone()),
        Output::new(Text::compact().time(Time::none()), ours_compact.clone()),
        Output::new(text().thread_names(true).thread_ids(true), ours_threads.clone()),
    );
    // Each by itself: several stock layers would add what is recorded later to the same text.
    stock.into_iter().for_each(|layer| sell(tracing_subscriber::registry().with(layer)));
    sell(tracing_subscriber::registry().with(ours_all.layer()));
    let all = |memories: [Memory; 3]| memories.map(|memory| memory.text());
    let stock_line = r#"shop: sold error=outer error.sources=[inner] user="mia" name="two words""#;
    assert_eq!(
        all([full, compact, threads]),
        [
            format!(" INFO request{{id=7 status=1 status=2}}:query{{table=\"x\"}}: {stock_line}\n"),
            format!(" INFO request:query: {stock_line} id=7 status=1 status=2 table=\"x\"\n"),
            format!(" INFO main ThreadId(01) request{{id=7 status=1 status=2}}:query{{table=\"x\"}}: {stock_line}\n"),
        ]
    );
    let line = r#"shop: sold error="outer: inner" user=mia name="two words""#;
    assert_eq!(
        all([ours, ours_compact, ours_threads]),
        [
            format!(" INFO request{{id=7 status=2}}:query{{table=x}}: {line}\n"),
            format!(" INFO {line} id=7 status=2 table=x\n"),
            format!(" INFO [main#1] request{{id=7 status=2}}:query{{table=x}}: {line}\n"),
        ]
    );
}

fn a_second_stock_init_panics(_: &Path) {
    fmt().init();
    assert!(catch_unwind(|| fmt().init()).is_err());
}

fn stock_init_panics_where_log_has_a_logger(_: &Path) {
    tracing_handlers::bridge_log().unwrap();
    assert!(catch_unwind(|| fmt().init()).is_err());
}

/// Makes a pipe without a reader the standard output, and logs ten lines.
fn into_a_closed_pipe(install: fn()) {
    let (reader, writer) = io::pipe().unwrap();
    become_stdout(&writer);
    drop(reader);
    install();
    (0..10).for_each(|_| tracing::error!("lost"));
}

fn a_stock_layer_says_nothing_of_a_closed_pipe(_: &Path) {
    into_a_closed_pipe(|| tracing_subscriber::registry().with(fmt::layer()).init());
}

fn stock_fmt_tells_of_a_closed_pipe_with_each_line(_: &Path) {
    into_a_closed_pipe(|| fmt().init());
}

fn a_stock_test_writer_panics_at_a_closed_pipe(_: &Path) {
    assert!(catch_unwind(|| into_a_closed_pipe(|| fmt().with_test_writer().init())).is_err());
}

/// Takes nothing until the sender is dropped.
struct Stalled(Receiver<()>, File);

impl io::Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs a hundred lines through a queue whose writer takes nothing until the sender is dropped.
fn queue(directory: &Path, builder: NonBlockingBuilder) -> (NonBlocking, WorkerGuard, std::sync::mpsc::Sender<()>) {
    let (sender, receiver) = channel();
    let (writer, guard) = builder.finish(Stalled(receiver, File::create(directory.join("log")).unwrap()));
    fmt().with_writer(writer.clone()).init();
    (0..100).for_each(|number| tracing::info!(number, "line"));
    (writer, guard, sender)
}

fn a_stock_queue_that_is_full_drops_lines_and_only_its_counter_tells(directory: &Path) {
    let (writer, guard, sender) = queue(directory, NonBlockingBuilder::default().buffered_lines_limit(10));
    let dropped = writer.error_counter().dropped_lines();
    drop(sender);
    drop(guard);
    let text = fs::read_to_string(directory.join("log")).unwrap();
    assert!(dropped >= 80 && text.lines().count() == 100 - dropped, "{dropped}");
    assert!(text.lines().all(|line| line.contains("line")), "{text}");
}

fn a_stock_queue_loses_its_lines_at_process_exit(directory: &Path) {
    let _kept = queue(directory, NonBlockingBuilder::default());
    std::process::exit(7);
}

fn a_stock_queue_without_its_guard_loses_all_lines(directory: &Path) {
    let (sender, receiver) = channel();
    let (writer, _) = NonBlocking::new(Stalled(receiver, File::create(directory.join("log")).unwrap()));
    drop(sender);
    fmt().with_writer(writer).init();
    (0..100).for_each(|number| tracing::info!(number, "line"));
}

fn a_stock_guard_waits_for_a_second(directory: &Path) {
    let (_writer, guard, _sender) = queue(directory, NonBlockingBuilder::default());
    let start = Instant::now();
    drop(guard);
    assert!((0.9..10.0).contains(&start.elapsed().as_secs_f32()), "{:?}", start.elapsed());
    assert_eq!(fs::metadata(directory.join("log")).unwrap().len(), 0);
}

fn a_stock_file_that_cannot_be_created_is_a_panic(directory: &Path) {
    fs::write(directory.join("file"), "").unwrap();
    let folder = directory.join("file");
    assert!(RollingFileAppender::builder().build(&folder).is_err());
    assert!(catch_unwind(|| tracing_appender::rolling::daily(&folder, "app.log")).is_err());
}

fn a_stock_file_has_its_date_from_the_start_and_all_are_kept(directory: &Path) {
    let builder =
        || RollingFileAppender::builder().rotation(Rotation::DAILY).filename_prefix("app").filename_suffix("log");
    let names_after = |name: &str, builder: Builder| -> Vec<_> {
        let logs = directory.join(name);
        fs::create_dir(&logs).unwrap();
        (1..=9).for_each(|day| fs::write(logs.join(format!("app.2020-01-0{day}.log")), "old\n").unwrap());
        builder.build(&logs).unwrap().write_all(b"new\n").unwrap();
        fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let all = names_after("all", builder());
    assert!(all.len() == 10 && !all.contains(&"app.log".to_owned()), "{all:?}");
    // The file in use is counted.
    assert_eq!(names_after("three", builder().max_log_files(3)).len(), 3);
}
