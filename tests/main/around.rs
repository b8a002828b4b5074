//! Handlers around handlers: under load and faults, against simple models, and with real files behind them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::handler::{Audit, Buffer, Dedup, DropReason, Fallback, Handler, Retry, Route, Stats, from_fn};
use tracing_handlers::sink::File;
use tracing_handlers::{Error, ErrorKind, Output, Queue, Record, RecordBuf, Severity, format, selflog};

use crate::collect::{Seen, alone, dispatch};
use crate::queue::record;
use crate::until::soon;

/// Delivers most, fails some, and panics now and then; counts by itself what it was handed.
#[derive(Clone, Default)]
struct Flaky(Arc<Counts>);

#[derive(Default)]
struct Counts {
    handed: AtomicU64,
    delivered: AtomicU64,
}

impl Handler for Flaky {
    fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
        let number = self.0.handed.fetch_add(1, Ordering::Relaxed);
        match number % 31 {
            7 | 8 => Err(Error::new(ErrorKind::Io, "on purpose")),
            9 => panic!("on purpose"),
            _ => {
                self.0.delivered.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

/// Logs from four threads while another looks whether all reports balance, all the time.
fn hammer(handler: &impl Handler, record: impl Fn(usize) -> RecordBuf + Sync) -> Stats {
    let stop = AtomicBool::new(false);
    let check = || {
        let reports = handler.stats();
        reports.iter().for_each(|report| assert!(report.stats.balances(), "{report}"));
        reports[0].stats
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                check();
                thread::yield_now();
            }
        });
        let loggers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    for number in 0..EACH {
                        let record = record(number);
                        // What panics is the business of whoever calls: the layer, a queue.
                        let handle = || handler.handle(&record.as_record());
                        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(handle));
                        if number % 500 == 0 {
                            let _ = handler.flush(soon());
                        }
                    }
                })
            })
            .collect();
        loggers.into_iter().for_each(|logger| logger.join().unwrap());
        stop.store(true, Ordering::Relaxed);
    });
    let _ = handler.flush(soon());
    let stats = check();
    assert_eq!((stats.accepted, stats.pending), ((THREADS * EACH) as u64, 0), "{stats:?}");
    stats
}

const THREADS: usize = 4;
const EACH: usize = 3_000;

fn numbered(number: usize) -> RecordBuf {
    record(if number % 100 == 99 { Severity::ERROR } else { Severity::INFO }, &number.to_string())
}

/// Panics on purpose are not to be seen.
fn quietly(test: impl FnOnce()) {
    std::panic::set_hook(Box::new(|_| ()));
    selflog::set(|_| ());
    let tested = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
    let _ = std::panic::take_hook();
    if let Err(panic) = tested {
        let text = panic.downcast_ref::<String>().cloned();
        panic!("{}", text.unwrap_or_else(|| "it panicked".to_owned()));
    }
}

