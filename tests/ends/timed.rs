//! What lies in a buffer when nothing else is logged, and what is lost when a process ends without a flush.

use tracing_handlers::handler::Buffer;
use tracing_handlers::sink::{self, Writer};

use super::*;
#[cfg(target_os = "linux")]
use crate::threads;

cases! {
    a_line_in_a_files_buffer_is_written_after_a_time => |ended| ended.is_killed_by(libc::SIGKILL).has_lines(1);
    a_line_behind_an_idle_queue_is_written => |ended| ended.is_killed_by(libc::SIGKILL).has_lines(1);
    a_queue_at_work_leaves_lines_in_the_buffer => |ended| ended.succeeds().has_lines(50);
    what_a_buffer_keeps_is_released_after_a_time => |ended| ended.is_killed_by(libc::SIGKILL).has_lines(2);
    a_forked_child_releases_its_own_records_in_time_and_none_of_its_parent => |ended| ended.succeeds().says_in_any_order(&["child", "parent"]);
    a_line_behind_a_writer_is_written_after_a_time => |ended| ended.is_killed_by(libc::SIGKILL).has_lines(1);
    what_lies_behind_a_writer_is_written_at_the_exit => |ended| ended.exits(7).has_lines(1);
    a_forked_child_leaves_lines_behind_a_writer_to_its_parent => |ended| ended.succeeds().has_lines(2);
    a_forked_child_writes_its_own_lines_in_time_and_none_of_its_parent => |ended| ended.succeeds().has_lines(2);
    a_daemon_tells_what_lay_in_the_queue_of_its_parent => |ended| ended.succeeds().tells_of_lost_records(3);
    a_daemon_forked_twice_tells_what_lay_in_the_queue_of_its_grandparent => |ended| ended.succeeds().tells_of_lost_records(3);
    a_daemon_whose_parent_has_flushed_has_nothing_to_tell => |ended| ended.succeeds().tells_of_lost_records(0);
    a_child_whose_parent_lives_has_nothing_to_tell => |ended| ended.succeeds().tells_of_lost_records(0);
    #[cfg(target_os = "linux")]
    without_lines_in_a_buffer_no_thread_wakes_up => |ended| ended.succeeds().has_lines(2);
}

impl Ended {
    /// The daemon says so once, and nothing else.
    #[track_caller]
    fn tells_of_lost_records(&self, count: usize) {
        let done = self.directory.join("done");
        until("the daemon ends", || done.exists());
        let told = fs::read_to_string(done).unwrap();
        match count {
            0 => assert_eq!(told, ""),
            count => assert!(
                told.starts_with(&format!("queue: {count} records lay in the queue when")) && told.lines().count() == 1,
                "{told:?}"
            ),
        }
    }
}

fn buffered(directory: &Path, limit: impl Into<Option<Duration>>) -> sink::File {
    sink::File::options().buffer(BUFFER).flush_after(limit).open(directory.join("log")).unwrap()
}

fn written(directory: &Path) -> usize {
    fs::read_to_string(directory.join("log")).unwrap().lines().count()
}

fn wait_until_written(directory: &Path, lines: usize) {
    until("the lines are written", || written(directory) >= lines);
}

fn die() {
    // SAFETY: it ends this process, and takes numbers.
    unsafe { libc::raise(libc::SIGKILL) };
}

const SHORT: Duration = Duration::from_millis(50);

/// With the default of one second.
fn a_line_in_a_files_buffer_is_written_after_a_time(directory: &Path) {
    install(output(sink::File::options().buffer(BUFFER).open(directory.join("log")).unwrap()));
    log_lines(0..1);
    assert_eq!(written(directory), 0);
    wait_until_written(directory, 1);
    die();
}

fn a_line_behind_an_idle_queue_is_written(directory: &Path) {
    install(Queue::new(output(buffered(directory, None))));
    log_lines(0..1);
    wait_until_written(directory, 1);
    die();
}

fn a_queue_at_work_leaves_lines_in_the_buffer(directory: &Path) {
    install(Queue::new(output(buffered(directory, None))));
    let mut last = Instant::now();
    for number in 0..50 {
        log_lines(number..number + 1);
        // Time passes: the queue is busy as long as its pauses are short.
        thread::sleep(Duration::from_millis(10));
        // On a machine so busy that the queue was idle meanwhile, this shows nothing.
        if std::mem::replace(&mut last, Instant::now()).elapsed() > Duration::from_millis(60) {
            log_lines(number + 1..50);
            break;
        }
        assert_eq!(written(directory), 0, "after {number} lines");
    }
}

fn what_a_buffer_keeps_is_released_after_a_time(directory: &Path) {
    install(Buffer::new(output(File::open(directory))).flush_after(SHORT));
    log_lines(0..2);
    assert_eq!(written(directory), 0);
    wait_until_written(directory, 2);
    die();
}

