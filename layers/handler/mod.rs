//! Handlers: what happens to records.
//!
//! [`Handler`] is the one trait in the middle. [`Output`] is the standard endpoint; everything else is a handler around
//! other handlers:
//!
//! | handler | what it is for |
//! |---|---|
//! | [`Queue`] | does the work on a thread |
//! | [`Buffer`] | keeps records until one is important, there are many, or a time has passed |
//! | [`ScopedBuffer`] | keeps the details of a request, and releases them if it fails or is slow |
//! | [`Route`] | hands each record to one of several handlers by its content, such as a file for each tenant |
//! | [`Fallback`] | hands records that the first handler cannot deliver to others |
//! | [`Retry`] | tries again after a pause |
//! | [`Dedup`] | suppresses repeated records and reports their number |
//! | [`Audit`], [`OrStop`] | delivers before the call returns, or returns an error; stops the program on an error |
//! | [`Filtered`] | filters records for the handlers behind it, and counts and reports what is dropped |
//! | [`Rewriting`] | changes records for the handlers behind it, to remove secrets for example |
//! | a tuple, a `Vec` | several side by side |

/// The methods of a handler around a single one, which has the same effect as the trait's defaults, but asks it directly.
/// With `uncounted`, also those that refuse records by their spans: only for a handler that neither counts records nor changes them.
macro_rules! around {
    (uncounted $self:ident => $handler:expr) => {
        $crate::handler::around!($self => $handler);

        fn looks_at_spans(&$self) -> bool {
            $handler.looks_at_spans()
        }

        fn refuses_in(&$self, record: &$crate::Record<'_>) -> bool {
            $handler.refuses_in(record)
        }
    };
    // Also wants the spans that a filter of its own decides by.
    ($self:ident => $handler:expr, deciding by $filter:expr) => {
        $crate::handler::around!(inner $self => $handler);

        fn enabled(&$self, meta: &$crate::Meta<'_>) -> bool {
            let handler = &$handler;
            let is_needed = || meta.is_span && $filter.needs_span(meta);
            handler.enabled(meta) || (is_needed() && handler.max_level() != $crate::filter::LevelFilter::OFF)
        }

        fn max_level(&$self) -> $crate::filter::LevelFilter {
            match $handler.max_level() {
                $crate::filter::LevelFilter::OFF => $crate::filter::LevelFilter::OFF,
                level => level.max($filter.span_level()),
            }
        }
    };
    ($self:ident => $handler:expr) => {
        $crate::handler::around!(inner $self => $handler);

        fn enabled(&$self, meta: &$crate::Meta<'_>) -> bool {
            $handler.enabled(meta)
        }

        fn max_level(&$self) -> $crate::filter::LevelFilter {
            $handler.max_level()
        }
    };
    (inner $self:ident => $handler:expr) => {
        fn inner(
            &$self,
            visit: &mut dyn FnMut(&dyn $crate::Handler) -> std::ops::ControlFlow<()>,
        ) -> std::ops::ControlFlow<()> {
            visit(&$handler)
        }

        fn span_events(&$self) -> $crate::record::SpanEvents {
            $handler.span_events()
        }
    };
}

pub(crate) use around;

mod alert;
mod audit;
mod buffer;
mod counts;
mod debug;
mod dedup;
mod derived;
mod fallback;
mod filtered;
mod group;
mod notice;
mod or_stop;
mod output;
mod queue;
mod retry;
mod rewriting;
mod route;
mod scoped_buffer;
#[cfg(test)]
mod script;
mod tally;
mod tree;
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

pub(crate) use tree::tree;

use debug::TypeName;
use tally::Tally;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::registry::LookupSpan;

use crate::record::{Meta, Record, Records, SpanEvents};
use crate::{Error, ErrorKind, HandlerLayer, Partial};