alone! {
    fn a_buffer_accounts_for_every_record_under_load_and_faults() {
        quietly(|| {
            for ring in [false, true] {
                let flaky = Flaky::default();
                let stats = hammer(&Buffer::new(flaky.clone()).capacity(50).ring(ring), numbered);
                assert_eq!(stats.delivered, flaky.0.delivered.load(Ordering::Relaxed));
                assert_eq!(stats.failed, flaky.0.handed.load(Ordering::Relaxed) - stats.delivered);
                assert_eq!(stats.dropped.total(), stats.dropped.by(DropReason::Oldest));
                assert_eq!(stats.dropped.total() > 0, ring);
            }
        });
    }

    fn a_dedup_accounts_for_every_record_under_load_and_faults() {
        quietly(|| {
            let flaky = Flaky::default();
            let stats = hammer(&Dedup::new(flaky.clone()).distinct(3), |number| numbered(number / 40 % 5));
            assert!(stats.dropped.by(DropReason::Duplicate) > 1_000, "{stats:?}");
            assert_eq!(stats.dropped.total(), stats.dropped.by(DropReason::Duplicate));
            // Those that tell of others come on top.
            assert!(stats.delivered <= flaky.0.delivered.load(Ordering::Relaxed));
        });
    }

    fn a_fallback_accounts_for_every_record_under_load_and_faults() {
        quietly(|| {
            let (primary, second) = (Flaky::default(), Flaky::default());
            let fallback = Fallback::new(primary.clone()).or(second.clone()).retry_interval(Duration::from_millis(1));
            let stats = hammer(&fallback, numbered);
            let delivered = |of: &Flaky| of.0.delivered.load(Ordering::Relaxed);
            assert_eq!(stats.delivered, delivered(&primary) + delivered(&second));
            assert!(delivered(&primary) > 0 && delivered(&second) > 0 && stats.failed > 0);
        });
    }

    fn a_retry_accounts_for_every_record_under_load_and_faults() {
        quietly(|| {
            let flaky = Flaky::default();
            let stats = hammer(&Retry::new(flaky.clone()).wait_by(|_| ()), numbered);
            assert_eq!(stats.delivered, flaky.0.delivered.load(Ordering::Relaxed));
            // Panics are not tried again.
            assert!(stats.failed > 0);
        });
    }

    fn a_route_accounts_for_every_record_under_load_and_faults() {
        quietly(|| {
            let (flaky, arrived, tries) = (Flaky::default(), Arc::new(AtomicU64::new(0)), AtomicUsize::new(0));
            let counted = arrived.clone();
            let route = Route::by_field("tenant", move |_| {
                let counted = counted.clone();
                let count = from_fn(move |_| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                });
                match tries.fetch_add(1, Ordering::Relaxed) % 7 {
                    3 => Err(Error::new(ErrorKind::Io, "no room")),
                    5 => panic!("on purpose"),
                    _ => Ok(Buffer::new(count).capacity(10)),
                }
            });
            let clock = Arc::new(Manual::default());
            let ticks = clock.clone();
            let route = route.limit(5).idle(Duration::from_secs(3)).clock(clock).otherwise(flaky.clone());
            let stats = hammer(&route, |number| {
                ticks.advance(Duration::from_millis(1));
                match number % 12 {
                    11 => numbered(number),
                    tenant => numbered(number).with_field("tenant", tenant),
                }
            });
            let reports = route.stats();
            assert!(reports.iter().any(|report| report.name == "closed"), "{reports:?}");
            // Of the living and of the closed ones none is missing, and none is there twice.
            let behind = |count: fn(&Stats) -> u64| reports[1..].iter().map(|report| count(&report.stats)).sum::<u64>();
            let arrived = arrived.load(Ordering::Relaxed);
            assert_eq!((behind(|stats| stats.accepted), behind(|stats| stats.delivered)), (arrived, arrived));
            assert_eq!(stats.delivered, arrived + flaky.0.delivered.load(Ordering::Relaxed));
            assert_eq!(flaky.0.handed.load(Ordering::Relaxed), (THREADS * EACH / 12) as u64);
        });
    }

    fn an_audit_accounts_for_every_record_under_load_and_faults() {
        quietly(|| {
            let flaky = Flaky::default();
            let stats = hammer(&Audit::new(flaky.clone()), numbered);
            assert_eq!(stats.delivered, flaky.0.delivered.load(Ordering::Relaxed));
        });
    }

    fn all_of_them_behind_one_another_and_a_queue_account_for_every_record() {
        quietly(|| {
            let (primary, second) = (Flaky::default(), Flaky::default());
            let fallback = Fallback::new(primary.clone()).or(second.clone()).retry_interval(Duration::ZERO);
            let retry = Retry::new(fallback).wait_by(|_| ());
            let route = Route::by_target().with("test", Dedup::new(retry));
            let stats = hammer(&Queue::new(Buffer::new(route).capacity(20)), numbered);
            assert_eq!(stats.failed + stats.delivered, (THREADS * EACH) as u64);
        });
    }

    fn each_change_of_the_primarys_state_is_told() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = told.clone();
        selflog::set(move |message| teller.lock().unwrap().push(message.to_owned()));
        let works = Arc::new(AtomicBool::new(false));
        let (switch, clock) = (works.clone(), Arc::new(Manual::new(Timestamp::new(1_000, 0))));
        let primary = from_fn(move |_| match switch.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Io, "no route to host")),
        });
        let fallback = Fallback::new(primary).or(Seen::default()).clock(clock.clone()).name("chain");
        let send = |seconds| {
            clock.advance(Duration::from_secs(seconds));
            fallback.handle(&numbered(0).as_record()).unwrap();
        };
        [0, 1, 60].into_iter().for_each(send);
        works.store(true, Ordering::SeqCst);
        [1, 60, 60].into_iter().for_each(send);
        works.store(false, Ordering::SeqCst);
        send(0);
        let failed = "chain: the primary failed; others take its records, and it is left alone for 60 s: no route to host";
        assert_eq!(*told.lock().unwrap(), [failed, "chain: the primary works again", failed]);
    }

    fn a_handler_that_cannot_be_made_is_told_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = told.clone();
        selflog::set(move |message| teller.lock().unwrap().push(message.to_owned()));
        let route = Route::by_field("tenant", |_| Err::<Seen, _>(Error::new(ErrorKind::Io, "no room")));
        (0..20).for_each(|number| {
            let record = numbered(number).with_field("tenant", number % 2);
            assert!(route.handle(&record.as_record()).is_err());
        });
        assert_eq!(*told.lock().unwrap(), ["route: cannot make a handler for 0: no room"]);
    }
}

