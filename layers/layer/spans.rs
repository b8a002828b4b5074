//! The paths of spans, in the spans' extensions: created and changed with the span, copied into events.

use tracing::Subscriber;
use tracing::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::per_layer::PerLayer;
use super::stack;
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

/// Appends the spans from the root to `leaf`. Returns their version; 0: none. If the leaf's path is whole and current, one copy of it
/// suffices, and `keep` is called with it.
#[inline]
pub(super) fn append<'a, S>(
    layer: u32,
    context: &Context<'a, S>,
    leaf: &SpanRef<'a, S>,
    out: &mut Vec<u8>,
    keep: impl FnOnce(&Path),
) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let extensions = leaf.extensions();
    match extensions.get::<Paths>().and_then(|paths| paths.of(layer)) {
        Some(path) if path.is_current() && path.base().is_none() => {
            keep(path);
            path.append_to(out)
        }
        _ => {
            drop(extensions);
            append_slowly(layer, context, leaf, out);
            0
        }
    }
}

/// Updates a stale path, and appends the path of its base, if it has one, first.
#[cold]
fn append_slowly<'a, S>(layer: u32, context: &Context<'a, S>, leaf: &SpanRef<'a, S>, out: &mut Vec<u8>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    refresh(layer, context, leaf);
    let mut own = pool::take();
    // Both under one lock: another thread's refresh may move the boundary between them.
    let base = leaf.extensions().get::<Paths>().and_then(|paths| paths.of(layer)).map(|path| {
        path.append_to(&mut own);
        path.base()
    });
    let before = match base {
        // The leaf was hidden from this layer when it was created; its parents may not be.
        None => leaf.parent().map(|parent| parent.id()),
        Some(base) => base.map(Id::from_u64),
    };
    if let Some(before) = before.and_then(|before| context.span(&before)) {
        append(layer, context, &before, out, |_| ());
    }
    out.extend_from_slice(&own);
    pool::give(own);
}

/// Brings a span's path up to date with its ancestors' recorded values, from the root down. Not by recursion, since there may be
/// more spans than the stack has room for.
fn refresh<'a, S>(layer: u32, context: &Context<'a, S>, leaf: &SpanRef<'a, S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut stale = Vec::new();
    let mut next = context.span(&leaf.id());
    while let Some(span) = next {
        let generation = match span.extensions().get::<Paths>().and_then(|paths| paths.of(layer)) {
            Some(path) if !path.is_current() => path.tree_generation(),
            _ => break,
        };
        stale.push((span.id(), generation));
        next = span.parent();
    }
    for (id, generation) in stale.iter().rev() {
        if let Some(span) = context.span(id) {
            refresh_one(layer, &span, *generation);
        }
    }
}

fn refresh_one<'a, S>(layer: u32, span: &SpanRef<'a, S>, generation: u32)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    // Copied first: holding the locks of a parent and a child at once could deadlock with a thread that records.
    let mut ancestors = pool::take();
    let base = span.parent().and_then(|parent| {
        let extensions = parent.extensions();
        extensions.get::<Paths>()?.of(layer)?.copy_for_child(parent.id().into_u64(), &mut ancestors)
    });
    change(layer, span, |path| path.refresh(generation, &ancestors, base));
    pool::give(ancestors);
}

type Paths = PerLayer<Path>;