/// Receives records and delivers them, or hands them on to other handlers.
///
/// An end implements [`handle`](Self::handle) alone. A handler around others implements [`inner`](Self::inner) as well; what it wants,
/// its flush and its reports follow from that. Either may count its records and show the counts by [`own_report`](Self::own_report).
///
/// ```
/// use std::ops::ControlFlow;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use tracing_handlers::{Error, Handler, Output, Record, format::Json, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// /// Counts what passes.
/// struct Count<H> {
///     passed: AtomicUsize,
///     handler: H,
/// }
///
/// impl<H: Handler> Handler for Count<H> {
///     fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
///         self.passed.fetch_add(1, Ordering::Relaxed);
///         self.handler.handle(record)
///     }
///
///     fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
///         visit(&self.handler)
///     }
/// }
///
/// let output = Output::new(Json::new(), Memory::new()).level(tracing::Level::INFO);
/// let count = std::sync::Arc::new(Count { passed: AtomicUsize::new(0), handler: output });
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(count.clone()));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!("one");
///     tracing::debug!("not wanted by the output");
/// });
/// assert_eq!((count.passed.load(Ordering::Relaxed), count.stats().len()), (1, 1));
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Takes one record. A record that it does not want (see [`enabled`](Self::enabled)) is ignored and is not an error.
    ///
    /// # Errors
    ///
    /// Returned if the record did not reach its end. A caller that does not return the error reports it to
    /// [`selflog`](crate::selflog), unless the error [names the handler](Error::handler) that has done so.
    fn handle(&self, record: &Record<'_>) -> Result<(), Error>;

    /// Takes several records, in order. All of them are tried; the error is the last one, and says which records were not
    /// delivered. By default they are handled one by one.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let (mut missed, mut failed) = (Vec::new(), None);
        let span_events = self.span_events();
        for (place, record) in records.enumerate() {
            if !span_events.takes(record.kind()) {
                continue;
            }
            if let Err(error) = guarded(|| self.handle(&record)) {
                missed.push(place);
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), |error| Err(Partial::scattered(records.len(), missed, error)))
    }

    /// Calls `visit` with each handler that this one hands records to, until that returns `Break`. By default there is none: this is
    /// an end.
    ///
    /// Do not hold a lock while `visit` is called. A handler that is not shown is neither flushed nor asked what it wants. If there can
    /// be none, as in an empty list, override [`enabled`](Self::enabled) and [`max_level`](Self::max_level) too: otherwise the list is taken
    /// for an end, which wants everything.
    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        let _ = visit;
        ControlFlow::Continue(())
    }

    /// The name of this handler and the counts of its own records, without those of the handlers behind it. By default none.
    fn own_report(&self) -> Option<Report> {
        None
    }

    /// The counts of [`own_report`](Self::own_report), from which they are taken by default. Override this as well to spare an
    /// [`Audit`] the allocation of the name, which it has no use for.
    fn own_stats(&self) -> Option<Stats> {
        self.own_report().map(|report| report.stats)
    }

    /// Whether an event or a span with this metadata is wanted. The answer must always be the same for the same metadata, since it
    /// is cached per callsite. It must not log.
    ///
    /// By default what any [inner](Self::inner) handler wants, and everything for an end.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        derived::enabled(self, meta)
    }

    /// The most verbose level for which [`enabled`](Self::enabled) ever returns `true`. By default that of the inner handlers, and
    /// `TRACE` for an end.
    fn max_level(&self) -> LevelFilter {
        derived::max_level(self)
    }

    /// The span lifecycle events it wants [records](crate::record::Kind::SpanNew) for. By default those that the inner handlers want,
    /// and none for an end. It receives no others.
    fn span_events(&self) -> SpanEvents {
        derived::span_events(self)
    }

    /// Whether [`refuses_in`](Self::refuses_in) looks at spans, so that it is worth asking before an event is captured. The answer must
    /// always be the same. By default not.
    fn looks_at_spans(&self) -> bool {
        false
    }

    /// Whether [`handle`](Self::handle) ignores all records with the metadata and the spans of `record`, and does not count them either.
    /// Called before an event is captured: `record` has neither a message, fields, a thread nor a time. If all handlers of a layer
    /// refuse, the event is not captured. The answer must always be the same for the same callsite and spans, because each thread
    /// remembers it. By default nothing is refused.
    fn refuses_in(&self, record: &Record<'_>) -> bool {
        let _ = record;
        false
    }

    /// Delivers what it holds, and returns by `deadline`. After `Ok` everything that it accepted before the call has reached
    /// its end. By default all inner handlers are flushed.
    ///
    /// # Errors
    ///
    /// The last error of a handler behind it; [`Timeout`](ErrorKind::Timeout) if the time was too short.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        derived::flush(self, deadline)
    }

    /// Writes what the sinks behind it hold in buffers of bytes, without making it more durable, and without releasing the records
    /// that handlers keep. By default all inner handlers are asked to.
    ///
    /// A [`Queue`] calls this when it has run out of records. On a queue it has no effect: its own thread does the same.
    ///
    /// # Errors
    ///
    /// The last error of a handler behind it. What could not be written is kept.
    fn write_buffered(&self) -> Result<(), Error> {
        derived::write_buffered(self)
    }

    /// Appends the counts of this handler and of the handlers behind it, outermost first. By default
    /// [its own](Self::own_report), then those of the inner handlers.
    fn report(&self, reports: &mut Vec<Report>) {
        derived::report(self, reports);
    }

    /// The reports of this handler and the handlers behind it, outermost first.
    fn stats(&self) -> Vec<Report>
    where
        Self: Sized,
    {
        let mut reports = Vec::new();
        self.report(&mut reports);
        reports
    }

    /// Makes this handler a layer for a subscriber of `tracing-subscriber`, like [`layer`](crate::layer()).
    ///
    /// Several layers side by side share what they capture; whether to use them or one layer around a tuple is discussed in the
    /// [guide](crate::guide::layers).
    ///
    /// ```
    /// use tracing_handlers::{Handler, Output, format::{Json, Text}, sink::Memory};
    /// use tracing_subscriber::filter::{LevelFilter, Targets};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let (console, json, errors) = (Memory::new(), Memory::new(), Memory::new());
    /// let shop: Targets = "shop=debug".parse()?;
    /// let subscriber = tracing_subscriber::registry()
    ///     .with(Output::new(Text::new(), console.clone()).layer())
    ///     .with(Output::new(Json::new(), json.clone()).layer().with_filter(shop))
    ///     .with(Some(Output::new(Json::new(), errors.clone()).layer().with_filter(LevelFilter::ERROR)));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info!("started");
    ///     tracing::debug!(target: "shop", "sold");
    ///     tracing::error!("failed");
    /// });
    /// assert_eq!((console.lines().len(), json.lines().len(), errors.lines().len()), (3, 1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn layer<S>(self) -> HandlerLayer<S>
    where
        Self: Sized,
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        crate::layer(self)
    }
}

