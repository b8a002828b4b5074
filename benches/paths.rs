//! The cost of an event on each path: capture alone, each format, files, queues. Formats alone are in `formats.rs`.

mod scenario;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenario::{event, three_spans};
use tracing::Dispatch;
use tracing_handlers::format::{Json, Text};
use tracing_handlers::handler::{Overflow, Rewriting, from_fn};
use tracing_handlers::rewrite::Redact;
use tracing_handlers::sink::{File, Null};
use tracing_handlers::{Handler, Output, Queue};
use tracing_subscriber::prelude::*;

fn paths(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = || File::options().truncate(true).buffer(64 << 10).open(folder.path().join("bench.log")).expect("opens");
    path(
        criterion,
        "capture",
        from_fn(|record| {
            black_box(record);
            Ok(())
        }),
    );
    path(criterion, "text", Output::new(Text::new(), Null));
    path(criterion, "json", Output::new(Json::new(), Null));
    path(criterion, "json to a buffered file", Output::new(Json::new(), file()));
    path(criterion, "json, redacted", Rewriting::new(Redact::fields(["id"]), Output::new(Json::new(), Null)));
    path(
        criterion,
        "json to a file behind a queue",
        Queue::new(Output::new(Json::new(), file())).overflow(Overflow::Block),
    );
    path(criterion, "text and json", (Output::new(Text::new(), Null), Output::new(Json::new(), Null)));
}

fn path(criterion: &mut Criterion, name: &str, handler: impl Handler) {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(tracing_handlers::layer(handler)));
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    tracing::dispatcher::with_default(&dispatch, || {
        group.bench_function("no span", |bencher| bencher.iter(|| event(black_box(7))));
        let _spans = three_spans();
        group.bench_function("three spans", |bencher| bencher.iter(|| event(black_box(7))));
    });
    group.finish();
}

criterion_group!(benches, paths);
criterion_main!(benches);
