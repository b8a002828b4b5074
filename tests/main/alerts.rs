//! Alarms by rate, and counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::Level;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::handler::{Alert, Counts, from_fn};
use tracing_handlers::stats::prometheus;
use tracing_handlers::testing::{Captured, expect};
use tracing_handlers::{Error, ErrorKind, Handler, Part, Queue, RecordBuf, Severity, filter};

use crate::collect::{alone, dispatch};

const MINUTE: Duration = Duration::from_secs(60);

fn error_at(seconds: i64) -> RecordBuf {
    RecordBuf::new(Severity::ERROR, "shop", &format!("at {seconds}")).with_time(Timestamp::new(seconds, 0))
}

/// At which of these times the alarm was given.
fn alarms(alert: Alert, times: &[i64]) -> Vec<i64> {
    let given = Arc::new(Mutex::new(Vec::new()));
    let keep = given.clone();
    let alert = alert.call(move |alarm| keep.lock().unwrap().push(alarm.record.time().seconds()));
    for time in times {
        alert.handle(&error_at(*time).as_record()).unwrap();
    }
    assert!(alert.stats()[0].stats.balances() && alert.stats()[0].stats.pending == 0);
    std::mem::take(&mut *given.lock().unwrap())
}

#[test]
fn an_alert_may_count_by_any_part_of_a_record() {
    let captured = Captured::new();
    let alert = Alert::new(Level::ERROR, 2, MINUTE).per(Part::ModulePath).to(captured.clone());
    for module in ["shop::till", "shop::stock", "shop::till"] {
        let record = error_at(0).with_location(module, "till.rs", 1);
        alert.handle(&record.as_record()).unwrap();
    }
    assert_eq!(captured.records().len(), 1);
}

#[test]
fn the_alarm_is_given_by_the_record_that_fills_the_window() {
    let alert = || Alert::new(Level::ERROR, 3, MINUTE);
    assert_eq!(alarms(alert(), &[0, 30, 59]), [59]);
    // 0 has left the window when 60 comes; with 89 there are three again.
    assert_eq!(alarms(alert(), &[0, 30, 60, 89]), [89]);
    assert_eq!(alarms(alert(), &[0, 60, 120, 180, 240]), [0; 0]);
    assert_eq!(alarms(alert(), &[5, 5, 5]), [5]);
    assert_eq!(alarms(Alert::new(Level::ERROR, 1, Duration::ZERO), &[7]), [7]);
}

#[test]
fn a_clock_that_is_set_back_gives_no_alarm_and_keeps_none_from_being_given() {
    let alert = || Alert::new(Level::ERROR, 3, MINUTE);
    // One record from far ahead, then few in the present, then too many.
    assert_eq!(alarms(alert(), &[9_000, 100, 200, 300, 310, 320]), [320]);
    // It was quiet because of an alarm that the clock has not come to again.
    assert_eq!(alarms(alert(), &[9_000, 9_001, 9_002, 100, 101, 102]), [9_002, 102]);
    // A little disorder is none of that.
    assert_eq!(alarms(alert(), &[100, 90, 95, 96]), [95]);
}

#[test]
fn it_is_quiet_until_it_has_cooled_down_and_speaks_again_if_it_goes_on() {
    let times: Vec<_> = (0..100).collect();
    assert_eq!(alarms(Alert::new(Level::ERROR, 10, MINUTE), &times), [9, 69]);
    assert_eq!(
        alarms(Alert::new(Level::ERROR, 10, MINUTE).cool_down(Duration::from_secs(25)), &times),
        [9, 34, 59, 84]
    );
    assert_eq!(alarms(Alert::new(Level::ERROR, 98, MINUTE * 2).cool_down(Duration::ZERO), &times), [97, 98, 99]);
}

#[test]
fn a_record_that_comes_late_counts_as_of_the_time_of_the_one_before() {
    assert_eq!(alarms(Alert::new(Level::ERROR, 3, MINUTE), &[100, 10, 50]), [50]);
}

#[test]
fn only_what_the_filter_lets_pass_counts() {
    let captured = Captured::new();
    let alert = Alert::new(filter::targets(["shop"]), 2, MINUTE).to(captured.clone());
    let subscriber = dispatch(alert);
    tracing::dispatcher::with_default(&subscriber, || {
        tracing::error!(target: "hyper", "one");
        tracing::info!(target: "shop", "two");
        tracing::error!(target: "hyper", "three");
        assert!(captured.records().is_empty());
        tracing::info!(target: "shop::till", "four");
    });
    captured.assert_count(1, expect());
}

