use super::*;
use crate::handler::Stats;
use crate::handler::script::Script;
use crate::until::until;
use crate::{RecordBuf, Severity};

fn send(to: &Buffer<Script>, severity: Severity, message: &str) {
    to.handle(&RecordBuf::new(severity, "shop", message).as_record()).unwrap();
}

fn stats(of: &Buffer<Script>) -> Stats {
    let stats = of.stats()[0].stats;
    assert!(stats.balances(), "{stats:?}");
    stats
}

#[test]
fn everything_is_released_when_it_is_full_or_an_important_record_arrives() {
    let script = Script::default();
    let buffer = Buffer::new(script.clone()).capacity(3);
    ["a", "b"].iter().for_each(|message| send(&buffer, Severity::DEBUG, message));
    assert_eq!((script.delivered().len(), stats(&buffer).pending), (0, 2));
    send(&buffer, Severity::DEBUG, "c");
    assert_eq!(script.delivered(), ["a", "b", "c"]);
    send(&buffer, Severity::DEBUG, "d");
    send(&buffer, Severity::CRITICAL, "e");
    assert_eq!(script.delivered(), ["a", "b", "c", "d", "e"]);
    assert_eq!(stats(&buffer).delivered, 5);
}

#[test]
fn reaching_the_byte_limit_releases_everything_too() {
    let script = Script::default();
    let buffer = Buffer::new(script.clone()).capacity_bytes(10_000);
    let long = "x".repeat(4_800);
    send(&buffer, Severity::INFO, &long);
    assert_eq!(script.delivered().len(), 0);
    send(&buffer, Severity::INFO, &long);
    send(&buffer, Severity::INFO, "short");
    assert_eq!(script.delivered().len(), 0);
    send(&buffer, Severity::INFO, &long);
    assert_eq!(script.delivered().len(), 4);
}

#[test]
fn a_ring_drops_the_oldest_and_accepts_an_important_record_of_any_size() {
    let script = Script::default();
    let buffer = Buffer::new(script.clone()).capacity(2).capacity_bytes(1_000).ring(true).flush_at(Severity::WARN);
    ["a", "b", "c"].iter().for_each(|message| send(&buffer, Severity::INFO, message));
    send(&buffer, Severity::INFO, &"x".repeat(2_000));
    assert_eq!(stats(&buffer).dropped.by(DropReason::Oldest), 1);
    assert_eq!(stats(&buffer).dropped.by(DropReason::TooLarge), 1);
    send(&buffer, Severity::WARN, &"y".repeat(2_000));
    assert_eq!(script.delivered()[..2], ["b", "c"]);
    assert_eq!(script.delivered().len(), 3);
}

#[test]
fn dropping_it_releases_or_drops_what_it_keeps() {
    for (flushes, expected) in [(true, 1), (false, 0)] {
        let script = Script::default();
        let buffer = Buffer::new(script.clone()).flush_on_close(flushes);
        send(&buffer, Severity::INFO, "a");
        drop(buffer);
        assert_eq!(script.delivered().len(), expected);
    }
}

#[test]
fn the_releasing_thread_gets_the_error_and_its_records_count_as_failed() {
    let script = Script::new([None, Some(ErrorKind::Io)]);
    let buffer = Buffer::new(script.clone());
    ["a", "b", "c"].iter().for_each(|message| send(&buffer, Severity::INFO, message));
    assert_eq!(buffer.flush(deadline_in(CLOSE_TIMEOUT)).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!((stats(&buffer).delivered, stats(&buffer).failed, script.flushed()), (2, 1, 1));
    assert!(buffer.flush(deadline_in(CLOSE_TIMEOUT)).is_ok() && script.flushed() == 2);
}

#[test]
fn records_logged_by_the_handler_behind_wait_in_the_buffer() {
    struct Talks(std::sync::OnceLock<std::sync::Weak<Buffer<Arc<Talks>>>>);
    impl Handler for Talks {
        fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
            let Some(buffer) = self.0.get().and_then(std::sync::Weak::upgrade) else { return Ok(()) };
            if record.message() == "first" {
                assert_eq!(buffer.flush(deadline_in(CLOSE_TIMEOUT)).unwrap_err().kind(), ErrorKind::Closed);
                let answer = RecordBuf::new(Severity::ERROR, "shop", "answer");
                buffer.handle(&answer.as_record())?;
            }
            Ok(())
        }
    }
    let talks = Arc::new(Talks(std::sync::OnceLock::new()));
    let buffer = Arc::new(Buffer::new(talks.clone()));
    talks.0.set(Arc::downgrade(&buffer)).ok();
    buffer.handle(&RecordBuf::new(Severity::ERROR, "shop", "first").as_record()).unwrap();
    let stats = buffer.stats()[0].stats;
    assert!(stats.balances() && (stats.delivered, stats.pending) == (1, 1), "{stats:?}");
}

