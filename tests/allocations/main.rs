//! Counts what the steady state allocates: nothing, on the thread that logs and on the queue's.
//!
//! Its own binary, and one test: the counter sees every thread of the process.

#[path = "../support/until.rs"]
mod until;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tracing::{Dispatch, Level};
use tracing_handlers::filter::{self, Chain, Filter, FilterExt, LevelSwitch};
use tracing_handlers::format::csv::FieldsAs;
use tracing_handlers::format::json::FieldLayout;
use tracing_handlers::format::{Csv, Format, Json, Logfmt, Pattern, Preset, Python, Text, Time, logfmt};
use tracing_handlers::handler::{
    self, Alert, Audit, Buffer, Counts, Dedup, Fallback, Filtered, Overflow, Retry, Rewriting, Route, ScopedBuffer,
};
use tracing_handlers::receive::Lines;
use tracing_handlers::record::SpanEvents;
use tracing_handlers::record::wire::{self, Decoded, Limits};
use tracing_handlers::rewrite::{Add, Cap, Detector, Redact, Remove, Rename, SetSeverity};
use tracing_handlers::sink::{Durability, File, Null};
use tracing_handlers::{Handler, Output, Part, Queue, RecordBuf, Severity};
use tracing_subscriber::prelude::*;
use until::until;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// This thread does something that is not part of logging.
    static ASIDE: Cell<bool> = const { Cell::new(false) };
}

/// The bytes that are allocated at the moment.
static LIVE: AtomicUsize = AtomicUsize::new(0);
/// The most that were allocated at a time, since it was set.
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn allocated(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
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
        allocated(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        allocated(size);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
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
                Redact::fields(["*_token"]).with_detectors(Detector::ALL),
                // Finds something in each event and each span.
                Redact::detectors([Detector::Card]).with_fields(["article", "customer"]).last_digits(4),
                Rename::fields([("paid", "is_paid")]),
                Remove::fields(["table"]),
                Add::new().constant("service", "shop").pid(),
                Cap::new().message(20).values(8).fields(4).spans(2),
                SetSeverity::to(Severity::NOTICE),
            );
            let several = Rewriting::new(several, Output::new(format(), Null)).only(tracing::Level::INFO);
            check(&format!("{name}, rewritten several times, spans {spans}"), spans, several);
            let redact = || Redact::fields(["x"]).with_detectors(Detector::ALL).everywhere(true);
            let redacted = Rewriting::new(redact(), Output::new(format(), Null));
            check_with(&format!("{name}, folded, spans {spans}"), spans, redacted, log_what_is_folded);
            let warnings = Output::new(format(), Null).level(tracing::Level::WARN);
            let several = (Output::new(format(), Null), Output::new(format(), file()), warnings);
            check(&format!("{name}, three outputs, spans {spans}"), spans, several);
        }
    }
    check_with("severities, text", false, Output::new(Text::new(), Null), log_severities);
    check_with("severities, json, queued", true, queue(Output::new(Json::new(), Null)), log_severities);
    for (name, format) in other_formats() {
        check(name, true, Output::new(format, Null));
    }
    durable_files();
    handlers_around_handlers();
    for (name, filter) in filters() {
        let filtered = Filtered::new(filter, Output::new(Text::new(), Null));
        check(&format!("filtered by {name}"), true, filtered);
    }
    for spans in [false, true] {
        check(&format!("pattern, spans {spans}"), spans, Output::new(pattern(), Null));
        for (style, format) in PYTHON {
            let python = Python::new(style, format).unwrap().defaults([("id", 0.into())]).datefmt("%c");
            check(&format!("{format}, spans {spans}"), spans, Output::new(python, Null));
        }
        for (name, format) in presets() {
            check(&format!("{name}, direct, spans {spans}"), spans, Output::new(format, Null));
        }
    }
    alerts_and_lines();
    check("the wire form", true, there_and_back());
    a_span_allocates_twice_at_most();
    deep_spans_allocate_nothing();
    several_layers_allocate_nothing();
    a_thread_keeps_little_after_large_records();
    #[cfg(all(feature = "seal", feature = "gzip"))]
    what_others_wrote_does_not_decide_about_memory();
}

/// In memory where there is such a place: what syncs cost there is not the disk's time.
fn durable_files() {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let grouped = Durability::Grouped(Duration::from_millis(1));
    for (name, options) in [
        ("synced", File::options().durability(Durability::Synced)),
        ("grouped", File::options().durability(grouped)),
        ("grouped, buffer", File::options().durability(grouped).buffer(64).sync_after(Severity::ERROR)),
        ("sync after", File::options().sync_after(Severity::INFO)),
    ] {
        check(name, false, Output::new(Json::new(), options.open(folder.path().join(name)).unwrap()));
    }
}

