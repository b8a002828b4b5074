//! Refuses events by the spans that their thread is in, before they are captured.
//!
//! Filters on spans give the same answer for all events of a callsite in the same spans. Each thread remembers its last answers, by
//! the version of the spans whose path it keeps.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use super::layer_core::LayerCore;
use super::nesting::Depth;
use super::stack;
use crate::record::{Callsite, Record, pool, put_spans_only};

/// Whether no handler wants an event of this callsite in the spans that this thread is in.
#[inline(never)]
pub(super) fn is_refused(core: &LayerCore, callsite: &'static Callsite) -> bool {
    // Callsites beyond those that have an id of their own share this one.
    if callsite.id() == 0 {
        return false;
    }
    let generation = core.generation.load(Ordering::Acquire);
    let known = stack::with_kept(core.id, |version, _| {
        let key = Key { callsite: callsite.id(), generation, version };
        let answer = ANSWERS.try_with(|answers| answers[key.slot()].get());
        answer.ok().filter(|answer| answer.key == key).map(|answer| answer.is_refused)
    });
    match known {
        Some(Some(is_refused)) => is_refused,
        Some(None) => judge(core, callsite),
        // Not kept: the event is judged when it is captured.
        None => false,
    }
}

#[cold]
fn judge(core: &LayerCore, callsite: &'static Callsite) -> bool {
    // A filter that logs is asked again about what it logs.
    let Some(_depth) = Depth::enter() else { return false };
    let mut raw = pool::take();
    // Copied, since a filter may log.
    let version = stack::with_kept(core.id, |version, path| {
        put_spans_only(callsite, version, path, &mut raw);
        version
    });
    let graph = core.graph.load();
    let judged =
        Record::decode(&raw).map(|record| catch_unwind(AssertUnwindSafe(|| graph.handler.refuses_in(&record))));
    // A filter that panics refuses nothing: it will panic again when the event is handled.
    let is_refused = judged.is_some_and(|judged| judged.unwrap_or(false));
    if let Some(version) = version {
        let key = Key { callsite: callsite.id(), generation: graph.generation, version };
        let _ = ANSWERS.try_with(|answers| answers[key.slot()].set(Answer { key, is_refused }));
    }
    pool::give(raw);
    is_refused
}

#[derive(Clone, Copy)]
struct Answer {
    key: Key,
    is_refused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    callsite: u32,
    generation: u64,
    /// 0: outside of all spans.
    version: u64,
}

impl Key {
    /// No callsite with the id 0 is asked about.
    const NONE: Self = Self { callsite: 0, generation: 0, version: 0 };

    #[inline]
    fn slot(self) -> usize {
        (self.callsite as usize ^ (self.generation as usize).wrapping_mul(37)) % ANSWERS_KEPT
    }
}

/// The number of callsites whose answers a thread remembers: 2 KiB.
const ANSWERS_KEPT: usize = 64;

thread_local! {
    static ANSWERS: [Cell<Answer>; ANSWERS_KEPT] =
        const { [const { Cell::new(Answer { key: Key::NONE, is_refused: false }) }; ANSWERS_KEPT] };
}
