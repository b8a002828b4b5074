//! The layer that all captures of the process get their records from.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Once, PoisonError, RwLock};

use tracing::{Dispatch, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::Captured;
use super::scope::is_in_scope;
use crate::Error;
use crate::handler::Handler;
use crate::layer::HandlerLayer;
use crate::record::{Record, RecordBuf, Span, Value};

/// See [`layer()`].
pub type Layer<S> = Layered<Present, HandlerLayer<S>, S>;

/// Returns the layer that captures get their records from, for a custom subscriber.
///
/// ```
/// use tracing_handlers::testing;
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry().with(testing::layer()).with(tracing_subscriber::fmt::layer()).init();
/// let capture = testing::capture();
/// tracing::info!("both in the capture and on standard output");
/// assert_eq!(capture.records().len(), 1);
/// ```
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub fn layer<S>() -> Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    tracing_subscriber::Layer::and_then(crate::layer::layer(Hub), Present)
}

/// Makes sure that records arrive here, or panics with the reason why they cannot.
#[track_caller]
pub(super) fn install() {
    static INSTALL: Once = Once::new();
    if is_present() {
        return;
    }
    // An existing global subscriber is kept.
    INSTALL.call_once(|| {
        if tracing::subscriber::set_global_default(Registry::default().with(layer())).is_ok() {
            #[cfg(feature = "log")]
            crate::layer::bridge_log_if_free();
        }
    });
    // A capture that sees nothing would make every `assert_never` pass.
    assert!(is_present(), "nothing can be captured: the subscriber has no `tracing_handlers::testing::layer()`");
}

fn is_present() -> bool {
    tracing::dispatcher::get_default(Dispatch::is::<Present>)
}

/// Starts to hand records to `captured`: those of its scope, or all. Returns an id.
pub(super) fn join(captured: Captured, everything: bool) -> u64 {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    LIVING.write().unwrap_or_else(PoisonError::into_inner).push(Living { id, everything, captured });
    id
}

/// Ends what [`join`] started.
pub(super) fn leave(id: u64) {
    LIVING.write().unwrap_or_else(PoisonError::into_inner).retain(|living| living.id != id);
}

/// Marks a subscriber that has a [`layer()`].
#[derive(Clone, Copy, Debug)]
pub struct Present;

impl<S: Subscriber> tracing_subscriber::Layer<S> for Present {}

/// Hands each record to the captures whose scope it is in.
struct Hub;

impl Handler for Hub {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let living = LIVING.read().unwrap_or_else(PoisonError::into_inner);
        for living in living.iter().filter(|living| living.sees(record)) {
            let mut buf = RecordBuf::from(record);
            buf.retain_spans(|span| scope_of(span).is_none());
            living.captured.push(buf);
        }
        Ok(())
    }
}

struct Living {
    id: u64,
    everything: bool,
    captured: Captured,
}

impl Living {
    fn sees(&self, record: &Record<'_>) -> bool {
        self.everything || is_in_scope(self.id) || record.spans().any(|span| scope_of(&span) == Some(self.id))
    }
}

/// Returns the id of the capture whose span this is.
fn scope_of(span: &Span<'_>) -> Option<u64> {
    if span.name() != "capture" || span.target() != TARGET {
        return None;
    }
    match span.field("id")? {
        Value::U64(id) => Some(id),
        _ => None,
    }
}

pub(super) const TARGET: &str = "tracing_handlers::testing";

static LIVING: RwLock<Vec<Living>> = RwLock::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(1);
