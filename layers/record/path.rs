use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::Severity;
use super::callsite::Callsite;
use super::encoding::{self, Entry, Reader, SpanHead};
use super::pool;

/// The encoded spans from the root to a span, so that an event copies all its spans in one piece.
///
/// An ancestor's `Span::record` makes the copies of its fields in its descendants stale. Therefore it increments the generation of the
/// tree, and a path with another generation is copied from the parent again before it is used.
///
/// The copy is bounded: beyond [`SEGMENT`] bytes a path starts again at its parent, which becomes its base, so that memory is
/// linear in the depth even for a recursion of ten thousand spans. The whole path is put together from the bases when it is needed,
/// and kept by each thread for the span that it is in.
pub(crate) struct Path {
    id: u64,
    bytes: Vec<u8>,
    /// Where in `bytes` this span's own entry starts.
    own: usize,
    /// The span whose path comes before `bytes`.
    base: Option<u64>,
    /// Unique among all states of all paths, including their bases.
    version: u64,
    tree: usize,
    generation: u32,
    has_children: AtomicBool,
}

impl Path {
    /// Creates the path of a new span with these `fields`, below the parent with this id and path.
    pub(crate) fn new(parent: Option<(u64, &Path)>, callsite: &'static Callsite, id: u64, fields: &[u8]) -> Self {
        // A copy is only as current as its source: the parent may not have been refreshed since its own ancestors changed.
        let (tree, generation) = match parent {
            Some((_, parent)) => (parent.tree, parent.generation),
            None => (tree_of(id), GENERATIONS[tree_of(id)].load(Ordering::Acquire)),
        };
        let mut path = Self {
            id,
            bytes: Vec::new(),
            own: 0,
            base: None,
            version: new_version(),
            tree,
            generation,
            has_children: AtomicBool::new(false),
        };
        // Room for the parent's bytes and this span's in one allocation.
        path.bytes.reserve(parent.map_or(0, |(_, parent)| parent.bytes.len()) + fields.len() + FRAME);
        if let Some((id, parent)) = parent {
            parent.has_children.store(true, Ordering::Relaxed);
            path.base = parent.copy_for_child(id, &mut path.bytes);
        }
        path.own = path.bytes.len();
        let metadata = callsite.metadata();
        let head = SpanHead {
            callsite: callsite.id(),
            id,
            severity: Severity::from(*metadata.level()),
            name: metadata.name(),
            target: metadata.target(),
        };
        encoding::put_span(&mut path.bytes, head, |out| out.extend_from_slice(fields));
        path
    }

    /// The entries of the spans of this path, which come after those of [`base`](Self::base).
    #[inline]
    pub(crate) fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// The span whose path comes before this one's bytes.
    #[inline]
    pub(crate) fn base(&self) -> Option<u64> {
        self.base
    }

    /// Whether the ancestors' fields in this path are up to date.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.generation == GENERATIONS[self.tree].load(Ordering::Acquire)
    }

    /// The version by which a format may recognize the spans up to this one, as long as the [marks](Self::marks) hold.
    #[inline]
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Returns marks, which must be taken while the path cannot change, and checked whenever a copy of it is used; `None` if the
    /// path is out of date. They also cover the base: a change of a span with children changes the generation.
    #[inline]
    pub(crate) fn marks(&self) -> Option<Marks> {
        let changes = changes_of(self.id);
        let change = CHANGES[changes].load(Ordering::Acquire);
        let marks = Marks { changes, change, tree: self.tree, generation: self.generation };
        self.is_current().then_some(marks)
    }

    /// Returns the generation for [`refresh`](Self::refresh), which must be read before the parent.
    pub(crate) fn tree_generation(&self) -> u32 {
        GENERATIONS[self.tree].load(Ordering::Acquire)
    }

    /// The entry of this span alone.
    pub(crate) fn own(&self) -> &[u8] {
        &self.bytes[self.own..]
    }

    /// Whether so much of a path has been gathered that it starts again at the span above.
    pub(crate) const fn is_long(bytes: usize) -> bool {
        bytes > SEGMENT
    }

    /// Appends what a child of this span, whose id is `id`, needs in front of its own entry. Returns the child's base.
    pub(crate) fn copy_for_child(&self, id: u64, out: &mut Vec<u8>) -> Option<u64> {
        if Self::is_long(self.bytes.len()) {
            return Some(id);
        }
        out.extend_from_slice(&self.bytes);
        self.base
    }

    /// Replaces the ancestors' part with `ancestors`, in front of which comes the path of `base`.
    pub(crate) fn refresh(&mut self, generation: u32, ancestors: &[u8], base: Option<u64>) {
        // Another thread that started later may have finished first: its copy is newer.
        if (self.generation.wrapping_sub(generation) as i32) > 0 {
            return;
        }
        self.version = new_version();
        self.bytes.splice(..self.own, ancestors.iter().copied());
        self.own = ancestors.len();
        self.base = base;
        self.generation = generation;
    }

    /// Returns a copy that will change on its own. It is out of date, since its ancestors may be other paths.
    pub(crate) fn fork(&self) -> Self {
        Self {
            id: self.id,
            bytes: self.bytes.clone(),
            own: self.own,
            base: self.base,
            version: new_version(),
            tree: self.tree,
            generation: GENERATIONS[self.tree].load(Ordering::Acquire).wrapping_sub(1),
            has_children: AtomicBool::new(true),
        }
    }

    /// Implements `Span::record`: the `fields` replace those of the same name in place, or are added.
    pub(crate) fn record(&mut self, fields: &[u8]) {
        self.change_own(|out, old| merge(out, old, fields));
    }

    /// Implements `Span::follows_from`.
    pub(crate) fn follow(&mut self, id: u64) {
        self.change_own(|out, old| {
            out.extend_from_slice(old);
            encoding::put_follows(out, id);
        });
    }

    fn change_own(&mut self, write: impl FnOnce(&mut Vec<u8>, &[u8])) {
        self.version = new_version();
        CHANGES[changes_of(self.id)].fetch_add(1, Ordering::Release);
        let mut own = pool::take();
        own.extend_from_slice(self.own());
        self.bytes.truncate(self.own);
        if let Some((head, old)) = Reader(&own).span() {
            encoding::put_span(&mut self.bytes, head, |out| write(out, old));
        }
        pool::give(own);
        if !*self.has_children.get_mut() {
            return;
        }
        let before = GENERATIONS[self.tree].fetch_add(1, Ordering::Release);
        // This made the descendants' copies stale, but not this span's own path.
        if self.generation == before {
            self.generation = before.wrapping_add(1);
        }
    }
}

