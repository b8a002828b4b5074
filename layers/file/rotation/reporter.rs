use std::sync::Arc;

use crate::sync::{Mutex, lock};
use crate::{process, selflog};

/// Reports failures of the background work of a log, once per change. Holds the last reported failure; `None` while it works.
#[derive(Clone, Debug)]
pub(super) struct Reporter(Arc<Mutex<Option<String>>>);

impl Reporter {
    pub(super) fn new() -> Self {
        let last = Arc::default();
        process::hold_at_forks(&last);
        Self(last)
    }

    /// Reports `failure`, or the end of the last one, if that is news.
    pub(super) fn report(&self, failure: Option<String>, works_again: impl FnOnce() -> String) {
        let before = std::mem::replace(&mut *lock(&self.0), failure.clone());
        match (before, failure) {
            (Some(_), None) => selflog::tell(&works_again()),
            (before, Some(failure)) if before.as_ref() != Some(&failure) => selflog::tell(&failure),
            _ => {}
        }
    }

    #[cfg(all(test, unix, feature = "gzip"))]
    pub(super) fn last(&self) -> Option<String> {
        lock(&self.0).clone()
    }
}
