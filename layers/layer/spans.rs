//! The paths of spans, in the spans' extensions: created and changed with the span, copied into events.

use tracing::Subscriber;
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::nodes::{self, Change, Node, Nodes, UNKNOWN};
use super::stack;
use super::whole::Whole;
use crate::record::{Callsite, Path, pool};

/// Makes a layer share what another layer of this crate has stored for a new span. Returns `false` if there is none that sees the
/// same spans.
pub(super) fn share<'a, S>(layer: u32, span: &SpanRef<'a, S>, attributes: &Attributes<'_>) -> bool
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    if span.extensions().get::<Nodes>().is_none() {
        return false;
    }
    let parent = span.parent().map_or(UNKNOWN, |parent| node(layer, &parent));
    let mut extensions = span.extensions_mut();
    let shared = extensions.get_mut::<Nodes>().and_then(|nodes| nodes.share(layer, parent, address(attributes)));
    if let Some(node) = shared {
        stack::shared(layer, span.id().into_u64(), node);
    }
    shared.is_some()
}

/// Stores the path of a new span, which ends with its `fields`.
pub(super) fn remember<'a, S>(
    layer: u32,
    span: &SpanRef<'a, S>,
    attributes: &Attributes<'_>,
    callsite: &'static Callsite,
    fields: &[u8],
) where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let id = span.id().into_u64();
    // Before the parent is looked at: its node may be split meanwhile.
    let splits = nodes::splits();
    let parent = span.parent().inspect(|parent| settle(layer, parent));
    let extensions = parent.as_ref().map(SpanRef::extensions);
    let parent = parent
        .as_ref()
        .zip(extensions.as_ref())
        .and_then(|(span, extensions)| Some((span.id().into_u64(), extensions.get::<Nodes>()?.of(layer)?)));
    let path = Path::new(parent.map(|(id, node)| (id, node.path())), callsite, id, fields);
    let parent = parent.map_or(UNKNOWN, |(_, node)| node.id());
    drop(extensions);
    let nodes = Nodes::new(Node::new(layer, parent, address(attributes), splits, path));
    stack::made(layer, id, nodes.first());
    let mut extensions = span.extensions_mut();
    if let Some(before) = extensions.replace(nodes)
        && let Some(nodes) = extensions.get_mut::<Nodes>()
    {
        nodes.join(before);
    }
}

/// Of all layers that are told of a new span, each is passed the same attributes.
fn address(attributes: &Attributes<'_>) -> usize {
    std::ptr::from_ref(attributes).addr()
}

/// Returns the node of a span as a layer sees it; [`UNKNOWN`] if it does not know the span.
pub(super) fn node<'a, S>(layer: u32, span: &SpanRef<'a, S>) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    settle(layer, span);
    span.extensions().get::<Nodes>().and_then(|nodes| nodes.of(layer)).map_or(UNKNOWN, Node::id)
}

/// Before a span's node is used: separates the layers that do not share the nodes of all its ancestors any more.
#[inline]
fn settle<'a, S>(layer: u32, span: &SpanRef<'a, S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    if nodes::splits() == 0 {
        return;
    }
    if span.extensions().get::<Nodes>().is_some_and(|nodes| nodes.are_unsettled(&[layer])) {
        settle_all(layer, span);
    }
}

