//! The bridge from tracing's Registry to handlers: the only file that knows tracing-subscriber's insides.
//!
//! Stock per-layer filters keep their verdict in a thread-local bitmap which a log call inside a log call overwrites
//! (tokio-rs/tracing#2704, #3364, #2519). This layer keeps a stock filter only as a *marker*, so that a callsite nobody
//! wants is switched off and layers beside this one are left alone; what it wants itself it decides from the callsite and
//! the generation of its handlers, per thread, and so is right whatever happens in between.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{Filtered, LevelFilter};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, SpanRef};
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::{Clock, System, Timestamp};
use crate::handler::{Delivering, DropReason, Handler, Report, Stats};
use crate::record::{Callsite, Meta, Path, Record, capture_event, capture_fields, pool};
use crate::selflog::Health;
use crate::sync::{deadline, lock};
use crate::{Error, ErrorKind};

/// A layer that captures each event once and hands it to `handler`, which may be several: a tuple, a `Vec`.
///
/// ```
/// use tracing_handlers::{Output, format::{Json, Text}, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let (all, errors) = (Memory::new(), Memory::new());
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer((
///     Output::new(Json::new(), all.clone()),
///     Output::new(Text::new(), errors.clone()).level(tracing::Level::ERROR),
/// )));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!("started");
///     tracing::error!("failed");
/// });
/// assert_eq!((all.lines().len(), errors.lines().len()), (2, 1));
/// ```
pub fn layer<S>(handler: impl Handler) -> HandlerLayer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let graph = Graph::new(Box::new(handler));
    let shared = Arc::new(Shared {
        id: NEXT_LAYER.fetch_add(1, Ordering::Relaxed),
        generation: AtomicU64::new(graph.generation),
        graph: ArcSwap::from_pointee(graph),
        swapping: Mutex::new(()),
        reentrant: AtomicU64::new(0),
        failing: AtomicBool::new(false),
        health: Mutex::default(),
    });
    HandlerLayer { marker: Filtered::new(Unused, Marker(shared.clone())), shared, clock: None }
}

/// Installs a [`layer`] with `handler` as the process's subscriber, and its handle: the shortest way to logs.
///
/// The same as `tracing_subscriber::registry().with(tracing_handlers::layer(handler)).try_init()`, which is the way where
/// other layers are wanted beside it.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) where the process has a subscriber already.
///
/// ```
/// use tracing_handlers::{Output, format::Text, sink::Memory};
///
/// let memory = Memory::new();
/// let handle = tracing_handlers::init(Output::new(Text::new(), memory.clone()))?;
/// tracing::info!("started");
/// assert_eq!(handle.stats()[0].stats.delivered, 1);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn init(handler: impl Handler) -> Result<Handle, Error> {
    let layer = layer(handler);
    let handle = layer.handle();
    tracing_subscriber::registry()
        .with(layer)
        .try_init()
        .map_err(|error| Error::new(ErrorKind::Config, "cannot install the subscriber").with_source(error))?;
    Ok(handle)
}

/// See [`layer`].
///
/// It goes beside any other layer. What it does not go into is `reload::Layer`, which hides its marker:
/// [`Handle::swap`] is there instead. A stock `.with_filter(…)` around it works, with the faults that stock filters have
/// when a log call happens inside a log call; [`Output::filter`](crate::Output::filter) has none of them.
pub struct HandlerLayer<S> {
    marker: Filtered<Unused, Marker, S>,
    shared: Arc<Shared>,
    clock: Option<Box<dyn Clock>>,
}

impl<S> HandlerLayer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    /// Where the time of records comes from: by default the system's wall clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    #[inline]
    fn now(&self) -> Timestamp {
        self.clock.as_ref().map_or_else(|| System.now(), |clock| clock.now())
    }

    /// A handle to flush, count and exchange the handlers with, once the layer is installed.
    pub fn handle(&self) -> Handle {
        Handle { shared: self.shared.clone() }
    }
}

