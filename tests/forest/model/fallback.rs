use std::rc::Rc;

use super::{Batched, Counted, Fault, Handled, Missed, Model, Node, Rec, World, hand, left};

/// A `Fallback`: after a failure, the primary is left alone for a minute.
pub struct Fallback {
    links: Vec<Node>,
    failed_at: Option<u64>,
    world: Rc<World>,
    counted: Counted,
}

impl Fallback {
    pub fn new(links: Vec<Node>, name: &str, world: &Rc<World>) -> Self {
        Self { links, failed_at: None, world: world.clone(), counted: Counted::named(name) }
    }

    /// Whether the interval after a failure has passed.
    fn is_over(&self) -> bool {
        self.failed_at.is_some_and(|since| self.world.now.get() >= since + 60)
    }

    /// Remembers whether the primary works.
    fn tried<E>(&mut self, handled: Result<(), E>) -> Result<(), E> {
        self.failed_at = handled.is_err().then(|| self.world.now.get());
        handled
    }

    fn hand(&mut self, record: &Rec) -> Handled {
        let mut failed = Fault::Lasting;
        if self.failed_at.is_none() || (self.is_over() && self.links[0].wants(record)) {
            let handled = hand(&mut self.links[0], record);
            match self.tried(handled) {
                Ok(()) => return Ok(()),
                Err(fault) => failed = fault,
            }
        }
        for other in &mut self.links[1..] {
            match hand(other, record) {
                Ok(()) => return Ok(()),
                Err(fault) => failed = fault,
            }
        }
        Err(failed)
    }

    /// Hands a batch to the primary. The error names the records that are left for the others.
    fn first(&mut self, records: &[Rec]) -> Batched {
        let all = |fault| Missed { places: (0..records.len()).collect(), fault };
        if self.failed_at.is_none() {
            let handled = self.links[0].batch(records);
            return self.tried(handled);
        }
        let probe = records.iter().position(|record| self.links[0].wants(record)).filter(|_| self.is_over());
        let Some(probe) = probe else { return Err(all(Fault::Lasting)) };
        let handled = hand(&mut self.links[0], &records[probe]);
        self.tried(handled).map_err(all)?;
        let handled = self.links[0].batch(&records[probe + 1..]);
        let handled = self.tried(handled);
        let mut missed = handled.err().unwrap_or(Missed { places: Vec::new(), fault: Fault::Lasting });
        // The records before the probe go to the others.
        let behind = missed.places.iter().map(|place| place + probe + 1);
        missed.places = (0..probe).chain(behind).collect();
        if missed.places.is_empty() { Ok(()) } else { Err(missed) }
    }

    fn hand_all(&mut self, records: &[Rec]) -> Batched {
        if records.is_empty() {
            return Ok(());
        }
        let Err(mut missed) = self.first(records) else { return Ok(()) };
        for other in &mut self.links[1..] {
            let Err(again) = other.batch(&left(records, &missed)) else { return Ok(()) };
            let places = again.places.iter().map(|place| missed.places[*place]).collect();
            missed = Missed { places, fault: again.fault };
        }
        Err(missed)
    }
}

impl Model for Fallback {
    fn handle(&mut self, record: &Rec) -> Handled {
        let handled = self.hand(record);
        self.counted.one(handled)
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        let handled = self.hand_all(records);
        self.counted.all(records.len(), handled)
    }

    fn inner(&self) -> Vec<&Node> {
        self.links.iter().collect()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        self.links.iter_mut().collect()
    }

    fn own_reports(&self) -> Vec<Counted> {
        vec![self.counted.clone()]
    }
}
