//! The spans that each thread is in, as the Registry has them: to ask it costs an event three look-ups in a slab.
//!
//! The encoded path of the innermost one is kept from its second event on. It cannot be another span's: what it is known by
//! is not the span's id, which comes back, but the number of the entering, after which the span stays open until the exit.

use std::cell::RefCell;

use tracing::Subscriber;
use tracing::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::spans;
use crate::record::Marks;

pub(super) fn enter(layer: u32, id: &Id) {
    with_stack(|stack| stack.enter(layer, id.into_u64()));
}

pub(super) fn exit(layer: u32, id: &Id) {
    with_stack(|stack| stack.exit(layer, id.into_u64()));
}

/// Appends the spans that this thread is in, and tells their stamp; 0: none.
#[inline]
pub(super) fn append<S>(layer: u32, context: &Context<'_, S>, out: &mut Vec<u8>) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    match with_stack(|stack| stack.put(layer, out)) {
        Some(Put::Whole { stamp }) => stamp,
        Some(Put::Outside) => 0,
        Some(Put::Inside { id, serial }) => append_anew(layer, context, id, serial, out),
        None => context.lookup_current().map_or(0, |leaf| spans::append(layer, context, &leaf, out).0),
    }
}

fn append_anew<S>(layer: u32, context: &Context<'_, S>, id: u64, serial: u64, out: &mut Vec<u8>) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let Some(leaf) = context.span(&Id::from_u64(id)) else { return 0 };
    let start = out.len();
    let (stamp, marks) = spans::append(layer, context, &leaf, out);
    with_stack(|stack| stack.leaf.keep(serial, stamp, marks, &out[start..]));
    stamp
}

/// `None` on a thread that is ending.
#[inline]
fn with_stack<T>(run: impl FnOnce(&mut Stack) -> T) -> Option<T> {
    STACK.try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| run(&mut stack))).ok().flatten()
}

struct Stack {
    entered: Vec<Entered>,
    serial: u64,
    leaf: Leaf,
}

#[derive(Clone, Copy)]
struct Entered {
    layer: u32,
    /// It was entered before, further out: then that one counts.
    again: bool,
    id: u64,
    serial: u64,
}

enum Put {
    Whole { stamp: u64 },
    Inside { id: u64, serial: u64 },
    Outside,
}

impl Stack {
    fn enter(&mut self, layer: u32, id: u64) {
        self.serial += 1;
        let again = self.entered.iter().any(|entered| entered.id == id && entered.layer == layer);
        self.entered.push(Entered { layer, again, id, serial: self.serial });
    }

    fn exit(&mut self, layer: u32, id: u64) {
        let innermost = self.entered.iter().rposition(|entered| entered.id == id && entered.layer == layer);
        if let Some(innermost) = innermost {
            self.entered.remove(innermost);
        }
    }

    #[inline]
    fn put(&mut self, layer: u32, out: &mut Vec<u8>) -> Put {
        let innermost = self.entered.iter().rev().find(|entered| entered.layer == layer && !entered.again);
        let Some(&Entered { id, serial, .. }) = innermost else { return Put::Outside };
        if !self.leaf.is(serial) {
            return Put::Inside { id, serial };
        }
        out.extend_from_slice(&self.leaf.path);
        Put::Whole { stamp: self.leaf.stamp }
    }
}

/// The path of a span that had an event.
struct Leaf {
    serial: u64,
    /// `None`: its path is not kept.
    marks: Option<Marks>,
    stamp: u64,
    path: Vec<u8>,
}

impl Leaf {
    #[inline]
    fn is(&self, serial: u64) -> bool {
        self.serial == serial && self.marks.is_some_and(Marks::hold)
    }

    /// Keeps the path of a span that was here before; many spans have one event.
    fn keep(&mut self, serial: u64, stamp: u64, marks: Option<Marks>, path: &[u8]) {
        let again = self.serial == serial;
        (self.serial, self.stamp, self.marks) = (serial, stamp, marks.filter(|_| again));
        if self.marks.is_some() {
            self.path.clear();
            self.path.extend_from_slice(path);
        }
    }
}

thread_local! {
    static STACK: RefCell<Stack> = const {
        RefCell::new(Stack {
            entered: Vec::new(),
            serial: 0,
            leaf: Leaf { serial: 0, marks: None, stamp: 0, path: Vec::new() },
        })
    };
}
