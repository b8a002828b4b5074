//! The paths of spans, in the spans' extensions: created and changed with the span, copied into events.

use tracing::Subscriber;
use tracing::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::per_layer::PerLayer;
use super::stack;
use super::whole::Whole;
use crate::record::{Callsite, Path, pool};

/// Stores the path of a new span, which ends with its `fields`.
pub(super) fn remember<'a, S>(layer: u32, span: &SpanRef<'a, S>, callsite: &'static Callsite, fields: &[u8])
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let parent = span.parent();
    let extensions = parent.as_ref().map(SpanRef::extensions);
    let parent = parent
        .as_ref()
        .zip(extensions.as_ref())
        .and_then(|(span, extensions)| Some((span.id().into_u64(), extensions.get::<Paths>()?.of(layer)?)));
    let path = Path::new(parent, callsite, span.id().into_u64(), fields);
    drop(extensions);
    stack::made(layer, span.id().into_u64(), &path);
    let mut extensions = span.extensions_mut();
    if let Some(before) = extensions.replace(Paths::new(layer, path))
        && let Some(paths) = extensions.get_mut::<Paths>()
    {
        paths.join(before);
    }
}

/// Changes the path of a span, if it has one.
pub(super) fn change<'a, S>(layer: u32, span: &SpanRef<'a, S>, change: impl FnOnce(&mut Path))
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    if let Some(path) = span.extensions_mut().get_mut::<Paths>().and_then(|paths| paths.of_mut(layer)) {
        change(path);
    }
}

/// Appends the spans from the root to `leaf`. Returns their version; 0: unknown. `keep` is called with the spans if they have one.
#[inline]
pub(super) fn append<'a, S>(
    layer: u32,
    context: &Context<'a, S>,
    leaf: &SpanRef<'a, S>,
    out: &mut Vec<u8>,
    keep: impl FnOnce(&Whole<'_>),
) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let extensions = leaf.extensions();
    match extensions.get::<Paths>().and_then(|paths| paths.of(layer)) {
        Some(path) if path.base().is_none() && path.is_current() => {
            let start = out.len();
            out.extend_from_slice(path.whole());
            keep(&Whole { version: path.version(), marks: path.marks(), path: &out[start..] });
            path.version()
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
) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut pieces = Pieces::new();
    let mut of_leaf = None;
    let mut next = Some(leaf.id());
    while let Some(span) = next.and_then(|id| context.span(&id)) {
        refresh(layer, &span);
        let extensions = span.extensions();
        let path = extensions.get::<Paths>().and_then(|paths| paths.of(layer));
        next = match path {
            // Both under one lock: another thread's refresh may move the boundary between them.
            Some(path) => {
                pieces.push(path.whole());
                path.base().map(Id::from_u64)
            }
            // The span was hidden from this layer when it was created; its parents may not be.
            None => span.parent().map(|parent| parent.id()),
        };
        if span.id() == leaf.id() {
            of_leaf = path.and_then(|path| Some((path.version(), path.marks()?)));
        }
    }
    let start = out.len();
    pieces.put(out);
    // Nothing has changed between the first span and the last: these are the spans of that version.
    let Some((version, marks)) = of_leaf.filter(|(_, marks)| marks.hold()) else { return 0 };
    keep(&Whole { version, marks: Some(marks), path: &out[start..] });
    version
}

/// Brings a span's path up to date with its ancestors' recorded values, in one pass over the ancestors whose paths are out of date.
/// Theirs are left alone.
fn refresh<'a, S>(layer: u32, span: &SpanRef<'a, S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let generation = match span.extensions().get::<Paths>().and_then(|paths| paths.of(layer)) {
        Some(path) if !path.is_current() => path.tree_generation(),
        _ => return,
    };
    let (mut pieces, mut base) = (Pieces::new(), None);
    let mut next = span.parent();
    while let Some(ancestor) = next {
        // Copied: holding the locks of a parent and a child at once could deadlock with a thread that records.
        let extensions = ancestor.extensions();
        let Some(path) = extensions.get::<Paths>().and_then(|paths| paths.of(layer)) else { break };
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
    change(layer, span, |path| path.refresh(generation, &ancestors, base));
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

type Paths = PerLayer<Path>;
