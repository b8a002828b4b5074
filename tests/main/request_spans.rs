//! Spans that are as verbose as tower-http's: its `TraceLayer`, at its defaults, creates the span of a request at DEBUG.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tower_http::trace::TraceLayer;
use tracing::Level;
use tracing::dispatcher::with_default;
use tracing_handlers::filter::{self, Filter, FilterExt, LevelSwitch, Threshold};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Alert, Filtered, Handler, Route, ScopedBuffer};
use tracing_handlers::record::{Meta, SpanEvents};
use tracing_handlers::{Output, Queue, Severity, sink::Memory};

use crate::collect::{dispatch, pin};

fn text() -> Text {
    Text::new().time(Time::none()).target(false)
}

/// Answers a request for each of the paths while `handler` receives what is logged.
fn serve(handler: impl Handler, paths: &[&str]) {
    pin();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let routes = Router::new()
        .route(
            "/sold",
            get(async || {
                tracing::debug!("looked up");
                tracing::info!("sold");
            }),
        )
        .route(
            "/lost",
            get(async || {
                tracing::debug!("looked up");
                tracing::error!("lost");
            }),
        )
        .layer(TraceLayer::new_for_http());
    with_default(&dispatch(handler), || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, routes).await });
            for path in paths {
                let path = path.to_string();
                tokio::task::spawn_blocking(move || request(address, &path)).await.unwrap();
            }
        });
    });
}

