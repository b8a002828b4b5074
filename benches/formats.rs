//! The time to format one record, compared with copying the same number of bytes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::{Caps, Format, Json, Out, Text, json};
use tracing_handlers::{RecordBuf, Severity};

fn record(spans: usize) -> RecordBuf {
    let mut record = RecordBuf::new(
        Severity::INFO,
        "shop::checkout::stock",
        "an order was taken out of the stock and is being packed now",
    )
    .with_time(Timestamp::new(1_795_223_943, 123_456_789))
    .with_field("order", 1_234_567_u64)
    .with_field("price", 129.95)
    .with_field("customer", "ada.lovelace")
    .with_field("express", true);
    for name in ["request", "checkout", "stock"].into_iter().take(spans) {
        record = record.with_span(name, [("method", "GET".into()), ("attempt", 2_u64.into())]);
    }
    record
}

fn bench(criterion: &mut Criterion, name: &str, format: &dyn Format, caps: Caps, record: &RecordBuf) {
    let record = record.as_record();
    let mut line = Vec::new();
    format.format(&record, &mut Out::new(&mut line, caps)).expect("these formats do not fail");
    let mut out = Vec::new();
    criterion.bench_function(&format!("{name}, {} bytes", line.len()), |bencher| {
        bencher.iter(|| {
            out.clear();
            format.format(black_box(&record), &mut Out::new(&mut out, caps)).expect("these formats do not fail");
            black_box(&out).len()
        });
    });
}

fn floor(criterion: &mut Criterion) {
    let line = vec![b'x'; 245];
    let mut out = Vec::new();
    criterion.bench_function("copying 245 bytes in 25 pieces", |bencher| {
        bencher.iter(|| {
            out.clear();
            for piece in black_box(&line).chunks(10) {
                out.extend_from_slice(piece);
            }
            black_box(&out).len()
        });
    });
}

fn formats(criterion: &mut Criterion) {
    let (flat, deep) = (record(0), record(3));
    let plain = Caps::default();
    let color = plain.with_color(true);
    floor(criterion);
    bench(criterion, "json", &Json::new(), plain, &flat);
    bench(criterion, "json, 3 spans", &Json::new(), plain, &deep);
    bench(criterion, "json, 3 spans flat", &Json::new().spans(json::SpanLayout::Flat), plain, &deep);
    bench(criterion, "text", &Text::full(), plain, &flat);
    bench(criterion, "text, 3 spans", &Text::full(), plain, &deep);
    bench(criterion, "text in color, 3 spans", &Text::full(), color, &deep);
    bench(criterion, "compact text, 3 spans", &Text::compact(), plain, &deep);
    bench(criterion, "pretty text, 3 spans", &Text::pretty(), plain, &deep);
}

criterion_group!(benches, formats);
criterion_main!(benches);
