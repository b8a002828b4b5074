use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::core::CLOSE_TIMEOUT;
use super::*;
use crate::clock::{Manual, Timestamp};
use crate::handler::DropReason;
use crate::handler::script::Script;
use crate::record::{Batch, Part};
use crate::sync::deadline_in;
use crate::{ErrorClass, ErrorKind, RecordBuf, Severity};

fn of(tenant: &str, message: &str) -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop", message).with_field("tenant", tenant)
}

fn send(to: &Route, record: &RecordBuf) {
    to.handle(&record.as_record()).unwrap();
}

/// All handlers that were made, by name, in the order in which they were made.
#[derive(Clone, Default)]
struct Made(Arc<Mutex<HashMap<String, Vec<Script>>>>);

impl Made {
    fn route(&self) -> (Route, Arc<Manual>) {
        let clock = Arc::new(Manual::new(Timestamp::new(1_000, 0)));
        let made = self.clone();
        let route = Route::by_field("tenant", move |tenant| {
            let script = Script::default();
            lock(&made.0).entry(tenant.to_owned()).or_default().push(script.clone());
            Ok(script)
        });
        (route.clock(clock.clone()), clock)
    }

    fn all(&self, name: &str) -> Vec<Script> {
        lock(&self.0).get(name).cloned().unwrap_or_default()
    }

    fn delivered(&self, name: &str) -> Vec<String> {
        self.all(name).iter().flat_map(Script::delivered).collect()
    }
}

#[track_caller]
fn own(route: &Route) -> crate::handler::Stats {
    let reports = route.stats();
    for report in &reports {
        assert!(report.stats.balances(), "{report}");
    }
    reports[0].stats
}

#[test]
fn a_route_may_go_by_any_part_of_a_record() {
    let (main, other) = (Script::default(), Script::default());
    let route = Route::by_value(Part::ThreadName).with("main", main.clone()).otherwise(other.clone());
    send(&route, &of("acme", "one").with_thread("main", 1));
    send(&route, &of("acme", "two").with_thread("worker", 2));
    assert_eq!((main.delivered(), other.delivered()), (vec!["one".to_owned()], vec!["two".to_owned()]));

    let (outer, other) = (Script::default(), Script::default());
    let route =
        Route::by_value(Part::field_of("request", "tenant")).with("acme", outer.clone()).otherwise(other.clone());
    let spans = of("globex", "of the span").with_span("request", [("tenant", "acme".into())]);
    send(&route, &spans.with_span("query", [("tenant", "initech".into())]));
    assert_eq!((outer.delivered().len(), other.delivered().len()), (1, 0));
}

#[test]
fn a_field_of_the_event_takes_precedence_over_the_innermost_span_s() {
    let made = Made::default();
    let (route, _) = made.route();
    let record = || RecordBuf::new(Severity::INFO, "shop", "in spans");
    let spans = |record: RecordBuf| {
        record.with_span("outer", [("tenant", "outer".into())]).with_span("inner", [("tenant", 7_u64.into())])
    };
    send(&route, &spans(record()));
    send(&route, &spans(record()).with_span("innermost", []));
    send(&route, &spans(record()).with_field("tenant", "own"));
    send(&route, &record());
    send(&route, &record().with_field("tenant", ""));
    let counts = ["7", "own", "unknown", "outer"].map(|name| made.delivered(name).len());
    assert_eq!(counts, [2, 1, 2, 0]);
    assert_eq!(own(&route).delivered, 5);
}

#[test]
fn idle_handlers_are_flushed_closed_and_made_again() {
    let made = Made::default();
    let (route, clock) = made.route();
    let route = route.idle(Duration::from_secs(10));
    send(&route, &of("a", "1"));
    clock.advance(Duration::from_secs(9));
    send(&route, &of("b", "2"));
    assert_eq!(made.all("a")[0].flushed(), 0);
    clock.advance(Duration::from_secs(1));
    send(&route, &of("b", "3"));
    assert_eq!(made.all("a")[0].flushed(), 1);
    let reports: Vec<_> = route.stats().iter().map(|report| (report.name.clone(), report.stats.delivered)).collect();
    assert_eq!(reports, [("route".into(), 3), ("script".into(), 2), ("closed".to_owned(), 1)]);
    send(&route, &of("a", "4"));
    assert_eq!((made.all("a").len(), made.delivered("a")), (2, vec!["1".to_owned(), "4".to_owned()]));
}

#[test]
fn a_flush_closes_idle_handlers_without_a_record() {
    let made = Made::default();
    let (route, clock) = made.route();
    send(&route, &of("a", "1"));
    clock.advance(Duration::from_secs(600));
    route.flush(deadline_in(CLOSE_TIMEOUT)).unwrap();
    assert_eq!(route.stats().last().map(|report| report.name.as_str()), Some("closed"));
}