/// Settles the ancestors first, for all layers that share a node with `layer` or share one further out. Without recursion, since spans
/// may be nested more deeply than a stack allows.
#[cold]
fn settle_all<'a, S>(layer: u32, span: &SpanRef<'a, S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let splits = nodes::splits();
    let (mut layers, mut above) = (vec![layer], Vec::new());
    let join = |span: &SpanRef<'a, S>, layers: &mut Vec<u32>| {
        let extensions = span.extensions();
        let nodes = extensions.get::<Nodes>().filter(|nodes| nodes.are_unsettled(layers));
        nodes.inspect(|nodes| nodes.add_sharers(layers)).is_some()
    };
    join(span, &mut layers);
    // The layers have the same ancestors: they saw the same spans when these were created.
    let mut next = span.parent();
    while let Some(ancestor) = next.filter(|ancestor| join(ancestor, &mut layers)) {
        next = ancestor.parent();
        above.push(ancestor);
    }
    for span in above.iter().rev().chain([span]) {
        let parent = span.parent();
        let known = |layer: &u32| parent.as_ref().map_or(UNKNOWN, |parent| known_node(*layer, parent));
        let parents: Vec<(u32, u64)> = layers.iter().map(|layer| (*layer, known(layer))).collect();
        let parent_of = |layer: u32| parents.iter().find(|(of, _)| *of == layer).map_or(UNKNOWN, |(_, node)| *node);
        if let Some(nodes) = span.extensions_mut().get_mut::<Nodes>() {
            layers.iter().for_each(|layer| nodes.settle(*layer, splits, parent_of));
        }
    }
}

fn known_node<'a, S>(layer: u32, span: &SpanRef<'a, S>) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    span.extensions().get::<Nodes>().and_then(|nodes| nodes.of(layer)).map_or(UNKNOWN, Node::id)
}

/// Whether another layer has already made the change that `layer` is told of. If not, the layer calls [`change`].
pub(super) fn has_changed<'a, S>(layer: u32, kind: Change, span: &SpanRef<'a, S>) -> bool
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut extensions = span.extensions_mut();
    let node = extensions.get_mut::<Nodes>().and_then(|nodes| nodes.of_mut(layer));
    node.is_some_and(|node| node.has_changed(layer, kind))
}

/// Stores that a span follows from another one, which may be hidden from other layers.
pub(super) fn follow<'a, S>(layer: u32, span: &SpanRef<'a, S>, follows: &Id, context: &Context<'a, S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let sharers = span.extensions().get::<Nodes>().and_then(|nodes| nodes.sharers(layer));
    if let Some(layers) = sharers.filter(|[_, second, ..]| *second != 0) {
        let followed = context.span(follows);
        let knows = |layer: u32| followed.as_ref().is_some_and(|span| known_node(layer, span) != UNKNOWN);
        let told = layers.map(|layer| layer != 0 && knows(layer));
        let is_told = |layer: u32| layers.iter().zip(told).any(|(other, told)| told && *other == layer);
        if !has_changed(layer, Change::Causes, span)
            && let Some(nodes) = span.extensions_mut().get_mut::<Nodes>()
        {
            nodes.split(layer, is_told);
        } else {
            return;
        }
    }
    change(layer, Change::Causes, span, |path| path.follow(follows.into_u64()));
}

/// Changes the path of a span, if it has one, and if no other layer has made this change before.
pub(super) fn change<'a, S>(layer: u32, kind: Change, span: &SpanRef<'a, S>, change: impl FnOnce(&mut Path))
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    if let Some(node) = span.extensions_mut().get_mut::<Nodes>().and_then(|nodes| nodes.of_mut(layer)) {
        node.change(layer, kind, change);
    }
}

/// What was appended for an event.
#[derive(Clone, Copy)]
pub(super) struct Appended {
    /// 0: unknown, or no spans.
    pub(super) version: u64,
    /// The node of the innermost span.
    pub(super) node: u64,
}

/// Appends the spans from the root to `leaf`. `keep` is called with the spans if they have a version.
#[inline]
pub(super) fn append<'a, S>(
    layer: u32,
    context: &Context<'a, S>,
    leaf: &SpanRef<'a, S>,
    out: &mut Vec<u8>,
    keep: impl FnOnce(&Whole<'_>),
) -> Appended
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    settle(layer, leaf);
    let extensions = leaf.extensions();
    match extensions.get::<Nodes>().and_then(|nodes| nodes.of(layer)) {
        Some(node) if node.path().base().is_none() && node.path().is_current() => {
            let (path, start) = (node.path(), out.len());
            out.extend_from_slice(path.whole());
            keep(&Whole { node: node.id(), version: path.version(), marks: path.marks(), path: &out[start..] });
            Appended { version: path.version(), node: node.id() }
        }
        _ => {
            drop(extensions);
            append_slowly(layer, context, leaf, out, keep)
        }
    }
}

