use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tracing_core::field::Visit;

use super::Severity;
use super::callsite::Callsite;
use super::capture::capture_fields;
use super::encoding::{self, Entry, Reader, SpanHead};

/// A span's encoded way from the root to itself, so that an event copies all its spans in one piece.
///
/// An ancestor's `Span::record` makes the copies of its fields in its descendants stale. It says so by moving on the
/// epoch of the tree, and whoever finds a path of another epoch copies it anew from the parent.
///
/// The copy is bounded: past [`SEGMENT`] bytes a path starts again at its parent and names that as its base, so that a
/// recursion of ten thousand spans costs memory in proportion.
pub(crate) struct Path {
    bytes: Vec<u8>,
    /// Where in `bytes` this span's own entry starts.
    own: usize,
    /// The span whose path comes before `bytes`.
    base: Option<u64>,
    tree: usize,
    epoch: u32,
    has_children: AtomicBool,
}

impl Path {
    /// The path of a new span under `parent`, given with its id.
    pub(crate) fn new(
        parent: Option<(u64, &Path)>,
        callsite: &'static Callsite,
        id: u64,
        record: impl FnOnce(&mut dyn Visit),
    ) -> Self {
        let tree = parent
            .map_or(id.wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> 48 & (TREES - 1), |(_, parent)| parent.tree);
        let mut path = Self {
            bytes: Vec::new(),
            own: 0,
            base: None,
            tree,
            // Read before the parent's bytes: what changes in between makes this path stale, not wrong.
            epoch: EPOCHS[tree].load(Ordering::Acquire),
            has_children: AtomicBool::new(false),
        };
        if let Some((parent_id, parent)) = parent {
            parent.has_children.store(true, Ordering::Relaxed);
            path.copy_parent(parent_id, parent);
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
        encoding::put_span(&mut path.bytes, head, |out| capture_fields(callsite, out, record));
        path
    }

    /// Appends the spans of this path to a record. What comes before, [`base`](Self::base), is appended first.
    #[inline]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
    }

    /// The span whose path comes before this one's bytes.
    #[inline]
    pub(crate) fn base(&self) -> Option<u64> {
        self.base
    }

    /// Whether the ancestors' fields in this path are as they are now.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.epoch == EPOCHS[self.tree].load(Ordering::Acquire)
    }

    /// The epoch to hand to [`refresh`](Self::refresh), read before the parent is.
    pub(crate) fn tree_epoch(&self) -> u32 {
        EPOCHS[self.tree].load(Ordering::Acquire)
    }

    /// Copies the ancestors' part anew from the parent.
    pub(crate) fn refresh(&mut self, epoch: u32, parent: Option<(u64, &Path)>) {
        let own = self.bytes.split_off(self.own);
        self.bytes.clear();
        self.base = None;
        if let Some((id, parent)) = parent {
            self.copy_parent(id, parent);
        }
        self.own = self.bytes.len();
        self.bytes.extend_from_slice(&own);
        self.epoch = epoch;
    }

    /// `Span::record`: values replace those of the same name, and keep their place.
    pub(crate) fn record(&mut self, callsite: &'static Callsite, record: impl FnOnce(&mut dyn Visit)) {
        let mut new = Vec::new();
        capture_fields(callsite, &mut new, record);
        let own = self.bytes.split_off(self.own);
        let Some((head, old)) = Reader(&own).span() else { return };
        encoding::put_span(&mut self.bytes, head, |out| merge(out, old, &new));
        self.changed();
    }

    /// `Span::follows_from`.
    pub(crate) fn follow(&mut self, id: u64) {
        let own = self.bytes.split_off(self.own);
        let Some((head, fields)) = Reader(&own).span() else { return };
        encoding::put_span(&mut self.bytes, head, |out| {
            out.extend_from_slice(fields);
            encoding::put_follows(out, id);
        });
        self.changed();
    }

    fn copy_parent(&mut self, id: u64, parent: &Path) {
        if parent.bytes.len() > SEGMENT {
            self.base = Some(id);
        } else {
            self.base = parent.base;
            // Room for the parent's bytes and this span's in one allocation.
            self.bytes.reserve(parent.bytes.len() + OWN);
            self.bytes.extend_from_slice(&parent.bytes);
        }
    }

    fn changed(&mut self) {
        if *self.has_children.get_mut() {
            let before = EPOCHS[self.tree].fetch_add(1, Ordering::Release);
            // The move made this span's own path no more stale than it was.
            if self.epoch == before {
                self.epoch = before.wrapping_add(1);
            }
        }
    }
}

/// The old fields with the new values in their places, then the new fields.
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

/// The last entry with this name.
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
/// What a span's own entry usually takes.
const OWN: usize = 96;

/// Trees share epochs by the hash of their root's id: one that moves for another tree's sake costs a copy, nothing else.
const TREES: usize = 1024;
static EPOCHS: [AtomicU32; TREES] = [const { AtomicU32::new(0) }; TREES];
