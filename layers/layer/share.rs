//! One capture of an event for all layers of this crate in a subscriber.
//!
//! tracing passes an event to one layer after the other, and does not say that it is the same event. An address alone does not
//! identify it either: the next event of a loop has the same one. But before tracing passes an event to the first layer, it asks
//! every layer whether it wants that event. A layer's question that comes after any layer has received an event therefore starts a new
//! *round*, and within a round one address is one event.
//!
//! A layer takes part in a round only if it was asked about this event in it. A layer inside another crate's layer that does not
//! forward the question captures events by itself. So does a layer that continues after an event was logged in the middle of the
//! round, by a `Debug` or a handler: that event has started a round of its own.
//!
//! What was captured contains the spans. Another layer uses it only if it sees the same spans, which a stock filter may hide from it.

use std::cell::Cell;

use tracing::Event;

use super::nodes;
use crate::record::Callsite;
use crate::record::pool::{self, KEEP_BYTES};

/// Called when tracing asks whether `layer` wants an event.
#[inline]
pub(super) fn asked(layer: u32, event: &Event<'_>) {
    let _ = ROUND.try_with(|round| round.ask(layer, address(event)));
}

/// Called when `layer` receives an event. Returns the number of the round; `None` if the layer does not take part in it.
#[inline]
pub(super) fn begin(layer: u32, event: &Event<'_>) -> Option<u64> {
    ROUND.try_with(|round| round.begin(layer, address(event))).ok().flatten()
}

/// What identifies a captured event.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// [`NO_ROUND`]: the event is not shared.
    pub(super) round: u64,
    pub(super) callsite: &'static Callsite,
}

/// Returns the event that another layer has captured, if the receiving layer's innermost span has the same `node` as that layer's.
/// It must be [returned](give_back) for the next layer.
#[inline]
pub(super) fn take(key: Key, node: impl FnOnce() -> u64) -> Option<Taken> {
    let take = |[one, two]: &[Captured; 2]| {
        if !one.is(key) {
            return None;
        }
        let node = node();
        let place = usize::from(one.node.get() != node);
        let captured = [one, two][place];
        if captured.is(key) && captured.node.get() == node {
            captured.raw.take().map(|raw| Taken { place, raw })
        } else {
            None
        }
    };
    CAPTURED.try_with(take).ok().flatten()
}

/// A captured event, and which of the two it is.
pub(super) struct Taken {
    place: usize,
    pub(super) raw: pool::Buffer,
}

/// Returns an event that was taken. While it was handled, another one may have been captured.
#[inline]
pub(super) fn give_back(key: Key, taken: Taken) {
    let mut raw = Some(taken.raw);
    let _ = CAPTURED.try_with(|all| {
        if all[taken.place].is(key) {
            raw = all[taken.place].raw.replace(raw.take());
        }
    });
    if let Some(raw) = raw {
        pool::give(raw);
    }
}

/// Returns an empty buffer to capture an event into.
#[inline]
pub(super) fn buffer(key: Key) -> pool::Buffer {
    match CAPTURED.try_with(|[one, _]| if one.is(key) { None } else { one.raw.take() }) {
        Ok(Some(mut raw)) => {
            raw.clear();
            raw
        }
        _ => pool::take(),
    }
}

/// Keeps an event for other layers until another one is captured. A large one is not kept, so that a thread does not keep much memory.
#[inline]
pub(super) fn keep(key: Key, node: u64, raw: pool::Buffer) {
    let mut raw = Some(raw);
    if key.round != NO_ROUND && node != nodes::UNKNOWN && raw.as_ref().is_some_and(|raw| raw.capacity() <= KEEP_BYTES) {
        let _ = CAPTURED.try_with(|[one, two]| {
            // A second one, if a layer in between does not see the same spans.
            let captured = if one.is(key) { two } else { one };
            captured.round.set(key.round);
            captured.callsite.set(std::ptr::from_ref(key.callsite).addr());
            captured.node.set(node);
            raw = captured.raw.replace(raw.take());
        });
    }
    if let Some(raw) = raw {
        pool::give(raw);
    }
}

#[inline]
fn address(event: &Event<'_>) -> usize {
    std::ptr::from_ref(event).addr()
}

/// The questions about one event.
struct Round {
    /// From 1.
    number: Cell<u64>,
    event: Cell<usize>,
    /// Whether any layer has received the event: questions come before that.
    has_begun: Cell<bool>,
    /// The layers that were asked: the first `count` of these.
    layers: [Cell<u32>; MAX_LAYERS],
    count: Cell<usize>,
}

impl Round {
    #[inline]
    fn ask(&self, layer: u32, event: usize) {
        if self.has_begun.get() || self.event.get() != event {
            self.number.set(self.number.get() + 1);
            self.event.set(event);
            self.has_begun.set(false);
            self.count.set(0);
        }
        // An event that no layer of this crate received leaves its round to the next one.
        if let Some(place) = self.layers.get(self.count.get())
            && self.of(layer).is_none()
        {
            place.set(layer);
            self.count.set(self.count.get() + 1);
        }
    }

    #[inline]
    fn begin(&self, layer: u32, event: usize) -> Option<u64> {
        self.has_begun.set(true);
        let asked = self.of(layer).filter(|_| self.event.get() == event)?;
        // A layer receives an event once. Another one would be an event that it was not asked about.
        asked.set(0);
        Some(self.number.get())
    }

    #[inline]
    fn of(&self, layer: u32) -> Option<&Cell<u32>> {
        self.layers.iter().take(self.count.get()).find(|asked| asked.get() == layer)
    }
}

/// An event that was captured.
struct Captured {
    round: Cell<u64>,
    callsite: Cell<usize>,
    /// The [node](super::nodes) of its innermost span.
    node: Cell<u64>,
    /// `None`: it is being handled.
    raw: Cell<Option<pool::Buffer>>,
}

impl Captured {
    const fn nothing() -> Self {
        Self {
            round: Cell::new(NO_ROUND),
            callsite: Cell::new(0),
            node: Cell::new(nodes::UNKNOWN),
            raw: Cell::new(None),
        }
    }

    #[inline]
    fn is(&self, key: Key) -> bool {
        self.round.get() == key.round && self.callsite.get() == std::ptr::from_ref(key.callsite).addr()
    }
}

thread_local! {
    static ROUND: Round = const {
        Round {
            number: Cell::new(0),
            event: Cell::new(0),
            has_begun: Cell::new(false),
            layers: [const { Cell::new(0) }; MAX_LAYERS],
            count: Cell::new(0),
        }
    };
    /// The event that was captured last, as the first layer and as another one sees it.
    static CAPTURED: [Captured; 2] = const { [Captured::nothing(), Captured::nothing()] };
}

/// In place of the number of a round.
pub(super) const NO_ROUND: u64 = 0;

/// Layers beyond this number in one subscriber capture events by themselves.
const MAX_LAYERS: usize = 8;