/// Marks that show whether a span or its ancestors have changed since they were taken.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    changes: usize,
    change: u32,
    tree: usize,
    generation: u32,
}

impl Marks {
    #[inline]
    pub(crate) fn hold(self) -> bool {
        self.change == CHANGES[self.changes].load(Ordering::Acquire)
            && self.generation == GENERATIONS[self.tree].load(Ordering::Acquire)
    }
}

/// Returns a new version, from 1. Each thread has a supply, so that threads do not contend for one counter at every span.
#[inline]
fn new_version() -> u64 {
    let version = SUPPLY.try_with(|supply| {
        let next = supply.get();
        supply.set(next + 1);
        (next % VERSIONS != 0).then_some(next)
    });
    version.ok().flatten().unwrap_or_else(restock)
}

#[cold]
fn restock() -> u64 {
    let first = STOCK.fetch_add(VERSIONS, Ordering::Relaxed);
    // A thread that is ending has no supply.
    let _ = SUPPLY.try_with(|supply| supply.set(first + 2));
    first + 1
}

fn tree_of(root: u64) -> usize {
    hash(root) & (TREES - 1)
}

#[inline]
fn changes_of(span: u64) -> usize {
    hash(span) & (TREES - 1)
}

#[inline]
fn hash(id: u64) -> usize {
    (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

/// Appends the old fields with new values in place, then the new fields.
fn merge(out: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    let mut reader = Reader(old);
    while let Some((entry, verbatim)) = reader.entry_verbatim() {
        let replaced = match entry {
            Entry::Field(name, _) => find(new, name.key()),
            _ => None,
        };
        out.extend_from_slice(replaced.unwrap_or(verbatim));
    }
    let mut reader = Reader(new);
    while let Some((entry, verbatim)) = reader.entry_verbatim() {
        if let Entry::Field(name, _) = entry
            && find(old, name.key()).is_none()
        {
            out.extend_from_slice(verbatim);
        }
    }
}

/// Returns the last entry with this name.
fn find<'a>(fields: &'a [u8], key: (u8, &str)) -> Option<&'a [u8]> {
    let mut reader = Reader(fields);
    let mut found = None;
    while let Some((entry, verbatim)) = reader.entry_verbatim() {
        if matches!(entry, Entry::Field(name, _) if name.key() == key) {
            found = Some(verbatim);
        }
    }
    found
}

/// A path longer than this is not copied into children.
const SEGMENT: usize = 4096;
/// The size of a span's entry without its fields.
const FRAME: usize = 21;

/// The number of versions that a thread takes at a time. Multiples of it are not used.
const VERSIONS: u64 = 1 << 16;
static STOCK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static SUPPLY: Cell<u64> = const { Cell::new(0) };
}

/// Trees share generations by the hash of their root's id: a change in another tree with the same generation only costs a copy.
const TREES: usize = 1024;
static GENERATIONS: [AtomicU32; TREES] = [const { AtomicU32::new(0) }; TREES];
/// Incremented by each change of a span's own fields, which the generation of its descendants need not reflect. By the hash of its id.
static CHANGES: [AtomicU32; TREES] = [const { AtomicU32::new(0) }; TREES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_that_began_earlier_does_not_undo_a_later_one() {
        let metadata = tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            tracing::info_span!("s").metadata().expect("a registry wants every span")
        });
        let callsite = Callsite::of(metadata);
        let mut path = Path::new(None, callsite, 1, &[]);
        let own = path.bytes.clone();
        let (earlier, later) = (path.generation.wrapping_add(1), path.generation.wrapping_add(2));
        path.refresh(later, b"later", Some(2));
        path.refresh(earlier, b"earlier", Some(3));
        assert_eq!((path.bytes, path.base, path.generation), ([b"later", &own[..]].concat(), Some(2), later));
    }
}
