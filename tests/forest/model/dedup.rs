use std::rc::Rc;

use tracing_handlers::record::Kind;
use tracing_handlers::stats::DropReason;

use super::{Batched, Counted, Handled, Missed, Model, Node, Rec, World};

/// A `Dedup`.
pub struct Dedup {
    inner: Node,
    distinct: usize,
    fields: bool,
    known: Vec<Known>,
    seen: u64,
    world: Rc<World>,
    counted: Counted,
}

/// A record that is remembered.
struct Known {
    first: Rec,
    /// The number of the first and of the last record that was equal to it.
    serial: u64,
    seen: u64,
    /// The time of the last duplicate.
    last: i64,
    repeats: u64,
    /// The record met an error, so the next one is not a duplicate.
    undelivered: bool,
}

/// What happens to a record.
enum Verdict {
    Unwanted,
    Duplicate,
    /// With the serial number of the entry, if it is remembered.
    Passes(Option<u64>),
}

impl Dedup {
    pub fn new(inner: Node, name: &str, world: &Rc<World>, distinct: usize, fields: bool) -> Self {
        let (world, counted) = (world.clone(), Counted::named(name));
        Self { inner, distinct, fields, known: Vec::new(), seen: 0, world, counted }
    }

    /// The records that must precede this one, and what happens to it.
    fn judge(&mut self, record: &Rec) -> (Vec<Rec>, Verdict) {
        if !self.inner.wants(record) {
            return (Vec::new(), Verdict::Unwanted);
        }
        if record.kind != Kind::Event || self.world.is_exiting.get() {
            return (Vec::new(), Verdict::Passes(None));
        }
        let mut tell = self.forget(|known| (record.time - known.first.time).abs() >= 60);
        self.seen += 1;
        let (seen, fields) = (self.seen, self.fields);
        if let Some(known) = self.known.iter_mut().find(|known| says_the_same(&known.first, record, fields)) {
            known.seen = seen;
            if std::mem::take(&mut known.undelivered) {
                return (tell, Verdict::Passes(Some(known.serial)));
            }
            known.repeats += 1;
            known.last = record.time;
            self.counted.drop(DropReason::Duplicate, 1);
            return (tell, Verdict::Duplicate);
        }
        if self.known.len() == self.distinct {
            let oldest = self.known.iter().map(|known| known.seen).min();
            tell.extend(self.forget(|known| Some(known.seen) == oldest));
        }
        let (first, last) = (record.clone(), record.time);
        self.known.push(Known { first, serial: seen, seen, last, repeats: 0, undelivered: false });
        (tell, Verdict::Passes(Some(seen)))
    }

    fn forget(&mut self, which: impl Fn(&Known) -> bool) -> Vec<Rec> {
        let gone: Vec<_> = self.known.extract_if(.., |known| which(known)).collect();
        gone.iter().filter_map(|known| self.telling(known)).collect()
    }

    /// The record that reports duplicates, if there were any.
    fn telling(&self, known: &Known) -> Option<Rec> {
        let Known { first, repeats, .. } = known;
        let times = if *repeats == 1 { "time" } else { "times" };
        let message = match self.distinct > 1 || known.undelivered {
            true => format!("message repeated {repeats} {times}: {}", first.message),
            false => format!("last message repeated {repeats} {times}"),
        };
        let fields = if self.fields { first.fields.clone() } else { Vec::new() };
        let telling = Rec { message, fields, time: known.last, ..first.clone() };
        (*repeats > 0).then(|| telling.with("repeated", repeats))
    }

    fn tell_all(&mut self, all: &[Rec]) {
        for telling in all {
            let _ = self.inner.handle(telling);
        }
    }

    fn was_not_delivered(&mut self, serial: Option<u64>) {
        if let Some(known) = self.known.iter_mut().find(|known| Some(known.serial) == serial) {
            known.undelivered = true;
        }
    }
}

fn says_the_same(one: &Rec, other: &Rec, fields: bool) -> bool {
    let said = |record: &Rec| (record.severity, record.target.clone(), record.message.clone());
    // The spans of all requests are alike.
    let is_in_span = |record: &Rec| record.request.is_some();
    said(one) == said(other) && (!fields || one.fields == other.fields) && is_in_span(one) == is_in_span(other)
}

impl Model for Dedup {
    fn handle(&mut self, record: &Rec) -> Handled {
        let (tell, verdict) = self.judge(record);
        self.tell_all(&tell);
        let Verdict::Passes(serial) = verdict else { return Ok(()) };
        let handled = self.inner.handle(record);
        if handled.is_err() {
            self.was_not_delivered(serial);
        }
        self.counted.one(handled)
    }

    /// The whole batch is judged before any of it is handed on.
    fn batch(&mut self, records: &[Rec]) -> Batched {
        let (mut passing, mut from) = (Vec::new(), Vec::new());
        for (place, record) in records.iter().enumerate() {
            let (tell, verdict) = self.judge(record);
            from.extend(tell.iter().map(|_| None));
            passing.extend(tell);
            if let Verdict::Passes(serial) = verdict {
                from.push(Some((place, serial)));
                passing.push(record.clone());
            }
        }
        let handled = self.inner.batch(&passing);
        let (indices, fault) = handled.err().map_or((Vec::new(), None), |missed| (missed.places, Some(missed.fault)));
        let missed: Vec<_> = indices.iter().filter_map(|index| from[*index]).collect();
        missed.iter().for_each(|(_, serial)| self.was_not_delivered(*serial));
        let own = from.iter().flatten().count();
        let places: Vec<_> = missed.into_iter().map(|(place, _)| place).collect();
        let handled = fault.filter(|_| !places.is_empty()).map_or(Ok(()), |fault| Err(Missed { places, fault }));
        self.counted.all(own, handled)
    }

    fn inner(&self) -> Vec<&Node> {
        vec![&self.inner]
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        vec![&mut self.inner]
    }

    fn own_reports(&self) -> Vec<Counted> {
        vec![self.counted.clone()]
    }

    /// Reports all duplicates. The records stay remembered.
    fn flush(&mut self) -> Handled {
        let tell: Vec<_> = self.known.iter().filter_map(|known| self.telling(known)).collect();
        self.known.iter_mut().for_each(|known| known.repeats = 0);
        self.tell_all(&tell);
        self.inner.flush()
    }

    fn fork(&mut self) {
        self.known.iter_mut().for_each(|known| known.repeats = 0);
        self.inner.fork();
    }
}
