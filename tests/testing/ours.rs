//! The laws, kept by the formats and handlers that stand around others.

use std::time::Duration;

use tracing::Level;
use tracing_handlers::format::{Csv, JsonTemplate, Logfmt, Pattern, Preset, Python};
use tracing_handlers::handler::{Audit, Buffer, Dedup, Fallback, Filtered, Retry, Rewriting, Route, ScopedBuffer};
use tracing_handlers::rewrite::{Add, Cap, Pattern as Secret, Redact};
use tracing_handlers::testing::{check_format, check_handler};
use tracing_handlers::{Queue, filter};

#[test]
fn further_formats_of_this_crate_keep_the_laws() {
    check_format(Logfmt::new).unwrap();
    check_format(Csv::new).unwrap();
    check_format(|| Pattern::new("{time} {level:<5} {target:.-20} {spans} {message} {fields}").unwrap()).unwrap();
    check_format(|| Python::percent("%(asctime)s %(levelname)-8s %(name)s %(message)s").unwrap()).unwrap();
    check_format(|| Python::brace("{levelname:<8} {message}").unwrap()).unwrap();
    check_format(|| Python::dollar("${levelname} $message").unwrap()).unwrap();
    let presets: [fn() -> Preset; 7] = [
        Preset::ecs,
        || Preset::gelf("web-1"),
        || Preset::google_cloud("shop"),
        Preset::logstash,
        || Preset::bunyan("shop"),
        Preset::otlp,
        || Preset::datadog("shop"),
    ];
    for preset in presets {
        check_format(preset).unwrap();
    }
    let template = r#"{"m": {"$resolver": "message"}, "f": {"$resolver": "fields"}, "s": {"$resolver": "spans"}}"#;
    check_format(|| JsonTemplate::parse(template).unwrap()).unwrap();
}

#[test]
fn handlers_around_handlers_keep_the_laws() {
    check_handler(|wiring| Audit::new(wiring.behind())).unwrap();
    check_handler(|wiring| Buffer::new(wiring.behind())).unwrap();
    check_handler(|wiring| Buffer::new(wiring.behind()).capacity(3).ring(true)).unwrap();
    check_handler(|wiring| ScopedBuffer::new(wiring.behind()).always(Level::TRACE)).unwrap();
    check_handler(|wiring| Dedup::new(wiring.behind())).unwrap();
    check_handler(|wiring| Fallback::new(wiring.behind())).unwrap();
    check_handler(|wiring| Filtered::new(Level::DEBUG, wiring.behind())).unwrap();
    check_handler(|wiring| Filtered::new(filter::one_in(1), wiring.behind())).unwrap();
    check_handler(|wiring| Retry::new(wiring.behind()).times(1).wait_by(|_: Duration| ())).unwrap();
    check_handler(|wiring| Route::by_target().otherwise(wiring.behind())).unwrap();
    check_handler(|wiring| Rewriting::new((Redact::patterns(Secret::ALL), Cap::new()), wiring.behind())).unwrap();
    check_handler(|wiring| Rewriting::new(Add::new().constant("service", "shop"), Queue::new(wiring.behind())))
        .unwrap();
}
