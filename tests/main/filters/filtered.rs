//! A filter in front of handlers: what is counted, what is told, and where.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tracing::{Level, debug, info, info_span, warn};
use tracing_handlers::filter::{self, Chain, Filter, FilterExt, LevelFilter};
use tracing_handlers::handler::{Filtered, Handler, from_fn};
use tracing_handlers::record::Kind;
use tracing_handlers::stats::DropReason;
use tracing_handlers::{Error, ErrorKind, Meta, Output, Queue, RecordBuf, Severity, Value, format, sink};

use super::{at, record};
use crate::collect::{Seen, dispatch};
use crate::until::soon;

const SECOND: Duration = Duration::from_secs(1);

fn handle(handler: &impl Handler, records: impl IntoIterator<Item = RecordBuf>) {
    records.into_iter().for_each(|record| handler.handle(&record.as_record()).unwrap());
}

/// What the notices among these tell, together.
fn told(records: &[RecordBuf]) -> u64 {
    let notices = records.iter().filter(|record| record.as_record().kind() == Kind::Loss);
    notices
        .map(|notice| notice.as_record().field("lost"))
        .map(|lost| match lost {
            Some(Value::U64(lost)) => lost,
            other => panic!("a notice without its number: {other:?}"),
        })
        .sum()
}

#[test]
fn what_is_dropped_is_counted_by_reason() {
    let seen = Seen::default();
    let filter = Level::INFO.and(filter::one_in(2)).and(filter::rate(3, SECOND));
    let filtered = Filtered::new(filter, seen.clone()).name("thin");
    handle(&filtered, (0..10).map(|_| at(0)));
    handle(&filtered, [record(Severity::DEBUG, "no")]);
    let lines: Vec<_> = filtered.stats().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "thin: accepted 11, delivered 3, dropped 8 (filtered 1, sampled 5, rate limited 2), failed 0, pending 0",
            "one in 2: accepted 10, delivered 5, dropped 5 (sampled 5), failed 0, pending 0",
            "rate 3 in 1s: accepted 5, delivered 3, dropped 2 (rate limited 2), failed 0, pending 0",
        ]
    );
    assert_eq!(seen.count(), 3);
}

#[test]
fn what_the_handler_does_not_want_uses_up_nothing_and_is_not_counted() {
    let memory = sink::Memory::new();
    let output = Output::new(format::Text::new(), memory.clone()).level(Level::WARN);
    let filtered = Filtered::new(filter::rate(2, SECOND), output);
    handle(&filtered, (0..100).map(|_| at(0)));
    let time = at(0).as_record().time();
    handle(&filtered, (0..3).map(|_| record(Severity::WARN, "slow").with_time(time)));
    assert_eq!(memory.lines().len(), 2);
    let stats = filtered.stats()[0].stats;
    assert_eq!((stats.accepted, stats.delivered, stats.dropped.by(DropReason::RateLimited)), (3, 2, 1));
}

#[test]
fn a_notice_stands_before_the_first_that_passes_after_the_interval_and_on_flush() {
    let seen = Seen::default();
    let filter = filter::rate(1, SECOND).and(filter::message().contains("no").not());
    let filtered = Filtered::new(filter, seen.clone()).tell_every(Duration::from_secs(5));
    for millis in (0..=12_000).step_by(250) {
        handle(&filtered, [at(millis)]);
    }
    handle(&filtered, [record(Severity::ERROR, "no").with_time(at(12_100).as_record().time())]);
    let shown = || -> Vec<String> {
        let all = seen.all();
        let line = |record: &RecordBuf| {
            let record = record.as_record();
            let millis = (record.time().seconds() - 1_000) * 1_000 + i64::from(record.time().nanos() / 1_000_000);
            format!("{millis} {}", record.message())
        };
        all.iter().map(line).filter(|line| !line.ends_with("sold")).collect()
    };
    // The first was dropped at 250, the first after 6,000 at 6,250.
    let first = "6000 18 records filtered here: rate limited 18";
    let second = "12000 18 records filtered here: rate limited 18";
    assert_eq!(shown(), [first, second]);
    filtered.flush(soon()).unwrap();
    assert_eq!(shown(), [first, second, "12100 1 record filtered here: filtered 1"]);
    filtered.flush(soon()).unwrap();
    drop(filtered);
    assert_eq!(shown().len(), 3, "nothing is told twice");
    let notice = seen.all().into_iter().find(|record| record.as_record().kind() == Kind::Loss).unwrap();
    let notice = notice.as_record();
    assert_eq!((notice.severity(), notice.target()), (Severity::WARN, "tracing_handlers"));
    assert_eq!(notice.field("lost"), Some(Value::U64(18)));
    assert_eq!(notice.field("reason"), Some(Value::Str("rate limited: 18")));
}

