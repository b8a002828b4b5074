use tracing_handlers::filter::LevelFilter;
use tracing_handlers::record::Kind;

use super::super::tree::Sieve;
use super::end::Judge;
use super::{Asked, Batched, Counted, Handled, Missed, Model, Node, Rec, records};

/// A `Filtered`.
pub struct Filtered {
    judge: Judge,
    tell_every: Option<i64>,
    inner: Node,
    counted: Counted,
    untold: u64,
    /// The time from which a notice is due.
    due: Option<i64>,
    last: i64,
}

impl Filtered {
    pub fn new(sieve: Sieve, tell_every: Option<u64>, inner: Node, name: &str) -> Self {
        let tell_every = tell_every.map(|seconds| seconds as i64);
        Self {
            judge: Judge::new(sieve),
            tell_every,
            inner,
            counted: Counted::named(name),
            untold: 0,
            due: None,
            last: 0,
        }
    }

    /// Whether the record goes on. Notices always do, and are not counted.
    fn lets_through(&mut self, record: &Rec) -> bool {
        if !self.inner.wants(record) {
            return false;
        }
        if record.kind == Kind::Loss || self.judge.passes(record) {
            return true;
        }
        let reason = self.judge.reason();
        self.counted.drop(reason, 1);
        if let Some(interval) = self.tell_every {
            self.untold += 1;
            self.last = record.time;
            self.due.get_or_insert(record.time + interval);
        }
        false
    }

    fn notice(&mut self, time: i64) -> Rec {
        self.due = None;
        let (lost, reason) = (std::mem::take(&mut self.untold), self.judge.reason());
        let message = format!("{} filtered here: {reason} {lost}", records(lost));
        Rec::notice(lost, &message, &format!("{reason}: {lost}"), time)
    }

    /// The notice that must precede this record.
    fn due_before(&mut self, record: &Rec) -> Option<Rec> {
        let is_due = record.kind != Kind::Loss && self.due.is_some_and(|due| record.time >= due);
        is_due.then(|| self.notice(record.time))
    }
}

impl Model for Filtered {
    fn handle(&mut self, record: &Rec) -> Handled {
        if !self.lets_through(record) {
            return Ok(());
        }
        if let Some(notice) = self.due_before(record) {
            let _ = self.inner.handle(&notice);
        }
        let handled = self.inner.handle(record);
        if record.kind == Kind::Loss { handled } else { self.counted.one(handled) }
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        let mut passing = Vec::new();
        for (place, record) in records.iter().enumerate() {
            if self.lets_through(record) {
                passing.extend(self.due_before(record).map(|notice| (None, notice)));
                passing.push((Some(place), record.clone()));
            }
        }
        if passing.is_empty() {
            return Ok(());
        }
        let behind: Vec<_> = passing.iter().map(|(_, record)| record.clone()).collect();
        let handled = self.inner.batch(&behind);
        let (indices, fault) = handled.err().map_or((Vec::new(), None), |missed| (missed.places, Some(missed.fault)));
        let is_own = |record: &Rec| record.kind != Kind::Loss;
        let failed = indices.iter().filter(|index| is_own(&behind[**index])).count();
        self.counted.failed += failed as u64;
        self.counted.delivered += (behind.iter().filter(|record| is_own(record)).count() - failed) as u64;
        // The notices added here have no place in the caller's batch.
        let places: Vec<_> = indices.iter().filter_map(|index| passing[*index].0).collect();
        fault.filter(|_| !places.is_empty()).map_or(Ok(()), |fault| Err(Missed { places, fault }))
    }

    fn inner(&self) -> Vec<&Node> {
        vec![&self.inner]
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        vec![&mut self.inner]
    }

    fn own_reports(&self) -> Vec<Counted> {
        std::iter::once(self.counted.clone()).chain(self.judge.reports()).collect()
    }

    fn enabled(&self, asked: Asked<'_>) -> bool {
        let passes = if asked.is_span { self.judge.most() != LevelFilter::OFF } else { self.judge.enabled(asked) };
        passes && self.inner.enabled(asked)
    }

    fn most(&self) -> LevelFilter {
        if self.judge.most() == LevelFilter::OFF { LevelFilter::OFF } else { self.inner.most() }
    }

    fn flush(&mut self) -> Handled {
        if self.due.is_some() {
            let notice = self.notice(self.last);
            let _ = self.inner.handle(&notice);
        }
        self.inner.flush()
    }

    fn fork(&mut self) {
        (self.due, self.untold) = (None, 0);
        self.inner.fork();
    }
}
