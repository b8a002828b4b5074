//! The stock filter by which tracing knows which callsites are wanted.

use std::any::TypeId;
use std::sync::Arc;

use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{Filtered, LevelFilter};
use tracing_subscriber::layer::{Context, Filter, Layer};

use super::layer_core::LayerCore;

/// The marker as tracing sees it: a filter around nothing.
pub(super) type MarkerLayer<S> = Filtered<Unused, Marker, S>;

/// Reports to tracing which callsites the handlers want, and nothing else.
pub(super) struct Marker(Arc<LayerCore>);

impl Marker {
    pub(super) fn layer<S: Subscriber>(core: Arc<LayerCore>) -> MarkerLayer<S> {
        Filtered::new(Unused, Self(core))
    }
}

impl<S> Filter<S> for Marker {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.0.graph.load().may_want(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.graph.load().max_level())
    }
}

/// Whether this is the type of a part of the marker. It answers to these, and to the question whether it has a filter.
pub(super) fn is_part<S: Subscriber>(id: TypeId) -> bool {
    [TypeId::of::<MarkerLayer<S>>(), TypeId::of::<Unused>(), TypeId::of::<Marker>()].contains(&id)
}

/// The layer inside the marker, which does nothing.
pub(super) struct Unused;

impl<S: Subscriber> Layer<S> for Unused {}