#[test]
fn each_threads_records_stay_in_order_through_a_buffer() {
    let seen = Seen::default();
    let buffer = Buffer::new(seen.clone()).capacity(7);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let buffer = &buffer;
            scope.spawn(move || {
                for number in 0..1_000 {
                    let severity = if number % 13 == 0 { Severity::ERROR } else { Severity::INFO };
                    buffer.handle(&record(severity, &format!("{thread} {number}")).as_record()).unwrap();
                }
            });
        }
    });
    buffer.flush(soon()).unwrap();
    let mut next = HashMap::<String, usize>::new();
    for message in seen.messages() {
        let (thread, number) = message.split_once(' ').unwrap();
        let next = next.entry(thread.to_owned()).or_default();
        assert_eq!(number.parse(), Ok(*next));
        *next += 1;
    }
    assert!(next.len() == THREADS && next.values().all(|count| *count == 1_000));
}

#[test]
fn an_important_record_is_out_when_its_call_returns() {
    let seen = Seen::default();
    let buffer = Buffer::new(seen.clone());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (buffer, seen) = (&buffer, &seen);
            scope.spawn(move || {
                for number in 0..200 {
                    let message = format!("{thread} {number}");
                    buffer.handle(&record(Severity::ERROR, &message).as_record()).unwrap();
                    assert!(seen.messages().contains(&message));
                }
            });
        }
    });
}

/// What a user of a buffer does.
#[derive(Clone, Debug)]
enum Step {
    Log(Severity, usize),
    Flush,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let severity = prop::sample::select(vec![Severity::DEBUG, Severity::INFO, Severity::WARN, Severity::ERROR]);
    let step = prop_oneof![9 => (severity, 0_usize..400).prop_map(|(severity, len)| Step::Log(severity, len)),
        1 => Just(Step::Flush)];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn a_buffer_lets_out_what_the_model_lets_out(
        steps in steps(), records in 1_usize..10, bytes in 200_usize..3_000, ring: bool, closes: bool,
    ) {
        let seen = Seen::default();
        let buffer = Buffer::new(seen.clone()).capacity(records).capacity_bytes(bytes).ring(ring).flush_at(Severity::WARN);
        let buffer = buffer.flush_on_close(closes);
        let (mut kept, mut out) = (VecDeque::new(), Vec::new());
        for (number, step) in steps.iter().enumerate() {
            let size = |kept: &VecDeque<(String, usize)>| kept.iter().map(|(_, size)| size).sum::<usize>();
            match step {
                Step::Log(severity, len) => {
                    let message = format!("{number} {}", "x".repeat(*len));
                    let record = record(*severity, &message);
                    buffer.handle(&record.as_record()).unwrap();
                    // What a record takes is not the model's to know: it asks the one that is kept by itself.
                    let own = size_of(&record);
                    let is_important = severity.is_at_least(Severity::WARN);
                    if ring && !is_important && own > bytes {
                        continue;
                    }
                    kept.push_back((message, own));
                    while ring && !is_important && (kept.len() > records || size(&kept) > bytes) {
                        kept.pop_front();
                    }
                    if is_important || (!ring && (kept.len() >= records || size(&kept) >= bytes)) {
                        out.extend(kept.drain(..).map(|(message, _)| message));
                    }
                }
                Step::Flush => {
                    buffer.flush(soon()).unwrap();
                    out.extend(kept.drain(..).map(|(message, _)| message));
                }
            }
            prop_assert_eq!(&seen.messages(), &out);
            let stats = buffer.stats()[0].stats;
            prop_assert!(stats.balances());
            prop_assert_eq!((stats.pending, stats.delivered), (kept.len() as u64, out.len() as u64));
        }
        drop(buffer);
        if closes {
            out.extend(kept.drain(..).map(|(message, _)| message));
        }
        prop_assert_eq!(seen.messages(), out);
    }

