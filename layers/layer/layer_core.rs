//! The state that a layer, its marker and its handles share, from which records go to the handlers one after another.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use arc_swap::ArcSwap;

use super::graph::Graph;
use super::log_level;
use crate::changes;
use crate::handler::{DropReason, Handler, Report, Stats};
use crate::process::thread::Delivering;
use crate::record::Record;
use crate::selflog::Health;
use crate::sync::lock;
use crate::{Error, ErrorKind};

pub(super) struct LayerCore {
    pub(super) id: u32,
    pub(super) graph: ArcSwap<Graph>,
    /// The generation of `graph`, or briefly of the one before.
    pub(super) generation: AtomicU64,
    /// Whether any handler wants span events.
    tells_of_spans: AtomicBool,
    /// Whether any filter of a handler looks at spans.
    looks_at_spans: AtomicBool,
    parts: Mutex<Parts>,
    /// Events dropped because they were logged while events were handled.
    pub(super) reentrant: AtomicU64,
    /// The health of handlers that do not report their errors themselves.
    health: Health,
}

impl LayerCore {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Arc<Self> {
        let graph = Graph::new(handler.clone());
        let core = Arc::new(Self {
            id: NEXT_LAYER.fetch_add(1, Ordering::Relaxed),
            generation: AtomicU64::new(graph.generation),
            tells_of_spans: AtomicBool::new(!graph.span_events.is_empty()),
            looks_at_spans: AtomicBool::new(graph.looks_at_spans),
            graph: ArcSwap::from_pointee(graph),
            parts: Mutex::new(Parts { handler, added: Vec::new() }),
            reentrant: AtomicU64::new(0),
            health: Health::default(),
        });
        let watcher: Weak<Self> = Arc::downgrade(&core);
        changes::watch(watcher);
        core
    }

    #[inline]
    pub(super) fn tells_of_spans(&self) -> bool {
        self.tells_of_spans.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn looks_at_spans(&self) -> bool {
        self.looks_at_spans.load(Ordering::Relaxed)
    }

    /// Changes the handlers, and makes all callsites ask again what is wanted. Replaced handlers are dropped after that, without a
    /// lock: they may take long, and may log.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Parts) -> T) -> T {
        // One at a time: two at once could leave one's graph with the other's generation.
        let mut parts = lock(&self.parts);
        let changed = change(&mut parts);
        let graph = Arc::new(Graph::new(parts.joined()));
        let log = log_level::in_step();
        let before = self.graph.swap(graph.clone());
        // Handlers of other layers may have a `Handle` of this one behind them.
        changes::outdate();
        self.tells_of_spans.store(!graph.span_events.is_empty(), Ordering::Relaxed);
        self.looks_at_spans.store(graph.looks_at_spans, Ordering::Relaxed);
        self.generation.store(graph.generation, Ordering::Release);
        tracing::callsite::rebuild_interest_cache();
        log_level::follow(log);
        drop(parts);
        drop(before);
        changed
    }

    /// Returns the number of events dropped because handlers logged them, if there are any.
    pub(super) fn own_report(&self) -> Option<Report> {
        let mut stats = Stats::default();
        stats.add_dropped(DropReason::Reentrant, self.reentrant.load(Ordering::Relaxed));
        (stats.accepted > 0).then(|| Report::new("layer", stats))
    }

    /// Completes the `Debug` of a layer or a handle. It asks no handler, which might be locked by the caller.
    pub(super) fn describe(&self, debug: &mut fmt::DebugStruct<'_, '_>) -> fmt::Result {
        let graph = self.graph.load();
        debug
            .field("id", &self.id)
            .field("generation", &graph.generation)
            .field("span_events", &graph.span_events)
            .field("reentrant", &self.reentrant.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }

    /// Hands over a record, or keeps it until the record that this thread is handing over is done.
    #[inline]
    pub(super) fn deliver(&self, graph: &Graph, raw: &[u8]) {
        let Some(delivering) = Delivering::enter(self.id) else { return self.put_off(raw) };
        self.hand_over(graph, raw);
        if has_put_off() {
            self.catch_up(graph);
        }
        drop(delivering);
    }

    #[inline]
    fn hand_over(&self, graph: &Graph, raw: &[u8]) {
        let Some(record) = Record::decode(raw) else { return };
        let handled = catch_unwind(AssertUnwindSafe(|| graph.handler.handle(&record)));
        match handled {
            Ok(Ok(())) => self.health.works("handlers"),
            Ok(Err(error)) => self.absorb(&error),
            Err(_) => self.absorb(&Error::new(ErrorKind::Panic, "a handler panicked")),
        }
    }

    #[cold]
    fn absorb(&self, error: &Error) {
        if error.handler().is_none() {
            self.health.failed("handlers", error, 1);
        }
    }

    /// Keeps a record that a handler, or code that it calls, has logged. Records logged while these are handed over in turn could
    /// continue endlessly, and are dropped.
    #[cold]
    fn put_off(&self, raw: &[u8]) {
        let kept = PUT_OFF.try_with(|list| {
            let mut list = list.try_borrow_mut().ok()?;
            let keeps = !list.closed.contains(&self.id) && list.records.len() < MAX_PUT_OFF;
            keeps.then(|| list.records.push((self.id, raw.to_vec())))
        });
        if !matches!(kept, Ok(Some(()))) {
            self.reentrant.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[cold]
    fn catch_up(&self, graph: &Graph) {
        let mine = PUT_OFF.with(|list| {
            let mut list = list.borrow_mut();
            let (mine, others) = std::mem::take(&mut list.records).into_iter().partition(|(id, _)| *id == self.id);
            list.records = others;
            list.closed.push(self.id);
            mine
        });
        let mine: Vec<(u32, Vec<u8>)> = mine;
        for (_, raw) in &mine {
            self.hand_over(graph, raw);
        }
        PUT_OFF.with(|list| list.borrow_mut().closed.pop());
    }
}

/// The handler and the added ones, before they are joined into one.
pub(super) struct Parts {
    pub(super) handler: Arc<dyn Handler>,
    /// The added handlers, by their numbers.
    pub(super) added: Vec<(u64, Arc<dyn Handler>)>,
}

impl Parts {
    fn joined(&self) -> Arc<dyn Handler> {
        match &self.added[..] {
            [] => self.handler.clone(),
            added => Arc::new(
                [&self.handler]
                    .into_iter()
                    .chain(added.iter().map(|(_, handler)| handler))
                    .cloned()
                    .collect::<Vec<_>>(),
            ),
        }
    }
}

/// Called when a switch that one of the handlers depends on has changed.
impl changes::Watch for LayerCore {
    fn ask_again(&self) {
        self.change(|_| ());
    }
}

/// What handlers logged on this thread.
#[derive(Default)]
struct PutOff {
    records: Vec<(u32, Vec<u8>)>,
    /// The layers that are handing over such records, the innermost last.
    closed: Vec<u32>,
}

#[inline]
fn has_put_off() -> bool {
    PUT_OFF.try_with(|list| list.try_borrow().is_ok_and(|list| !list.records.is_empty())).unwrap_or(false)
}

thread_local! {
    static PUT_OFF: RefCell<PutOff> = const { RefCell::new(PutOff { records: Vec::new(), closed: Vec::new() }) };
}

static NEXT_LAYER: AtomicU32 = AtomicU32::new(1);

/// The number of records that handlers may log while one record is handed over.
const MAX_PUT_OFF: usize = 64;