fn handlers_around_handlers() {
    let output = || Output::new(Text::new(), Null);
    let route = || Route::by_field("article", move |_| Ok(output()));
    let scoped = || ScopedBuffer::new(output()).max_bytes_per_span(64 << 10);
    check("scoped buffer that lets pass", true, scoped());
    check("scoped buffer that keeps", true, scoped().always(Level::WARN));
    check("a switch", true, output().filter(LevelSwitch::new(Level::INFO)));
    check("buffer", false, Buffer::new(output()).capacity(100));
    check("ring", false, Buffer::new(output()).capacity(100).ring(true));
    check("buffer, queued", false, queue(Buffer::new(output()).capacity(100)));
    let rewriting = |name: &str, handler| Rewriting::new(Redact::fields([name]), handler);
    let three = rewriting("article", Box::new(output()) as Box<dyn Handler>);
    let three = rewriting("id", Box::new(rewriting("price", Box::new(three))));
    check("three rewrites, one behind the other", true, three);
    check("audit", true, Audit::new(output()));
    let by_severity = Route::by_severity().with(Level::INFO, output()).with(Level::ERROR, output());
    check("audit of a route", true, Audit::new(by_severity));
    check("audit of two outputs", true, Audit::new((output(), output())));
    check("audit of what counts nothing", true, Audit::new(handler::from_fn(|_| Ok(()))));
    let many = || Route::by_field("number", move |_| Ok(output())).limit(100);
    check_with("route to many handlers", true, many(), log_numbers);
    check_with("route to many handlers, queued", true, queue(many()), log_numbers);
    check("route", true, route());
    check("route, queued", true, queue(route()));
    check("dedup", true, Dedup::new(output()).distinct(8));
    check("dedup, queued", true, queue(Dedup::new(output())));
    check("retry and fallback", false, Retry::new(Fallback::new(output()).or(output())));
    check("retry and fallback, queued", false, queue(Retry::new(Fallback::new(output()).or(output()))));
}

fn presets() -> Vec<(&'static str, Box<dyn Format>)> {
    let mut presets: Vec<(&'static str, Box<dyn Format>)> = vec![
        ("ecs", Box::new(Preset::ecs().field("id", "order.id").source(true))),
        ("gelf", Box::new(Preset::gelf("web-1").max_string(3))),
        ("google_cloud", Box::new(Preset::google_cloud("p").unique_id("logging.googleapis.com/insertId"))),
        ("logstash", Box::new(Preset::logstash())),
        ("bunyan", Box::new(Preset::bunyan("shop"))),
        ("otlp", Box::new(Preset::otlp().constant("service.name", "shop"))),
        ("datadog", Box::new(Preset::datadog("shop").max_bytes(300))),
        ("tracing", Box::new(Preset::tracing().source(true).thread_names(true).thread_ids(true))),
        ("tracing, flat", Box::new(Preset::tracing().fields(FieldLayout::Flat).time(Time::uptime()))),
    ];
    #[cfg(feature = "serde")]
    presets.push(("template", Box::new(template())));
    presets
}

#[cfg(feature = "serde")]
fn template() -> tracing_handlers::format::JsonTemplate {
    let template = r#"{"m": {"$resolver": "message"}, "f": {"$resolver": "fields"}, "s": {"$resolver": "spans"}}"#;
    tracing_handlers::format::JsonTemplate::new(template).unwrap()
}

fn alerts_and_lines() {
    let alert = || Alert::new(Level::INFO, 100, Duration::from_secs(3_600)).call(|_| ());
    check("an alert", true, alert());
    check("an alert by a field", true, alert().per("article"));
    check("an alert by a span's field", true, alert().per("customer"));
    check("counts", true, Counts::new());
    lines_of_others_allocate_nothing();
}

