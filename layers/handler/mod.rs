//! Records to their ends.
//!
//! [`Handler`] is the one trait in the middle. [`Output`] is the standard endpoint; everything else is a handler around
//! other handlers:
//!
//! | handler | what it is for |
//! |---|---|
//! | [`Queue`] | a thread that does the work |
//! | [`Buffer`] | records kept until one is important, or there are many |
//! | [`ScopedBuffer`] | the details of a request, if it fails or is slow |
//! | [`Route`] | each record to one of several, by what it says; a file for each tenant |
//! | [`Fallback`] | others for what the first cannot deliver |
//! | [`Retry`] | another try, after a pause |
//! | [`Dedup`] | the same over and over, told once |
//! | [`Audit`], [`OrStop`] | delivered when the call returns, or an error, or no program |
//! | [`Filtered`] | those behind it do not see everything; what they miss is counted and told |
//! | [`Rewriting`] | those behind it must not see a secret |
//! | a tuple, a `Vec` | several side by side |

mod alert;
mod audit;
mod buffer;
mod counts;
mod dedup;
mod fallback;
mod filtered;
mod group;
mod missing;
mod notice;
mod or_stop;
mod output;
mod queue;
mod reentry;
mod rest;
mod retry;
mod rewriting;
mod route;
mod scoped_buffer;
#[cfg(test)]
mod script;
mod tally;
mod wanted;

pub use crate::stats::{DropReason, Dropped, Report, Stats};
pub use alert::{Alarm, Alert};
pub use audit::Audit;
pub use buffer::Buffer;
pub use counts::{Count, Counts};
pub use dedup::Dedup;
pub use fallback::Fallback;
pub use filtered::Filtered;
pub use or_stop::OrStop;
pub use output::Output;
pub use queue::{Overflow, Queue};
pub use retry::Retry;
pub use rewriting::Rewriting;
pub use route::{Case, Route, safe_name};
pub use scoped_buffer::ScopedBuffer;

pub(crate) use reentry::{Delivering, HeldBack, is_delivering, is_from_worker};

use tally::Tally;

use std::sync::Arc;
use std::time::Instant;

use tracing_subscriber::filter::LevelFilter;

use crate::record::{Meta, Record, Records, SpanEvents};
use crate::{Error, ErrorKind, Partial};

/// Takes records to their end.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use tracing_handlers::{Error, Handler, Record};
/// use tracing_subscriber::prelude::*;
///
/// /// Counts what it is handed.
/// #[derive(Default)]
/// struct Count(AtomicUsize);
///
/// impl Handler for Count {
///     fn handle(&self, _record: &Record<'_>) -> Result<(), Error> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         Ok(())
///     }
/// }
///
/// let count = std::sync::Arc::new(Count::default());
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(count.clone()));
/// tracing::subscriber::with_default(subscriber, || tracing::info!("one"));
/// assert_eq!(count.0.load(Ordering::Relaxed), 1);
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Whether an event or a span with this metadata is wanted. It must always say the same of the same metadata: answers
    /// are kept per callsite. It must not log.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let _ = meta;
        true
    }

    /// The most verbose level at which [`enabled`](Self::enabled) ever says yes.
    fn max_level(&self) -> LevelFilter {
        LevelFilter::TRACE
    }

    /// Takes one record. One that it does not want (see [`enabled`](Self::enabled)) it leaves alone and returns `Ok`.
    ///
    /// # Errors
    ///
    /// The record did not reach its end. Whoever called tells [`selflog`](crate::selflog) of it.
    fn handle(&self, record: &Record<'_>) -> Result<(), Error>;

    /// Takes several records, in order. All of them are tried; the error is the last one, and says which did not go through.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let (mut missed, mut failed) = (Vec::new(), None);
        let mut count = 0;
        let span_events = self.span_events();
        for (place, record) in records.enumerate() {
            count = place + 1;
            if !span_events.takes(record.kind()) {
                continue;
            }
            if let Err(error) = guarded(|| self.handle(&record)) {
                missed.push(place);
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), |error| Err(Partial::scattered(count, missed, error)))
    }

    /// Of which moments in the lives of spans it wants [records](crate::record::Kind::SpanNew). By default of none; then none come.
    fn span_events(&self) -> SpanEvents {
        SpanEvents::NONE
    }

    /// Told of a record that others take instead, because this handler is left alone after a failure
    /// ([`Fallback`]): an [`Output`] says in its log how many are missing there. It must not wait for anything.
    fn passed_over(&self, record: &Record<'_>) {
        let _ = record;
    }

    /// Delivers what it holds, and comes back by `deadline`. After `Ok` all that it accepted before the call has reached
    /// its end.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        let _ = deadline;
        Ok(())
    }

    /// Adds what became of the records so far: of its own, and of the handlers behind it.
    fn report(&self, reports: &mut Vec<Report>) {
        let _ = reports;
    }

    /// The reports of this handler and those behind it, outermost first.
    fn stats(&self) -> Vec<Report>
    where
        Self: Sized,
    {
        let mut reports = Vec::new();
        self.report(&mut reports);
        reports
    }
}

/// A handler that panics costs its own record: not the next one, nor the handlers beside it.
fn guarded<T, E: From<Error>>(handle: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(handle))
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked").into()))
}

macro_rules! forward {
    ($($type:ty),*) => {$(
        impl<H: Handler + ?Sized> Handler for $type {
            fn enabled(&self, meta: &Meta<'_>) -> bool {
                (**self).enabled(meta)
            }

            fn max_level(&self) -> LevelFilter {
                (**self).max_level()
            }

            #[inline]
            fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
                (**self).handle(record)
            }

            fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
                (**self).handle_batch(records)
            }

            fn span_events(&self) -> SpanEvents {
                (**self).span_events()
            }

            fn passed_over(&self, record: &Record<'_>) {
                (**self).passed_over(record);
            }

            fn flush(&self, deadline: Instant) -> Result<(), Error> {
                (**self).flush(deadline)
            }

            fn report(&self, reports: &mut Vec<Report>) {
                (**self).report(reports);
            }
        }
    )*};
}

forward!(&'static H, Box<H>, Arc<H>);

/// A handler from a closure; it takes everything.
///
/// ```
/// use std::sync::mpsc;
/// use tracing_handlers::handler::{self, Handler};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let (sender, receiver) = mpsc::channel();
/// let handler = handler::from_fn(move |record| {
///     let _ = sender.send(record.message().to_owned());
///     Ok(())
/// });
/// handler.handle(&RecordBuf::new(Severity::INFO, "", "hello").as_record())?;
/// assert_eq!(receiver.recv().unwrap(), "hello");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn from_fn<F>(handle: F) -> FromFn<F>
where
    F: Fn(&Record<'_>) -> Result<(), Error> + Send + Sync + 'static,
{
    FromFn(handle)
}

/// See [`from_fn`].
#[derive(Clone, Debug)]
pub struct FromFn<F>(F);

impl<F> Handler for FromFn<F>
where
    F: Fn(&Record<'_>) -> Result<(), Error> + Send + Sync + 'static,
{
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0(record)
    }
}
