use super::{Filter, LevelFilter};
use crate::record::{Meta, Record};
use crate::stats::{DropReason, Report};

/// Combines filters.
pub trait FilterExt: Filter + Sized {
    /// Passes the records that pass both.
    fn and<F: Filter>(self, other: F) -> And<Self, F> {
        And(self, other)
    }

    /// Passes the records that pass either.
    fn or<F: Filter>(self, other: F) -> Or<Self, F> {
        Or(self, other)
    }

    /// Passes the records that do not pass this.
    fn not(self) -> Not<Self> {
        Not(self)
    }
}

impl<F: Filter> FilterExt for F {}

/// See [`FilterExt::and`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct And<A, B>(A, B);

impl<A: Filter, B: Filter> Filter for And<A, B> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.0.enabled(meta) && self.1.enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.0.max_level().min(self.1.max_level())
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        self.0.accepts(record) && self.1.accepts(record)
    }

    fn per_record(&self) -> bool {
        self.0.per_record() || self.1.per_record()
    }

    fn looks_at_spans(&self) -> bool {
        self.0.looks_at_spans() || self.1.looks_at_spans()
    }

    fn span_level(&self) -> LevelFilter {
        self.0.span_level().max(self.1.span_level())
    }

    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        self.0.needs_span(meta) || self.1.needs_span(meta)
    }

    /// The second is not asked if the first, which comes before it, is not decided: it may count.
    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        match self.enabled(&record.meta()) {
            true => {
                if self.0.passes_in(record)? {
                    self.1.passes_in(record)
                } else {
                    Some(false)
                }
            }
            false => Some(false),
        }
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.0.report(reports);
        self.1.report(reports);
    }

    fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
        // A record that either refuses by its metadata must not count in the other's state.
        if !self.enabled(&record.meta()) {
            return Some(DropReason::Filtered);
        }
        self.0.refusal(record).or_else(|| self.1.refusal(record))
    }
}

/// See [`FilterExt::or`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct Or<A, B>(A, B);

impl<A: Filter, B: Filter> Filter for Or<A, B> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.0.enabled(meta) || self.1.enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.0.max_level().max(self.1.max_level())
    }

    /// It is unknown which of the two passed the metadata, so each judges the whole record.
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.0.passes(record) || self.1.passes(record)
    }

    fn per_record(&self) -> bool {
        self.0.per_record() || self.1.per_record()
    }

    fn looks_at_spans(&self) -> bool {
        self.0.looks_at_spans() || self.1.looks_at_spans()
    }

    fn span_level(&self) -> LevelFilter {
        self.0.span_level().max(self.1.span_level())
    }

    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        self.0.needs_span(meta) || self.1.needs_span(meta)
    }

    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        if self.0.passes_in(record)? { Some(true) } else { self.1.passes_in(record) }
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.0.report(reports);
        self.1.report(reports);
    }

    /// The reason of the second, which decided.
    fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
        self.0.refusal(record).and_then(|_| self.1.refusal(record))
    }
}

/// See [`FilterExt::not`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct Not<F>(F);

impl<F: Filter> Filter for Not<F> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.0.per_record() || !self.0.enabled(meta)
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        !self.0.passes(record)
    }

    fn per_record(&self) -> bool {
        self.0.per_record()
    }

    fn looks_at_spans(&self) -> bool {
        self.0.looks_at_spans()
    }

    fn span_level(&self) -> LevelFilter {
        self.0.span_level()
    }

    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        self.0.needs_span(meta)
    }

    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        self.0.passes_in(record).map(|passes| !passes)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.0.report(reports);
    }
}