fn lines_of_others_allocate_nothing() {
    let mut lines = Lines::new(Output::new(Text::new(), Null)).severity_of(tracing_handlers::receive::prefix);
    let mut allocations = || {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for _ in 0..EVENTS {
            lines.write_all(b"WARN: the customer took an article\nfrom the ").unwrap();
            lines.write_all("zweiten Fach: Schlüssel\r\n".as_bytes()).unwrap();
        }
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    let rounds: Vec<u64> = (0..ROUNDS).map(|_| allocations()).collect();
    assert_eq!(rounds.last(), Some(&0), "allocations in rounds of {} lines: {rounds:?}", EVENTS * 2);
}

/// Its path and what holds it in the Registry's extensions: with an event in each, and nested.
fn a_span_allocates_twice_at_most() {
    let plain = tracing_handlers::layer((Output::new(Json::new(), Null), Output::new(Text::new(), Null)));
    let spans = EVENTS * 2;
    let of_plain = allocations_of_spans(plain);
    assert!(of_plain <= spans * 2, "{spans} spans: {of_plain}");
    // Where a handler asks for it, a span's times are held too. How they are written allocates nothing.
    let closes = |format| Output::new(format, Null).span_events(SpanEvents::CLOSE);
    let as_numbers = allocations_of_spans(tracing_handlers::layer(vec![closes(json()), closes(json())]));
    let units = tracing_handlers::layer(vec![closes(text()), closes(Box::new(Preset::tracing()))]);
    assert_eq!(allocations_of_spans(units), as_numbers);
}

/// The least of some rounds of spans.
fn allocations_of_spans(layer: tracing_handlers::HandlerLayer<tracing_subscriber::Registry>) -> u64 {
    let handle = layer.handle();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        (0..ROUNDS).map(|_| allocations_of(in_spans, &handle)).min().unwrap_or(u64::MAX)
    })
}

/// Two and three layers, which share what they capture; with a stock filter that hides a span from one of them, they capture twice.
fn several_layers_allocate_nothing() {
    let output = || Output::new(Json::new(), Null);
    let hides = || tracing_subscriber::filter::filter_fn(|metadata| metadata.name() != "query");
    let registry = tracing_subscriber::registry;
    let subscribers: [(&str, Dispatch); 4] = [
        ("two", registry().with(output().layer()).with(output().layer()).into()),
        ("three", registry().with(output().layer()).with(output().layer()).with(output().layer()).into()),
        ("two, different", registry().with(output().layer()).with(output().layer().with_filter(hides())).into()),
        (
            "three, different",
            registry().with(output().layer()).with(output().layer().with_filter(hides())).with(output().layer()).into(),
        ),
    ];
    for (name, dispatch) in &subscribers {
        tracing::dispatcher::with_default(dispatch, || {
            for spans in [false, true] {
                let _entered = spans.then(|| {
                    let request = tracing::info_span!("request", method = "GET", id = 7_u64).entered();
                    let query = tracing::info_span!("query", table = "articles", rows = 42_u64).entered();
                    (query, request)
                });
                let rounds: Vec<u64> = (0..ROUNDS)
                    .map(|_| {
                        let before = ALLOCATIONS.load(Ordering::Relaxed);
                        log(EVENTS);
                        ALLOCATIONS.load(Ordering::Relaxed) - before
                    })
                    .collect();
                assert_eq!(rounds.iter().min(), Some(&0), "{name} layers, spans {spans}: {rounds:?}");
            }
            if !name.ends_with("different") {
                let before = ALLOCATIONS.load(Ordering::Relaxed);
                (0..EVENTS).for_each(|number| drop(tracing::info_span!("request", id = number).entered()));
                let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
                assert!(
                    allocated <= EVENTS * 2 + 8,
                    "{name} layers share a span: {allocated} allocations for {EVENTS}"
                );
            }
        });
    }
}

/// More spans than one path has room for; values that are recorded on them; names that are not compared one by one.
fn deep_spans_allocate_nothing() {
    let flat = Json::new().spans(tracing_handlers::format::json::SpanLayout::Flat);
    let of_request = Part::FieldOf { span: "request".to_owned(), field: "id".to_owned() };
    let logfmt = Logfmt::new().keys([of_request, Part::Message, Part::SpanFields]);
    let outputs = (Output::new(Json::new(), Null), Output::new(flat, Null), Output::new(logfmt, Null));
    let never = Output::new(Text::new(), Null).filter(filter::span("request").field("id").eq(0));
    let layer = tracing_handlers::layer((outputs, Output::new(Preset::ecs(), Null), never));
    let handle = layer.handle();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        for depth in [16, 64, 200] {
            let mut spans: Vec<_> = (0..depth)
                .map(|level: u64| tracing::info_span!("request", level, id = level, customer = "ada").entered())
                .collect();
            let rounds: Vec<u64> = (0..ROUNDS)
                .map(|_| {
                    let before = ALLOCATIONS.load(Ordering::Relaxed);
                    for number in 0..100 {
                        log(1);
                        spans[number as usize % spans.len()].record("id", number);
                    }
                    ALLOCATIONS.load(Ordering::Relaxed) - before
                })
                .collect();
            let _ = &handle;
            assert_eq!(rounds.last(), Some(&0), "{depth} spans: {rounds:?}");
            while spans.pop().is_some() {}
        }
    });
}

