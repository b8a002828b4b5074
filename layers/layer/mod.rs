//! The bridge from tracing's Registry to handlers: the only folder that depends on tracing-subscriber's internals.
//!
//! Stock per-layer filters keep their verdict in a thread-local bitmap which a log call inside a log call overwrites
//! (tokio-rs/tracing#2704, #3364, #2519). This layer keeps a stock filter only as a *marker*, so that a callsite that no handler
//! wants is switched off and layers beside this one are not affected. What it wants itself it decides from the callsite and the
//! generation of its handlers, per thread, which stays correct in nested log calls.

mod added;
mod current;
mod feed;
mod graph;
mod known;
mod life;
mod log_level;
mod marker;
mod nesting;
mod per_layer;
mod shared;
mod spans;

use std::any::TypeId;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::{Clock, System, Timestamp};
use crate::handler::{Handler, Report, tree};
use crate::record::{Kind, capture_event, capture_fields, pool};
use crate::sync::deadline_in;
use crate::{Error, ErrorKind};
pub use added::Added;
use known::Known;
use marker::{Marker, MarkerLayer};
use nesting::Depth;
use shared::Shared;

/// Creates a layer that captures each event once and hands it to `handler`, which may be several: a tuple, a `Vec`.
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
    let shared = Shared::new(Arc::new(handler));
    HandlerLayer { marker: Marker::layer(shared.clone()), shared, clock: None }
}

/// Installs a [`layer`] with `handler` as the process's subscriber, and returns its handle: the shortest way to set up logging.
///
/// The same as `tracing_subscriber::registry().with(tracing_handlers::layer(handler)).try_init()`, which also allows other layers
/// beside it.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) if the process already has a subscriber.
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
/// It can be used beside any other layer, but not inside a `reload::Layer`, which hides its marker: use [`Handle::swap`] instead. A
/// stock `.with_filter(…)` around it works, with the faults that stock filters have when a log call happens inside a log call;
/// [`Output::filter`](crate::Output::filter) does not have them. A span that such a filter hides does not exist for this layer: an
/// event in it belongs to the innermost other span that its thread is in.
pub struct HandlerLayer<S> {
    marker: MarkerLayer<S>,
    shared: Arc<Shared>,
    clock: Option<Box<dyn Clock>>,
}

impl<S> HandlerLayer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    /// The clock that the time of records is read from: by default the system's wall clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    #[inline]
    fn now(&self) -> Timestamp {
        self.clock.as_ref().map_or_else(|| System.now(), |clock| clock.now())
    }

    #[inline]
    fn monotonic(&self) -> Duration {
        self.clock.as_ref().map_or_else(|| System.monotonic(), |clock| clock.monotonic())
    }

    /// Returns a handle that flushes, counts and replaces the handlers once the layer is installed.
    pub fn handle(&self) -> Handle {
        Handle { shared: self.shared.clone() }
    }
}

/// Captures every span that reaches this layer; which ones a record shows is up to the handlers.
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
            if event.is_contextual() {
                return current::append(self.shared.id, &context, out);
            }
            context.event_span(event).map_or(0, |leaf| spans::append(self.shared.id, &context, &leaf, out, |_| ()))
        });
        let graph = self.shared.graph.load();
        if !known.is_judged_late() || graph.wants_record(&raw) {
            self.shared.deliver(&graph, &raw);
        }
        pool::give(raw);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let callsite = Known::callsite(attributes.metadata());
        let mut fields = pool::take();
        // Before any lock is acquired: the values' `Debug` may log.
        if let Some(_depth) = Depth::enter() {
            capture_fields(callsite, &mut fields, |visitor| attributes.record(visitor));
        }
        spans::remember(self.shared.id, &span, callsite, &fields);
        pool::give(fields);
        if self.shared.tells_of_spans() {
            self.tell_of_span(Kind::SpanNew, &span, &context);
        }
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        let (Some(span), Some(_depth)) = (context.span(id), Depth::enter()) else { return };
        let mut fields = pool::take();
        capture_fields(Known::callsite(span.metadata()), &mut fields, |visitor| values.record(visitor));
        spans::change(self.shared.id, &span, |path| path.record(&fields));
        pool::give(fields);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        spans::change(self.shared.id, &span, |path| path.follow(follows.into_u64()));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        current::enter(self.shared.id, id);
        if self.shared.tells_of_spans() {
            self.tell_of(Kind::SpanEnter, id, &context);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        current::exit(self.shared.id, id);
        if self.shared.tells_of_spans() {
            self.tell_of(Kind::SpanExit, id, &context);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        current::closed(self.shared.id, &id);
        if self.shared.tells_of_spans() {
            self.tell_of(Kind::SpanClose, &id, &context);
        }
    }

    /// Also finds the marker: this is how the Registry detects that the layer has a filter.
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the same contract, for a part of `self` that lives as long.
        unsafe { self.marker.downcast_raw(id) }
    }
}

