//! What the layers of a subscriber know of a span: a node for all layers that see the same spans.
//!
//! A stock filter may hide spans from one layer and not from another. A layer shares the node that another layer has created for a
//! new span if both see the same parent, whose node they share as well, and so on up to the root. Otherwise it creates a node of its
//! own. What is hidden from a layer is fixed when the span is created, so layers that share a node see the same spans from there up.
//!
//! Each layer is told of each change of a span; the first one to be told changes the node. There is one change that some of them may
//! not be told of: that the span follows from another one, which is hidden from them. Then the node is *split*, and with it those of
//! all spans below, each when it is used next.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::record::Path;

/// A node's id where there is none, or where nothing is known about it.
pub(super) const UNKNOWN: u64 = 0;
/// In place of a node's id outside of all spans.
pub(super) const OUTSIDE: u64 = u64::MAX;

/// The nodes of one span, in its extensions.
pub(super) struct Nodes {
    first: Node,
    /// The nodes of layers that do not share the first one: usually none.
    others: Vec<Node>,
}

impl Nodes {
    #[inline(always)]
    pub(super) fn new(first: Node) -> Self {
        Self { first, others: Vec::new() }
    }

    /// The node that was created last.
    #[inline]
    pub(super) fn first(&self) -> &Node {
        &self.first
    }

    #[inline]
    pub(super) fn of(&self, layer: u32) -> Option<&Node> {
        if self.first.sharers.first().layer == layer {
            return Some(&self.first);
        }
        self.iter().find(|node| node.sharers.iter().any(|sharer| sharer.layer == layer))
    }

    pub(super) fn of_mut(&mut self, layer: u32) -> Option<&mut Node> {
        self.iter_mut().find(|node| node.sharers.iter().any(|sharer| sharer.layer == layer))
    }

    /// Makes `layer` share a node that was created for the same new span, below the same parent. Returns the node's id.
    pub(super) fn share(&mut self, layer: u32, parent: u64, span: usize) -> Option<u64> {
        let node = self.iter_mut().find(|node| (node.parent, node.span) == (parent, span))?;
        node.sharers.push(Sharer { layer, changes: node.changes }).then_some(node.id)
    }

    /// Whether the node of any of these layers has to be [settled](Self::settle).
    #[inline]
    pub(super) fn are_unsettled(&self, layers: &[u32]) -> bool {
        layers.iter().filter_map(|layer| self.of(*layer)).any(Node::is_unsettled)
    }

    /// Adds the layers that share a node with any of `layers`.
    pub(super) fn add_sharers(&self, layers: &mut Vec<u32>) {
        for at in 0..layers.len() {
            let sharers = self.of(layers[at]).into_iter().flat_map(|node| node.sharers.iter());
            for sharer in sharers {
                if !layers.contains(&sharer.layer) {
                    layers.push(sharer.layer);
                }
            }
        }
    }

    /// Returns the layers that share the node of `layer`.
    pub(super) fn sharers(&self, layer: u32) -> Option<Layers> {
        self.of(layer).map(|node| node.sharers.layers())
    }

    /// Separates the layers that share the node of `layer` and for which `parent` returns different nodes. `settled` is the number of
    /// splits before the parents were looked at.
    pub(super) fn settle(&mut self, layer: u32, settled: u32, parent: impl Fn(u32) -> u64) {
        let Some(node) = self.of_mut(layer).filter(|node| node.is_unsettled()) else { return };
        let mut separated = Vec::new();
        node.parent = parent(node.sharers.first().layer);
        loop {
            let parents = node.sharers.iter().map(|sharer| parent(sharer.layer));
            let Some(of) = { parents }.find(|of| *of != node.parent) else { break };
            let mut split = node.split(|layer| parent(layer) == of);
            (split.parent, split.settled) = (of, settled);
            separated.push(split);
        }
        node.settled = settled;
        self.others.append(&mut separated);
    }

    /// Splits the node of `layer`: `is_told` says which other layers stay with it.
    pub(super) fn split(&mut self, layer: u32, is_told: impl Fn(u32) -> bool) {
        let Some(node) = self.of_mut(layer) else { return };
        let leaves = |other: u32| other != layer && !is_told(other);
        if !node.sharers.iter().any(|sharer| leaves(sharer.layer)) {
            return;
        }
        let split = node.split(leaves);
        self.others.push(split);
        SPLITS.fetch_add(1, Ordering::Release);
    }

    /// Takes over the nodes of other layers.
    pub(super) fn join(&mut self, before: Self) {
        self.others.push(before.first);
        self.others.extend(before.others);
    }

    fn iter(&self) -> impl Iterator<Item = &Node> {
        [&self.first].into_iter().chain(&self.others)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        [&mut self.first].into_iter().chain(&mut self.others)
    }
}