    #[test]
    fn whatever_the_tenant_is_called_its_file_lies_in_the_folder_and_is_its_own(
        names in prop::collection::hash_set(tenants(), 1..6),
    ) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("logs");
        let logs = folder.clone();
        let route = Route::by_field("tenant", move |tenant| {
            Ok(Output::new(format::from_fn(message), File::open(logs.join(format!("{tenant}.log")))?))
        });
        for name in &names {
            let record = record(Severity::INFO, &hex(name)).with_field("tenant", name.as_str());
            route.handle(&record.as_record()).unwrap();
        }
        route.flush(soon()).unwrap();
        let outside: Vec<_> = entries(root.path());
        prop_assert_eq!(outside, ["logs"]);
        let files = entries(&folder);
        prop_assert_eq!(files.len(), names.len(), "{:?}", files);
        let texts: HashSet<_> =
            files.iter().map(|file| std::fs::read_to_string(folder.join(file)).unwrap().trim_end().to_owned()).collect();
        prop_assert_eq!(texts, names.iter().map(|name| hex(name)).collect::<HashSet<_>>());
    }
}

/// Of a record as the queue and the buffer keep it.
fn size_of(record: &RecordBuf) -> usize {
    let probe = |bytes: usize| {
        let buffer = Buffer::new(Seen::default())
            .capacity_bytes(bytes)
            .ring(true)
            .flush_at(tracing::level_filters::LevelFilter::OFF);
        buffer.handle(&record.as_record()).unwrap();
        buffer.stats()[0].stats.pending == 1
    };
    let (mut low, mut high) = (0, 1 << 12);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if probe(middle) { high = middle } else { low = middle }
    }
    high
}

fn tenants() -> impl Strategy<Value = String> {
    let parts = vec!["..", "/", "\\", ".", "a", "A", "con", "nul", "%2e", "~1", "\0", "\n", ":", " ", "é", "unknown"];
    let tricks = prop::collection::vec(prop::sample::select(parts), 0..6).prop_map(|parts| parts.concat());
    prop_oneof![tricks, "\\PC{0,12}", (100_usize..400).prop_map(|len| "../".repeat(len))]
}

fn message(record: &Record<'_>, out: &mut format::Out<'_>) -> Result<(), Error> {
    out.push_str(record.message());
    Ok(())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_route_sees_the_fields_of_spans_that_its_handlers_do_not_show() {
    let (seen, rest) = (Seen::default(), Seen::default());
    let quiet =
        Output::new(format::Text::new(), tracing_handlers::sink::Null).spans(tracing::level_filters::LevelFilter::OFF);
    let route = Route::by_value("tenant").with("acme", (seen.clone(), quiet)).otherwise(rest.clone());
    tracing::dispatcher::with_default(&dispatch(route), || {
        let _request = tracing::info_span!("request", tenant = "acme").entered();
        let _inner = tracing::info_span!("query").entered();
        tracing::info!("inside");
        tracing::info!(tenant = "other", "elsewhere");
    });
    assert_eq!((seen.messages(), rest.messages()), (vec!["inside".to_owned()], vec!["elsewhere".to_owned()]));
}

#[test]
fn handlers_around_handlers_forward_what_those_behind_them_want() {
    use tracing_handlers::record::SpanEvents;
    let output = || {
        let output = Output::new(format::Text::new(), tracing_handlers::sink::Null);
        output.level(tracing::Level::WARN).spans(tracing::Level::WARN).span_events(SpanEvents::CLOSE)
    };
    let all: Vec<Box<dyn Handler>> = vec![
        Box::new(Buffer::new(output())),
        Box::new(Dedup::new(output())),
        Box::new(Retry::new(output())),
        Box::new(Fallback::new(output()).or(output())),
        Box::new(Audit::new(output())),
        Box::new(Audit::new(output()).or_stop()),
        Box::new(Route::by_severity().with(Severity::TRACE, output())),
    ];
    for handler in all {
        let wants = |severity| handler.enabled(&record(severity, "").as_record().meta());
        assert!(wants(Severity::WARN) && !wants(Severity::INFO));
        assert_eq!(
            (handler.max_level(), handler.span_events()),
            (tracing::level_filters::LevelFilter::WARN, SpanEvents::CLOSE)
        );
    }
}
