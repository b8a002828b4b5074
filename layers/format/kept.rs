//! A cache of rendered spans for each thread, keyed by the spans' version.
//!
//! Most events have the same spans as the previous one. A version always denotes the same spans, and a rewritten record has no
//! version, so the cache cannot bring back what a rewrite has removed.

use std::cell::RefCell;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_subscriber::filter::LevelFilter;

use crate::record::Record;

/// Identifies a format with its settings. Each change of a setting requires a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FormatId(u64);

impl Default for FormatId {
    fn default() -> Self {
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Appends the cached rendering of the spans of `record`, or returns that they must be rendered now. A rendering may depend only on
/// the spans, `format` and `way`, which distinguishes the renderings of one format, such as with and without colors.
#[inline]
pub(super) fn put(record: &Record<'_>, format: FormatId, way: u8, out: &mut Vec<u8>) -> Option<Missing> {
    let Some(version) = record.spans_version() else { return Some(Missing { again: None }) };
    let key = Key { version, format, level: record.span_level(), way };
    // A thread that is ending has no cache.
    let put = KEPT.try_with(|kept| Some(kept.try_borrow_mut().ok()?.put(key, out)));
    put.ok().flatten().unwrap_or(Some(Missing { again: None }))
}

/// Spans that are not cached and must be rendered.
pub(super) struct Missing {
    /// Set if the spans have been seen before.
    again: Option<Key>,
}

impl Missing {
    /// Caches the rendering, unless the spans are seen for the first time: many spans have only one event.
    #[inline]
    pub(super) fn keep(self, bytes: &[u8]) {
        let Some(key) = self.again.filter(|_| bytes.len() <= LONGEST) else { return };
        let _ = KEPT.try_with(|kept| kept.try_borrow_mut().map(|mut kept| kept.keep(key, bytes)));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    version: NonZero<u64>,
    format: FormatId,
    level: LevelFilter,
    way: u8,
}

impl Key {
    #[inline]
    fn slot(self) -> usize {
        (self.version.get() ^ self.format.0.wrapping_mul(7)) as usize % SLOTS
    }
}

/// The renderings that a thread has cached.
struct Kept {
    slots: Vec<Slot>,
    /// The last one that was too long for its slot.
    long: Slot,
}

impl Kept {
    #[inline]
    fn put(&mut self, key: Key, out: &mut Vec<u8>) -> Option<Missing> {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Slot::default);
        }
        let missing = self.slots.get_mut(key.slot())?.put(key, out)?;
        if missing.again.is_some() && self.long.has(key) {
            out.extend_from_slice(&self.long.bytes);
            return None;
        }
        Some(missing)
    }

    fn keep(&mut self, key: Key, bytes: &[u8]) {
        match self.slots.get_mut(key.slot()) {
            Some(slot) if bytes.len() <= LONG => slot.keep(key, bytes),
            _ => {
                self.long.key = Some(key);
                self.long.keep(key, bytes);
            }
        }
    }
}

/// The spans seen last in this slot, and their rendering if it is cached.
#[derive(Default)]
struct Slot {
    key: Option<Key>,
    rendered: bool,
    bytes: Vec<u8>,
}

impl Slot {
    #[inline]
    fn has(&self, key: Key) -> bool {
        self.rendered && self.key == Some(key)
    }

    #[inline]
    fn put(&mut self, key: Key, out: &mut Vec<u8>) -> Option<Missing> {
        if self.key != Some(key) {
            (self.key, self.rendered) = (Some(key), false);
            return Some(Missing { again: None });
        }
        if !self.rendered {
            return Some(Missing { again: Some(key) });
        }
        out.extend_from_slice(&self.bytes);
        None
    }

    fn keep(&mut self, key: Key, bytes: &[u8]) {
        if self.key == Some(key) {
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
            self.rendered = true;
        }
    }
}

/// The number of renderings that each thread caches.
const SLOTS: usize = 64;
/// The maximum length of each in bytes; of longer ones, a thread caches one.
const LONG: usize = 4096;
/// The maximum length of that one.
const LONGEST: usize = 256 << 10;

static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static KEPT: RefCell<Kept> = const {
        RefCell::new(Kept { slots: Vec::new(), long: Slot { key: None, rendered: false, bytes: Vec::new() } })
    };
}