/// A record of a few megabytes is rare, and a service has many threads.
fn a_thread_keeps_little_after_large_records() {
    let large = format!("{} 4111 1111 1111 1111", "large ".repeat(1 << 20));
    let several = || {
        let nested = Redact::fields(["password"]).with_detectors(Detector::ALL).everywhere(true);
        (nested, Cap::new().message(6 << 20).values(6 << 20), SetSeverity::to(Severity::NOTICE))
    };
    let handlers: [(&str, Box<dyn Handler>); 6] = [
        ("rewriting, json", Box::new(Rewriting::new(several(), Output::new(Json::new(), Null)))),
        ("rewriting, text", Box::new(Rewriting::new(several(), Output::new(Text::new(), Null)))),
        ("logfmt", Box::new(Output::new(Logfmt::new(), Null))),
        ("csv", Box::new(Output::new(Csv::new(), Null))),
        ("dedup", Box::new(Dedup::new(Output::new(Json::new(), Null)).distinct(10))),
        ("queue", Box::new(Queue::new(Output::new(Json::new(), Null)).capacity_bytes(256 << 20))),
    ];
    for (name, handler) in handlers {
        let log = |text: &str| {
            let record =
                RecordBuf::new(Severity::INFO, "shop", text).with_field("card", text).with_error("why", &[text, text]);
            handler.handle(&record.as_record()).unwrap();
            handler.flush(std::time::Instant::now() + Duration::from_secs(60)).unwrap();
        };
        log("small");
        let before = LIVE.load(Ordering::Relaxed);
        (0..3).for_each(|number| log(&format!("{number} {large}")));
        let kept = LIVE.load(Ordering::Relaxed).saturating_sub(before);
        assert!(kept < 1 << 20, "{name}: {kept} bytes");
    }
}

/// A line of many megabytes in the files of a sealed log.
#[cfg(all(feature = "seal", feature = "gzip"))]
fn what_others_wrote_does_not_decide_about_memory() {
    use tracing_handlers::rotation::Rotation;
    use tracing_handlers::seal::{Key, Seal, verify};

    let key = Key::from_bytes([7; 32]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let options = || File::options().seal(Seal::new(key.clone())).rotation(Rotation::size(1 << 30).keep(9));
    writeln!(options().open(&path).unwrap(), "one").unwrap();
    let genuine = std::fs::read(&path).unwrap();
    let line = "x".repeat(32 << 20) + "\n";
    let forged = [&genuine, line.as_bytes()].concat();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&forged).unwrap();
    let packed = packed.finish().unwrap();
    let (archive, compressed) = (folder.path().join("app.log.1"), folder.path().join("app.log.1.gz"));

    std::fs::write(&path, &forged).unwrap();
    takes_little("a line is verified", || assert!(verify(&path, &key).is_err()));
    takes_little("a file with a long line is opened", || assert!(options().open(&path).is_err()));
    std::fs::write(&path, &line[..line.len() - 1]).unwrap();
    takes_little("a line without an end is verified", || assert!(verify(&path, &key).is_err()));
    std::fs::write(&path, &genuine).unwrap();
    std::fs::write(&archive, &line).unwrap();
    takes_little("a file that is not sealed is verified", || assert!(verify(&path, &key).is_err()));
    std::fs::remove_file(archive).unwrap();
    std::fs::write(compressed, packed).unwrap();
    takes_little("a compressed line is verified", || assert!(verify(&path, &key).is_err()));
    std::fs::remove_file(&path).unwrap();
    takes_little("a log is continued from a compressed file", || assert!(options().open(&path).is_err()));
}

#[cfg(all(feature = "seal", feature = "gzip"))]
fn takes_little(what: &str, work: impl FnOnce()) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    work();
    let taken = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    assert!(taken < 2 << 20, "{what}: {taken} bytes");
}

fn in_spans() {
    for number in 0..EVENTS {
        let _request = tracing::info_span!("request", method = "GET", id = number).entered();
        let _query = tracing::info_span!("query", table = "articles", rows = 42_u64).entered();
        log(1);
    }
}

/// Some let everything pass, some nothing; the messages, of which each is another, drive out one another where they are keys.
/// Writes each record as a frame and reads it.
fn there_and_back() -> impl Handler {
    let buffers = Mutex::new((Vec::new(), RecordBuf::default()));
    handler::from_fn(move |record| {
        let (frame, read) = &mut *buffers.lock().unwrap();
        frame.clear();
        wire::encode(record, None, &Limits::new(), frame)?;
        assert!(matches!(wire::decode(frame, &Limits::new(), read)?, Decoded::Record(_)));
        Ok(())
    })
}

