//! The time to encode and decode a frame, compared with formatting the record as JSON.

mod scenario;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenario::{event, three_spans};
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::{Caps, Format, Json, Out};
use tracing_handlers::record::wire::{self, Limits};
use tracing_handlers::{RecordBuf, Severity};
use tracing_subscriber::prelude::*;

/// Returns a captured event in three spans, whose names are indices into callsites.
fn captured() -> RecordBuf {
    let (send, receive) = std::sync::mpsc::channel();
    let handler = tracing_handlers::handler::from_fn(move |record| {
        // The receiver outlives the dispatcher.
        let _ = send.send(RecordBuf::from(record));
        Ok(())
    });
    let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(handler));
    tracing::subscriber::with_default(subscriber, || {
        let _spans = three_spans();
        event(7);
    });
    receive.recv().expect("the event was captured")
}

/// Returns the record of `formats.rs`, whose names are inline as in a decoded record.
fn built() -> RecordBuf {
    let message = "an order was taken out of the stock and is being packed now";
    let mut record = RecordBuf::new(Severity::INFO, "shop::checkout::stock", message)
        .with_time(Timestamp::new(1_795_223_943, 123_456_789))
        .with_field("order", 1_234_567_u64)
        .with_field("price", 129.95)
        .with_field("customer", "ada.lovelace")
        .with_field("express", true);
    for name in ["request", "checkout", "stock"] {
        record = record.with_span(name, [("method", "GET".into()), ("attempt", 2_u64.into())]);
    }
    record
}

fn bench(criterion: &mut Criterion, name: &str, buf: &RecordBuf) {
    let (record, limits) = (buf.as_record(), Limits::new());
    let (mut frame, mut out, mut read) = (Vec::new(), Vec::new(), RecordBuf::default());
    wire::encode(&record, None, &limits, &mut frame).expect("it is within the limits");
    let mut group = criterion.benchmark_group(format!("{name}, {} bytes", frame.len()));
    group.throughput(Throughput::Bytes(frame.len() as u64));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            out.clear();
            wire::encode(black_box(&record), None, &limits, &mut out).expect("it is within the limits");
        });
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| wire::decode(black_box(&frame), &limits, &mut read).expect("it is whole"));
    });
    group.bench_function("encode and decode", |bencher| {
        bencher.iter(|| {
            out.clear();
            wire::encode(black_box(&record), None, &limits, &mut out).expect("it is within the limits");
            wire::decode(black_box(&out), &limits, &mut read).expect("it is whole")
        });
    });
    group.bench_function("checksum alone", |bencher| bencher.iter(|| crc32fast::hash(black_box(&frame))));
    for (what, record) in [("format as JSON", record), ("format as JSON, decoded", read.as_record())] {
        let json = Json::new();
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                out.clear();
                json.format(black_box(&record), &mut Out::new(&mut out, Caps::default())).expect("JSON does not fail");
            });
        });
    }
    group.finish();
}

fn both(criterion: &mut Criterion) {
    bench(criterion, "captured", &captured());
    bench(criterion, "built", &built());
}

criterion_group!(benches, both);
criterion_main!(benches);
