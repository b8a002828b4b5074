use std::ops::Deref;

use tracing::Span;
use tracing::span::EnteredSpan;

use super::scope::{self, CaptureScope};
use super::{Captured, hub};

/// Captures what is logged in its [scope](super#what-a-capture-sees) from now on, until it is dropped: pytest's `caplog`.
///
/// ```
/// use tracing_handlers::testing::capture;
///
/// let capture = capture();
/// tracing::info!("here");
/// std::thread::spawn(|| tracing::info!("elsewhere")).join().unwrap();
/// let scope = capture.scope();
/// std::thread::spawn(move || scope.in_scope(|| tracing::info!("sent along"))).join().unwrap();
/// assert_eq!(capture.messages(), ["here", "sent along"]);
/// ```
///
/// # Panics
///
/// Panics if the current subscriber has no [`layer()`](super::layer).
#[track_caller]
pub fn capture() -> Capture {
    hub::install();
    let captured = Captured::new();
    let id = hub::join(captured.clone(), false);
    // The most important level, so that a level filter on the whole subscriber does not disable it.
    let span = tracing::error_span!(target: hub::TARGET, "capture", id);
    scope::enter(id);
    Capture { scope: CaptureScope::new(id, span.clone()), _entered: Some(span.entered()), captured }
}

/// Captures everything that is logged in the process, including by other tests.
///
/// For programs whose threads cannot be given a [`CaptureScope`], in a test that runs alone in its process.
///
/// ```
/// let capture = tracing_handlers::testing::capture_all();
/// std::thread::spawn(|| tracing::info!("elsewhere")).join().unwrap();
/// assert_eq!(capture.messages(), ["elsewhere"]);
/// ```
///
/// # Panics
///
/// As [`capture`].
#[track_caller]
pub fn capture_all() -> Capture {
    hub::install();
    let captured = Captured::new();
    let id = hub::join(captured.clone(), true);
    Capture { scope: CaptureScope::new(id, Span::none()), _entered: None, captured }
}

/// An active capture: see [`capture`]. Its [`Captured`] records can be examined at any time, and outlive it in a clone.
///
/// It is bound to its thread; pass its [`scope`](Self::scope) to others.
#[must_use = "nothing is captured after this is dropped"]
#[derive(Debug)]
pub struct Capture {
    scope: CaptureScope,
    // Not `Send`: a span must be exited on the thread that entered it.
    _entered: Option<EnteredSpan>,
    captured: Captured,
}

impl Capture {
    /// Returns its scope, for other threads and tasks.
    pub fn scope(&self) -> CaptureScope {
        self.scope.clone()
    }

    /// Returns the span that represents its scope: what is logged in it, on any thread, is captured.
    ///
    /// ```
    /// let capture = tracing_handlers::testing::capture();
    /// let span = capture.span();
    /// std::thread::spawn(move || span.in_scope(|| tracing::info!("in a task"))).join().unwrap();
    /// assert_eq!(capture.messages(), ["in a task"]);
    /// ```
    pub fn span(&self) -> Span {
        self.scope.span()
    }
}

impl Deref for Capture {
    type Target = Captured;

    fn deref(&self) -> &Captured {
        &self.captured
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        scope::leave(self.scope.id());
        hub::leave(self.scope.id());
    }
}
