//! The records kept for each span, and their total size.

use std::collections::{BTreeMap, HashMap};

use crate::Partial;
use crate::filter::AnyLevel;
use crate::record::{Batch, Record};
use crate::stats::{DropReason, Dropped, Stats};

#[derive(Default)]
pub(super) struct Scopes {
    pub(super) max_bytes: usize,
    pub(super) max_bytes_per_scope: usize,
    /// The counts, except of pending records.
    pub(super) counts: Stats,
    /// The number of records kept, or being released.
    pending: u64,
    /// The capacities of all buffers, including spare ones.
    bytes: usize,
    scopes: HashMap<u64, Scope>,
    /// The scopes in the order in which they began.
    order: BTreeMap<u64, u64>,
    next: u64,
    spare: Vec<Batch>,
}

/// The decision about a record.
pub(super) enum Take {
    /// It is kept, or added to what is being released.
    Kept,
    /// It passes at once.
    Pass,
    /// The caller must release the scope. If the record is `kept`, it is among the kept ones; otherwise there was no room, and the
    /// caller hands it on after them.
    Release { kept: bool },
}

struct Scope {
    began: u64,
    state: ScopeState,
    records: Batch,
    /// Dropped for lack of memory, and not yet reported.
    lost: Dropped,
}

#[derive(Clone, Copy, PartialEq)]
enum ScopeState {
    Keeping,
    /// A thread is handing on what was kept.
    Releasing,
    /// The same, and the span has closed.
    Ending,
    Released,
}