/// Reaches the handlers of an installed [`HandlerLayer`].
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::{Output, Queue, format::Json, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let (before, after) = (Memory::new(), Memory::new());
/// let layer = tracing_handlers::layer(Queue::new(Output::new(Json::new(), before.clone())));
/// let handle = layer.handle();
/// let subscriber = tracing_subscriber::registry().with(layer);
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!("one");
///     handle.swap(Output::new(Json::new(), after.clone()));
///     tracing::info!("two");
/// });
/// assert_eq!((before.lines().len(), after.lines().len()), (1, 1));
/// assert!(handle.stats().iter().all(|report| report.stats.balances()));
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// Delivers what the handlers hold, and comes back within `timeout`.
    ///
    /// # Errors
    ///
    /// The last handler's error; [`Timeout`](ErrorKind::Timeout) where the time was too short.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        self.shared.graph.load().handler.flush(deadline(timeout))
    }

    /// What became of the records, handler by handler, outermost first.
    ///
    /// Each speaks for itself: a record that a sink could not write is `failed` there, and `failed` for the queue in front
    /// of it as well.
    pub fn stats(&self) -> Vec<Report> {
        let mut reports = Vec::new();
        let reentrant = self.shared.reentrant.load(Ordering::Relaxed);
        if reentrant > 0 {
            let mut stats = Stats { accepted: reentrant, ..Stats::default() };
            stats.dropped.add(DropReason::Reentrant, reentrant);
            reports.push(Report::new("layer", stats));
        }
        self.shared.graph.load().handler.report(&mut reports);
        reports
    }

    /// Puts `handler` in the place of the handlers so far. Those are dropped, and so emptied, when the last record that is on
    /// its way through them is done.
    ///
    /// Spans that nobody wanted when they were made stay unknown.
    pub fn swap(&self, handler: impl Handler) {
        let graph = Arc::new(Graph::new(Box::new(handler)));
        // One at a time: two at once could leave the one's graph with the other's generation.
        let swapping = lock(&self.shared.swapping);
        let log = log_level::in_step();
        let before = self.shared.graph.swap(graph.clone());
        self.shared.generation.store(graph.generation, Ordering::Release);
        tracing::callsite::rebuild_interest_cache();
        log_level::follow(log);
        drop(swapping);
        // Not under the lock: handlers that end here may take their time, and may log.
        drop(before);
    }
}

/// The handlers, and the number that tells them from those before and after.
struct Graph {
    generation: u64,
    handler: Box<dyn Handler>,
}

impl Graph {
    fn new(handler: Box<dyn Handler>) -> Self {
        Self { generation: NEXT_GENERATION.fetch_add(1, Ordering::Relaxed), handler }
    }

    /// Asked by tracing under its own locks, which a panic would poison for the whole process. A handler that cannot say
    /// what it wants gets everything.
    #[cold]
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.handler.enabled(meta))).unwrap_or(true)
    }

    fn max_level(&self) -> LevelFilter {
        catch_unwind(AssertUnwindSafe(|| self.handler.max_level())).unwrap_or(LevelFilter::TRACE)
    }
}

struct Shared {
    id: u32,
    graph: ArcSwap<Graph>,
    /// That of `graph`, or for a moment of the one before.
    generation: AtomicU64,
    swapping: Mutex<()>,
    /// Events given up because they were logged by what handles events.
    reentrant: AtomicU64,
    /// A handler's last word was an error, which `health` knows of.
    failing: AtomicBool,
    health: Mutex<Health>,
}

impl Shared {
    /// Hands over a record; or keeps it until the one that this thread is in the middle of is through.
    #[inline]
    fn deliver(&self, graph: &Graph, raw: &[u8]) {
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
            Ok(Ok(())) if !self.failing.load(Ordering::Relaxed) => {}
            Ok(Ok(())) => self.recovered(),
            Ok(Err(error)) => self.absorb(&error),
            Err(_) => self.absorb(&Error::new(ErrorKind::Panic, "a handler panicked")),
        }
    }

    #[cold]
    fn absorb(&self, error: &Error) {
        if !error.is_told() {
            self.failing.store(true, Ordering::Relaxed);
            lock(&self.health).failed("handlers", error, 1);
        }
    }

    #[cold]
    fn recovered(&self) {
        self.failing.store(false, Ordering::Relaxed);
        lock(&self.health).works("handlers");
    }

    /// A handler, or what it calls, logs. What is logged while these are handed over in their turn has no end, and is dropped.
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

/// What was logged by handlers, on this thread.
#[derive(Default)]
struct PutOff {
    records: Vec<(u32, Vec<u8>)>,
    /// The layers that are at it, the innermost last.
    closed: Vec<u32>,
}

