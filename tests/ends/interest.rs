//! How often tracing asks the filters of other layers, in processes with one subscriber and nothing else that is traced. The counts
//! are those of tracing-subscriber's own tests `layer_filter_interests_are_cached` and `multiple_layer_filter_interests_cached`.

use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry;

use super::*;

cases! {
    beside_a_layer_at_warn_another_filter_is_asked_once_per_callsite => |ended| ended.succeeds();
    inside_a_layer_at_warn_another_filter_is_asked_once_per_callsite => |ended| ended.succeeds();
    several_filters_beside_a_layer_at_warn_are_asked_once_per_callsite => |ended| ended.succeeds();
    a_filter_inside_a_layer_that_refuses_targets_is_asked_once_per_callsite => |ended| ended.succeeds();
    a_filter_is_asked_once_per_callsite_after_the_handlers_are_swapped => |ended| ended.succeeds();
    what_a_layer_alone_refuses_is_switched_off => |ended| ended.succeeds();
}

/// How often a filter was asked, by level.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<HashMap<Level, usize>>>);

impl Asked {
    fn filter(&self, level: Level) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + use<>> {
        let asked = self.0.clone();
        filter_fn(move |metadata| {
            *asked.lock().unwrap().entry(*metadata.level()).or_default() += 1;
            *metadata.level() <= level
        })
    }

    /// The counts for these levels since the last call.
    fn take(&self, levels: &[Level]) -> Vec<usize> {
        let asked = std::mem::take(&mut *self.0.lock().unwrap());
        levels.iter().map(|level| asked.get(level).copied().unwrap_or(0)).collect()
    }
}

/// Counts the events that reach it.
#[derive(Clone, Default)]
struct Reached(Arc<AtomicU32>);

impl<S: Subscriber> Layer<S> for Reached {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Reached {
    fn take(&self) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn events() {
    tracing::trace!("trace");
    tracing::debug!("debug");
    tracing::info!("info");
    tracing::warn!("warn");
    tracing::error!("error");
}

fn logged(directory: &Path) -> Output<impl format::Format, impl Sink> {
    Output::new(format::from_fn(message), File::open(directory))
}

fn ours(directory: &Path) -> impl Handler {
    logged(directory).level(Level::WARN)
}

const QUIET: [Level; 3] = [Level::TRACE, Level::DEBUG, Level::INFO];
const ALL: [Level; 5] = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];

pub fn beside_a_layer_at_warn_another_filter_is_asked_once_per_callsite(directory: &Path) {
    let (asked, reached) = (Asked::default(), Reached::default());
    let theirs = reached.clone().with_filter(asked.filter(Level::TRACE));
    registry().with(tracing_handlers::layer(ours(directory))).with(theirs).init();
    (0..5).for_each(|_| events());
    assert_eq!(asked.take(&ALL), [1; 5]);
    assert_eq!(reached.take(), 25);
}

pub fn inside_a_layer_at_warn_another_filter_is_asked_once_per_callsite(directory: &Path) {
    let (asked, reached) = (Asked::default(), Reached::default());
    let theirs = reached.clone().with_filter(asked.filter(Level::DEBUG));
    registry().with(theirs).with(tracing_handlers::layer(ours(directory))).init();
    (0..5).for_each(|_| events());
    assert_eq!(asked.take(&ALL), [1; 5]);
    assert_eq!(reached.take(), 20);
}

pub fn several_filters_beside_a_layer_at_warn_are_asked_once_per_callsite(directory: &Path) {
    let (debug, info) = (Asked::default(), Asked::default());
    let (first, second) = (Reached::default(), Reached::default());
    registry()
        .with(first.clone().with_filter(debug.filter(Level::DEBUG)))
        .with(tracing_handlers::layer(ours(directory)))
        .with(second.clone().with_filter(info.filter(Level::INFO)))
        .init();
    (0..5).for_each(|_| events());
    // Of DEBUG the two others are of different opinions, which only tracing-subscriber could remember.
    let but_debug = [Level::TRACE, Level::INFO, Level::WARN, Level::ERROR];
    assert_eq!(debug.take(&but_debug), [1; 4]);
    assert_eq!(info.take(&but_debug), [1; 4]);
    assert_eq!((first.take(), second.take()), (20, 15));
}

pub fn a_filter_inside_a_layer_that_refuses_targets_is_asked_once_per_callsite(directory: &Path) {
    let (asked, reached) = (Asked::default(), Reached::default());
    let elsewhere = logged(directory).filter(filter::targets(["elsewhere"]));
    registry()
        .with(reached.clone().with_filter(asked.filter(Level::TRACE)))
        .with(tracing_handlers::layer(elsewhere))
        .init();
    (0..5).for_each(|_| events());
    assert_eq!(asked.take(&ALL), [1; 5]);
    assert_eq!(reached.take(), 25);
}

pub fn a_filter_is_asked_once_per_callsite_after_the_handlers_are_swapped(directory: &Path) {
    let (asked, reached) = (Asked::default(), Reached::default());
    let layer = tracing_handlers::layer(logged(directory));
    let handle = layer.handle();
    registry().with(layer).with(reached.clone().with_filter(asked.filter(Level::TRACE))).init();
    events();
    assert_eq!(asked.take(&ALL), [1; 5]);
    handle.swap(ours(directory));
    (0..5).for_each(|_| events());
    assert_eq!(asked.take(&QUIET), [1; 3]);
    assert_eq!(reached.take(), 30);
}

pub fn what_a_layer_alone_refuses_is_switched_off(directory: &Path) {
    let evaluated = AtomicUsize::new(0);
    let value = || evaluated.fetch_add(1, Ordering::Relaxed);
    let outputs = logged(directory).level(Level::INFO).filter(filter::targets(["shop"]));
    install(outputs);
    for _ in 0..5 {
        tracing::debug!(target: "shop", value = value(), "beyond the level");
        tracing::error!(target: "hyper", value = value(), "of another target");
    }
    assert_eq!(evaluated.load(Ordering::Relaxed), 0);
    tracing::info!(target: "shop", value = value(), "wanted");
    assert_eq!(evaluated.load(Ordering::Relaxed), 1);
}
