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
    let put = KEPT.try_with(|kept| Some(key.slot(&mut *kept.try_borrow_mut().ok()?)?.put(key, out)));
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
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.try_borrow_mut().ok()?;
            key.slot(&mut kept)?.keep(key, bytes);
            Some(())
        });
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
    fn slot(self, kept: &mut Vec<Slot>) -> Option<&mut Slot> {
        if kept.is_empty() {
            kept.resize_with(SLOTS, Slot::default);
        }
        kept.get_mut((self.version.get() ^ self.format.0.wrapping_mul(7)) as usize % SLOTS)
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

/// The number of renderings that each thread caches, and their maximum length in bytes.
const SLOTS: usize = 64;
const LONGEST: usize = 4096;

static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static KEPT: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}