#[inline]
fn has_put_off() -> bool {
    PUT_OFF.try_with(|list| list.try_borrow().is_ok_and(|list| !list.records.is_empty())).unwrap_or(false)
}

/// Every span that reaches this layer is captured, whoever wanted it; which ones a record shows is its handlers' business.
impl<S> Layer<S> for HandlerLayer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_layer(&mut self, subscriber: &mut S) {
        self.marker.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.marker.register_callsite(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.marker.max_level_hint()
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(known) = Known::look_up(&self.shared, event.metadata()) else { return };
        let Some(_depth) = Depth::enter() else {
            self.shared.reentrant.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut raw = pool::take();
        capture_event(event, known, self.now(), &mut raw, |out| {
            if let Some(leaf) = context.event_span(event) {
                append_spans(self.shared.id, &context, &leaf, out);
            }
        });
        let graph = self.shared.graph.load();
        if !known.is_from_log() || wants(&graph, &raw) {
            self.shared.deliver(&graph, &raw);
        }
        pool::give(raw);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let callsite = Known::callsite(attributes.metadata());
        let mut fields = pool::take();
        // Before any lock is taken: the values' `Debug` may log.
        if let Some(_depth) = Depth::enter() {
            capture_fields(callsite, &mut fields, |visitor| attributes.record(visitor));
        }
        let parent = span.parent();
        let extensions = parent.as_ref().map(SpanRef::extensions);
        let parent = parent.as_ref().zip(extensions.as_ref()).and_then(|(span, extensions)| {
            Some((span.id().into_u64(), extensions.get::<Paths>()?.of(self.shared.id)?))
        });
        let path = Path::new(parent, callsite, id.into_u64(), &fields);
        drop(extensions);
        pool::give(fields);
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Paths>() {
            Some(paths) => paths.others.push((self.shared.id, path)),
            None => extensions.insert(Paths { layer: self.shared.id, path, others: Vec::new() }),
        }
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        let (Some(span), Some(_depth)) = (context.span(id), Depth::enter()) else { return };
        let mut fields = pool::take();
        capture_fields(Known::callsite(span.metadata()), &mut fields, |visitor| values.record(visitor));
        if let Some(path) = span.extensions_mut().get_mut::<Paths>().and_then(|paths| paths.of_mut(self.shared.id)) {
            path.record(&fields);
        }
        pool::give(fields);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(path) = span.extensions_mut().get_mut::<Paths>().and_then(|paths| paths.of_mut(self.shared.id)) {
            path.follow(follows.into_u64());
        }
    }

    /// Answers for the marker as well: the Registry finds out by this that the layer has a filter of its own.
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the same contract, for a part of self that lives as long.
        unsafe { self.marker.downcast_raw(id) }
    }
}

/// Judges a record of the `log` crate, whose callsite says nothing of its target.
#[cold]
fn wants(graph: &Graph, raw: &[u8]) -> bool {
    Record::decode(raw).is_some_and(|record| graph.enabled(&record.meta()))
}

/// Appends the spans from the root to `leaf`: one copy where the leaf's path is current.
fn append_spans<'a, S>(layer: u32, context: &Context<'a, S>, leaf: &SpanRef<'a, S>, out: &mut Vec<u8>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let extensions = leaf.extensions();
    match extensions.get::<Paths>().and_then(|paths| paths.of(layer)) {
        Some(path) if path.is_current() && path.base().is_none() => path.append_to(out),
        _ => {
            drop(extensions);
            append_spans_slowly(layer, context, leaf, out);
        }
    }
}

/// Where a path is stale, it is made anew; where it has a base, that comes first.
#[cold]
fn append_spans_slowly<'a, S>(layer: u32, context: &Context<'a, S>, leaf: &SpanRef<'a, S>, out: &mut Vec<u8>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    refresh(layer, context, leaf);
    let mut own = pool::take();
    // Both under one lock: another thread's refresh may move the border between them.
    let base = leaf.extensions().get::<Paths>().and_then(|paths| paths.of(layer)).map(|path| {
        path.append_to(&mut own);
        path.base()
    });
    let before = match base {
        // Not ours to see when it was made; its parents may be.
        None => leaf.parent().map(|parent| parent.id()),
        Some(base) => base.map(Id::from_u64),
    };
    if let Some(before) = before.and_then(|before| context.span(&before)) {
        append_spans(layer, context, &before, out);
    }
    out.extend_from_slice(&own);
    pool::give(own);
}

