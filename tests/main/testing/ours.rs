//! The contracts, kept by the formats and handlers that stand around others.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level;
use tracing_handlers::format::{Csv, JsonTemplate, Logfmt, Pattern, Preset, Python};
use tracing_handlers::handler::{
    Alert, Audit, Buffer, Counts, Dedup, Fallback, Filtered, Handler, OrStop, Retry, Rewriting, Route, ScopedBuffer,
};
use tracing_handlers::rewrite::{Add, Cap, Detector, Redact};
use tracing_handlers::testing::{MockHandler, check_format, check_handler};
use tracing_handlers::{Error, Queue, Record, filter};

#[test]
fn further_formats_of_this_crate_keep_the_contracts() {
    check_format(Logfmt::new).unwrap();
    check_format(Csv::new).unwrap();
    check_format(|| Pattern::new("{time} {level:<5} {target:.-20} {spans} {message} {fields}").unwrap()).unwrap();
    check_format(|| Python::percent("%(asctime)s %(levelname)-8s %(name)s %(message)s").unwrap()).unwrap();
    check_format(|| Python::brace("{levelname:<8} {message}").unwrap()).unwrap();
    check_format(|| Python::dollar("${levelname} $message").unwrap()).unwrap();
    let presets: [fn() -> Preset; 8] = [
        Preset::ecs,
        || Preset::gelf("web-1"),
        || Preset::google_cloud("shop"),
        Preset::logstash,
        || Preset::bunyan("shop"),
        Preset::otlp,
        || Preset::datadog("shop"),
        Preset::tracing,
    ];
    for preset in presets {
        check_format(preset).unwrap();
    }
    let template = r#"{"m": {"$resolver": "message"}, "f": {"$resolver": "fields"}, "s": {"$resolver": "spans"}}"#;
    check_format(|| JsonTemplate::new(template).unwrap()).unwrap();
}

#[test]
fn handlers_around_handlers_keep_the_contracts() {
    check_handler(|harness| Audit::new(harness.inner())).unwrap();
    check_handler(|harness| Buffer::new(harness.inner())).unwrap();
    check_handler(|harness| Buffer::new(harness.inner()).capacity(3).ring(true)).unwrap();
    check_handler(|harness| ScopedBuffer::new(harness.inner()).always(Level::TRACE)).unwrap();
    check_handler(|harness| Dedup::new(harness.inner())).unwrap();
    check_handler(|harness| Fallback::new(harness.inner())).unwrap();
    check_handler(|harness| Filtered::new(Level::DEBUG, harness.inner())).unwrap();
    check_handler(|harness| Filtered::new(filter::one_in(1), harness.inner())).unwrap();
    check_handler(|harness| Retry::new(harness.inner()).times(1).wait_by(|_: Duration| ())).unwrap();
    check_handler(|harness| Route::by_target().otherwise(harness.inner())).unwrap();
    check_handler(|harness| Rewriting::new((Redact::detectors(Detector::ALL), Cap::new()), harness.inner())).unwrap();
    check_handler(|harness| Rewriting::new(Add::new().constant("service", "shop"), Queue::new(harness.inner())))
        .unwrap();
}

#[test]
fn handlers_side_by_side_keep_the_contracts() {
    check_handler(|harness| (harness.inner(),)).unwrap();
    check_handler(|harness| (Counts::new(), Buffer::new(harness.inner()), Counts::new().level(Level::WARN))).unwrap();
    let several = |behind| vec![Box::new(Queue::new(behind)) as Box<dyn Handler>, Box::new(Counts::new())];
    check_handler(|harness| several(harness.inner())).unwrap();
    check_handler(|_| Vec::<MockHandler>::new()).unwrap();
    check_handler(|harness| Some(Dedup::new(harness.inner()))).unwrap();
    check_handler(|_| None::<MockHandler>).unwrap();
    check_handler(|harness| Arc::new(Box::new(Buffer::new(harness.inner())) as Box<dyn Handler>)).unwrap();
}

/// Around a queue, which never returns an error: an error would stop the tests.
#[test]
fn a_handler_that_stops_the_program_keeps_the_contracts() {
    check_handler(|harness| OrStop::new(Queue::new(harness.inner()))).unwrap();
}

#[test]
fn routes_and_fallbacks_with_several_handlers_keep_the_contracts() {
    check_handler(|harness| Route::by_severity().with(Level::TRACE, harness.inner()).otherwise(Counts::new())).unwrap();
    check_handler(|harness| Route::by_value("area").with("a", Counts::new()).otherwise(harness.inner())).unwrap();
    check_handler(|harness| Fallback::new(harness.inner()).or(harness.inner())).unwrap();
    check_handler(|harness| Fallback::new(harness.inner()).retry_interval(Duration::ZERO)).unwrap();
}

/// It hands on alarms alone, so it asks for no span events.
#[test]
fn an_alert_keeps_all_contracts_but_that_of_span_events() {
    let alert = |harness: &tracing_handlers::testing::HandlerHarness| {
        Alert::new(Level::TRACE, 1, Duration::from_secs(60)).cool_down(Duration::ZERO).to(harness.inner())
    };
    assert_eq!(check_handler(alert).unwrap_err().contracts(), ["span events forwarded"]);
}

/// A third-party wrapper that implements `handle` and `inner` alone.
struct Wrapper<H>(H);

impl<H: Handler> Handler for Wrapper<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0.handle(record)
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.0)
    }
}

/// A wrapper around two handlers that implements `handle` and `inner` alone.
struct Pair<A, B>(A, B);

impl<A: Handler, B: Handler> Handler for Pair<A, B> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let handled = self.0.handle(record);
        self.1.handle(record).and(handled)
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.0)?;
        visit(&self.1)
    }
}

#[test]
fn wrappers_with_handle_and_inner_alone_keep_the_contracts() {
    check_handler(|harness| Wrapper(harness.inner())).unwrap();
    check_handler(|harness| Wrapper(Queue::new(harness.inner()))).unwrap();
    check_handler(|harness| Buffer::new(Wrapper(harness.inner()))).unwrap();
    check_handler(|harness| Pair(Counts::new(), harness.inner())).unwrap();
    check_handler(|harness| Pair(Wrapper(harness.inner()), Queue::new(Counts::new()))).unwrap();
}
