//! Several handlers side by side: each receives every record, even if others fail.

use std::ops::ControlFlow;

use tracing_subscriber::filter::LevelFilter;

use super::{Handler, guarded};
use crate::record::{Meta, Record, Records, SpanEvents};
use crate::{Error, Partial};

/// Returns the last error of several results, if there is one.
pub(super) fn worst(results: impl IntoIterator<Item = Result<(), Error>>) -> Result<(), Error> {
    results.into_iter().filter(Result::is_err).last().unwrap_or(Ok(()))
}

/// A record counts as delivered when all have delivered it.
fn all_of(records: Records<'_>, results: impl IntoIterator<Item = Result<(), Partial>>) -> Result<(), Partial> {
    let failed = results.into_iter().filter_map(Result::err);
    failed.reduce(|one, other| join(records.len(), one, other)).map_or(Ok(()), Err)
}

#[cold]
fn join(records: usize, one: Partial, other: Partial) -> Partial {
    let mut missed: Vec<_> = one.missed(records).chain(other.missed(records)).collect();
    missed.sort_unstable();
    missed.dedup();
    Partial::scattered(records, missed, other.error)
}

/// Hands a record over, unless it is of a span event that the handler does not ask for.
#[inline]
pub(super) fn one(handler: &(impl Handler + ?Sized), record: &Record<'_>) -> Result<(), Error> {
    let kind = record.kind();
    if kind.is_of_span() && !handler.span_events().contains(kind) {
        return Ok(());
    }
    guarded(|| handler.handle(record))
}

macro_rules! side_by_side {
    ($($handler:ident $index:tt),*) => {
        impl<$($handler: Handler),*> Handler for ($($handler,)*) {
            #[inline]
            fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
                worst([$(one(&self.$index, record)),*])
            }

            fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
                all_of(records, [$(guarded(|| self.$index.handle_batch(records))),*])
            }

            fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
                $(visit(&self.$index)?;)*
                ControlFlow::Continue(())
            }

            fn enabled(&self, meta: &Meta<'_>) -> bool {
                false $(|| self.$index.enabled(meta))*
            }

            fn max_level(&self) -> LevelFilter {
                LevelFilter::OFF$(.max(self.$index.max_level()))*
            }

            fn span_events(&self) -> SpanEvents {
                SpanEvents::NONE$( | self.$index.span_events())*
            }

            fn looks_at_spans(&self) -> bool {
                false $(|| self.$index.looks_at_spans())*
            }

            fn refuses_in(&self, record: &Record<'_>) -> bool {
                true $(&& self.$index.refuses_in(record))*
            }
        }
    };
}

side_by_side!(A 0);
side_by_side!(A 0, B 1);
side_by_side!(A 0, B 1, C 2);
side_by_side!(A 0, B 1, C 2, D 3);
side_by_side!(A 0, B 1, C 2, D 3, E 4);
side_by_side!(A 0, B 1, C 2, D 3, E 4, F 5);
side_by_side!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
side_by_side!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// An empty `Vec` wants nothing.
impl<H: Handler> Handler for Vec<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        worst(self.iter().map(|handler| one(handler, record)))
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        all_of(records, self.iter().map(|handler| guarded(|| handler.handle_batch(records))))
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        self.iter().try_for_each(|handler| visit(handler))
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.iter().any(|handler| handler.enabled(meta))
    }

    fn max_level(&self) -> LevelFilter {
        self.iter().map(Handler::max_level).max().unwrap_or(LevelFilter::OFF)
    }

    fn span_events(&self) -> SpanEvents {
        self.iter().fold(SpanEvents::NONE, |all, handler| all | handler.span_events())
    }

    fn looks_at_spans(&self) -> bool {
        self.iter().any(Handler::looks_at_spans)
    }

    fn refuses_in(&self, record: &Record<'_>) -> bool {
        self.iter().all(|handler| handler.refuses_in(record))
    }
}

/// `None` wants nothing.
impl<H: Handler> Handler for Option<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.as_ref().map_or(Ok(()), |handler| handler.handle(record))
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        self.as_ref().map_or(Ok(()), |handler| handler.handle_batch(records))
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        self.iter().try_for_each(|handler| visit(handler))
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.as_ref().is_some_and(|handler| handler.enabled(meta))
    }

    fn max_level(&self) -> LevelFilter {
        self.as_ref().map_or(LevelFilter::OFF, Handler::max_level)
    }

    fn span_events(&self) -> SpanEvents {
        self.as_ref().map_or(SpanEvents::NONE, Handler::span_events)
    }

    fn looks_at_spans(&self) -> bool {
        self.as_ref().is_some_and(Handler::looks_at_spans)
    }

    fn refuses_in(&self, record: &Record<'_>) -> bool {
        self.as_ref().is_none_or(|handler| handler.refuses_in(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::handler::script::{Script, batch};

    #[test]
    fn a_record_missed_by_one_of_several_handlers_is_missed() {
        let io = Some(ErrorKind::Io);
        let records = batch(&["a", "b", "c", "d"]);
        let pair = || (Script::new([None, io, None, io]), Script::new([io, None, None, io]));
        let partial = pair().handle_batch(records.records()).unwrap_err();
        assert_eq!((partial.delivered, partial.missed(4).collect::<Vec<_>>()), (1, vec![0, 1, 3]));
        let (one, other) = pair();
        let partial = vec![one, other].handle_batch(records.records()).unwrap_err();
        assert_eq!(partial.missed(4).collect::<Vec<_>>(), [0, 1, 3]);
    }
}
