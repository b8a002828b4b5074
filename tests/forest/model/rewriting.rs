use super::super::tree::Change;
use super::end::is_shop;
use super::{Batched, Counted, Fault, Handled, Missed, Model, Node, Rec};

/// A `Rewriting`. A record for which the change panics is not handed on.
pub struct Rewriting {
    change: Change,
    only_shop: bool,
    inner: Node,
    failed: u64,
}

impl Rewriting {
    pub fn new(change: Change, only_shop: bool, inner: Node) -> Self {
        Self { change, only_shop, inner, failed: 0 }
    }

    fn changed(&mut self, record: &Rec) -> Result<Rec, Fault> {
        let mut record = record.clone();
        if self.only_shop && !is_shop(&record.target) {
            return Ok(record);
        }
        match self.change {
            Change::Severity(severity) => record.severity = severity,
            Change::Trips if record.message == "two" => {
                self.failed += 1;
                return Err(Fault::Lasting);
            }
            Change::Loud | Change::Trips => record.message = record.message.to_uppercase(),
        }
        Ok(record)
    }
}

impl Model for Rewriting {
    fn handle(&mut self, record: &Rec) -> Handled {
        let record = self.changed(record)?;
        self.inner.handle(&record)
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        let (mut changed, mut places, mut missed) = (Vec::new(), Vec::new(), Vec::new());
        for (place, record) in records.iter().enumerate() {
            match self.changed(record) {
                Ok(record) => {
                    changed.push(record);
                    places.push(place);
                }
                Err(_) => missed.push(place),
            }
        }
        let handled = self.inner.batch(&changed);
        let fault = handled.as_ref().map_or_else(|missed| missed.fault, |()| Fault::Lasting);
        missed.extend(handled.err().into_iter().flat_map(|behind| behind.places).map(|index| places[index]));
        missed.sort_unstable();
        if missed.is_empty() { Ok(()) } else { Err(Missed { places: missed, fault }) }
    }

    fn inner(&self) -> Vec<&Node> {
        vec![&self.inner]
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        vec![&mut self.inner]
    }

    fn own_reports(&self) -> Vec<Counted> {
        match self.failed {
            0 => Vec::new(),
            failed => vec![Counted { failed, ..Counted::named("rewrite") }],
        }
    }
}