#[test]
fn a_clock_that_is_set_back_keeps_no_handler_open() {
    let made = Made::default();
    let (route, clock) = made.route();
    send(&route, &of("a", "1"));
    clock.set(Timestamp::new(0, 0));
    send(&route, &of("b", "2"));
    clock.advance(Duration::from_secs(600));
    send(&route, &of("b", "3"));
    assert_eq!(made.all("a")[0].flushed(), 1);
}

#[test]
fn setting_the_wall_clock_makes_no_handler_idle() {
    let made = Made::default();
    let (route, clock) = made.route();
    send(&route, &of("a", "1"));
    for to in [1_000_000, 0] {
        clock.step(Timestamp::new(to, 0));
        send(&route, &of("b", "2"));
        assert_eq!(made.all("a")[0].flushed(), 0);
    }
    clock.advance(Duration::from_secs(600));
    send(&route, &of("b", "3"));
    assert_eq!(made.all("a")[0].flushed(), 1);
}

#[test]
fn at_the_limit_the_least_recently_used_handler_is_closed() {
    let made = Made::default();
    let (route, _) = made.route();
    let route = route.limit(2);
    ["a", "b", "a", "c", "a", "b"].iter().for_each(|tenant| send(&route, &of(tenant, tenant)));
    assert_eq!(["a", "b", "c"].map(|tenant| made.all(tenant).len()), [1, 2, 1]);
    assert_eq!(["b", "c"].map(|tenant| made.all(tenant)[0].flushed()), [1, 1]);
    let reports = route.stats();
    let delivered: u64 = reports[1..].iter().map(|report| report.stats.delivered).sum();
    assert_eq!((delivered, own(&route).delivered, reports.len()), (6, 6, 4));
}

#[test]
fn a_batch_keeps_to_the_limit_too() {
    let made = Made::default();
    let (route, _) = made.route();
    let route = route.limit(2);
    let tenants = ["a", "b", "a", "c", "d", "a"];
    let batch: Batch = tenants.map(|tenant| of(tenant, tenant)).iter().collect();
    route.handle_batch(batch.records()).unwrap();
    assert_eq!(["a", "b", "c", "d"].map(|tenant| made.delivered(tenant).len()), [3, 1, 1, 1]);
    // Its own report, two living handlers', and the sum of the closed ones'.
    assert_eq!((own(&route).delivered, route.stats().len()), (6, 4));
}

#[test]
fn a_handler_in_use_is_closed_later() {
    let made = Made::default();
    let (route, _) = made.route();
    let route = route.limit(1);
    send(&route, &of("a", "1"));
    let in_use = lock(&route.core.state).living();
    send(&route, &of("b", "2"));
    assert_eq!((made.all("a")[0].flushed(), route.stats().len()), (0, 3));
    drop(in_use);
    send(&route, &of("b", "3"));
    assert_eq!(made.all("a")[0].flushed(), 1);
}

#[test]
fn a_handler_that_is_used_again_before_it_is_closed_stays_open() {
    let made = Made::default();
    let (route, _) = made.route();
    let route = route.limit(1);
    send(&route, &of("a", "1"));
    let in_use = lock(&route.core.state).living();
    send(&route, &of("b", "2"));
    send(&route, &of("a", "3"));
    drop(in_use);
    send(&route, &of("a", "4"));
    assert_eq!((made.all("a").len(), made.delivered("a").len()), (1, 3));
}

#[test]
fn an_error_of_making_a_handler_keeps_its_class() {
    let refused = || Error::new(ErrorKind::Io, "no such tenant").with_class(ErrorClass::Permanent);
    let route = Route::by_field("tenant", move |_| Err::<Script, _>(refused()));
    for _ in 0..2 {
        let error = route.handle(&of("a", "x").as_record()).unwrap_err();
        assert_eq!((error.class(), error.handler()), (ErrorClass::Permanent, Some("route")));
    }
}

#[test]
fn a_handler_that_cannot_be_made_is_tried_again_after_a_pause() {
    let tries = Arc::new(AtomicUsize::new(0));
    let (counted, clock, script) = (tries.clone(), Arc::new(Manual::default()), Script::default());
    let made = script.clone();
    let route = Route::by_field("tenant", move |_| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Error::new(ErrorKind::Io, "no room")),
        1 => panic!("on purpose"),
        _ => Ok(made.clone()),
    });
    let route = route.clock(clock.clone());
    let fails = |kind| assert_eq!(route.handle(&of("a", "x").as_record()).unwrap_err().kind(), kind);
    fails(ErrorKind::Io);
    clock.advance(Duration::from_millis(999));
    fails(ErrorKind::Io);
    clock.advance(Duration::from_millis(1));
    fails(ErrorKind::Panic);
    clock.advance(Duration::from_millis(1_999));
    fails(ErrorKind::Panic);
    assert_eq!(tries.load(Ordering::Relaxed), 2);
    clock.advance(Duration::from_millis(1));
    send(&route, &of("a", "y"));
    assert_eq!((script.delivered(), own(&route).failed), (vec!["y".to_owned()], 4));
}

