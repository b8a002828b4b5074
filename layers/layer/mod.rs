//! The bridge from tracing's Registry to handlers: the only folder that depends on tracing-subscriber's internals.
//!
//! Stock per-layer filters keep their verdict in a thread-local bitmap which a log call inside a log call overwrites
//! (tokio-rs/tracing#2704, #3364, #2519). This layer keeps a stock filter only as a *marker*, so that a callsite that no handler
//! wants is switched off and layers beside this one are not affected. What it wants itself it decides from the callsite and the
//! generation of its handlers, per thread, which stays correct in nested log calls.

mod added;
mod capturing;
mod company;
mod current;
mod early;
mod feed;
mod flushing;
mod graph;
mod handle;
mod known;
mod layer_core;
mod life;
#[cfg(feature = "log")]
mod log_bridge;
mod log_level;
mod marker;
mod nesting;
mod nodes;
mod per_layer;
mod several;
mod share;
mod spans;
mod stack;
mod whole;

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::{Clock, System, Timestamp};
use crate::handler::Handler;
use crate::record::{Kind, capture_fields, pool};
use crate::{Error, ErrorKind};
pub use added::Added;
use company::Company;
pub use flushing::Flushing;
pub use handle::Handle;
use known::Known;
use layer_core::LayerCore;
#[cfg(feature = "log")]
pub use log_bridge::bridge_log;
#[cfg(feature = "log")]
pub(crate) use log_bridge::bridge_log_if_free;
use marker::{Marker, MarkerLayer};
use nesting::Depth;
use nodes::Change;
use several::Present;

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
    let core = LayerCore::new(Arc::new(handler));
    HandlerLayer {
        marker: Marker::layer(core.clone()),
        core,
        clock: None,
        company: Company::default(),
        _present: Present::new(),
    }
}

/// Installs a [`layer`] with `handler` as the process's subscriber, and returns its handle: the shortest way to set up logging.
///
/// The same as passing `tracing_subscriber::registry().with(tracing_handlers::layer(handler))`, to which other layers can be added,
/// to `tracing::subscriber::set_global_default`.
///
/// It reads no environment variable; [`init_default`](crate::init_default) does, and needs no handler.
///
/// With the feature `log`, which is on by default, records of the `log` crate arrive too, with their key-values, as
/// `tracing_handlers::bridge_log` describes. If the program has installed a logger, such as `tracing_log::LogTracer`, that one stays:
/// its records go where it sends them, each once. Without the feature, the `log` crate is left alone.
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
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
        .map_err(|error| Error::new(ErrorKind::Config, "cannot install the subscriber").with_source(error))?;
    #[cfg(feature = "log")]
    bridge_log_if_free();
    Ok(handle)
}

/// See [`layer`].
///
/// It can be used beside any other layer. Several of this kind in one subscriber [share](crate::guide::layers) what they capture. It
/// cannot be used inside a `reload::Layer`, which hides its marker: use [`Handle::swap`] instead. A stock `.with_filter(…)` around it
/// works, with the faults that stock filters have when a log call happens inside a log call;
/// [`Output::filter`](crate::Output::filter) does not have them. A span that such a filter hides does not exist for this layer: an
/// event in it belongs to the innermost other span that its thread is in.
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub struct HandlerLayer<S> {
    marker: MarkerLayer<S>,
    core: Arc<LayerCore>,
    clock: Option<Box<dyn Clock>>,
    company: Company,
    _present: Present,
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
        Handle { core: self.core.clone() }
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

    /// Refuses a callsite only where a refusal can switch it off. A refusal that other layers do not share makes tracing ask the
    /// filters of all layers again for each event, instead of once per callsite.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let graph = self.core.graph.load();
        // The maximum level switches off the callsites beyond it.
        let is_left_to_others = !self.company.is_alone::<S>() || *metadata.level() > graph.max_level();
        match is_left_to_others && !graph.may_want(metadata) {
            true => Interest::always(),
            false => self.marker.register_callsite(metadata),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.marker.max_level_hint()
    }

    /// Every event is wanted. A layer with a clock of its own does not share events.
    #[inline]
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if several::are_there() && self.clock.is_none() {
            share::asked(self.core.id, event);
        }
        true
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(known) = Known::look_up(&self.core, event.metadata()) else { return };
        if self.core.looks_at_spans()
            && event.is_contextual()
            && !known.is_judged_late()
            && early::is_refused(&self.core, known)
        {
            return;
        }
        let Some(_depth) = Depth::enter() else {
            self.core.reentrant.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if several::are_there() {
            return self.handle_shared(event, known, &context);
        }
        let mut raw = pool::take();
        self.capture(event, known, &context, &mut raw);
        self.deliver(known, &raw);
        pool::give(raw);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if !several::are_there() || !spans::share(self.core.id, &span, attributes) {
            self.remember(&span, attributes);
        }
        if self.core.tells_of_spans() {
            self.tell_of_span(Kind::SpanNew, &span, &context);
        }
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        let (Some(span), Some(_depth)) = (context.span(id), Depth::enter()) else { return };
        if several::are_there() && spans::has_changed(self.core.id, Change::Values, &span) {
            return;
        }
        let mut fields = pool::take();
        capture_fields(Known::callsite(span.metadata()), &mut fields, |visitor| values.record(visitor));
        spans::change(self.core.id, Change::Values, &span, |path| path.record(&fields));
        pool::give(fields);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        spans::follow(self.core.id, &span, follows, &context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        stack::enter(self.core.id, id);
        if self.core.tells_of_spans() {
            self.tell_of(Kind::SpanEnter, id, &context);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        stack::exit(self.core.id, id);
        if self.core.tells_of_spans() {
            self.tell_of(Kind::SpanExit, id, &context);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        stack::closed(self.core.id, &id);
        if self.core.tells_of_spans() {
            self.tell_of(Kind::SpanClose, &id, &context);
        }
    }

    /// Also finds the marker: this is how the Registry detects that the layer has a filter.
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the same contract, for a part of `self` that lives as long.
        let found = unsafe { self.marker.downcast_raw(id) };
        if found.is_some() && !marker::is_part::<S>(id) {
            self.company.asked();
        }
        found
    }
}

impl<S> fmt::Debug for HandlerLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.describe(&mut f.debug_struct("HandlerLayer"))
    }
}