/// Brings a span's path up to date with its ancestors' recorded values, from the root down. Not by recursion: there may be
/// more spans than the stack has room for.
fn refresh<'a, S>(layer: u32, context: &Context<'a, S>, leaf: &SpanRef<'a, S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut stale = Vec::new();
    let mut next = context.span(&leaf.id());
    while let Some(span) = next {
        let epoch = match span.extensions().get::<Paths>().and_then(|paths| paths.of(layer)) {
            Some(path) if !path.is_current() => path.tree_epoch(),
            _ => break,
        };
        stale.push((span.id(), epoch));
        next = span.parent();
    }
    for (id, epoch) in stale.iter().rev() {
        if let Some(span) = context.span(id) {
            refresh_one(layer, &span, *epoch);
        }
    }
}

fn refresh_one<'a, S>(layer: u32, span: &SpanRef<'a, S>, epoch: u32)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    // Copied aside: to hold a parent's lock and a child's at once would invite a deadlock with whoever records.
    let mut ancestors = pool::take();
    let base = span.parent().and_then(|parent| {
        let extensions = parent.extensions();
        extensions.get::<Paths>()?.of(layer)?.copy_for_child(parent.id().into_u64(), &mut ancestors)
    });
    if let Some(path) = span.extensions_mut().get_mut::<Paths>().and_then(|paths| paths.of_mut(layer)) {
        path.refresh(epoch, &ancestors, base);
    }
    pool::give(ancestors);
}

/// A span's extension. Layers do not share paths: a filter around one may hide spans from it.
struct Paths {
    layer: u32,
    path: Path,
    /// Those of other layers of this kind in the same subscriber: usually none.
    others: Vec<(u32, Path)>,
}

impl Paths {
    #[inline]
    fn of(&self, layer: u32) -> Option<&Path> {
        if self.layer == layer {
            return Some(&self.path);
        }
        self.others.iter().find(|(id, _)| *id == layer).map(|(_, path)| path)
    }

    fn of_mut(&mut self, layer: u32) -> Option<&mut Path> {
        if self.layer == layer {
            return Some(&mut self.path);
        }
        self.others.iter_mut().find(|(id, _)| *id == layer).map(|(_, path)| path)
    }
}

/// What this thread knows of a callsite under one generation of handlers.
#[derive(Clone, Copy)]
struct Known {
    metadata: usize,
    generation: u64,
    callsite: Option<&'static Callsite>,
    wanted: bool,
}

impl Known {
    const NOTHING: Self = Self { metadata: 0, generation: 0, callsite: None, wanted: false };

    /// The callsite, if the handlers want its events. Most of what is asked is not wanted: that costs a load and a look.
    #[inline]
    fn look_up(shared: &Shared, metadata: &'static Metadata<'static>) -> Option<&'static Callsite> {
        let key = std::ptr::from_ref(metadata).addr();
        let generation = shared.generation.load(Ordering::Acquire);
        let known = KNOWN.try_with(|table| table[slot(key, generation)].get()).unwrap_or(Self::NOTHING);
        if known.metadata == key && known.generation == generation {
            return known.callsite.filter(|_| known.wanted);
        }
        Self::find_out(&shared.graph.load(), metadata)
    }

    #[cold]
    fn find_out(graph: &Graph, metadata: &'static Metadata<'static>) -> Option<&'static Callsite> {
        let callsite = Callsite::of(metadata);
        // Records of the `log` crate share callsites that say nothing of them: each is judged when its target is known.
        let wanted = callsite.is_from_log() || graph.enabled(&Meta::from(metadata));
        let key = std::ptr::from_ref(metadata).addr();
        let known = Self { metadata: key, generation: graph.generation, callsite: Some(callsite), wanted };
        let _ = KNOWN.try_with(|table| table[slot(key, graph.generation)].set(known));
        wanted.then_some(callsite)
    }

    /// The callsite of a span, wanted or not. It goes by generation 0, which no handlers have.
    #[inline]
    fn callsite(metadata: &'static Metadata<'static>) -> &'static Callsite {
        let key = std::ptr::from_ref(metadata).addr();
        let known = KNOWN.try_with(|table| table[slot(key, 0)].get()).unwrap_or(Self::NOTHING);
        if known.metadata == key
            && let Some(callsite) = known.callsite
        {
            return callsite;
        }
        let callsite = Callsite::of(metadata);
        let known = Self { metadata: key, generation: 0, callsite: Some(callsite), wanted: false };
        let _ = KNOWN.try_with(|table| table[slot(key, 0)].set(known));
        callsite
    }
}

