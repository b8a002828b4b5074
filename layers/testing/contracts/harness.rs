use super::MockHandler;

/// The argument of the closure with which [`check_handler`](super::check_handler) makes the handler that it checks.
#[derive(Debug)]
pub struct HandlerHarness {
    pub(super) inner: MockHandler,
}

impl HandlerHarness {
    pub(super) fn new() -> Self {
        Self { inner: MockHandler::default() }
    }

    /// Returns the handler to put inside the one that is checked, wherever that hands records on. Clones share everything. A
    /// handler that is an end does not call this.
    pub fn inner(&self) -> MockHandler {
        self.inner.use_clone()
    }
}