fn a_forked_child_releases_its_own_records_in_time_and_none_of_its_parent(directory: &Path) {
    install(Buffer::new(output(File::open(directory))).flush_after(10 * SHORT));
    tracing::info!("parent");
    wait_for(fork(|| {
        // Time passes: the limit of the parent's record is over before that of the child's.
        thread::sleep(5 * SHORT);
        tracing::info!("child");
        until("the record of the child is released", || {
            fs::read_to_string(directory.join("log")).unwrap().contains("child")
        });
    }));
    wait_until_written(directory, 2);
}

fn a_line_behind_a_writer_is_written_after_a_time(directory: &Path) {
    let mut writer = Writer::new(buffered(directory, SHORT));
    writeln!(writer, "line 0").unwrap();
    wait_until_written(directory, 1);
    die();
}

fn what_lies_behind_a_writer_is_written_at_the_exit(directory: &Path) {
    let mut writer = Writer::new(buffered(directory, None));
    writeln!(writer, "line 0").unwrap();
    std::process::exit(7);
}

fn a_forked_child_leaves_lines_behind_a_writer_to_its_parent(directory: &Path) {
    let mut writer = Writer::new(buffered(directory, None));
    writeln!(writer, "line 0").unwrap();
    wait_for(fork(|| flush(Duration::from_secs(15)).unwrap()));
    writeln!(writer, "line 1").unwrap();
}

fn a_forked_child_writes_its_own_lines_in_time_and_none_of_its_parent(directory: &Path) {
    install(output(buffered(directory, SHORT)));
    log_lines(1..2);
    wait_for(fork(|| {
        log_lines(0..1);
        until("the line of the child is written", || {
            fs::read_to_string(directory.join("log")).unwrap().contains("line 0")
        });
        // Time passes: what the child had of its parent would be written by now.
        thread::sleep(4 * SHORT);
    }));
    wait_until_written(directory, 2);
    let mut lines: Vec<_> = fs::read_to_string(directory.join("log")).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["line 0", "line 1"]);
    fs::write(directory.join("log"), lines.join("\n")).unwrap();
}

#[cfg(target_os = "linux")]
fn without_lines_in_a_buffer_no_thread_wakes_up(directory: &Path) {
    install(output(buffered(directory, SHORT)));
    log_lines(0..1);
    wait_until_written(directory, 1);
    until("every other thread sleeps", || other_threads().into_iter().all(threads::sleeps_until_woken));
    let before = switches();
    assert_eq!(before.len(), 1, "the timer has one thread: {before:?}");
    // Time passes: what wakes up, and how often, shows only over time.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(switches(), before);
    // And it wakes up again.
    log_lines(1..2);
    wait_until_written(directory, 2);
}

/// Has logged, and has records in its queue that are not delivered.
fn parent_of_a_daemon() -> Arc<AtomicBool> {
    let goes_on = Arc::new(AtomicBool::new(false));
    let wait = goes_on.clone();
    install(Queue::new(from_fn(move |record| {
        if record.message().starts_with("parent") {
            until("the parent goes on", || wait.load(Ordering::SeqCst));
        }
        Ok(())
    })));
    (0..3).for_each(|number| tracing::info!("parent {number}"));
    goes_on
}

/// Logs for a while, and leaves in `done` what selflog was told.
fn be_a_daemon(directory: &Path) {
    let told = told();
    for number in 0..30 {
        tracing::info!("daemon {number}");
        // Time passes: its parent ends meanwhile, or does not.
        thread::sleep(Duration::from_millis(10));
    }
    fs::write(directory.join("part"), told.lock().unwrap().join("\n")).unwrap();
    fs::rename(directory.join("part"), directory.join("done")).unwrap();
}

fn end_at_once() -> ! {
    // SAFETY: it ends this process, and takes a number.
    unsafe { libc::_exit(0) }
}

fn a_daemon_tells_what_lay_in_the_queue_of_its_parent(directory: &Path) {
    parent_of_a_daemon();
    fork(|| be_a_daemon(directory));
    end_at_once();
}

fn a_daemon_forked_twice_tells_what_lay_in_the_queue_of_its_grandparent(directory: &Path) {
    parent_of_a_daemon();
    fork(|| {
        // SAFETY: it takes nothing.
        unsafe { libc::setsid() };
        fork(|| be_a_daemon(directory));
        end_at_once();
    });
    end_at_once();
}

fn a_daemon_whose_parent_has_flushed_has_nothing_to_tell(directory: &Path) {
    parent_of_a_daemon().store(true, Ordering::SeqCst);
    flush(Duration::from_secs(15)).unwrap();
    fork(|| be_a_daemon(directory));
    end_at_once();
}

fn a_child_whose_parent_lives_has_nothing_to_tell(directory: &Path) {
    let goes_on = parent_of_a_daemon();
    wait_for(fork(|| {
        // A child of its own that ends at once, of which the grandchild has inherited nothing.
        wait_for(fork(|| {
            fork(|| be_a_daemon(directory));
            end_at_once();
        }));
        until("the grandchild ends", || directory.join("done").exists());
    }));
    goes_on.store(true, Ordering::SeqCst);
}
