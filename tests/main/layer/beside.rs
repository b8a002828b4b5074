//! The layer beside, inside and around layers of tracing-subscriber.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tracing::{Dispatch, Level, Subscriber, debug, error, info, info_span, trace, warn};
use tracing_handlers::Output;
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::layer as ours;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, fmt, registry};

use super::{Bytes, outline};
use crate::collect::{Seen, alone, spans};

/// What a stock `fmt` layer writes.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    fn messages(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
    }

    fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'s> registry::LookupSpan<'s>,
    {
        let text = self.clone();
        fmt::layer().with_ansi(false).without_time().with_writer(move || text.clone())
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Without a filter of its own.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn at(level: Level) -> (Output<impl tracing_handlers::Format, Bytes>, Bytes) {
    let bytes = Bytes::default();
    (Output::new(outline(), bytes.clone()).level(level), bytes)
}

fn log() {
    let _span = info_span!("s", n = 1).entered();
    for _ in 0..2 {
        trace!("trace");
        debug!("debug");
        info!("info");
        warn!("warn");
        error!("error");
    }
}

fn down_to(level: Level) -> Vec<String> {
    let all = [
        ("trace", Level::TRACE),
        ("debug", Level::DEBUG),
        ("info", Level::INFO),
        ("warn", Level::WARN),
        ("error", Level::ERROR),
    ];
    let some: Vec<_> = all.into_iter().filter(|(_, of)| *of <= level).map(|(name, _)| name.to_owned()).collect();
    [some.clone(), some].concat()
}

fn with_span(level: Level) -> Vec<String> {
    down_to(level).into_iter().map(|message| format!("s{{n=1}} {message}")).collect()
}

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

fn stock_filter(kind: usize, level: Level, text: &Text) -> Boxed {
    match kind {
        0 => text.layer().with_filter(LevelFilter::from_level(level)).boxed(),
        1 => text.layer().with_filter(EnvFilter::new(level.to_string())).boxed(),
        _ => text.layer().with_filter(Targets::new().with_target("main", level)).boxed(),
    }
}

alone! {
    fn nobody_s_filter_hides_events_from_others_in_either_order() {
        // With only one subscriber at a time, what one layer says of a callsite counts for all of it.
        for kind in 0..3 {
            for our_level in [Level::TRACE, Level::INFO, Level::ERROR] {
                for their_level in [Level::TRACE, Level::WARN, Level::ERROR] {
                    for ours_first in [true, false] {
                        let (text, count) = (Text::default(), Count::default());
                        let (output, bytes) = at(our_level);
                        let theirs = stock_filter(kind, their_level, &text);
                        let layers = match ours_first {
                            true => ours(output).boxed().and_then(theirs),
                            false => theirs.and_then(ours(output).boxed()),
                        };
                        let dispatch = Dispatch::new(registry().with(layers).with(count.clone()));
                        tracing::dispatcher::with_default(&dispatch, log);
                        let case = format!("{kind} {our_level} {their_level} {ours_first}");
                        assert_eq!(bytes.lines(), with_span(our_level), "ours: {case}");
                        assert_eq!(text.messages(), down_to(their_level), "theirs: {case}");
                        assert_eq!(count.0.load(Ordering::Relaxed), 10, "one without a filter: {case}");
                    }
                }
            }
        }
    }

    fn ours_then_theirs_and_theirs_then_ours_without_boxes() {
        for (our_level, their_level) in [(Level::TRACE, Level::ERROR), (Level::ERROR, Level::TRACE), (Level::WARN, Level::WARN)] {
            let check = |case: u32, dispatch: Dispatch, bytes: &Bytes, text: &Text| {
                tracing::dispatcher::with_default(&dispatch, log);
                assert_eq!(bytes.lines(), with_span(our_level), "{case}: {our_level} {their_level}");
                assert_eq!(text.messages(), down_to(their_level), "{case}: {our_level} {their_level}");
            };
            let filter = || EnvFilter::new(their_level.to_string());
            let level = LevelFilter::from_level(their_level);

            let ((output, bytes), text) = (at(our_level), Text::default());
            check(1, registry().with(ours(output)).with(text.layer().with_filter(level)).into(), &bytes, &text);
            let ((output, bytes), text) = (at(our_level), Text::default());
            check(2, registry().with(text.layer().with_filter(level)).with(ours(output)).into(), &bytes, &text);
            let ((output, bytes), text) = (at(our_level), Text::default());
            check(3, registry().with(ours(output)).with(text.layer().with_filter(filter())).into(), &bytes, &text);
            let ((output, bytes), text) = (at(our_level), Text::default());
            check(4, registry().with(text.layer().with_filter(filter())).with(ours(output)).into(), &bytes, &text);
            // Not `ours.and_then(theirs)` right above the registry: tracing-subscriber 0.3.23 heeds the outer one's maximum
            // level alone there, of stock layers too (layer/layered.rs:484).
        }
    }

    fn a_plain_fmt_layer_beside_ours_sees_everything() {
        for ours_first in [true, false] {
            let ((output, bytes), text) = (at(Level::ERROR), Text::default());
            let dispatch: Dispatch = match ours_first {
                true => registry().with(ours(output)).with(text.layer()).into(),
                false => registry().with(text.layer()).with(ours(output)).into(),
            };
            tracing::dispatcher::with_default(&dispatch, log);
            assert_eq!(bytes.lines(), with_span(Level::ERROR));
            assert_eq!(text.messages(), down_to(Level::TRACE));
        }
    }

    fn a_global_env_filter_holds_for_ours_and_others() {
        for ours_first in [true, false] {
            let ((output, bytes), text) = (at(Level::TRACE), Text::default());
            let filter = EnvFilter::new("warn,main::layer::beside=debug");
            let dispatch: Dispatch = match ours_first {
                true => registry().with(ours(output)).with(text.layer()).with(filter).into(),
                false => registry().with(filter).with(text.layer()).with(ours(output)).into(),
            };
            tracing::dispatcher::with_default(&dispatch, log);
            assert_eq!(bytes.lines(), with_span(Level::DEBUG));
            assert_eq!(text.messages(), down_to(Level::DEBUG));
        }
    }

    fn an_env_filter_that_looks_at_span_fields_holds_for_ours() {
        let (output, bytes) = at(Level::TRACE);
        let filter = EnvFilter::new("info,[s{n=2}]=trace");
        let dispatch: Dispatch = registry().with(filter).with(ours(output)).into();
        tracing::dispatcher::with_default(&dispatch, || {
            for n in 1..=2 {
                let _span = info_span!("s", n).entered();
                trace!("x");
            }
        });
        assert_eq!(bytes.lines(), ["s{n=2} x"]);
    }

    fn an_env_filter_around_ours_hides_events_and_spans_from_ours_alone() {
        for ours_first in [true, false] {
            let (seen, text) = (Seen::default(), Text::default());
            let filter = EnvFilter::new("warn,shown=trace");
            let dispatch: Dispatch = match ours_first {
                true => registry().with(ours(seen.clone()).with_filter(filter)).with(text.layer()).into(),
                false => registry().with(text.layer()).with(ours(seen.clone()).with_filter(filter)).into(),
            };
            tracing::dispatcher::with_default(&dispatch, || {
                let root = info_span!(target: "shown", "root", v = 0).entered();
                let hidden = info_span!("hidden", v = 0).entered();
                let _leaf = info_span!(target: "shown", "leaf").entered();
                info!("no");
                warn!("yes");
                root.record("v", 1);
                hidden.record("v", 1);
                trace!(target: "shown", "also");
            });
            assert_eq!(seen.messages(), ["yes", "also"]);
            assert_eq!(seen.spans(), [["root{v=0}", "leaf{}"], ["root{v=1}", "leaf{}"]]);
            assert_eq!(text.messages(), ["no", "yes", "also"]);
        }
    }

    fn two_of_ours_in_one_subscriber_have_their_own_events_and_the_same_spans() {
        let ((all, all_bytes), (few, few_bytes), seen) = (at(Level::TRACE), at(Level::ERROR), Seen::default());
        let dispatch: Dispatch = registry().with(ours(all)).with(ours(few)).with(ours(seen.clone())).into();
        tracing::dispatcher::with_default(&dispatch, || {
            log();
            let root = info_span!("root", v = 0);
            let leaf = info_span!(parent: &root, "leaf");
            root.record("v", 1);
            leaf.in_scope(|| error!("after"));
        });
        assert_eq!(all_bytes.lines(), [with_span(Level::TRACE), vec!["root{v=1} leaf{} after".into()]].concat());
        assert_eq!(few_bytes.lines(), [with_span(Level::ERROR), vec!["root{v=1} leaf{} after".into()]].concat());
        assert_eq!(seen.count(), 11);
        assert_eq!(spans(&seen.last()), ["root{v=1}", "leaf{}"]);
    }

    fn two_of_ours_behind_different_filters_keep_their_own_spans() {
        let (warns, all) = (Seen::default(), Seen::default());
        let only = |target: &str| Targets::new().with_target(target, Level::TRACE).with_target("both", Level::TRACE);
        let dispatch: Dispatch = registry()
            .with(ours(warns.clone()).with_filter(only("a")))
            .with(ours(all.clone()).with_filter(only("b")))
            .into();
        tracing::dispatcher::with_default(&dispatch, || {
            let _both = info_span!(target: "both", "both").entered();
            let _a = info_span!(target: "a", "a").entered();
            let _b = info_span!(target: "b", "b").entered();
            info!(target: "both", "x");
        });
        assert_eq!(warns.spans(), [["both{}", "a{}"]]);
        assert_eq!(all.spans(), [["both{}", "b{}"]]);
    }

    fn ours_works_boxed_in_a_vec_and_in_an_option() {
        let ((a, a_bytes), (b, b_bytes), (c, c_bytes)) = (at(Level::INFO), at(Level::ERROR), at(Level::TRACE));
        let text = Text::default();
        let boxed: Vec<Boxed> = vec![
            ours(a).boxed(),
            Box::new(Some(ours(b))),
            text.layer().with_filter(LevelFilter::WARN).boxed(),
            Box::new(Some(ours(c).boxed())),
        ];
        let dispatch: Dispatch = registry().with(boxed).into();
        tracing::dispatcher::with_default(&dispatch, log);
        assert_eq!(a_bytes.lines(), with_span(Level::INFO));
        assert_eq!(b_bytes.lines(), with_span(Level::ERROR));
        assert_eq!(c_bytes.lines(), with_span(Level::TRACE));
        assert_eq!(text.messages(), down_to(Level::WARN));
    }

    fn one_alone_boxed_switches_off_what_it_does_not_want() {
        let (output, bytes) = at(Level::WARN);
        let layer: Boxed = Box::new(ours(output));
        registry().with(layer).init();
        let mut evaluated = 0;
        debug!("{}", { evaluated += 1; evaluated });
        warn!("{}", { evaluated += 1; evaluated });
        assert_eq!((evaluated, bytes.lines().len()), (1, 1));
    }
}
