use std::sync::Arc;

use super::family::Family;
use super::lock::Lock;
use super::retention::{Budget, Retention, carry_out};
use super::told::Told;
use super::{Source, keeper};
use crate::Error;

/// Removes the ended files of a family that are too old, or too much, after its turns; how many there are is seen to by the
/// turn itself.
///
/// It looks, and removes what it found, with the family locked: in between no file gets another name.
#[derive(Debug)]
pub(super) struct Pruning {
    family: Family,
    lock: Arc<Lock>,
    /// Without the budget, which is not of this family alone.
    retention: Retention,
    budget: Option<Budget>,
    clock: Source,
    told: Told,
}

impl Pruning {
    /// `None`: the count is all there is.
    pub(super) fn new(family: &Family, lock: &Arc<Lock>, retention: &Retention, clock: &Source) -> Option<Arc<Self>> {
        let mut retention = retention.clone();
        if !retention.looks_further() {
            return None;
        }
        let budget = retention.budget.take();
        if let Some(budget) = &budget {
            budget.join(family, lock);
        }
        let (family, lock, clock) = (family.clone(), lock.clone(), clock.clone());
        Some(Arc::new(Self { family, lock, retention, budget, clock, told: Told::new() }))
    }

    /// Asks for it; it is done by the [keeper](super::keeper).
    pub(super) fn begin(self: &Arc<Self>) {
        let pruning = self.clone();
        keeper::submit("prune", self.family.path(), Box::new(move || pruning.tell(pruning.prune())));
    }

    fn prune(&self) -> Result<(), Error> {
        let own = self.prune_own();
        let all = self.budget.as_ref().map_or(Ok(()), Budget::prune);
        own.and(all)
    }

    fn prune_own(&self) -> Result<(), Error> {
        let _held = self.lock.hold()?;
        carry_out(&self.retention.plan(&self.family, self.clock.now())?)
    }

    fn tell(&self, done: Result<(), Error>) {
        let name = self.family.path().display();
        let trouble = done.err().map(|error| format!("file {name}: keeps too many old files: {error}"));
        self.told.tell(trouble, || format!("file {name}: keeps no more old files than it may"));
    }
}
