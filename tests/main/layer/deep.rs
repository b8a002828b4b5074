//! Spans that take more room than one path: values recorded anywhere in them show in each event, however it is put together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::{Span, info, info_span};
use tracing_handlers::format::{Json, Logfmt, Text, logfmt};
use tracing_handlers::handler::from_fn;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Format, Output, Value};
use tracing_subscriber::prelude::*;

use crate::collect::{Seen, alone};

/// Nested spans, of which each has a value that the test records, and its last one.
struct Nest {
    spans: Vec<(Span, u64)>,
    entered: Vec<tracing::span::EnteredSpan>,
}

impl Nest {
    fn new(depth: usize, padding: usize) -> Self {
        let mut nest = Self { spans: Vec::new(), entered: Vec::new() };
        for _ in 0..depth {
            nest.deeper(padding);
        }
        nest
    }

    fn deeper(&mut self, padding: usize) {
        let span = info_span!("level", v = 0_u64, padding = "x".repeat(padding));
        self.entered.push(span.clone().entered());
        self.spans.push((span, 0));
    }

    fn record(&mut self, index: usize, value: u64) {
        let (span, last) = &mut self.spans[index];
        span.record("v", value);
        *last = value;
    }

    fn leave(&mut self) {
        drop(self.entered.pop());
        self.spans.pop();
    }

    fn values(&self) -> Vec<u64> {
        self.spans.iter().map(|(_, value)| *value).collect()
    }
}

/// Left from the innermost out.
impl Drop for Nest {
    fn drop(&mut self) {
        while self.entered.pop().is_some() {}
    }
}

/// Numbers that look random, the same in each run.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

#[test]
fn values_recorded_in_long_paths_show_in_every_later_event_and_its_renderings() {
    let (seen, memory) = (Seen::default(), [(); 3].map(|()| Memory::new()));
    let formats: [Arc<dyn Format>; 3] =
        [Arc::new(Json::new()), Arc::new(Text::new()), Arc::new(Logfmt::new().spans(logfmt::SpanKeys::Flat))];
    let outputs: Vec<_> =
        formats.iter().cloned().zip(&memory).map(|(format, memory)| Output::new(format, memory.clone())).collect();
    let _guard = tracing_subscriber::registry().with(tracing_handlers::layer((seen.clone(), outputs))).set_default();
    let mut number = numbers();
    for padding in [10, 100, 1_000, 5_000] {
        let mut nest = Nest::new(60, padding);
        for round in 1..150 {
            match number(4) {
                0 if nest.spans.len() > 10 => nest.leave(),
                1 => nest.deeper(padding),
                _ => nest.record(number(nest.spans.len()), round),
            }
            // The spans are put together, kept, and copied.
            for _ in 0..number(4) {
                info!("x");
                let last = seen.last();
                let values = last.as_record().spans().map(|span| span.field("v"));
                assert!(
                    values.eq(nest.values().into_iter().map(|value| Some(Value::U64(value)))),
                    "{padding}, round {round}"
                );
                for (format, memory) in formats.iter().zip(&memory) {
                    let mut fresh = Vec::new();
                    let mut alone = last.clone();
                    // No longer known by its version, so that it is rendered again.
                    alone.set_message("x");
                    let mut out =
                        tracing_handlers::format::Out::new(&mut fresh, tracing_handlers::format::Caps::default());
                    format.format(&alone.as_record(), &mut out).unwrap();
                    assert_eq!(
                        memory.lines().last().unwrap(),
                        &String::from_utf8(fresh).unwrap(),
                        "{padding}, round {round}"
                    );
                    memory.clear();
                }
            }
        }
    }
}

alone! {
    fn children_whose_ancestors_are_recorded_do_not_copy_a_large_parent() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        let handler = from_fn(|record| {
            let fields: Vec<_> = record.spans().map(|span| span.fields().count()).collect();
            let v = record.spans().next().and_then(|root| root.field("v"));
            let is_right = (&fields[..], v) == (&[1, 1, 1][..], Some(Value::U64(1)));
            RIGHT.fetch_add(usize::from(is_right), Ordering::Relaxed);
            Ok(())
        });
        tracing_subscriber::registry().with(tracing_handlers::layer(handler)).init();
        let root = info_span!("root", v = 0_u64);
        let large = "x".repeat(1 << 20);
        let parent = info_span!(parent: &root, "parent", large);
        let children: Vec<_> = (0..200).map(|n| info_span!(parent: &parent, "child", n)).collect();
        let live = || {
            root.record("v", 1_u64);
            children.iter().for_each(|child| child.in_scope(|| info!("x")));
        };
        live();
        #[cfg(target_os = "linux")]
        {
            let before = super::spans::resident();
            live();
            let grown = super::spans::resident().saturating_sub(before);
            assert!(grown < 100 << 20, "{} MiB", grown >> 20);
        }
        assert_eq!(RIGHT.load(Ordering::Relaxed), if cfg!(target_os = "linux") { 400 } else { 200 });
    }
}