/// A span as some layers see it.
pub(super) struct Node {
    /// Never used again.
    id: u64,
    /// The node of the parent; [`UNKNOWN`] if there is none.
    parent: u64,
    /// The address of the attributes that the span was created from.
    span: usize,
    sharers: Sharers,
    /// The number of [splits] at which all sharers were known to share the parent's node as well.
    settled: u32,
    /// The numbers of changes since the span was created, by [`Change`].
    changes: [u16; 2],
    path: Path,
}

impl Node {
    /// Inlined, so that the path is moved once.
    #[inline(always)]
    pub(super) fn new(layer: u32, parent: u64, span: usize, settled: u32, path: Path) -> Self {
        // No other state of any path ever has the same version.
        Self { id: path.version(), parent, span, sharers: Sharers::one(layer), settled, changes: [0; 2], path }
    }

    /// Makes some of the layers share a new node.
    fn split(&mut self, leaves: impl Fn(u32) -> bool) -> Self {
        let path = self.path.fork();
        let sharers = self.sharers.split(leaves);
        Self { id: path.version(), sharers, path, ..*self }
    }

    #[inline]
    fn is_unsettled(&self) -> bool {
        self.sharers.count > 1 && self.settled != splits()
    }

    #[inline]
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    #[inline]
    pub(super) fn settled(&self) -> u32 {
        self.settled
    }

    #[inline]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn path_mut(&mut self) -> &mut Path {
        &mut self.path
    }

    /// Called when `layer` is told of a change. Returns whether another layer has been told of it before and has made it.
    pub(super) fn has_changed(&mut self, layer: u32, kind: Change) -> bool {
        let made = self.changes[kind as usize];
        let Some(sharer) = self.sharers.of_mut(layer) else { return false };
        let told = &mut sharer.changes[kind as usize];
        let is_behind = *told != made;
        *told = told.wrapping_add(u16::from(is_behind));
        is_behind
    }

    /// Makes a change that `layer` is told of.
    pub(super) fn change(&mut self, layer: u32, kind: Change, change: impl FnOnce(&mut Path)) {
        if self.has_changed(layer, kind) {
            return;
        }
        let made = &mut self.changes[kind as usize];
        *made = made.wrapping_add(1);
        if let Some(sharer) = self.sharers.of_mut(layer) {
            sharer.changes[kind as usize] = *made;
        }
        change(&mut self.path);
    }
}

/// What is changed. Counted separately: threads may record a value and add a cause at the same time, and a layer that is told of one
/// must not take it for the other.
#[derive(Clone, Copy)]
pub(super) enum Change {
    Values,
    Causes,
}

/// A layer that shares a node.
#[derive(Clone, Copy)]
struct Sharer {
    layer: u32,
    /// The numbers of changes that it was told of, at most those of the node.
    changes: [u16; 2],
}

/// The layers that share a node, the one that created it first.
struct Sharers {
    all: [Sharer; MAX_SHARERS],
    count: u32,
}

impl Sharers {
    fn none() -> Self {
        Self { all: [Sharer { layer: 0, changes: [0; 2] }; MAX_SHARERS], count: 0 }
    }

    #[inline(always)]
    fn one(layer: u32) -> Self {
        let none = Sharer { layer: 0, changes: [0; 2] };
        Self { all: [Sharer { layer, changes: [0; 2] }, none, none, none], count: 1 }
    }

    #[inline]
    fn first(&self) -> Sharer {
        self.all[0]
    }

    /// Removes the sharers that leave, and returns them.
    fn split(&mut self, leaves: impl Fn(u32) -> bool) -> Self {
        let (mut stay, mut left) = (Self::none(), Self::none());
        for sharer in self.iter() {
            match leaves(sharer.layer) {
                true => left.push(*sharer),
                false => stay.push(*sharer),
            };
        }
        *self = stay;
        left
    }

    fn layers(&self) -> Layers {
        self.all.map(|sharer| sharer.layer)
    }

    fn iter(&self) -> impl Iterator<Item = &Sharer> {
        self.all.iter().take(self.count as usize)
    }

    fn of_mut(&mut self, layer: u32) -> Option<&mut Sharer> {
        self.all.iter_mut().take(self.count as usize).find(|sharer| sharer.layer == layer)
    }

    /// Returns whether there was room.
    fn push(&mut self, sharer: Sharer) -> bool {
        let place = self.all.get_mut(self.count as usize);
        let has_room = place.is_some();
        if let Some(place) = place {
            *place = sharer;
            self.count += 1;
        }
        has_room
    }
}

/// The number of times that a node was split, in the whole process: rarely any. Nodes that are kept elsewhere hold as long as this does.
#[inline]
pub(super) fn splits() -> u32 {
    SPLITS.load(Ordering::Acquire)
}

static SPLITS: AtomicU32 = AtomicU32::new(0);

/// The layers that share a node; 0: none.
pub(super) type Layers = [u32; MAX_SHARERS];
/// Layers beyond this number share another node.
pub(super) const MAX_SHARERS: usize = 4;
