use super::{Batched, Counted, Fault, Handled, Missed, Model, Node, Rec, left};

/// A `Retry`. The attempts are counted again whenever part of a batch went through.
pub struct Retry {
    inner: Node,
    times: u32,
    counted: Counted,
}

impl Retry {
    pub fn new(inner: Node, name: &str, times: u32) -> Self {
        Self { inner, times, counted: Counted::named(name) }
    }

    fn insist(&mut self, record: &Rec) -> Handled {
        let mut handled = self.inner.handle(record);
        for _ in 0..self.times {
            match handled {
                Err(Fault::Passing) => handled = self.inner.handle(record),
                done => return done,
            }
        }
        handled
    }

    fn insist_on_all(&mut self, records: &[Rec]) -> Batched {
        let Err(mut missed) = self.inner.batch(records) else { return Ok(()) };
        let mut tries = 0;
        while missed.fault == Fault::Passing && tries < self.times && !missed.places.is_empty() {
            tries += 1;
            let rest = left(records, &missed);
            let Err(again) = self.inner.batch(&rest) else { return Ok(()) };
            if again.places.len() < rest.len() {
                tries = 0;
            }
            let places = again.places.iter().map(|place| missed.places[*place]).collect();
            missed = Missed { places, fault: again.fault };
        }
        Err(missed)
    }
}

impl Model for Retry {
    fn handle(&mut self, record: &Rec) -> Handled {
        let handled = self.insist(record);
        self.counted.one(handled)
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        let handled = self.insist_on_all(records);
        self.counted.all(records.len(), handled)
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
}