/// Shows `dyn Handler`, so that a boxed one does not keep others from deriving `Debug`.
impl fmt::Debug for dyn Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Handler")
    }
}

/// Converts a panic of a handler to an error, so that it affects neither the next record nor the handlers beside it.
fn guarded<T, E: From<Error>>(handle: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(handle))
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked").into()))
}

macro_rules! forward {
    ($($type:ty),*) => {$(
        impl<H: Handler + ?Sized> Handler for $type {
            #[inline]
            fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
                (**self).handle(record)
            }

            fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
                (**self).handle_batch(records)
            }

            fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
                (**self).inner(visit)
            }

            fn own_report(&self) -> Option<Report> {
                (**self).own_report()
            }

            fn own_stats(&self) -> Option<Stats> {
                (**self).own_stats()
            }

            fn enabled(&self, meta: &Meta<'_>) -> bool {
                (**self).enabled(meta)
            }

            fn max_level(&self) -> LevelFilter {
                (**self).max_level()
            }

            fn span_events(&self) -> SpanEvents {
                (**self).span_events()
            }

            fn looks_at_spans(&self) -> bool {
                (**self).looks_at_spans()
            }

            fn refuses_in(&self, record: &Record<'_>) -> bool {
                (**self).refuses_in(record)
            }

            fn flush(&self, deadline: Instant) -> Result<(), Error> {
                (**self).flush(deadline)
            }

            fn write_buffered(&self) -> Result<(), Error> {
                (**self).write_buffered()
            }

            fn report(&self, reports: &mut Vec<Report>) {
                (**self).report(reports);
            }
        }
    )*};
}

forward!(&'static H, Box<H>, Arc<H>);

/// Creates a handler from a closure. It wants every event.
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
pub fn from_fn<F>(handle: F) -> HandlerFn<F>
where
    F: Fn(&Record<'_>) -> Result<(), Error> + Send + Sync + 'static,
{
    HandlerFn(handle)
}

/// See [`from_fn`].
#[must_use = "a handler does nothing until records reach it"]
#[derive(Clone)]
pub struct HandlerFn<F>(F);

impl<F> fmt::Debug for HandlerFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandlerFn").field(&TypeName::of(&self.0)).finish()
    }
}

impl<F> Handler for HandlerFn<F>
where
    F: Fn(&Record<'_>) -> Result<(), Error> + Send + Sync + 'static,
{
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0(record)
    }
}
