//! The spans that each thread is in, per layer, with the paths of those that were created or logged in last.
//!
//! A path is identified not by its span's id, which is reused, but by that of its [node](super::nodes), so it cannot be mistaken for
//! another span's. Layers that share a node also share the path.

use std::cell::RefCell;

use tracing::span::Id;

use super::nodes::{Layers, MAX_SHARERS, Node, UNKNOWN, splits};
use super::whole::Whole;
use crate::record::Marks;
use crate::record::pool::KEEP_BYTES;

pub(super) fn enter(layer: u32, id: &Id) {
    with_stack(|stack| stack.enter(layer, id.into_u64()));
}

/// Called when a layer has created this node of a span, which is probably entered next.
#[inline]
pub(super) fn made(layer: u32, id: u64, node: &Node) {
    with_stack(|stack| {
        stack.made = Made::by(layer, id, node);
        let path = node.path();
        // A path with a base is not the whole path, which is put together when there is an event. A very long one is not kept.
        match path.marks().filter(|_| path.base().is_none() && path.whole().len() <= KEEP_BYTES) {
            Some(marks) => {
                stack.newest.set(node.id(), path.version(), marks, |out| out.extend_from_slice(path.whole()))
            }
            None => stack.newest.marks = None,
        }
    });
}

/// Called when another layer shares this node of a new span.
pub(super) fn shared(layer: u32, id: u64, node: u64) {
    with_stack(|stack| stack.made.share(layer, id, node));
}

pub(super) fn exit(layer: u32, id: &Id) {
    with_stack(|stack| stack.exit(layer, id.into_u64()));
}

/// Called when the span is closed: there may be no exit.
pub(super) fn closed(layer: u32, id: &Id) {
    with_stack(|stack| stack.forget(layer, id.into_u64()));
}

/// Returns which span this thread is in. Returns `None` on a thread that is ending.
#[inline]
pub(super) fn innermost(layer: u32) -> Option<Innermost> {
    with_stack(|stack| match stack.innermost(layer) {
        None => Innermost::Outside,
        Some(entered) => match entered.node() {
            UNKNOWN => Innermost::Span { id: entered.id },
            node => Innermost::Node(node),
        },
    })
}

/// Appends the spans that this thread is in, if their path is cached. Returns `None` on a thread that is ending.
#[inline]
pub(super) fn put(layer: u32, out: &mut Vec<u8>) -> Option<Put> {
    with_stack(|stack| stack.put(layer, out))
}

/// Calls `take` with the version and the path of the spans that this thread is in, if the path is cached. Outside of all spans, the
/// version is 0.
#[inline]
pub(super) fn with_kept<T>(layer: u32, take: impl FnOnce(u64, &[u8]) -> T) -> Option<T> {
    with_stack(|stack| match stack.innermost(layer) {
        None => Some(take(0, &[])),
        Some(innermost) => stack.kept(innermost.node()).map(|leaf| take(leaf.version, &leaf.path)),
    })
    .flatten()
}

/// Called when the node of the innermost span, which has this id, is found out. `splits` was their number before that.
pub(super) fn found(layer: u32, id: u64, node: u64, splits: u32) {
    with_stack(|stack| stack.found(layer, id, node, splits));
}

/// Caches the path of the innermost span, which has this id. `splits` was their number before its node was found out.
pub(super) fn keep(layer: u32, id: u64, splits: u32, whole: &Whole<'_>) {
    with_stack(|stack| {
        stack.found(layer, id, whole.node, splits);
        stack.leaf.keep(whole);
    });
}

/// Runs `run` with this thread's stack. Returns `None` on a thread that is ending.
#[inline]
fn with_stack<T>(run: impl FnOnce(&mut Stack) -> T) -> Option<T> {
    STACK.try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| run(&mut stack))).ok().flatten()
}

struct Stack {
    entered: Vec<Entered>,
    leaf: Leaf,
    made: Made,
    /// The path of the node in `made`.
    newest: Leaf,
}

#[derive(Clone, Copy)]
struct Entered {
    layer: u32,
    /// The span was entered before, further out; the outer entry counts.
    again: bool,
    id: u64,
    /// [`UNKNOWN`]: not found out yet.
    node: u64,
    /// The number of [splits] at which it was found out.
    splits: u32,
}

impl Entered {
    #[inline]
    fn node(&self) -> u64 {
        if self.splits == splits() { self.node } else { UNKNOWN }
    }
}

/// The span that a layer created last, and the layers that share its node.
struct Made {
    id: u64,
    node: u64,
    layers: Layers,
    count: usize,
    splits: u32,
}

impl Made {
    const NOTHING: Self = Self { id: 0, node: UNKNOWN, layers: [0; MAX_SHARERS], count: 0, splits: 0 };

