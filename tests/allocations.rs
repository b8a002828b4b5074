//! Counts what the steady state allocates: nothing, on the thread that logs and on the queue's.
//!
//! Its own binary, and one test: the counter sees every thread of the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::Dispatch;
use tracing_handlers::format::{Format, Json, Text};
use tracing_handlers::handler::{Overflow, Rewriting};
use tracing_handlers::rewrite::{Add, Cap, Pattern, Redact, Remove, Rename, SetSeverity};
use tracing_handlers::sink::{File, Null};
use tracing_handlers::{Handler, Output, Queue, Severity};
use tracing_subscriber::prelude::*;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// This thread does something that is not part of logging.
    static ASIDE: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    if !ASIDE.try_with(Cell::get).unwrap_or(true) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: hands every call on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_event_allocates_nothing_in_the_steady_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.log");
    for spans in [false, true] {
        for (name, format) in [("text", text as fn() -> Box<dyn Format>), ("json", json)] {
            let file = || File::options().truncate(true).buffer(64 << 10).open(&file).unwrap();
            check(&format!("{name}, direct, spans {spans}"), spans, Output::new(format(), Null));
            check(&format!("{name}, file, spans {spans}"), spans, Output::new(format(), file()));
            check(&format!("{name}, queued, spans {spans}"), spans, queue(Output::new(format(), file())));
            let rewriting = || Rewriting::new(Redact::fields(["id"]), Output::new(format(), Null));
            check(&format!("{name}, rewritten, spans {spans}"), spans, rewriting());
            check(&format!("{name}, rewritten and queued, spans {spans}"), spans, queue(rewriting()));
            let several = (
                Redact::fields(["*_token"]).with_patterns(Pattern::ALL),
                // Finds something in each event and each span.
                Redact::patterns([Pattern::Card]).with_fields(["article", "customer"]).last_digits(4),
                Rename::fields([("paid", "is_paid")]),
                Remove::fields(["table"]),
                Add::new().constant("service", "shop").pid(),
                Cap::new().message(20).values(8).fields(4).spans(2),
                SetSeverity::to(Severity::WARN),
            );
            let several = Rewriting::new(several, Output::new(format(), Null)).only(tracing::Level::INFO);
            check(&format!("{name}, rewritten several times, spans {spans}"), spans, several);
            let warnings = Output::new(format(), Null).level(tracing::Level::WARN);
            let several = (Output::new(format(), Null), Output::new(format(), file()), warnings);
            check(&format!("{name}, three outputs, spans {spans}"), spans, several);
        }
    }
    a_span_allocates_twice_at_most();
}

/// Its path and what holds it in the Registry's extensions: with an event in each, and nested.
fn a_span_allocates_twice_at_most() {
    let layer = tracing_handlers::layer((Output::new(Json::new(), Null), Output::new(Text::new(), Null)));
    let handle = layer.handle();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let rounds: Vec<u64> = (0..ROUNDS).map(|_| allocations_of(in_spans, &handle)).collect();
        let spans = EVENTS * 2;
        assert!(rounds.iter().min().is_some_and(|least| *least <= spans * 2), "{spans} spans: {rounds:?}");
    });
}

fn in_spans() {
    for number in 0..EVENTS {
        let _request = tracing::info_span!("request", method = "GET", id = number).entered();
        let _query = tracing::info_span!("query", table = "articles", rows = 42_u64).entered();
        log(1);
    }
}

fn text() -> Box<dyn Format> {
    Box::new(Text::new())
}

fn json() -> Box<dyn Format> {
    Box::new(Json::new())
}

fn queue(handler: impl Handler) -> Queue<impl Handler> {
    Queue::new(handler).capacity(512).overflow(Overflow::Block)
}

fn check(name: &str, spans: bool, handler: impl Handler) {
    let layer = tracing_handlers::layer(handler);
    let handle = layer.handle();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let _entered = spans.then(|| {
            let request = tracing::info_span!("request", method = "GET", id = 7_u64).entered();
            let order = tracing::info_span!("order", customer = "ada lovelace", items = 3_u64).entered();
            let query = tracing::info_span!("query", table = "articles", rows = 42_u64).entered();
            (query, order, request)
        });
        // Threads start, and buffers grow to their size, which behind a queue depends on how the threads take turns: so
        // there are several rounds. What is allocated per event is allocated in each of them.
        let rounds: Vec<u64> = (0..ROUNDS).map(|_| allocations_of(|| log(EVENTS), &handle)).collect();
        assert_eq!(rounds.iter().min(), Some(&0), "allocations in rounds of {EVENTS} events: {rounds:?}: {name}");
    });
}

const ROUNDS: usize = 5;
const EVENTS: u64 = 3_000;

fn allocations_of(log: impl Fn(), handle: &tracing_handlers::Handle) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    log();
    // Not by `flush`, which may allocate, once a call.
    wait_until_delivered(handle);
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

fn wait_until_delivered(handle: &tracing_handlers::Handle) {
    ASIDE.set(true);
    let deadline = Instant::now() + Duration::from_secs(20);
    while handle.stats().iter().any(|report| report.name == "queue" && report.stats.pending > 0) {
        assert!(Instant::now() < deadline, "the queue does not empty");
        std::thread::sleep(Duration::from_millis(1));
    }
    ASIDE.set(false);
}

fn log(events: u64) {
    for number in 0..events {
        tracing::info!(
            target: "shop::stock",
            pieces = 17_u64,
            price = 12.75_f64,
            article = "red umbrella",
            paid = true,
            "the customer took article number {number} from the second shelf"
        );
    }
}
