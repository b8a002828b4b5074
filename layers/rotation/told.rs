use std::sync::{Arc, Mutex};

use crate::sync::lock;
use crate::{process, selflog};

/// What was told last of work that goes on behind a log; `None` while it works.
#[derive(Clone, Debug)]
pub(super) struct Told(Arc<Mutex<Option<String>>>);

impl Told {
    pub(super) fn new() -> Self {
        let told = Arc::default();
        process::hold_at_forks(&told);
        Self(told)
    }

    /// Tells changes of state only.
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
