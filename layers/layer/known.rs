//! A cache of callsites for each thread, so that it need not ask the handlers again.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use tracing::Metadata;

use super::graph::Graph;
use super::layer_core::LayerCore;
use crate::record::Callsite;

/// What this thread knows about a callsite under one generation of handlers.
#[derive(Clone, Copy)]
pub(super) struct Known {
    metadata: usize,
    generation: u64,
    callsite: Option<&'static Callsite>,
    wanted: bool,
}

impl Known {
    const NOTHING: Self = Self { metadata: 0, generation: 0, callsite: None, wanted: false };

    /// Returns the callsite if the handlers want its events. The usual case, an unwanted event, costs a load and a lookup.
    #[inline]
    pub(super) fn look_up(core: &LayerCore, metadata: &'static Metadata<'static>) -> Option<&'static Callsite> {
        let key = std::ptr::from_ref(metadata).addr();
        let generation = core.generation.load(Ordering::Acquire);
        let known = KNOWN.try_with(|table| table[slot(key, generation)].get()).unwrap_or(Self::NOTHING);
        if known.metadata == key && known.generation == generation {
            return known.callsite.filter(|_| known.wanted);
        }
        Self::find_out(&core.graph.load(), metadata)
    }

    #[cold]
    fn find_out(graph: &Graph, metadata: &'static Metadata<'static>) -> Option<&'static Callsite> {
        let callsite = Callsite::of(metadata);
        // Records of the `log` crate share callsites that do not describe them: each is judged when its target is known.
        let wanted = callsite.is_from_log() || graph.may_want(metadata);
        let key = std::ptr::from_ref(metadata).addr();
        let known = Self { metadata: key, generation: graph.generation, callsite: Some(callsite), wanted };
        let _ = KNOWN.try_with(|table| table[slot(key, graph.generation)].set(known));
        wanted.then_some(callsite)
    }

    /// Returns the callsite of a span, wanted or not. It is cached under generation 0, which no handlers have.
    #[inline]
    pub(super) fn callsite(metadata: &'static Metadata<'static>) -> &'static Callsite {
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

/// Hashes the address of a static of some hundred bytes; the generation keeps several layers from sharing slots.
#[inline]
fn slot(metadata: usize, generation: u64) -> usize {
    ((metadata >> 4) ^ (metadata >> 11) ^ (generation as usize).wrapping_mul(37)) % TABLE
}

thread_local! {
    static KNOWN: [Cell<Known>; TABLE] = const { [const { Cell::new(Known::NOTHING) }; TABLE] };
}

/// Callsites that a thread remembers: 4 KiB.
const TABLE: usize = 128;