fn request(address: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn the_request_of_a_trace_layer_is_shown_by_an_output_of_its_level() {
    let (details, all, switched, passing) = (Memory::new(), Memory::new(), Memory::new(), Memory::new());
    let (infos, hidden) = (Memory::new(), Memory::new());
    serve(
        (
            Output::new(text(), details.clone()).level(Level::DEBUG),
            Output::new(text(), all.clone()),
            Output::new(text(), switched.clone()).filter(LevelSwitch::new(Level::DEBUG)),
            Filtered::new(Threshold::from(Level::DEBUG), Output::new(text(), passing.clone())),
            Output::new(text(), infos.clone()).level(Level::INFO),
            Output::new(text(), hidden.clone()).level(Level::DEBUG).spans(Level::INFO),
        ),
        &["/sold"],
    );
    for memory in [details, all, switched, passing] {
        let sold = memory.lines().into_iter().find(|line| line.ends_with("sold")).expect("it is logged");
        assert_eq!(sold, " INFO request{method=GET uri=/sold version=HTTP/1.1}: sold");
    }
    assert_eq!(infos.lines(), [" INFO sold"]);
    assert!(hidden.lines().contains(&"DEBUG looked up".to_owned()), "{:?}", hidden.lines());
}

#[test]
fn the_request_of_a_trace_layer_is_a_scope() {
    for of_handler in [Level::DEBUG, Level::TRACE] {
        let memory = Memory::new();
        let output = Output::new(text(), memory.clone()).level(of_handler);
        serve(ScopedBuffer::new(Queue::new(output)), &["/sold", "/lost"]);
        let of_shop = |line: &String| !line.contains("processing request");
        let lines: Vec<_> = memory.lines().into_iter().filter(of_shop).collect();
        let request = |path| format!("request{{method=GET uri={path} version=HTTP/1.1}}");
        let [sold, lost] = [request("/sold"), request("/lost")];
        assert_eq!(
            lines,
            [format!(" INFO {sold}: sold"), format!("DEBUG {lost}: looked up"), format!("ERROR {lost}: lost")]
        );
    }
}

#[test]
fn a_route_and_an_alert_find_their_field_in_the_request_of_a_trace_layer() {
    let (sold, lost, alarms) = (Memory::new(), Memory::new(), Memory::new());
    let route = Route::by_value("uri")
        .with("/sold", Output::new(text(), sold.clone()).level(Level::DEBUG))
        .with("/lost", Output::new(text(), lost.clone()).level(Level::DEBUG));
    let alert = Alert::new(Level::DEBUG, 1, Duration::from_secs(60)).per("uri").to(Output::new(text(), alarms.clone()));
    serve((route, alert), &["/sold", "/lost"]);
    assert!(sold.lines().iter().any(|line| line.ends_with(": sold")), "{:?}", sold.lines());
    assert!(lost.lines().iter().any(|line| line.ends_with(": lost")), "{:?}", lost.lines());
    assert!(alarms.lines().iter().any(|line| line.contains("key=/sold")), "{:?}", alarms.lines());
}

/// What an output shows of a DEBUG span in an INFO one.
fn shown<F: tracing_handlers::format::Format>(
    configure: impl FnOnce(Output<Text, Memory>) -> Output<F, Memory>,
) -> String {
    pin();
    let memory = Memory::new();
    // Another output wants all spans, so that what is shown does not depend on what is captured.
    let all = Output::new(text(), Memory::new()).spans(Level::TRACE);
    with_default(&dispatch((configure(Output::new(text(), memory.clone())), all)), || {
        let _request = tracing::info_span!("request").entered();
        let _query = tracing::debug_span!("query").entered();
        let _row = tracing::trace_span!("row").entered();
        tracing::error!("failed");
    });
    memory.lines().concat()
}

#[test]
fn the_default_is_info_or_the_level_of_events_if_that_is_more_verbose() {
    let [info, debug, trace] =
        ["ERROR request: failed", "ERROR request:query: failed", "ERROR request:query:row: failed"];
    assert_eq!(shown(|output| output), trace);
    assert_eq!(shown(|output| output.level(Level::TRACE)), trace);
    assert_eq!(shown(|output| output.level(Level::DEBUG)), debug);
    assert_eq!(shown(|output| output.level(Severity::NOTICE)), info);
    assert_eq!(shown(|output| output.level(Level::ERROR)), info);
    assert_eq!(shown(|output| output.level(Level::ERROR).level(Level::DEBUG)), debug);
    assert_eq!(shown(|output| output.level(Level::DEBUG).filter(Severity::WARN)), info);
    assert_eq!(shown(|output| output.filter(filter::targets(["request_spans", "main"]).and(Severity::DEBUG))), debug);
    assert_eq!(shown(|output| output.spans(Level::WARN).level(Level::TRACE)), "ERROR failed");
    assert_eq!(shown(|output| output.level(Level::ERROR).spans(Level::TRACE)), trace);
}

#[test]
fn a_switch_shows_the_spans_of_its_present_level() {
    pin();
    let (level, memory) = (LevelSwitch::new(Level::INFO), Memory::new());
    let output = Output::new(text(), memory.clone()).filter(level.clone()).span_events(SpanEvents::CLOSE);
    let everything = Output::new(text(), Memory::new()).spans(Level::TRACE);
    with_default(&dispatch((output, everything)), || {
        let log = || {
            let _request = tracing::info_span!("request").entered();
            let _query = tracing::debug_span!("query").entered();
            tracing::info!("sold");
        };
        log();
        level.with(Level::DEBUG, log);
        log();
    });
    let lines: Vec<_> = memory.lines().iter().map(|line| line.split(" time.").next().unwrap().to_owned()).collect();
    let less = [" INFO request: sold", " INFO request: close"];
    let more = [" INFO request:query: sold", "DEBUG request:query: close", " INFO request: close"];
    assert_eq!(lines, [&less[..], &more[..], &less[..]].concat());
}

/// A filter that tells nothing about levels.
struct Every;

impl Filter for Every {
    fn enabled(&self, _: &Meta<'_>) -> bool {
        true
    }
}

#[test]
fn a_filter_without_a_level_limits_no_spans() {
    assert_eq!(shown(|output| output.level(Level::DEBUG).filter(Every)), "ERROR request:query: failed");
}
