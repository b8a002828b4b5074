//! Regression tests for faults that the random trees have found.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing_handlers::filter::LevelFilter;
use tracing_handlers::handler::{Alert, Audit, Counts, Fallback, Filtered, Handler, Route, ScopedBuffer, from_fn};
use tracing_handlers::record::{Batch, Kind};
use tracing_handlers::{Error, ErrorKind, Queue, Record, RecordBuf, Severity};

use super::meta;

fn say(severity: Severity) -> RecordBuf {
    RecordBuf::new(severity, "shop", "said")
}

#[test]
fn what_wants_no_events_wants_no_spans() {
    #[track_caller]
    fn check(handler: impl Handler) {
        assert_eq!(handler.max_level(), LevelFilter::OFF);
        assert!((1..=24).all(|severity| !handler.enabled(&meta(severity, "shop", true))));
    }
    let nothing = || Counts::new().level(LevelFilter::OFF);
    check(ScopedBuffer::new(nothing()));
    check(Route::by_value("area").with("a", nothing()));
    check(Route::by_field("area", |_| Ok(Counts::new())).level(LevelFilter::OFF));
    check(Alert::new(LevelFilter::OFF, 1, Duration::from_secs(60)).per("area"));
}

#[test]
fn an_empty_batch_is_no_error_to_a_fallback_whose_primary_is_left_alone() {
    let fallback = Fallback::new(from_fn(|_| Err(Error::new(ErrorKind::Io, "no answer"))));
    assert!(fallback.handle(&say(Severity::INFO).as_record()).is_err());
    assert!(fallback.handle_batch(Batch::new().records()).is_ok());
}

/// A handler whose flush always fails.
struct Stuck;

impl Handler for Stuck {
    fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        Err(Error::new(ErrorKind::Timeout, "stuck"))
    }
}

#[test]
fn an_empty_batch_is_no_error_to_an_audit_whose_end_cannot_be_flushed() {
    assert!(Audit::new(Stuck).handle_batch(Batch::new().records()).is_ok());
}

#[test]
fn a_queue_does_not_count_a_notice_that_failed_as_a_record_that_failed() {
    // Blocks the worker on the first record, so that the next batch contains a notice and a record.
    let (open, opened) = std::sync::mpsc::channel();
    let (opened, is_first) = (Mutex::new(opened), AtomicBool::new(true));
    let queue = Queue::new(from_fn(move |record| {
        if is_first.swap(false, Ordering::SeqCst) {
            opened.lock().unwrap().recv().unwrap();
        }
        match record.kind() {
            Kind::Loss => Err(Error::new(ErrorKind::Full, "no room")),
            _ => Ok(()),
        }
    }));
    let filtered = Filtered::new(Severity::INFO, queue).tell_every(Duration::ZERO);
    for severity in [Severity::ERROR, Severity::DEBUG, Severity::INFO] {
        filtered.handle(&say(severity).as_record()).unwrap();
    }
    open.send(()).unwrap();
    filtered.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    let queue = &filtered.stats()[1].stats;
    assert!(queue.balances() && (queue.delivered, queue.failed) == (2, 0), "{queue:?}");
}

#[test]
fn an_alarm_whose_last_record_is_a_notice_is_an_event() {
    let kinds = Arc::<Mutex<Vec<_>>>::default();
    let noted = kinds.clone();
    let pager = from_fn(move |record| {
        noted.lock().unwrap().push(record.kind());
        Ok(())
    });
    let alert = Alert::new(Severity::TRACE, 1, Duration::from_secs(60)).to(pager);
    let filtered = Filtered::new(Severity::INFO, alert).tell_every(Duration::ZERO);
    filtered.handle(&say(Severity::DEBUG).as_record()).unwrap();
    filtered.flush(Instant::now()).unwrap();
    assert_eq!(*kinds.lock().unwrap(), [Kind::Event]);
}