#[test]
fn the_most_frequent_reason_is_told_first_and_the_rest_when_it_is_dropped() {
    let seen = Seen::default();
    let filter = Chain::new().require(filter::one_in(10)).require(filter::rate(1, SECOND)).deny(Level::ERROR);
    let filtered = Filtered::new(filter, seen.clone()).tell_every(SECOND);
    handle(&filtered, (0..100).map(|_| at(0)));
    handle(&filtered, [record(Severity::ERROR, "denied")]);
    assert_eq!(seen.messages(), ["sold"]);
    drop(filtered);
    let notice = "100 records filtered here: sampled 90, rate limited 9, filtered 1";
    assert_eq!(seen.messages(), ["sold", notice]);
}

#[test]
fn without_tell_every_nothing_is_told_and_with_zero_before_each_that_passes() {
    let seen = Seen::default();
    let filtered = Filtered::new(filter::one_in(3), seen.clone());
    handle(&filtered, (0..10).map(|_| at(0)));
    filtered.flush(soon()).unwrap();
    drop(filtered);
    assert_eq!((seen.count(), told(&seen.all())), (4, 0));
    let seen = Seen::default();
    let filtered = Filtered::new(filter::one_in(3), seen.clone()).tell_every(Duration::ZERO);
    handle(&filtered, (0..5).map(|_| at(0)));
    let notice = "2 records filtered here: sampled 2";
    assert_eq!(seen.messages(), ["sold", notice, "sold"]);
}

#[test]
fn a_batch_comes_to_the_same_as_one_record_after_another() {
    let seen = Seen::default();
    let queue = Queue::new(Filtered::new(filter::one_in(4), seen.clone()).tell_every(SECOND));
    handle(&queue, (0..41).map(|step| at(step * 100)));
    queue.flush(soon()).unwrap();
    let alone = Seen::default();
    let filtered = Filtered::new(filter::one_in(4), alone.clone()).tell_every(SECOND);
    handle(&filtered, (0..41).map(|step| at(step * 100)));
    filtered.flush(soon()).unwrap();
    assert_eq!(seen.messages(), alone.messages());
    assert_eq!(told(&seen.all()), 30);
    let stats = queue.stats();
    assert_eq!((stats[0].stats.delivered, stats[1].stats.delivered, stats[1].stats.accepted), (41, 11, 41));
}

#[test]
fn every_record_of_eight_threads_is_delivered_or_told() {
    let seen = Seen::default();
    let filtered = Filtered::new(filter::share(0.5).and(filter::rate(700, SECOND)), seen.clone());
    let filtered = filtered.tell_every(Duration::from_millis(100));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for step in 0..1_000 {
                    handle(&filtered, [at(step)]);
                    assert!(filtered.stats().iter().all(|report| report.stats.balances()));
                }
            });
        }
    });
    filtered.flush(soon()).unwrap();
    let all = seen.all();
    let passed = all.iter().filter(|record| record.as_record().kind() == Kind::Event).count() as u64;
    let stats = filtered.stats()[0].stats;
    assert_eq!((stats.accepted, stats.delivered, stats.dropped.total()), (8_000, passed, told(&all)));
    assert_eq!(passed + told(&all), 8_000);
}

#[test]
fn what_the_handler_behind_fails_at_is_failed_not_dropped() {
    let full = |record: &tracing_handlers::Record<'_>| match record.message() {
        "bad" => Err(Error::new(ErrorKind::Full, "full")),
        "worse" => panic!("worse"),
        _ => Ok(()),
    };
    let messages = ["good", "bad", "worse", "good", "good"];
    let records = || messages.map(|message| record(Severity::INFO, message));
    let filtered = Filtered::new(LevelFilter::TRACE, from_fn(full));
    let results = records().map(|record| filtered.handle(&record.as_record()).map_err(|error| error.kind()));
    assert_eq!(results, [Ok(()), Err(ErrorKind::Full), Err(ErrorKind::Panic), Ok(()), Ok(())]);
    let stats = filtered.stats()[0].stats;
    assert_eq!((stats.accepted, stats.delivered, stats.failed), (5, 3, 2));
    let queue = Queue::new(Filtered::new(LevelFilter::TRACE, from_fn(full)));
    handle(&queue, records());
    let _ = queue.flush(soon());
    let stats = queue.stats();
    assert_eq!((stats[0].stats.delivered, stats[0].stats.failed), (3, 2));
    assert_eq!((stats[1].stats.delivered, stats[1].stats.failed), (3, 2));
}

