use std::cell::RefCell;

use tracing::Span;

/// The scope of a [`Capture`](super::Capture), for other threads and tasks.
#[must_use = "nothing is captured after this is dropped"]
#[derive(Clone, Debug)]
pub struct CaptureScope {
    id: u64,
    span: Span,
}

impl CaptureScope {
    pub(super) fn new(id: u64, span: Span) -> Self {
        Self { id, span }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

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

    /// Returns the same as [`Capture::span`](super::Capture::span); for [`capture_all`](super::capture_all) a disabled span, since that captures
    /// everything anyway.
    pub fn span(&self) -> Span {
        self.span.clone()
    }
}

/// Whether this thread is in the scope of the capture with this id, regardless of spans.
pub(super) fn is_in_scope(id: u64) -> bool {
    SCOPES.try_with(|scopes| scopes.borrow().contains(&id)).unwrap_or(false)
}

pub(super) fn enter(id: u64) {
    let _ = SCOPES.try_with(|scopes| scopes.borrow_mut().push(id));
}

pub(super) fn leave(id: u64) {
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
