use std::ops::Deref;

use super::{Capture, Expect, capture};
use crate::record::Severity;

/// Makes the test fail at its end if a record at ERROR or above was logged in its [scope](super::capture).
///
/// ```
/// use tracing_handlers::testing::{expect, fail_on_error};
///
/// let test = std::thread::spawn(|| {
///     let _guard = fail_on_error().allow(expect().target("shop::till"));
///     tracing::error!(target: "shop::till", "jammed, as usual");
///     tracing::error!(target: "shop", "on fire");
/// });
/// let panic = test.join().unwrap_err();
/// let message = panic.downcast_ref::<String>().unwrap();
/// assert!(message.contains("on fire") && !message.contains("jammed"), "{message}");
/// ```
///
/// # Panics
///
/// Panics like [`capture`](super::capture), and when the guard is dropped, if there was an ERROR and the thread is not already
/// panicking.
#[track_caller]
#[must_use = "it checks when it is dropped: bind it to a name"]
pub fn fail_on_error() -> FailOnError {
    FailOnError { capture: capture(), allowed: Vec::new() }
}

/// See [`fail_on_error`].
#[must_use = "the log is checked when this is dropped"]
#[derive(Debug)]
pub struct FailOnError {
    capture: Capture,
    allowed: Vec<Expect>,
}

impl FailOnError {
    /// Allows matching records to be logged; by default none may be.
    #[must_use = "it checks when it is dropped: bind it to a name"]
    pub fn allow(mut self, expect: Expect) -> Self {
        self.allowed.push(expect);
        self
    }
}

impl Deref for FailOnError {
    type Target = Capture;

    fn deref(&self) -> &Capture {
        &self.capture
    }
}

impl Drop for FailOnError {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut errors = self.capture.records();
        errors.retain(|buf| {
            let record = buf.as_record();
            record.severity().is_at_least(Severity::ERROR)
                && !self.allowed.iter().any(|allowed| allowed.matches(&record))
        });
        if !errors.is_empty() {
            // A panic is how a test fails.
            panic!("errors were logged ({}):\n{}", errors.len(), super::captured::lines(&errors));
        }
    }
}