#[test]
fn a_filter_that_panics_costs_its_record_alone() {
    let filter = filter::on_record(|record| record.message() != "odd" || panic!("odd"));
    let seen = Seen::default();
    let queue = Queue::new(Filtered::new(filter, seen.clone()));
    handle(&queue, ["a", "odd", "b"].map(|message| record(Severity::INFO, message)));
    let _ = queue.flush(soon());
    assert_eq!(seen.messages(), ["a", "b"]);
    let stats = queue.stats();
    assert_eq!((stats[0].stats.failed, stats[1].stats.failed, stats[1].stats.delivered), (1, 1, 2));
}

#[test]
fn events_keep_the_spans_that_the_filter_would_not_pass() {
    let memory = sink::Memory::new();
    let text = format::Text::new().time(format::Time::none()).target(false);
    let filtered = Filtered::new(Level::WARN, Output::new(text, memory.clone()));
    tracing::dispatcher::with_default(&dispatch(filtered), || {
        let _request = info_span!("request", id = 7).entered();
        warn!("slow");
        info!("sold");
        debug!("thought");
    });
    assert_eq!(memory.lines(), [" WARN request{id=7}: slow"]);
}

#[test]
fn callsites_that_the_filter_never_passes_are_off() {
    let filtered = Filtered::new(Level::WARN, Seen::default());
    let event = |severity| Meta::event(severity, "shop");
    let span = |severity| Meta::span(severity, "shop", "");
    assert!(!filtered.enabled(&event(Severity::INFO)) && filtered.enabled(&event(Severity::WARN)));
    assert!(filtered.enabled(&span(Severity::INFO)));
    let off = Filtered::new(LevelFilter::OFF, Seen::default());
    assert_eq!(off.max_level(), LevelFilter::OFF);
    assert!(!off.enabled(&span(Severity::ERROR)));
}

#[test]
fn the_notice_of_one_goes_through_another_uncounted() {
    let seen = Seen::default();
    let inner = Filtered::new(filter::one_in(0), seen.clone()).name("inner");
    let outer = Filtered::new(filter::one_in(2), inner).tell_every(Duration::ZERO);
    handle(&outer, (0..3).map(|_| at(0)));
    assert_eq!(seen.messages(), ["1 record filtered here: sampled 1"]);
    let stats: Vec<_> = outer.stats().iter().map(|report| report.stats.accepted).collect();
    assert_eq!(stats, [3, 3, 2, 2], "outer and its filter, inner and its filter");
}

#[test]
fn a_notice_that_cannot_be_delivered_costs_no_record() {
    let failed = Arc::new(AtomicU64::new(0));
    let counted = failed.clone();
    let handler = from_fn(move |record| match record.kind() {
        Kind::Loss => {
            counted.fetch_add(1, Ordering::Relaxed);
            Err(Error::new(ErrorKind::Full, "full"))
        }
        _ => Ok(()),
    });
    let filtered = Filtered::new(filter::one_in(2), handler).tell_every(Duration::ZERO);
    handle(&filtered, (0..3).map(|_| at(0)));
    let stats = filtered.stats()[0].stats;
    assert_eq!((stats.delivered, stats.failed, failed.load(Ordering::Relaxed)), (2, 0, 1));
}

#[test]
fn a_flush_of_the_whole_process_has_the_rest_told() {
    let seen = Seen::default();
    let queue = Queue::new(seen.clone());
    let filtered = Filtered::new(filter::one_in(5), queue).tell_every(Duration::from_secs(3_600));
    handle(&filtered, (0..5).map(|_| at(0)));
    let _ = tracing_handlers::process::flush(Duration::from_secs(10));
    assert_eq!(seen.messages(), ["sold", "4 records filtered here: sampled 4"]);
}

#[test]
fn filters_that_are_shared_count_for_all_who_share_them() {
    let sampler: Arc<dyn Filter> = Arc::new(filter::one_in(3));
    let (one, other) = (Seen::default(), Seen::default());
    let both = (Filtered::new(sampler.clone(), one.clone()), Filtered::new(sampler.clone(), other.clone()));
    handle(&both, (0..3).map(|_| at(0)));
    assert_eq!((one.count(), other.count()), (1, 1), "the first of six, and the fourth");
    assert_eq!(both.0.stats()[0].stats.dropped.by(DropReason::Sampled), 2, "the reason goes through an Arc");
}