#[test]
fn failed_records_of_a_batch_are_named_by_their_places() {
    let failing = Script::new([None, Some(ErrorKind::Io)]);
    let route = Route::by_field("tenant", |_| Err::<Script, _>(Error::new(ErrorKind::Io, "no room")))
        .with("fixed", failing.clone())
        .otherwise(Script::default());
    let records = [of("fixed", "0"), of("made", "1"), RecordBuf::new(Severity::INFO, "", "2"), of("fixed", "3")];
    let batch: Batch = records.iter().collect();
    let partial = route.handle_batch(batch.records()).unwrap_err();
    assert_eq!(partial.missed(4).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((own(&route).delivered, own(&route).failed), (2, 2));
}

#[test]
fn records_without_a_handler_are_dropped_and_counted() {
    let script = Script::default();
    let route = Route::by_severity().with("warning", script.clone()).with("no such thing", Script::default());
    send(&route, &RecordBuf::new(Severity::NOTICE, "", "a"));
    send(&route, &RecordBuf::new(Severity::ERROR, "", "b"));
    assert_eq!((script.delivered(), own(&route).dropped.by(DropReason::Filtered)), (vec!["b".to_owned()], 1));
}

#[test]
fn records_logged_to_a_handler_while_it_is_made_are_dropped() {
    struct Ties(std::sync::OnceLock<std::sync::Weak<Route>>);
    let ties = Arc::new(Ties(std::sync::OnceLock::new()));
    let (again, script) = (ties.clone(), Script::default());
    let made = script.clone();
    let route = Arc::new(Route::by_field("tenant", move |_| {
        if let Some(route) = again.0.get().and_then(std::sync::Weak::upgrade) {
            route.handle(&of("a", "making it").as_record())?;
        }
        Ok(made.clone())
    }));
    ties.0.set(Arc::downgrade(&route)).ok();
    send(&route, &of("a", "b"));
    assert_eq!((script.delivered(), own(&route).dropped.by(DropReason::Reentrant)), (vec!["b".to_owned()], 1));
}

#[test]
fn threads_that_need_the_same_handler_share_one() {
    let made = Made::default();
    let (route, _) = made.route();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let route = &route;
            scope.spawn(move || (0..200).for_each(|number| send(route, &of("a", &format!("{thread} {number}")))));
        }
    });
    assert_eq!((made.all("a").len(), made.delivered("a").len()), (1, 800));
}

#[test]
fn made_handlers_receive_no_span_events() {
    use crate::record::Kind;

    #[derive(Clone, Default)]
    struct Closes(Script);
    impl Handler for Closes {
        fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
            self.0.handle(record)
        }
        fn span_events(&self) -> SpanEvents {
            SpanEvents::CLOSE
        }
    }
    let (made, given) = (Closes::default(), Closes::default());
    let names = Arc::new(Mutex::new(Vec::new()));
    let (makes, noted) = (made.clone(), names.clone());
    let route = Route::by_field("tenant", move |tenant| {
        lock(&noted).push(tenant.to_owned());
        Ok(makes.clone())
    });
    let route = route.with("given", given.clone());
    let close = |tenant| RecordBuf::of_kind(Kind::SpanClose, Severity::INFO, "shop", "").with_field("tenant", tenant);
    let records = [close("acme"), of("acme", "a"), close("acme"), close("given")];
    records.iter().for_each(|record| send(&route, record));
    let batch: Batch = records.iter().collect();
    route.handle_batch(batch.records()).unwrap();
    assert_eq!((made.0.delivered(), given.0.delivered().len()), (vec!["a".to_owned(); 2], 2));
    assert_eq!(*lock(&names), ["acme"]);
    assert_eq!(own(&route).dropped.by(DropReason::Filtered), 4);
}

#[test]
fn a_case_replaces_the_same_target_written_with_other_separators() {
    let (first, second) = (Script::default(), Script::default());
    let route = Route::by_target().with("shop.stock", first.clone()).with("shop::stock", second.clone());
    route.handle(&RecordBuf::new(Severity::INFO, "shop::stock", "one").as_record()).unwrap();
    assert_eq!((first.delivered().len(), second.delivered().len()), (0, 1));
}
