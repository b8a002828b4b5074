use std::cell::RefCell;
use std::ops::Deref;

use tracing::Span;
use tracing::span::EnteredSpan;

use super::{Captured, hub};

/// Keeps what is logged in this scope from now on, until it is dropped: pytest's `caplog`. [What that is](super#what-a-capture-sees).
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
/// The current subscriber has no [`layer()`](super::layer).
#[track_caller]
pub fn capture() -> Capture {
    hub::install();
    let captured = Captured::new();
    let id = hub::join(captured.clone(), false);
    // The most important level, so that a level filter on the whole subscriber leaves it alone.
    let span = tracing::error_span!(target: hub::TARGET, "capture", id);
    enter(id);
    Capture { scope: Scope { id, span: span.clone() }, _entered: Some(span.entered()), captured }
}

/// Keeps everything that is logged in the process, whoever logs it, other tests included.
///
/// For programs whose threads cannot be given a [`Scope`]; in a test that has the process for itself.
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
    Capture { scope: Scope { id, span: Span::none() }, _entered: None, captured }
}

/// A capture that lives: see [`capture`]. What it has [`Captured`] can be looked at any time, and kept beyond it by a clone.
///
/// It stays on its thread; [`scope`](Self::scope) is what goes to others.
#[derive(Debug)]
pub struct Capture {
    scope: Scope,
    // Not Send: a span is left on the thread that entered it.
    _entered: Option<EnteredSpan>,
    captured: Captured,
}

impl Capture {
    /// Its scope, to be taken to other threads and tasks.
    pub fn scope(&self) -> Scope {
        self.scope.clone()
    }

    /// The span that is its scope: what is logged in it, on any thread, is seen.
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

/// What belongs to a [`Capture`], for threads and tasks that it cannot know of.
#[derive(Clone, Debug)]
pub struct Scope {
    id: u64,
    span: Span,
}

impl Scope {
    /// Runs `run`, and everything that it logs on this thread is seen.
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

    /// As [`Capture::span`]; of [`capture_all`](super::capture_all) none, since it sees everything anyway.
    pub fn span(&self) -> Span {
        self.span.clone()
    }
}

/// Whether this thread is in the scope of the capture with this id, in whatever span it logs.
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
