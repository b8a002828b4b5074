//! Records from sources other than tracing.

use std::ops::ControlFlow;

use tracing_subscriber::filter::LevelFilter;

use super::handle::Handle;
use crate::Error;
use crate::handler::{Handler, Report};
use crate::record::{Meta, Record, SpanEvents};

/// Hands records that do not come from tracing to the handlers of the layer, like the layer's own records; after a
/// [`swap`](Handle::swap), to the new handlers. An error of a handler is reported to [`selflog`](crate::selflog) rather than
/// returned.
///
/// The handle must not be one of the layer's own handlers.
///
/// ```
/// use tracing_handlers::{Handler, RecordBuf, Severity, testing::Captured};
/// use tracing_subscriber::prelude::*;
///
/// let captured = Captured::new();
/// let layer = tracing_handlers::layer(captured.clone());
/// let handle = layer.handle();
/// let _guard = tracing_subscriber::registry().with(layer).set_default();
/// tracing::info!("from tracing");
/// handle.handle(&RecordBuf::new(Severity::INFO, "elsewhere", "from elsewhere").as_record())?;
/// assert_eq!(captured.messages(), ["from tracing", "from elsewhere"]);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
impl Handler for Handle {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let graph = self.core.graph.load();
        if graph.span_events.takes(record.kind()) && graph.enabled(&record.meta()) {
            self.core.deliver(&graph, record.raw());
        }
        Ok(())
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.core.graph.load().handler)
    }

    fn own_report(&self) -> Option<Report> {
        self.core.own_report()
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.core.graph.load().enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.core.graph.load().max_level()
    }

    fn span_events(&self) -> SpanEvents {
        self.core.graph.load().span_events
    }
}