    #[inline]
    fn by(layer: u32, id: u64, node: &Node) -> Self {
        Self { id, node: node.id(), layers: [layer, 0, 0, 0], count: 1, splits: node.settled() }
    }

    fn share(&mut self, layer: u32, id: u64, node: u64) {
        if (self.id, self.node) == (id, node)
            && let Some(place) = self.layers.get_mut(self.count)
        {
            *place = layer;
            self.count += 1;
        }
    }

    /// Returns the node of the span with this id as `layer` sees it.
    #[inline]
    fn node(&self, layer: u32, id: u64) -> u64 {
        match self.id == id && self.layers.contains(&layer) {
            true => self.node,
            false => UNKNOWN,
        }
    }
}

/// Which span a thread is in.
pub(super) enum Innermost {
    Node(u64),
    /// The node of the span with this id is not known.
    Span {
        id: u64,
    },
    /// None.
    Outside,
}

/// What [`put`] has done.
pub(super) enum Put {
    /// All spans are appended.
    Whole { version: u64, node: u64 },
    /// The path of the innermost span, which has this id, is not cached.
    Inside { id: u64 },
    /// The thread is in no span.
    Outside,
}

impl Stack {
    fn enter(&mut self, layer: u32, id: u64) {
        let again = self.entered.iter().any(|entered| entered.id == id && entered.layer == layer);
        // No other span can have that id meanwhile: the Registry reuses ids on the thread that released them.
        let node = self.made.node(layer, id);
        self.entered.push(Entered { layer, again, id, node, splits: self.made.splits });
    }

    fn exit(&mut self, layer: u32, id: u64) {
        let innermost = self.entered.iter().rposition(|entered| entered.id == id && entered.layer == layer);
        if let Some(innermost) = innermost {
            self.entered.remove(innermost);
        }
    }

    #[inline]
    fn forget(&mut self, layer: u32, id: u64) {
        if self.made.id == id {
            self.made.id = 0;
        }
        if self.entered.iter().any(|entered| entered.id == id && entered.layer == layer) {
            self.entered.retain(|entered| entered.id != id || entered.layer != layer);
        }
    }

    #[inline]
    fn put(&mut self, layer: u32, out: &mut Vec<u8>) -> Put {
        let Some(innermost) = self.innermost(layer) else { return Put::Outside };
        let (id, node) = (innermost.id, innermost.node());
        let Some(leaf) = self.kept(node) else { return Put::Inside { id } };
        out.extend_from_slice(&leaf.path);
        Put::Whole { version: leaf.version, node }
    }

    #[inline]
    fn innermost(&self, layer: u32) -> Option<&Entered> {
        self.entered.iter().rev().find(|entered| entered.layer == layer && !entered.again)
    }

    fn found(&mut self, layer: u32, id: u64, node: u64, splits: u32) {
        let innermost = self.entered.iter_mut().rev().find(|entered| entered.layer == layer && !entered.again);
        if let Some(innermost) = innermost.filter(|innermost| innermost.id == id) {
            (innermost.node, innermost.splits) = (node, splits);
        }
    }

    /// Returns the cached path of a node.
    #[inline]
    fn kept(&self, node: u64) -> Option<&Leaf> {
        [&self.newest, &self.leaf].into_iter().find(|leaf| leaf.is(node))
    }
}

/// The cached path of a span that had an event.
struct Leaf {
    /// [`UNKNOWN`]: none yet.
    node: u64,
    /// `None`: the path is not cached.
    marks: Option<Marks>,
    version: u64,
    path: Vec<u8>,
}

impl Leaf {
    const NOTHING: Self = Self { node: UNKNOWN, marks: None, version: 0, path: Vec::new() };

    #[inline]
    fn is(&self, node: u64) -> bool {
        self.node == node && self.marks.is_some_and(Marks::hold)
    }

    /// Caches the path from the span's second event on, since many spans have only one.
    fn keep(&mut self, whole: &Whole<'_>) {
        if self.is(whole.node) {
            return;
        }
        match whole.marks.filter(|_| self.node == whole.node && whole.path.len() <= KEEP_BYTES) {
            Some(marks) => self.set(whole.node, whole.version, marks, |out| out.extend_from_slice(whole.path)),
            None => (self.node, self.marks) = (whole.node, None),
        }
    }

    /// Caches the path that `write` appends, as long as the `marks` hold.
    #[inline]
    fn set(&mut self, node: u64, version: u64, marks: Marks, write: impl FnOnce(&mut Vec<u8>)) {
        (self.node, self.marks, self.version) = (node, Some(marks), version);
        self.path.clear();
        write(&mut self.path);
    }
}

thread_local! {
    static STACK: RefCell<Stack> = const {
        RefCell::new(Stack { entered: Vec::new(), leaf: Leaf::NOTHING, made: Made::NOTHING, newest: Leaf::NOTHING })
    };
}
