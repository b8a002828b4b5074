//! `Debug` of handlers: for any handler inside, without waiting for a lock.

use std::time::Duration;

use tracing_handlers::handler::{
    Alert, Audit, Buffer, Case, Counts, Dedup, Fallback, Filtered, Handler, OrStop, Overflow, Queue, Retry, Rewriting,
    Route, ScopedBuffer, from_fn,
};
use tracing_handlers::sink::{self, Memory, Null};
use tracing_handlers::testing::{SinkHarness, check_handler};
use tracing_handlers::{Error, Filter, Format, Output, Record, RecordBuf, Rewrite, Severity, Sink, format};

/// A handler without `Debug`.
struct Plain;

impl Handler for Plain {
    fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn a_struct_with_handlers_derives_it() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "Debug alone reads it")]
    struct App {
        queue: Queue<Output<format::Json, Memory>>,
        buffer: Buffer<Plain>,
    }

    let output = Output::new(format::Json::new(), Memory::new()).level(tracing::Level::WARN);
    let app =
        App { queue: Queue::new(output).name("audit").overflow(Overflow::DropOldest), buffer: Buffer::new(Plain) };
    let shown = format!("{app:?}");
    assert!(shown.starts_with("App { queue: Queue { name: \"audit\", capacity: 8192, "), "{shown}");
    assert!(shown.contains("overflow: DropOldest") && shown.contains("Plain"), "{shown}");
}

#[test]
fn a_struct_with_boxed_parts_derives_it() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "Debug alone reads it")]
    struct App {
        handler: Box<dyn Handler>,
        filter: Box<dyn Filter>,
        format: Box<dyn Format>,
        rewrite: Box<dyn Rewrite>,
        sink: Box<dyn Sink>,
        write: sink::Write<Box<dyn std::io::Write + Send>>,
        writer: sink::Writer<Box<dyn Sink>>,
    }

    let app = App {
        handler: Box::new(Plain),
        filter: Box::new(Severity::WARN),
        format: Box::new(format::Json::new()),
        rewrite: Box::new(|_: &mut RecordBuf| ()),
        sink: Box::new(Null),
        write: sink::Write::new(Box::new(std::io::sink())),
        writer: sink::Writer::new(Box::new(Memory::new())),
    };
    let expected = "App { handler: dyn Handler, filter: dyn Filter, format: dyn Format, rewrite: dyn Rewrite, sink: dyn Sink, \
                    write: Write { name: \"writer\", tail: Tail([]), .. }, writer: Writer { severity: INFO, .. } }";
    assert_eq!(format!("{app:?}"), expected);
}

#[test]
fn each_handler_shows_its_name_and_settings() {
    let shown = [
        format!("{:?}", Output::new(format::Json::new(), Memory::new())),
        format!("{:?}", Output::new(format::from_fn(|_, _| Ok(())), Null)),
        format!("{:?}", Audit::new(Plain).name("ledger")),
        format!("{:?}", Dedup::new(Plain)),
        format!("{:?}", Fallback::new(Plain).or(Plain)),
        format!("{:?}", Filtered::new(Severity::WARN, Plain)),
        format!("{:?}", OrStop::new(Plain).abort(true)),
        format!("{:?}", Retry::new(Plain)),
        format!("{:?}", Rewriting::new(|_: &mut RecordBuf| (), Plain)),
        format!("{:?}", Route::by_target().with(Case::from("shop"), Plain)),
        format!("{:?}", ScopedBuffer::new(Plain).slow(Duration::from_secs(1))),
        format!("{:?}", Alert::new(Severity::ERROR, 3, Duration::from_secs(60))),
        format!("{:?}", Counts::new()),
        format!("{:?}", from_fn(|_| Ok(()))),
        format!("{:?}", SinkHarness::new(Memory::new())),
    ];
    let starts = [
        "Output { name: \"memory\", level: ",
        "Output { name: \"null\", level: ",
        "Audit { name: \"ledger\", timeout: 5s, handler: ",
        "Dedup { name: \"dedup\", window: 60s, ",
        "Fallback { name: \"fallback\", handlers: 2, ",
        "Filtered { name: \"filtered\", tell_every: None, filter: ",
        "OrStop { name: \"or stop\", exit_code: 70, abort: true, ",
        "Retry { name: \"retry\", times: ",
        "Rewriting { rewrite: ",
        "Route { name: \"route\", fixed: 1, otherwise: false, makes: false, limit: 64, ",
        "ScopedBuffer { name: \"scoped buffer\", slow: Some(1s), ",
        "Alert { name: \"alert\", ",
        "[]",
        "HandlerFn(",
        "SinkHarness { sink: \"memory\", read: false, fail: false }",
    ];
    for (shown, start) in shown.iter().zip(starts) {
        assert!(shown.starts_with(start), "{shown} does not start with {start}");
    }
    assert!(shown[0].ends_with("sink: tracing_handlers::sink::memory::Memory, .. }"), "{}", shown[0]);
    check_handler(|harness| {
        assert!(format!("{harness:?}").starts_with("HandlerHarness { inner: MockHandler { used: false, "));
        Queue::new(harness.inner())
    })
    .unwrap();
}

/// As from a panic hook that shows everything while a record is being written.
#[test]
fn it_does_not_wait_for_a_record_that_is_being_written() {
    use std::sync::{Arc, Mutex, OnceLock};

    let shown = Arc::new(Mutex::new(String::new()));
    let output: Arc<OnceLock<Box<dyn std::fmt::Debug + Send + Sync>>> = Arc::default();
    let (show, to) = (output.clone(), shown.clone());
    let sink = tracing_handlers::sink::Write::new(Shows(Box::new(move || {
        *to.lock().unwrap() = format!("{:?}", show.get().unwrap());
    })));
    let written = Arc::new(Output::new(format::Json::new(), sink));
    output.set(Box::new(written.clone())).ok().unwrap();
    written.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record()).unwrap();
    assert!(shown.lock().unwrap().starts_with("Output { level: "), "{shown:?}");
}

struct Shows(Box<dyn Fn() + Send>);

impl std::io::Write for Shows {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (self.0)();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