#[test]
fn each_key_has_a_window_of_its_own_from_the_event_or_its_spans() {
    let captured = Captured::new();
    let alert = Alert::new(Level::WARN, 2, MINUTE).name("refusals").per("user").to(captured.clone());
    tracing::dispatcher::with_default(&dispatch(alert), || {
        tracing::warn!(user = "ada", "refused");
        tracing::warn!(user = "bob", "refused");
        tracing::warn!("refused");
        let _request = tracing::info_span!("request", user = "bob").entered();
        let _query = tracing::info_span!("query", table = 7).entered();
        tracing::warn!(shop = 3, "refused again");
    });
    assert_eq!(captured.messages(), ["refusals: 2 records of bob within 60 s, the last: refused again"]);
    captured.assert_logged(
        expect()
            .severity(Severity::ALERT)
            .field("alert", "refusals")
            .field("count", 2)
            .field("within", 60.0)
            .field("key", "bob")
            .field("shop", 3)
            .in_span("query")
            .span_field("user", "bob"),
    );
}

#[test]
fn the_key_that_has_been_quiet_for_longest_is_forgotten() {
    let captured = Captured::new();
    let alert = Alert::new(Level::ERROR, 2, MINUTE).per("user").keys(2).to(captured.clone());
    for (time, user) in [(0, 1), (1, 2), (2, 3), (3, 1), (4, 3)] {
        alert.handle(&error_at(time).with_field("user", user).as_record()).unwrap();
    }
    // 1 was forgotten for 3, and then 2 for 1.
    captured.assert_count(1, expect());
    captured.assert_logged(expect().field("key", "3"));
}

