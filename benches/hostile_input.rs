//! The time of what strangers choose the size of. Its growth is checked in `growth.rs`.

mod hostile;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tracing_handlers::filter;
use tracing_handlers::format::Text;
use tracing_handlers::handler::Filtered;
use tracing_handlers::sink::Null;
use tracing_handlers::{Handler, Output};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

fn sizes(criterion: &mut Criterion) {
    for scenario in hostile::SCENARIOS {
        let mut group = criterion.benchmark_group(scenario.name);
        let sizes: &[usize] = match scenario.name {
            name if name.contains("event in") || name.contains("recorded") => &[16, 64, 100, 200],
            "push_field" => &[1_000, 10_000],
            "a route over its limit" => &[64, 10_000],
            _ => &[100, 1_000, 3_000],
        };
        for size in sizes {
            let mut work = (scenario.work)(*size);
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| bencher.iter(&mut work));
        }
        group.finish();
    }
}

/// An event that a filter on spans refuses, beside the same in `EnvFilter`.
fn filters_on_spans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("an event refused by a filter on spans");
    let mut bench = |name: &str, dispatch: tracing::Dispatch| {
        tracing::dispatcher::with_default(&dispatch, || {
            let _span = tracing::info_span!("request", user = 7_u64).entered();
            group.bench_function(name, |bencher| bencher.iter(|| tracing::info!(pieces = black_box(3_u64), "sold")));
        });
    };
    let only = || filter::span("request").field("user").eq(42_u64);
    let ours = |handler: Box<dyn Handler>| tracing_subscriber::registry().with(tracing_handlers::layer(handler)).into();
    bench("output", ours(Box::new(Output::new(Text::new(), Null).filter(only()))));
    bench("filtered", ours(Box::new(Filtered::new(only(), Output::new(Text::new(), Null)))));
    let theirs = EnvFilter::new("off,[request{user=42}]=info");
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(theirs);
    bench("EnvFilter", tracing_subscriber::registry().with(layer).into());
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
    targets = sizes, filters_on_spans
}
criterion_main!(benches);