const SHORT: Duration = Duration::from_millis(40);

#[test]
fn everything_is_released_some_time_after_the_first_record_again_and_again() {
    for ring in [false, true] {
        let script = Script::default();
        let buffer = Buffer::new(script.clone()).ring(ring).flush_after(SHORT);
        for round in 1..=2 {
            let start = Instant::now();
            ["a", "b"].iter().for_each(|message| send(&buffer, Severity::INFO, message));
            until("it happens", || script.delivered().len() == 2 * round);
            assert!(start.elapsed() >= SHORT, "{:?}", start.elapsed());
        }
        assert_eq!((stats(&buffer).delivered, script.flushed()), (4, 0));
    }
}

#[test]
fn a_release_before_the_time_ends_it() {
    let script = Script::default();
    let buffer = Buffer::new(script.clone()).capacity(2).flush_after(Duration::from_secs(3_600));
    ["a", "b", "c"].iter().for_each(|message| send(&buffer, Severity::INFO, message));
    assert_eq!(script.delivered(), ["a", "b"]);
    // As the timer, called before the release, comes later.
    buffer.core.start().due();
    assert_eq!(script.delivered(), ["a", "b", "c"]);
    assert_eq!(buffer.core.start().due(), None, "it is empty");
}

#[test]
fn what_fails_after_the_time_is_counted_and_reported() {
    let script = Script::new([None, Some(ErrorKind::Io)]);
    let buffer = Buffer::new(script.clone()).flush_after(SHORT);
    ["a", "b", "c"].iter().for_each(|message| send(&buffer, Severity::INFO, message));
    until("it happens", || stats(&buffer).pending == 0);
    assert_eq!((stats(&buffer).delivered, stats(&buffer).failed), (2, 1));
    assert!(!buffer.core.health.is_news(true), "it was told");
}

#[test]
fn the_timer_does_not_wait_for_a_thread_that_releases_records() {
    let script = Script::default();
    let buffer = Buffer::new(script.clone()).flush_after(Duration::from_secs(3_600));
    send(&buffer, Severity::INFO, "a");
    let core = buffer.core.start();
    let mut state = lock(&core.state);
    assert_eq!(core.due(), Some(BUSY), "it is locked");
    state.deliverer = usize::MAX - 1;
    drop(state);
    assert_eq!(core.due(), Some(BUSY), "another thread releases records");
    lock(&core.state).deliverer = 0;
    assert_eq!((core.due(), script.delivered().len()), (None, 1));
}

#[test]
fn a_record_that_passes_one_of_the_filters_releases_everything() {
    let script = Script::default();
    let buffer = Buffer::new(script.clone())
        .flush_at(crate::filter::LevelFilter::OFF)
        .flush_when(crate::filter::message().eq("last"))
        .flush_when(crate::filter::on_record(|record| {
            assert!(record.message() != "panic", "on purpose");
            false
        }));
    ["a", "b"].iter().for_each(|message| send(&buffer, Severity::ERROR, message));
    assert_eq!(script.delivered().len(), 0);
    send(&buffer, Severity::DEBUG, "last");
    assert_eq!(script.delivered(), ["a", "b", "last"]);
    ["c", "panic"].iter().for_each(|message| send(&buffer, Severity::DEBUG, message));
    assert_eq!(script.delivered().len(), 5);
}
