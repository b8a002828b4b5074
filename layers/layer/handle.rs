use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::added::{Added, OfThread};
use super::flushing::Flushing;
use super::layer_core::LayerCore;
use crate::Error;
use crate::handler::{Handler, Report, tree};
use crate::sync::deadline_in;

/// A handle to the handlers of an installed [`HandlerLayer`](super::HandlerLayer).
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::{Output, Queue, format::Json, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let (before, after) = (Memory::new(), Memory::new());
/// let layer = tracing_handlers::layer(Queue::new(Output::new(Json::new(), before.clone())));
/// let handle = layer.handle();
/// let subscriber = tracing_subscriber::registry().with(layer);
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!("one");
///     handle.swap(Output::new(Json::new(), after.clone()));
///     tracing::info!("two");
/// });
/// assert_eq!((before.lines().len(), after.lines().len()), (1, 1));
/// assert!(handle.stats().iter().all(|report| report.stats.balances()));
/// ```
#[derive(Clone)]
pub struct Handle {
    pub(super) core: Arc<LayerCore>,
}

impl Handle {
    /// Delivers what the handlers hold, and returns within `timeout`. Blocks the thread: in asynchronous code, use
    /// [`flush_async`](Self::flush_async).
    ///
    /// # Errors
    ///
    /// The last handler's error; [`Timeout`](crate::ErrorKind::Timeout) if the time was too short.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        self.core.graph.load().handler.flush(deadline_in(timeout))
    }

    /// Returns a future that delivers what the handlers hold, and completes within `timeout`.
    ///
    /// It begins when it is first polled, and after `Ok` everything that was logged before then has reached its end. A thread of this
    /// crate does the work, so no thread of an executor is blocked, and any executor will do, also one with a single thread. Futures
    /// that wait at the same time are served by the same thread, one for each layer, which ends when there are none. If a future is
    /// dropped, a flush that has begun goes on, and nothing is lost.
    ///
    /// In a forked child, a future that began in its parent completes with an error when it is polled: begin another one.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush): the last handler's error; [`Timeout`](crate::ErrorKind::Timeout) if the time was too short, even if
    /// a sink ignores its deadline. [`Io`](crate::ErrorKind::Io) if the thread could not be started;
    /// [`Closed`](crate::ErrorKind::Closed) in a forked child.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::{Handle, Output, Queue, format::Json, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// /// Called for each event by a platform that stops the process between two of them, such as AWS Lambda.
    /// async fn invoke(handle: &Handle) -> Result<(), tracing_handlers::Error> {
    ///     tracing::info!("done");
    ///     handle.flush_async(Duration::from_secs(1)).await
    /// }
    ///
    /// let memory = Memory::new();
    /// let layer = tracing_handlers::layer(Queue::new(Output::new(Json::new(), memory.clone())));
    /// let handle = layer.handle();
    /// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || runtime.block_on(invoke(&handle)))?;
    /// assert_eq!(memory.lines().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_async(&self, timeout: Duration) -> Flushing {
        Flushing::new(self.core.clone(), timeout)
    }

    /// Returns the counts of records for each handler, outermost first.
    ///
    /// Each handler counts separately: a record that a sink could not write is `failed` there, and `failed` for the queue in front
    /// of it as well.
    pub fn stats(&self) -> Vec<Report> {
        Handler::stats(self)
    }

    /// Draws the handlers and the handlers behind them, a line each: the name, the level in brackets if the handler has one of its
    /// own, and the counts. Python's `logging_tree`.
    ///
    /// A handler that has no [report of its own](crate::Handler::own_report), such as a tuple, is not shown; those behind it are.
    ///
    /// ```
    /// use tracing::Level;
    /// use tracing_handlers::{Output, Queue, format::{Json, Text}, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = tracing_handlers::layer((
    ///     Output::new(Text::new(), Memory::new()).name("terminal").level(Level::WARN),
    ///     Queue::new(Output::new(Json::new(), Memory::new()).name("app.jsonl")),
    /// ));
    /// let handle = layer.handle();
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || tracing::info!("sold"));
    /// handle.flush(std::time::Duration::from_secs(5))?;
    /// let expected = "\
    /// handlers, up to TRACE
    /// ├─ terminal [WARN]: accepted 0, delivered 0, dropped 0, failed 0, pending 0
    /// └─ queue: accepted 1, delivered 1, dropped 0, failed 0, pending 0
    ///    └─ app.jsonl [TRACE]: accepted 1, delivered 1, dropped 0, failed 0, pending 0
    /// ";
    /// assert_eq!(handle.tree(), expected);
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn tree(&self) -> String {
        let graph = self.core.graph.load();
        let level = graph.max_level().to_string().to_uppercase();
        let mut root = format!("handlers, up to {level}");
        if let Some(report) = self.core.own_report() {
            root = format!("{root}; {report}");
        }
        tree(&root, &graph.handler)
    }

    /// Replaces the handlers with `handler`. The previous ones are dropped, and so flushed, when the last record on its way through
    /// them is done.
    ///
    /// Spans that no handler wanted when they were created remain unknown.
    pub fn swap(&self, handler: impl Handler) {
        let handler: Arc<dyn Handler> = Arc::new(handler);
        drop(self.core.change(|parts| std::mem::replace(&mut parts.handler, handler)));
    }

    /// Adds `handler` until the returned guard is dropped; then it is flushed and dropped too. Python's cookbook has a context
    /// manager for this.
    ///
    /// ```
    /// use tracing_handlers::{Output, format::Json, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let (always, meanwhile) = (Memory::new(), Memory::new());
    /// let layer = tracing_handlers::layer(Output::new(Json::new(), always.clone()).level(tracing::Level::INFO));
    /// let handle = layer.handle();
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
    ///     tracing::debug!("before");
    ///     let added = handle.add(Output::new(Json::new(), meanwhile.clone()));
    ///     tracing::debug!("meanwhile");
    ///     drop(added);
    ///     tracing::debug!("after");
    /// });
    /// assert_eq!((always.lines().len(), meanwhile.lines().len()), (0, 1));
    /// ```
    pub fn add(&self, handler: impl Handler) -> Added {
        Added::new(&self.core, Arc::new(handler))
    }

    /// Like [`add`](Self::add), but `handler` receives only what the current thread logs.
    pub fn add_here(&self, handler: impl Handler) -> Added {
        self.add(OfThread::this(handler))
    }

    /// Runs `f` with `handler` [added](Self::add_here) for what the current thread logs meanwhile.
    pub fn with<T>(&self, handler: impl Handler, f: impl FnOnce() -> T) -> T {
        let _added = self.add_here(handler);
        f()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.describe(&mut f.debug_struct("Handle"))
    }
}
