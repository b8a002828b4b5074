use std::sync::Arc;

use super::age_clock::AgeClock;
use super::family::Family;
use super::lock::Lock;
use super::reporter::Reporter;
use super::retention::{Budget, Retention, carry_out};
use super::{background, time_source::TimeSource};
use crate::Error;
use crate::clock::Timestamp;

/// Removes archives beyond the limits of age, size and free space after rotations. Their count is limited by the rotation itself.
///
/// Works with the family locked, so that no file is renamed meanwhile.
#[derive(Debug)]
pub(super) struct Pruning {
    family: Family,
    lock: Arc<Lock>,
    /// Without the budget, which covers other families too.
    retention: Retention,
    budget: Option<Budget>,
    clock: AgeClock,
    reporter: Reporter,
}

impl Pruning {
    /// Returns `None` if only the count is limited.
    pub(super) fn new(
        family: &Family,
        lock: &Arc<Lock>,
        retention: &Retention,
        clock: &TimeSource,
    ) -> Option<Arc<Self>> {
        let mut retention = retention.clone();
        if !retention.limits_more_than_count() {
            return None;
        }
        let budget = retention.budget.take();
        if let Some(budget) = &budget {
            budget.join(family, lock);
        }
        let (family, lock, clock) = (family.clone(), lock.clone(), AgeClock::new(clock.clone()));
        Some(Arc::new(Self { family, lock, retention, budget, clock, reporter: Reporter::new() }))
    }

    /// Starts the work on the [background thread](super::background).
    pub(super) fn begin(self: &Arc<Self>) {
        let pruning = self.clone();
        background::submit("prune", self.family.path(), Box::new(move || pruning.report(pruning.prune())));
    }

    fn prune(&self) -> Result<(), Error> {
        let now = self.clock.now(&self.family.times_written()?);
        let own = self.prune_own(now);
        let all = self.budget.as_ref().map_or(Ok(()), |budget| budget.prune(now));
        own.and(all)
    }

    fn prune_own(&self, now: Timestamp) -> Result<(), Error> {
        let _held = self.lock.hold()?;
        let removals = self.retention.plan(&self.family, now)?;
        let removed = carry_out(&removals);
        if !removals.is_empty() {
            self.family.list_again();
        }
        removed
    }

    fn report(&self, done: Result<(), Error>) {
        let name = self.family.path().display();
        let failure = done.err().map(|error| format!("file {name}: cannot remove old files: {error:#}"));
        self.reporter.report(failure, || format!("file {name}: old files are removed again"));
    }
}
