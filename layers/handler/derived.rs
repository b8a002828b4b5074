//! The default methods of [`Handler`], derived from its inner handlers.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Instant;

use tracing_subscriber::filter::LevelFilter;

use super::{Handler, Report, guarded};
use crate::Error;
use crate::record::{Meta, SpanEvents};

pub(super) fn enabled(handler: &(impl Handler + ?Sized), meta: &Meta<'_>) -> bool {
    let mut is_end = true;
    let wanted = handler.inner(&mut |inner| {
        is_end = false;
        if inner.enabled(meta) { Break(()) } else { Continue(()) }
    });
    is_end || wanted.is_break()
}

pub(super) fn max_level(handler: &(impl Handler + ?Sized)) -> LevelFilter {
    let mut most = None::<LevelFilter>;
    each(handler, |inner| most = most.max(Some(inner.max_level())));
    most.unwrap_or(LevelFilter::TRACE)
}

pub(super) fn span_events(handler: &(impl Handler + ?Sized)) -> SpanEvents {
    let mut all = SpanEvents::NONE;
    each(handler, |inner| all = all | inner.span_events());
    all
}

/// Flushes all inner handlers, even after an error. Returns the last error.
pub(super) fn flush(handler: &(impl Handler + ?Sized), deadline: Instant) -> Result<(), Error> {
    try_each(handler, |inner| inner.flush(deadline))
}

pub(super) fn write_buffered(handler: &(impl Handler + ?Sized)) -> Result<(), Error> {
    try_each(handler, |inner| inner.write_buffered())
}

fn try_each(
    handler: &(impl Handler + ?Sized),
    mut call: impl FnMut(&dyn Handler) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut done = Ok(());
    each(handler, |inner| {
        if let Err(error) = guarded(|| call(inner)) {
            done = Err(error);
        }
    });
    done
}

pub(super) fn report(handler: &(impl Handler + ?Sized), reports: &mut Vec<Report>) {
    reports.extend(handler.own_report());
    each(handler, |inner| inner.report(reports));
}

pub(super) fn each(handler: &(impl Handler + ?Sized), mut visit: impl FnMut(&dyn Handler)) {
    let _: ControlFlow<()> = handler.inner(&mut |inner| {
        visit(inner);
        Continue(())
    });
}
