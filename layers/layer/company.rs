//! Whether a layer is the only one with a filter in its subscriber.

use std::any::TypeId;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing_subscriber::registry::Registry;

/// Knows of other layers around this one and inside it.
///
/// tracing-subscriber tells no layer what is around it. But it asks each layer once whether it has a filter when the layer is added
/// to a subscriber, and once more when another layer is added around it. If it asks more often, as for a `Vec` of layers, this one
/// is taken not to be alone. Being wrong about it costs speed, and nothing else.
#[derive(Debug, Default)]
pub(super) struct Company(AtomicUsize);

impl Company {
    /// Called when tracing-subscriber asks whether the layer has a filter.
    pub(super) fn asked(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether no other layer can have a filter. `S` is the subscriber inside the layer.
    pub(super) fn is_alone<S: 'static>(&self) -> bool {
        TypeId::of::<S>() == TypeId::of::<Registry>() && self.0.load(Ordering::Relaxed) <= 1
    }
}
