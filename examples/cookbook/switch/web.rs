//! A web service, as zero2prod and many others: axum with tower-http's `TraceLayer`, JSON on standard output for the log collector.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Request;
use axum::routing::get;
use tower::ServiceExt;
use tower_http::trace::TraceLayer;
use tracing_handlers::sink::Memory;

use super::side_by_side::{code, compare, sorted_json, stream, under};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "switch-web", about: "an axum service with TraceLayer and JSON", make, shows: SHOWS };

mod before {
    use tracing::Dispatch;
    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::fmt::{self, writer::BoxMakeWriter};
    use tracing_subscriber::prelude::*;

    pub fn set_up(directives: &str, stdout: BoxMakeWriter) -> Dispatch {
        let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::registry().with(filter).with(fmt::layer().json().with_writer(stdout)).into()
    }
}

mod after {
    use tracing::Dispatch;
    use tracing_handlers::filter::EnvFilter;
    use tracing_handlers::format::Preset;
    use tracing_handlers::{Error, Handler, Output, Sink};
    use tracing_subscriber::prelude::*;

    pub fn set_up(directives: &str, stdout: impl Sink) -> Result<Dispatch, Error> {
        let filter = EnvFilter::try_new(directives)?;
        Ok(tracing_subscriber::registry().with(Output::new(Preset::tracing(), stdout).filter(filter).layer()).into())
    }
}

/// Answers two requests.
fn program() {
    let app = Router::new().route("/orders/{id}", get(order)).layer(TraceLayer::new_for_http());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for path in ["/orders/7", "/nowhere"] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let _ = runtime.block_on(app.clone().oneshot(request));
    }
}

async fn order(Path(id): Path<u64>) -> &'static str {
    tracing::info!(target: "shop::orders", id, user = "mia", "sold");
    tracing::debug!(target: "shop::orders", "not for production");
    "sold"
}

/// Removes how long a request took, which is not the same twice.
fn without_latency(text: &str) -> String {
    const LATENCY: &str = "\"latency\":\"";
    let mut pieces = text.split(LATENCY);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + LATENCY + piece.trim_start_matches(|char: char| char.is_ascii_digit()))
}

fn make() -> String {
    let (stock, ours) = (Memory::new(), Memory::new());
    let directives = "info,tower_http=debug";
    under(before::set_up(directives, stream(&stock)), program);
    under(after::set_up(directives, ours.clone()).expect("directives"), program);
    let [stock, ours] = [stock, ours].map(|memory| sorted_json(&without_latency(&memory.text())));
    let uri = ours.lines().filter(|line| line.contains("\"uri\":\"/orders/7\"")).count();
    let mut shown = code(include_str!("web.rs"));
    shown += &compare("stdout", &stock, &ours, &[]);
    shown + &format!("with the uri of /orders/7: {uri} lines\n")
}

const SHOWS: &str = "
code: 8 lines before, 9 after
stdout: 5 lines, equal
with the uri of /orders/7: 3 lines
";
