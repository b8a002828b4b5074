use std::cell::RefCell;
use std::ops::Deref;

use tracing::Span;
use tracing::span::EnteredSpan;

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
    enter(id);
    Capture { scope: CaptureScope { id, span: span.clone() }, _entered: Some(span.entered()), captured }
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
    Capture { scope: CaptureScope { id, span: Span::none() }, _entered: None, captured }
}

/// An active capture: see [`capture`]. Its [`Captured`] records can be examined at any time, and outlive it in a clone.
///
/// It is bound to its thread; pass its [`scope`](Self::scope) to others.
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
        leave(self.scope.id);
        hub::leave(self.scope.id);
    }
}

/// The scope of a [`Capture`], for other threads and tasks.
#[derive(Clone, Debug)]
pub struct CaptureScope {
    id: u64,
    span: Span,
}

impl CaptureScope {
    /// Runs `run` and captures everything that it logs on this thread.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        struct Leave(u64);
        impl Drop for Leave {
            fn drop(&mut self) {
                leave(self.0);
            }
        }
        enter(self.id);
        let _leave = Leave(self.id);
        self.span.in_scope(run)
    }

    /// Returns the same as [`Capture::span`]; for [`capture_all`](super::capture_all) a disabled span, since that captures
    /// everything anyway.
    pub fn span(&self) -> Span {
        self.span.clone()
    }
}

/// Whether this thread is in the scope of the capture with this id, regardless of spans.
pub(super) fn is_in_scope(id: u64) -> bool {
    SCOPES.try_with(|scopes| scopes.borrow().contains(&id)).unwrap_or(false)
}

fn enter(id: u64) {
    let _ = SCOPES.try_with(|scopes| scopes.borrow_mut().push(id));
}

fn leave(id: u64) {
    let _ = SCOPES.try_with(|scopes| {
        let mut scopes = scopes.borrow_mut();
        if let Some(innermost) = scopes.iter().rposition(|entered| *entered == id) {
            scopes.remove(innermost);
        }
    });
}

thread_local! {
    /// The captures whose scope this thread is in.
    static SCOPES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}
