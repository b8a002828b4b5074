//! What lay in the queue when the process was forked.

use std::time::{Duration, Instant};

use crate::process::Parent;
use crate::sync::now;

/// The records that the parents of a forked child have to deliver, until it is known that one of them cannot, or probably has.
#[derive(Default)]
pub(super) struct Inherited {
    forks: Vec<Fork>,
    /// When the question becomes pointless: a parent that lives so long has delivered its records. Set when the child first logs.
    until: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Fork {
    parent: Parent,
    records: u64,
}

impl Inherited {
    pub(super) fn is_empty(&self) -> bool {
        self.forks.is_empty()
    }

    /// Called in a forked child.
    pub(super) fn add(&mut self, parent: Parent, records: u64) {
        self.until = None;
        if records > 0 {
            self.forks.push(Fork { parent, records });
        }
    }

    /// Called now and then while the child logs: as a rule, a parent that ends by `_exit` does so just after the fork, but perhaps
    /// later than the child logs first. Returns the number of records whose parents have ended, once.
    pub(super) fn look(&mut self) -> u64 {
        let is_over = self.until.is_some_and(|until| now() > until);
        self.until.get_or_insert_with(|| now() + WATCH);
        if is_over {
            self.forks.clear();
        }
        let mut lost = 0;
        self.forks.retain(|fork| {
            let ended = fork.parent.has_ended();
            lost += if ended { fork.records } else { 0 };
            !ended
        });
        lost
    }
}

/// How long after its first record a child looks for the end of its parent.
const WATCH: Duration = Duration::from_secs(1);