#[test]
fn an_alarm_that_fails_or_panics_is_an_error_and_counted() {
    let refusing = || from_fn(|_| Err(Error::new(ErrorKind::Full, "the pager is full")));
    let calls = Arc::new(Mutex::new(0));
    let counted = calls.clone();
    let failing = Alert::new(Level::ERROR, 2, MINUTE).to(refusing()).call(move |_| *counted.lock().unwrap() += 1);
    failing.handle(&error_at(0).as_record()).unwrap();
    assert_eq!(failing.handle(&error_at(1).as_record()).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(*calls.lock().unwrap(), 1);
    let captured = Captured::new();
    let panicking = Alert::new(Level::ERROR, 2, MINUTE).to(captured.clone()).call(|_| panic!("as it should"));
    panicking.handle(&error_at(0).as_record()).unwrap();
    assert_eq!(panicking.handle(&error_at(1).as_record()).unwrap_err().kind(), ErrorKind::Panic);
    // The handler has its record nevertheless.
    captured.assert_count(1, expect());
    for alert in [failing, panicking] {
        let stats = alert.stats()[0].stats;
        assert_eq!((stats.accepted, stats.delivered, stats.failed, stats.pending), (2, 1, 1, 0));
    }
}

alone! {
    fn a_closure_may_log_and_come_back_to_the_alert() {
        let captured = Captured::new();
        let alert = Alert::new(Level::ERROR, 1, MINUTE).call(|_| tracing::error!("the alarm was given"));
        // Not for a scope: there tracing drops what is logged while it logs.
        tracing::dispatcher::set_global_default(dispatch((alert, captured.clone()))).unwrap();
        tracing::error!("one");
        assert_eq!(captured.messages(), ["one", "the alarm was given"]);
    }
}

#[test]
fn an_alert_wants_what_its_filter_wants_and_spans_for_its_key_only() {
    let plain = Alert::new(Level::ERROR, 1, MINUTE);
    let keyed = Alert::new(Level::ERROR, 1, MINUTE).per("user");
    assert_eq!((plain.max_level(), keyed.max_level()), (filter::LevelFilter::ERROR, filter::LevelFilter::INFO));
    let off = Alert::new(filter::LevelFilter::OFF, 1, MINUTE).per("user");
    assert_eq!(off.max_level(), filter::LevelFilter::OFF);
}

#[test]
fn records_are_counted_by_target_and_severity() {
    let counts = Counts::new();
    tracing::dispatcher::with_default(&dispatch(counts.clone()), || {
        (0..3).for_each(|_| tracing::info!(target: "shop", "sold"));
        tracing::trace!(target: "shop", "looked");
        tracing::info!(target: "shop", severity = "notice", "sold out");
        tracing::error!(target: "till", "jammed");
    });
    let snapshot: Vec<_> =
        counts.snapshot().into_iter().map(|count| (count.target, count.severity.name(), count.records)).collect();
    let wanted = [("shop", "TRACE", 1), ("shop", "INFO", 3), ("shop", "NOTICE", 1), ("till", "ERROR", 1)];
    assert_eq!(snapshot, wanted.map(|(target, name, count)| (target.to_owned(), name, count)));
    assert_eq!((counts.of("shop", Severity::INFO), counts.of("sho", Severity::INFO)), (3, 0));
    assert_eq!(counts.stats()[0].stats.delivered, 6);
}

#[test]
fn targets_beyond_the_bound_are_counted_together() {
    let counts = Counts::new().max_targets(2);
    for target in ["b", "a", "c", "d", "a", "other"] {
        counts.handle(&RecordBuf::new(Severity::INFO, target, "").as_record()).unwrap();
    }
    let snapshot: Vec<_> = counts.snapshot().into_iter().map(|count| (count.target, count.records)).collect();
    assert_eq!(snapshot, [("a".to_owned(), 2), ("b".to_owned(), 1), ("other".to_owned(), 3)]);
    assert_eq!(counts.of("other", Severity::INFO), 3);
}

#[test]
fn threads_that_count_at_once_lose_nothing() {
    let counts = Counts::new();
    std::thread::scope(|scope| {
        for target in ["a", "b", "a", "b"] {
            let counts = &counts;
            scope.spawn(move || {
                for _ in 0..1_000 {
                    counts.handle(&RecordBuf::new(Severity::INFO, target, "").as_record()).unwrap();
                }
            });
        }
    });
    assert_eq!((counts.of("a", Severity::INFO), counts.of("b", Severity::INFO)), (2_000, 2_000));
}

#[test]
fn prometheus_text_escapes_what_a_target_must_not_say() {
    let counts = Counts::new();
    for target in ["plain", "quo\"te", "back\\slash", "line\nlog_records_total{} 7"] {
        counts.handle(&RecordBuf::new(Severity::WARN, target, "").as_record()).unwrap();
    }
    assert_eq!(
        counts.prometheus(),
        "# HELP log_records_total Records logged, by target and severity.\n\
         # TYPE log_records_total counter\n\
         log_records_total{target=\"back\\\\slash\",severity=\"WARN\"} 1\n\
         log_records_total{target=\"line\\nlog_records_total{} 7\",severity=\"WARN\"} 1\n\
         log_records_total{target=\"plain\",severity=\"WARN\"} 1\n\
         log_records_total{target=\"quo\\\"te\",severity=\"WARN\"} 1\n"
    );
}

#[test]
fn reports_become_prometheus_text_with_each_label_once() {
    let refusing = || from_fn(|_| Err(Error::new(ErrorKind::Full, "full")));
    let queue = Queue::new(refusing()).name("mail").capacity_bytes(10);
    queue.handle(&error_at(0).as_record()).unwrap();
    let mut reports = queue.stats();
    reports.extend(Alert::new(Level::ERROR, 1, MINUTE).name("mail").stats());
    reports.extend(Counts::new().stats());
    let text = prometheus(&reports);
    assert_eq!(
        text,
        "# HELP log_handler_accepted_total Records that a handler accepted.\n\
         # TYPE log_handler_accepted_total counter\n\
         log_handler_accepted_total{handler=\"mail\"} 1\n\
         log_handler_accepted_total{handler=\"counts\"} 0\n\
         # HELP log_handler_delivered_total Records that were delivered.\n\
         # TYPE log_handler_delivered_total counter\n\
         log_handler_delivered_total{handler=\"mail\"} 0\n\
         log_handler_delivered_total{handler=\"counts\"} 0\n\
         # HELP log_handler_failed_total Records whose delivery failed.\n\
         # TYPE log_handler_failed_total counter\n\
         log_handler_failed_total{handler=\"mail\"} 0\n\
         log_handler_failed_total{handler=\"counts\"} 0\n\
         # HELP log_handler_pending Records neither delivered nor lost yet.\n\
         # TYPE log_handler_pending gauge\n\
         log_handler_pending{handler=\"mail\"} 0\n\
         log_handler_pending{handler=\"counts\"} 0\n\
         # HELP log_handler_dropped_total Records dropped on purpose.\n\
         # TYPE log_handler_dropped_total counter\n\
         log_handler_dropped_total{handler=\"mail\",reason=\"larger than the queue\"} 1\n"
    );
}
