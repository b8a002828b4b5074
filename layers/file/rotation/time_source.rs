use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::clock::{Clock, System};

/// The clock of a rotation.
#[derive(Clone)]
pub(super) struct TimeSource(Arc<dyn Clock>);

impl TimeSource {
    pub(super) fn new(clock: impl Clock) -> Self {
        Self(Arc::new(clock))
    }
}

impl Default for TimeSource {
    fn default() -> Self {
        Self::new(System)
    }
}

impl Deref for TimeSource {
    type Target = dyn Clock;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