/// Metadata are statics of some hundred bytes; the generation keeps several layers out of each other's way.
#[inline]
fn slot(metadata: usize, generation: u64) -> usize {
    ((metadata >> 4) ^ (metadata >> 11) ^ (generation as usize).wrapping_mul(37)) % TABLE
}

/// How deep this thread is in captures, and how many there were since the outermost began: a `Debug` that logs itself has
/// no end, and one that does so twice, or under two layers, has more of them than depth alone could bound.
#[derive(Clone, Copy)]
struct Nesting {
    depth: u32,
    captures: u32,
}

/// One capture on this thread.
struct Depth;

impl Depth {
    #[inline]
    fn enter() -> Option<Self> {
        let nesting = NESTING.try_with(|nesting| {
            let Nesting { depth, captures } = nesting.get();
            let now = Nesting { depth: depth + 1, captures: if depth == 0 { 0 } else { captures.saturating_add(1) } };
            nesting.set(now);
            now
        });
        let nesting_or_ending = nesting.unwrap_or(Nesting { depth: 1, captures: 0 });
        let entered = Self;
        (nesting_or_ending.depth <= MAX_DEPTH && nesting_or_ending.captures <= MAX_NESTED).then_some(entered)
    }
}

impl Drop for Depth {
    #[inline]
    fn drop(&mut self) {
        let _ = NESTING.try_with(|nesting| {
            let Nesting { depth, captures } = nesting.get();
            nesting.set(Nesting { depth: depth - 1, captures });
        });
    }
}

/// The inside of the marker: does nothing.
struct Unused;

impl<S: Subscriber> Layer<S> for Unused {}

/// Tells tracing which callsites the handlers want, and nothing else.
struct Marker(Arc<Shared>);

impl<S> Filter<S> for Marker {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.0.graph.load().enabled(&Meta::from(metadata)) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.graph.load().max_level())
    }
}

/// The `log` crate's own maximum level, which tracing-log sets once, when it is installed.
#[cfg(feature = "log")]
mod log_level {
    use tracing_subscriber::filter::LevelFilter;

    /// Whether `log` follows tracing so far: a level that somebody else has set is left alone.
    pub(super) fn in_step() -> bool {
        log::max_level() == as_log(LevelFilter::current())
    }

    pub(super) fn follow(in_step: bool) {
        if in_step {
            log::set_max_level(as_log(LevelFilter::current()));
        }
    }

    fn as_log(level: LevelFilter) -> log::LevelFilter {
        match level {
            LevelFilter::OFF => log::LevelFilter::Off,
            LevelFilter::ERROR => log::LevelFilter::Error,
            LevelFilter::WARN => log::LevelFilter::Warn,
            LevelFilter::INFO => log::LevelFilter::Info,
            LevelFilter::DEBUG => log::LevelFilter::Debug,
            LevelFilter::TRACE => log::LevelFilter::Trace,
        }
    }
}

#[cfg(not(feature = "log"))]
mod log_level {
    pub(super) fn in_step() -> bool {
        false
    }

    pub(super) fn follow(_: bool) {}
}

thread_local! {
    static KNOWN: [Cell<Known>; TABLE] = const { [const { Cell::new(Known::NOTHING) }; TABLE] };
    static NESTING: Cell<Nesting> = const { Cell::new(Nesting { depth: 0, captures: 0 }) };
    static PUT_OFF: RefCell<PutOff> = const { RefCell::new(PutOff { records: Vec::new(), closed: Vec::new() }) };
}

static NEXT_LAYER: AtomicU32 = AtomicU32::new(1);
static NEXT_GENERATION: AtomicU64 = AtomicU64::new(1);

/// Callsites that a thread remembers: 4 KiB.
const TABLE: usize = 128;
const MAX_DEPTH: u32 = 32;
/// Captures inside one capture, however deep.
const MAX_NESTED: u32 = 1_000;
/// What handlers may log while one record is handed over.
const MAX_PUT_OFF: usize = 64;