/// A handle to the handlers of an installed [`HandlerLayer`].
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
    /// Delivers what the handlers hold, and returns within `timeout`.
    ///
    /// # Errors
    ///
    /// The last handler's error; [`Timeout`](ErrorKind::Timeout) if the time was too short.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        self.shared.graph.load().handler.flush(deadline_in(timeout))
    }

    /// Returns the counts of records for each handler, outermost first.
    ///
    /// Each handler counts separately: a record that a sink could not write is `failed` there, and `failed` for the queue in front
    /// of it as well.
    pub fn stats(&self) -> Vec<Report> {
        Handler::stats(self)
    }

    /// Draws the handlers and the handlers behind them, a line each: the name, the level in brackets if the handler has one of its
    /// own, and the counts. Python's `logging_tree`.
    ///
    /// A handler that has no [report of its own](crate::Handler::own_report), such as a tuple, is not shown; those behind it are.
    ///
    /// ```
    /// use tracing::Level;
    /// use tracing_handlers::{Output, Queue, format::{Json, Text}, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = tracing_handlers::layer((
    ///     Output::new(Text::new(), Memory::new()).name("terminal").level(Level::WARN),
    ///     Queue::new(Output::new(Json::new(), Memory::new()).name("app.jsonl")),
    /// ));
    /// let handle = layer.handle();
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || tracing::info!("sold"));
    /// handle.flush(std::time::Duration::from_secs(5))?;
    /// let expected = "\
    /// handlers, up to TRACE
    /// ├─ terminal [WARN]: accepted 0, delivered 0, dropped 0, failed 0, pending 0
    /// └─ queue: accepted 1, delivered 1, dropped 0, failed 0, pending 0
    ///    └─ app.jsonl [TRACE]: accepted 1, delivered 1, dropped 0, failed 0, pending 0
    /// ";
    /// assert_eq!(handle.tree(), expected);
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn tree(&self) -> String {
        let graph = self.shared.graph.load();
        let level = graph.max_level().to_string().to_uppercase();
        let mut root = format!("handlers, up to {level}");
        if let Some(report) = self.shared.own_report() {
            root = format!("{root}; {report}");
        }
        tree(&root, &graph.handler)
    }

    /// Replaces the handlers with `handler`. The previous ones are dropped, and so flushed, when the last record on its way through
    /// them is done.
    ///
    /// Spans that no handler wanted when they were created remain unknown.
    pub fn swap(&self, handler: impl Handler) {
        let handler: Arc<dyn Handler> = Arc::new(handler);
        drop(self.shared.change(|parts| std::mem::replace(&mut parts.handler, handler)));
    }

    /// Adds `handler` until the returned guard is dropped; then it is flushed and dropped too. Python's cookbook has a context
    /// manager for this.
    ///
    /// ```
    /// use tracing_handlers::{Output, format::Json, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let (always, meanwhile) = (Memory::new(), Memory::new());
    /// let layer = tracing_handlers::layer(Output::new(Json::new(), always.clone()).level(tracing::Level::INFO));
    /// let handle = layer.handle();
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
    ///     tracing::debug!("before");
    ///     let added = handle.add(Output::new(Json::new(), meanwhile.clone()));
    ///     tracing::debug!("meanwhile");
    ///     drop(added);
    ///     tracing::debug!("after");
    /// });
    /// assert_eq!((always.lines().len(), meanwhile.lines().len()), (0, 1));
    /// ```
    pub fn add(&self, handler: impl Handler) -> Added {
        Added::new(&self.shared, Arc::new(handler))
    }

    /// Like [`add`](Self::add), but `handler` receives only what the current thread logs.
    pub fn add_here(&self, handler: impl Handler) -> Added {
        self.add(added::OfThread::this(handler))
    }

    /// Runs `f` with `handler` [added](Self::add_here) for what the current thread logs meanwhile.
    pub fn with<T>(&self, handler: impl Handler, f: impl FnOnce() -> T) -> T {
        let _added = self.add_here(handler);
        f()
    }
}
