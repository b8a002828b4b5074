use std::sync::{Arc, Mutex};

use tracing_handlers::handler::from_fn;
use tracing_handlers::{Handler, RecordBuf};
use tracing_subscriber::prelude::*;

fn collect() -> (impl Handler, Arc<Mutex<Vec<RecordBuf>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let s = seen.clone();
    (
        from_fn(move |r| {
            s.lock().unwrap().push(RecordBuf::from(r));
            Ok(())
        }),
        seen,
    )
}

#[test]
fn smoke() {
    let (handler, seen) = collect();
    let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(handler));
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("request", method = "GET", status = tracing::field::Empty);
        let _e = span.enter();
        let inner = tracing::info_span!("db", table = "x", rows = 3);
        span.record("status", 200);
        inner.in_scope(|| tracing::info!(a = 1, b = ?Some("x"), "hello {}", "world"));
        span.record("status", 201);
        span.record("method", "POST");
        inner.in_scope(|| tracing::info!(a = 1, b = ?Some("x"), "hello {}", "world"));
        tracing::info!(parent: None, "rootless");
        tracing::info!(parent: &inner, "explicit");
    });
    for r in seen.lock().unwrap().iter() {
        eprintln!("{r:?}");
    }
}