fn filters() -> Vec<(&'static str, Box<dyn Filter>)> {
    let second = Duration::from_secs(1);
    vec![
        ("fields", Box::new(filter::field("pieces").ge(17).and(filter::field("price").lt(13)))),
        ("shown values", Box::new(filter::field("pieces").contains("7").and(filter::any_field("id").ne("x").not()))),
        ("a level by value", Box::new(filter::level_by("id").with(7, tracing::Level::DEBUG))),
        ("the time of day", Box::new(filter::hours("00:00", "24:00").unwrap())),
        ("a number", Box::new(filter::one_in(10).per_callsite())),
        ("a share by key", Box::new(filter::share(0.5).by(filter::message()))),
        ("the first of each message", Box::new(filter::first(2, second).keys(1_000))),
        ("a rate", Box::new(filter::rate(100, second))),
        ("a rate by key", Box::new(filter::rate(100, second).by(filter::message()).keys(100))),
        ("a chain", Box::new(Chain::new().deny(filter::name("a.b")).require(filter::message().contains("shelf")))),
        #[cfg(feature = "regex")]
        ("a regular expression", Box::new(filter::matches(r"number \d+ from").unwrap())),
    ]
}

fn text() -> Box<dyn Format> {
    Box::new(Text::new())
}

fn json() -> Box<dyn Format> {
    Box::new(Json::new())
}

fn other_formats() -> Vec<(&'static str, Box<dyn Format>)> {
    let columns = [Part::Message, Part::SpanNames, Part::field("price"), Part::Fields, Part::SpanFields];
    vec![
        ("text with lines below", Box::new(Text::new().errors_below(true).backtrace_below(true))),
        ("text by strftime", Box::new(Text::new().time(Time::strftime("%F %T%.3f").expect("a time format")))),
        ("json by a function", Box::new(Json::new().time(Time::from_fn(|_, out| out.push_str("now \"then\""))))),
        ("logfmt", Box::new(Logfmt::new())),
        ("logfmt, flat", Box::new(Logfmt::new().spans(logfmt::SpanKeys::Flat))),
        ("csv", Box::new(Csv::new().columns(columns.clone()))),
        ("csv with json", Box::new(Csv::new().columns(columns).fields_as(FieldsAs::Json))),
    ]
}

fn pattern() -> Pattern {
    let text = "{time:%a %d %b %T%.3f} {style bold >12:{level:color}}{?span.id: [{span.id}]} {spans} {message:>90.-80} \
                {field.price} {fields} {thread|none} {file}:{line} {pid}";
    Pattern::new(text).unwrap()
}

/// Every kind of value, written in every way.
const PYTHON: [(char, &str); 3] = [
    ('%', "%(asctime)s %(levelname)-8s %(name)r %(id)05d %(price).2f %(price)g %(created)s %(pieces)#x %(message).20s"),
    (
        '{',
        "{asctime:>30} {levelname:^9} {message!r:.30} {price:012,.3f} {price} {pieces:,} {threadName} {paid} {msecs}",
    ),
    ('$', "$asctime ${levelno} $filename $module $price $message $process"),
];

fn queue(handler: impl Handler) -> Queue<impl Handler> {
    Queue::new(handler).capacity(512).overflow(Overflow::Block)
}

fn check(name: &str, spans: bool, handler: impl Handler) {
    check_with(name, spans, handler, log);
}

fn check_with(name: &str, spans: bool, handler: impl Handler, log: fn(u64)) {
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
    until("the queue is empty", || {
        handle.stats().iter().all(|report| report.name != "queue" || report.stats.pending == 0)
    });
    ASIDE.set(false);
}

fn log_what_is_folded(events: u64) {
    for number in 0..events {
        tracing::info!(
            card = "paid\u{a0}: 4111\u{a0}1111\u{a0}1111\u{a0}1111",
            debug = ?"10.0\u{200b}.0.7",
            nested = %r#"{"x":1,"y":["4111\u00a01111\u00a01111\u00a01111"]}"#,
            "prix\u{a0}: {number}\u{a0}€"
        );
    }
}

/// For as many handlers of a route.
fn log_numbers(events: u64) {
    for number in 0..events {
        tracing::info!(number = number % 40, "sold out");
    }
}

fn log_severities(events: u64) {
    for _ in 0..events {
        tracing::info!(severity = "notice", "sold out");
        tracing::info!(severity = 11, "sold out");
        tracing::info!(severity = %"alert", "sold out");
        tracing::info!(severity = "grave", "sold out");
    }
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