impl Scopes {
    pub(super) fn new(max_bytes: usize, max_bytes_per_scope: usize) -> Self {
        Self { max_bytes, max_bytes_per_scope, ..Self::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn take(&mut self, id: u64, record: &Record<'_>, triggers: bool, may_pass: bool) -> Take {
        let state = self.scopes.get(&id).map_or(ScopeState::Keeping, |scope| scope.state);
        match state {
            ScopeState::Released => return Take::Pass,
            ScopeState::Keeping if may_pass && !triggers => return Take::Pass,
            _ => {}
        }
        let releases = state == ScopeState::Keeping && triggers;
        let kept = self.keep(id, record, releases);
        match releases {
            true => {
                self.begin_release(id);
                Take::Release { kept }
            }
            false => Take::Kept,
        }
    }

    /// Keeps the record. Returns `false` if there is no room for it; it then counts as dropped, unless it `passes`.
    fn keep(&mut self, id: u64, record: &Record<'_>, passes: bool) -> bool {
        self.begin(id);
        let Some(mut scope) = self.scopes.remove(&id) else { return false };
        let wanted = record.raw().len();
        // For a record that never fits, no other is dropped.
        let may_fit = wanted <= self.max_bytes_per_scope.min(self.max_bytes);
        if may_fit && scope.records.size() + wanted > self.max_bytes_per_scope {
            self.make_room(&mut scope, wanted);
        }
        let fits = may_fit && self.grow(id, &mut scope, wanted);
        if fits {
            scope.records.push(record);
            self.pending += 1;
        } else if !passes {
            scope.lost.add(DropReason::TooLarge, 1);
            self.counts.dropped.add(DropReason::TooLarge, 1);
        }
        self.scopes.insert(id, scope);
        fits
    }

    /// Adds a scope unless it is known. Beyond [`MAX_SCOPES`], the oldest is dropped with what it keeps.
    fn begin(&mut self, id: u64) {
        if self.scopes.contains_key(&id) {
            return;
        }
        if self.scopes.len() >= MAX_SCOPES
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.forget(oldest, DropReason::Oldest);
        }
        let records = self.spare.pop().unwrap_or_else(empty);
        self.next += 1;
        self.order.insert(self.next, id);
        let lost = Dropped::default();
        self.scopes.insert(id, Scope { began: self.next, state: ScopeState::Keeping, records, lost });
    }

    /// Drops the scope's own oldest records.
    fn make_room(&mut self, scope: &mut Scope, wanted: usize) {
        while !scope.records.is_empty() && scope.records.size() + wanted > self.max_bytes_per_scope {
            scope.records.pop_first();
            scope.lost.add(DropReason::Oldest, 1);
            self.drop_pending(DropReason::Oldest, 1);
        }
        if scope.records.used() >= 2 * scope.records.size() {
            scope.records.compact();
        }
    }

    /// Makes room for `wanted` more bytes, if necessary by dropping the records of the scopes that began first. Returns `false` if
    /// that is not enough.
    fn grow(&mut self, id: u64, scope: &mut Scope, wanted: usize) -> bool {
        let (len, before) = (scope.records.used(), scope.records.capacity());
        if len + wanted <= before {
            return true;
        }
        if len + wanted > self.max_bytes && len > scope.records.size() {
            scope.records.compact();
            return self.grow(id, scope, wanted);
        }
        if len + wanted > self.max_bytes {
            return false;
        }
        let after = (len + wanted).max((before + before / 2).max(LEAST).min(self.max_bytes));
        while self.bytes - before + after > self.max_bytes {
            if !self.give_up_oldest(id) {
                return false;
            }
        }
        scope.records.reserve_exact(after - len);
        self.bytes = self.bytes - before + scope.records.capacity();
        true
    }

    /// Frees the memory of a spare buffer, or else of the scope that began first, except `but`. Returns `false` if there is none.
    fn give_up_oldest(&mut self, but: u64) -> bool {
        if let Some(spare) = self.spare.pop() {
            self.bytes -= spare.capacity();
            return true;
        }
        // A scope that has lost everything comes last from now on.
        for _ in 0..self.order.len() {
            let Some((&began, &id)) = self.order.iter().find(|(_, id)| **id != but) else { return false };
            self.order.remove(&began);
            self.next += 1;
            self.order.insert(self.next, id);
            let Some(scope) = self.scopes.get_mut(&id) else { continue };
            scope.began = self.next;
            let (bytes, records) = scope.give_up();
            self.bytes -= bytes;
            self.drop_pending(DropReason::Oldest, records);
            if bytes > 0 {
                return true;
            }
        }
        false
    }

    pub(super) fn is_released(&self, id: u64) -> bool {
        self.scopes.get(&id).is_some_and(|scope| scope.state != ScopeState::Keeping)
    }

    /// Begins to release a scope. Returns `false` if there is nothing to release, or another thread is doing it.
    pub(super) fn begin_release(&mut self, id: u64) -> bool {
        let Some(scope) = self.scopes.get_mut(&id).filter(|scope| scope.state == ScopeState::Keeping) else {
            return false;
        };
        scope.state = ScopeState::Releasing;
        true
    }

    /// Takes the kept and the lost records of a scope that is being released; `None` if nothing is left.
    pub(super) fn kept_of(&mut self, id: u64) -> Option<(Batch, Dropped)> {
        let scope = self.scopes.get_mut(&id)?;
        if !scope.records.is_empty() || scope.lost.total() > 0 {
            return Some((std::mem::replace(&mut scope.records, empty()), std::mem::take(&mut scope.lost)));
        }
        let ended = scope.state == ScopeState::Ending;
        scope.state = ScopeState::Released;
        if ended {
            self.end(id);
        }
        None
    }

    /// Called when the batch from [`kept_of`](Self::kept_of) has been handed on.
    pub(super) fn delivered(&mut self, kept: Batch, handled: &Result<(), Partial>) {
        let count = kept.len() as u64;
        let delivered = handled.as_ref().map_or_else(|partial| (partial.delivered as u64).min(count), |()| count);
        // A fork in between has forgotten them.
        let count = count.min(self.pending);
        self.pending -= count;
        self.counts.add_handled(delivered.min(count), count - delivered.min(count));
        self.put_by(kept);
    }

    pub(super) fn passed(&mut self, well: bool) {
        if self.stats().pending == 0 {
            // A fork in between has forgotten it.
            return;
        }
        self.counts.add_handled(u64::from(well), u64::from(!well));
    }

    /// Counts a record outside all scopes.
    pub(super) fn outside(&mut self, passes: bool) {
        self.counts.accepted += 1;
        if !passes {
            self.counts.dropped.add(DropReason::NotNeeded, 1);
        }
    }

    /// Drops what is not important enough, and begins to release the rest. Returns `false` if there is nothing to release.
    pub(super) fn keep_only(&mut self, id: u64, level: &AnyLevel) -> bool {
        if !self.begin_release(id) {
            return false;
        }
        let Some(scope) = self.scopes.get_mut(&id) else { return false };
        let before = scope.records.len();
        scope.records.retain(|record| level.allows(record));
        let dropped = before - scope.records.len();
        self.drop_pending(DropReason::NotNeeded, dropped as u64);
        true
    }

    /// The span is over.
    pub(super) fn end(&mut self, id: u64) {
        if let Some(scope) = self.scopes.get_mut(&id)
            && scope.state == ScopeState::Releasing
        {
            scope.state = ScopeState::Ending;
            return;
        }
        self.forget(id, DropReason::NotNeeded);
    }

    fn forget(&mut self, id: u64, reason: DropReason) {
        let Some(scope) = self.scopes.remove(&id) else { return };
        self.order.remove(&scope.began);
        self.drop_pending(reason, scope.records.len() as u64);
        self.put_by(scope.records);
    }

    /// Called in a forked child: what is kept belongs to the parent.
    pub(super) fn forget_inherited(&mut self) {
        self.scopes.clear();
        self.order.clear();
        self.spare.clear();
        self.bytes = 0;
        self.pending = 0;
        let stats = self.stats();
        self.counts.dropped.add(DropReason::Forked, stats.pending);
    }

    fn drop_pending(&mut self, reason: DropReason, count: u64) {
        self.pending -= count;
        self.counts.dropped.add(reason, count);
    }

    fn put_by(&mut self, mut records: Batch) {
        match self.spare.len() < SPARES && records.capacity() > 0 && records.capacity() <= MAX_SPARE {
            true => {
                records.clear();
                self.spare.push(records);
            }
            // A fork in between has forgotten it.
            false => self.bytes = self.bytes.saturating_sub(records.capacity()),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let Stats { accepted, delivered, dropped, failed, .. } = self.counts;
        // Records that are passing at this moment are pending.
        let pending = accepted.saturating_sub(delivered + failed + dropped.total());
        Stats { pending, ..self.counts }
    }
}

impl Scope {
    /// Drops everything that it keeps. Returns the size of the memory and the number of records.
    fn give_up(&mut self) -> (usize, u64) {
        let kept = std::mem::replace(&mut self.records, empty());
        self.lost.add(DropReason::Oldest, kept.len() as u64);
        (kept.capacity(), kept.len() as u64)
    }
}

/// A batch whose memory is counted here, and so does not come from the pool.
fn empty() -> Batch {
    Batch::with_capacity(0)
}

/// The initial capacity of a scope, in bytes.
const LEAST: usize = 512;
/// The maximum number of scopes at a time.
const MAX_SCOPES: usize = 1 << 16;
/// The number of buffers kept for reuse,
const SPARES: usize = 64;
/// but none larger than this.
const MAX_SPARE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_being_released_at_a_fork_belong_to_the_parent() {
        let mut scopes = Scopes::default();
        scopes.counts.accepted += 1;
        scopes.forget_inherited();
        scopes.passed(true);
        let stats = scopes.stats();
        assert!(stats.balances(), "{stats:?}");
        assert_eq!((stats.delivered, stats.dropped.by(DropReason::Forked)), (0, 1));
    }
}
