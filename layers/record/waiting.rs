//! Fields that wait in the thread for the event that they belong to.
//!
//! The names of a tracing event's fields are fixed where the event is written; others have to go past it.

use std::cell::RefCell;

use tracing::Metadata;

use super::encoding::HeadMut;
use super::{Severity, pool};

/// Appends the fields that wait for the event with this metadata, and sets the severity that waits with them. Returns whether there are
/// any.
#[cold]
pub(super) fn append(metadata: &'static Metadata<'static>, raw: &mut Vec<u8>) -> bool {
    let of = address(metadata);
    let append = |waiting: &RefCell<Waiting>| {
        let waiting = waiting.borrow();
        let is_its_own = waiting.of == of;
        if is_its_own {
            raw.extend_from_slice(&waiting.fields);
            if let (Some(severity), Some(mut head)) = (waiting.severity, HeadMut::of(raw)) {
                head.set_severity(severity);
            }
        }
        is_its_own
    };
    WAITING.try_with(append).unwrap_or(false)
}

/// Encoded fields, and the address of the metadata of the event that they belong to; 0: none.
#[derive(Default)]
pub(super) struct Waiting {
    of: usize,
    fields: pool::Buffer,
    severity: Option<Severity>,
}

impl Waiting {
    /// With `severity` instead of that of the event's level, if any.
    pub(super) fn new(metadata: &'static Metadata<'static>, fields: pool::Buffer, severity: Option<Severity>) -> Self {
        Self { of: address(metadata), fields, severity }
    }
}

fn address(metadata: &'static Metadata<'static>) -> usize {
    std::ptr::from_ref(metadata).addr()
}

/// Lets `waiting` wait while `run` runs. Formatting a message may log another record, whose event must not get these.
pub(super) fn wait(waiting: Waiting, run: impl FnOnce()) {
    let Ok(before) = WAITING.try_with(|place| place.replace(waiting)) else { return run() };
    let _restored = Restore(Some(before));
    run();
}

struct Restore(Option<Waiting>);

impl Drop for Restore {
    fn drop(&mut self) {
        let Some(before) = self.0.take() else { return };
        if let Ok(done) = WAITING.try_with(|place| place.replace(before)) {
            pool::give(done.fields);
        }
    }
}

thread_local! {
    static WAITING: RefCell<Waiting> = RefCell::default();
}
