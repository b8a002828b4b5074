use std::sync::{Arc, Mutex};

use crate::sync::lock;
use crate::{process, selflog};

/// The last failure reported of the background work of a log; `None` while it works.
#[derive(Clone, Debug)]
pub(super) struct Told(Arc<Mutex<Option<String>>>);

impl Told {
    pub(super) fn new() -> Self {
        let told = Arc::default();
        process::hold_at_forks(&told);
        Self(told)
    }

    /// Reports `trouble`, or the end of it, if that has changed.
    pub(super) fn tell(&self, trouble: Option<String>, works_again: impl FnOnce() -> String) {
        let before = std::mem::replace(&mut *lock(&self.0), trouble.clone());
        match (before, trouble) {
            (Some(_), None) => selflog::tell(&works_again()),
            (before, Some(trouble)) if before.as_ref() != Some(&trouble) => selflog::tell(&trouble),
            _ => {}
        }
    }

    #[cfg(all(test, unix, feature = "gzip"))]
    pub(super) fn last(&self) -> Option<String> {
        lock(&self.0).clone()
    }
}
