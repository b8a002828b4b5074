//! The spans that each thread is in, per layer, with the paths of those that were created or logged in last.
//!
//! A path is identified not by its span's id, which is reused, but by a serial number of the entry, so it cannot be mistaken for
//! another span's.

use std::cell::RefCell;

use tracing::span::Id;

use super::whole::Whole;
use crate::record::pool::KEEP_BYTES;
use crate::record::{Marks, Path};

pub(super) fn enter(layer: u32, id: &Id) {
    with_stack(|stack| stack.enter(layer, id.into_u64()));
}

/// Called when a span has been created with this path: it is probably entered next.
#[inline]
pub(super) fn made(layer: u32, id: u64, path: &Path) {
    with_stack(|stack| {
        stack.made = (layer, id);
        // A path with a base is not the whole path, which is put together when there is an event. A very long one is not kept.
        match path.marks().filter(|_| path.base().is_none() && path.whole().len() <= KEEP_BYTES) {
            Some(marks) => stack.newest.set(0, path.version(), marks, |out| out.extend_from_slice(path.whole())),
            None => stack.newest.marks = None,
        }
    });
}

pub(super) fn exit(layer: u32, id: &Id) {
    with_stack(|stack| stack.exit(layer, id.into_u64()));
}

/// Called when the span is closed: there may be no exit.
pub(super) fn closed(layer: u32, id: &Id) {
    with_stack(|stack| stack.forget(layer, id.into_u64()));
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
        Some(innermost) => stack.kept(innermost.serial).map(|leaf| take(leaf.version, &leaf.path)),
    })
    .flatten()
}

/// Caches the path of the innermost span, which was entered with this serial number.
pub(super) fn keep(serial: u64, whole: &Whole<'_>) {
    with_stack(|stack| stack.leaf.keep(serial, whole));
}

/// Runs `run` with this thread's stack. Returns `None` on a thread that is ending.
#[inline]
fn with_stack<T>(run: impl FnOnce(&mut Stack) -> T) -> Option<T> {
    STACK.try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| run(&mut stack))).ok().flatten()
}

struct Stack {
    entered: Vec<Entered>,
    serial: u64,
    leaf: Leaf,
    /// The layer and the id of the span whose path `newest` is, until it is entered.
    made: (u32, u64),
    newest: Leaf,
}

#[derive(Clone, Copy)]
struct Entered {
    layer: u32,
    /// The span was entered before, further out; the outer entry counts.
    again: bool,
    id: u64,
    serial: u64,
}

/// What [`put`] has done.
pub(super) enum Put {
    /// All spans are appended.
    Whole { version: u64 },
    /// The path of the innermost span, which has this id, is not cached.
    Inside { id: u64, serial: u64 },
    /// The thread is in no span.
    Outside,
}

impl Stack {
    fn enter(&mut self, layer: u32, id: u64) {
        self.serial += 1;
        let again = self.entered.iter().any(|entered| entered.id == id && entered.layer == layer);
        self.entered.push(Entered { layer, again, id, serial: self.serial });
        // No other span can have that id meanwhile: the Registry reuses ids on the thread that released them.
        if self.made == (layer, id) {
            self.made = (0, 0);
            self.newest.serial = self.serial;
        }
    }

    fn exit(&mut self, layer: u32, id: u64) {
        let innermost = self.entered.iter().rposition(|entered| entered.id == id && entered.layer == layer);
        if let Some(innermost) = innermost {
            self.entered.remove(innermost);
        }
    }

    #[inline]
    fn forget(&mut self, layer: u32, id: u64) {
        if self.entered.iter().any(|entered| entered.id == id && entered.layer == layer) {
            self.entered.retain(|entered| entered.id != id || entered.layer != layer);
        }
    }

    #[inline]
    fn put(&mut self, layer: u32, out: &mut Vec<u8>) -> Put {
        let Some(&Entered { id, serial, .. }) = self.innermost(layer) else { return Put::Outside };
        let Some(leaf) = self.kept(serial) else { return Put::Inside { id, serial } };
        out.extend_from_slice(&leaf.path);
        Put::Whole { version: leaf.version }
    }

    #[inline]
    fn innermost(&self, layer: u32) -> Option<&Entered> {
        self.entered.iter().rev().find(|entered| entered.layer == layer && !entered.again)
    }

    /// Returns the cached path of the span that was entered with this serial number.
    #[inline]
    fn kept(&self, serial: u64) -> Option<&Leaf> {
        [&self.newest, &self.leaf].into_iter().find(|leaf| leaf.is(serial))
    }
}

/// The cached path of a span that had an event.
struct Leaf {
    /// The serial number of the entry; 0: none yet.
    serial: u64,
    /// `None`: the path is not cached.
    marks: Option<Marks>,
    version: u64,
    path: Vec<u8>,
}

impl Leaf {
    #[inline]
    fn is(&self, serial: u64) -> bool {
        self.serial == serial && self.marks.is_some_and(Marks::hold)
    }

    /// Caches the path from the span's second event on, since many spans have only one.
    fn keep(&mut self, serial: u64, whole: &Whole<'_>) {
        match whole.marks.filter(|_| self.serial == serial && whole.path.len() <= KEEP_BYTES) {
            Some(marks) => self.set(serial, whole.version, marks, |out| out.extend_from_slice(whole.path)),
            None => (self.serial, self.marks) = (serial, None),
        }
    }

    /// Caches the path that `write` appends, as long as the `marks` hold.
    #[inline]
    fn set(&mut self, serial: u64, version: u64, marks: Marks, write: impl FnOnce(&mut Vec<u8>)) {
        (self.serial, self.marks, self.version) = (serial, Some(marks), version);
        self.path.clear();
        write(&mut self.path);
    }
}

thread_local! {
    static STACK: RefCell<Stack> = const {
        RefCell::new(Stack {
            entered: Vec::new(),
            serial: 0,
            leaf: Leaf { serial: 0, marks: None, version: 0, path: Vec::new() },
            made: (0, 0),
            newest: Leaf { serial: 0, marks: None, version: 0, path: Vec::new() },
        })
    };
}