/// Updates a stale path, and puts it together with the paths of its bases.
#[cold]
fn append_slowly<'a, S>(
    layer: u32,
    context: &Context<'a, S>,
    leaf: &SpanRef<'a, S>,
    out: &mut Vec<u8>,
    keep: impl FnOnce(&Whole<'_>),
) -> Appended
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut pieces = Pieces::new();
    let mut of_leaf = None;
    let mut next = Some(leaf.id());
    while let Some(span) = next.and_then(|id| context.span(&id)) {
        settle(layer, &span);
        refresh(layer, &span);
        let extensions = span.extensions();
        let node = extensions.get::<Nodes>().and_then(|nodes| nodes.of(layer));
        next = match node.map(Node::path) {
            // Both under one lock: another thread's refresh may move the boundary between them.
            Some(path) => {
                pieces.push(path.whole());
                path.base().map(Id::from_u64)
            }
            // The span was hidden from this layer when it was created; its parents may not be.
            None => span.parent().map(|parent| parent.id()),
        };
        if span.id() == leaf.id() {
            of_leaf = node.map(|node| (node.id(), node.path().version(), node.path().marks()));
        }
    }
    let start = out.len();
    pieces.put(out);
    let Some((node, version, marks)) = of_leaf else { return Appended { version: 0, node: UNKNOWN } };
    // Nothing has changed between the first span and the last: these are the spans of that version.
    let Some(marks) = marks.filter(|marks| marks.hold()) else { return Appended { version: 0, node } };
    keep(&Whole { node, version, marks: Some(marks), path: &out[start..] });
    Appended { version, node }
}

/// Brings a span's path up to date with its ancestors' recorded values, in one pass over the ancestors whose paths are out of date.
/// Theirs are left alone.
fn refresh<'a, S>(layer: u32, span: &SpanRef<'a, S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let generation = match span.extensions().get::<Nodes>().and_then(|nodes| nodes.of(layer)).map(Node::path) {
        Some(path) if !path.is_current() => path.tree_generation(),
        _ => return,
    };
    let (mut pieces, mut base) = (Pieces::new(), None);
    let mut next = span.parent();
    while let Some(ancestor) = next {
        settle(layer, &ancestor);
        // Copied: holding the locks of a parent and a child at once could deadlock with a thread that records.
        let extensions = ancestor.extensions();
        let Some(path) = extensions.get::<Nodes>().and_then(|nodes| nodes.of(layer)).map(Node::path) else { break };
        let is_current = path.is_current();
        let piece = if is_current { path.whole() } else { path.own() };
        if Path::is_long(pieces.len() + piece.len()) {
            base = Some(ancestor.id().into_u64());
            break;
        }
        pieces.push(piece);
        if is_current {
            base = path.base();
            break;
        }
        drop(extensions);
        next = ancestor.parent();
    }
    let mut ancestors = pool::take();
    pieces.put(&mut ancestors);
    if let Some(node) = span.extensions_mut().get_mut::<Nodes>().and_then(|nodes| nodes.of_mut(layer)) {
        node.path_mut().refresh(generation, &ancestors, base);
    }
    pool::give(ancestors);
}

/// Pieces of a path, gathered from the innermost to the outermost: each is followed by its length.
struct Pieces(pool::Buffer);

impl Pieces {
    fn new() -> Self {
        Self(pool::take())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn push(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
        self.0.extend_from_slice(&piece.len().to_ne_bytes());
    }

    /// Appends the pieces, outermost first.
    fn put(self, out: &mut Vec<u8>) {
        let mut rest = &self.0[..];
        while let Some((pieces, len)) = rest.split_last_chunk() {
            let (before, piece) = pieces.split_at(pieces.len() - usize::from_ne_bytes(*len));
            out.extend_from_slice(piece);
            rest = before;
        }
        pool::give(self.0);
    }
}
