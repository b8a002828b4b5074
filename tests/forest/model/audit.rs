use super::{Batched, Counted, Fault, Handled, Missed, Model, Node, Rec};

/// An `Audit`: flushes after each record or batch, and fails if the handler lost anything meanwhile.
pub struct Audit {
    inner: Node,
    counted: Counted,
}

impl Audit {
    pub fn new(inner: Node, name: &str) -> Self {
        Self { inner, counted: Counted::named(name) }
    }

    /// The losses in the first report behind it.
    fn lost(&self) -> u64 {
        self.inner.reports().first().map_or(0, Counted::lost)
    }

    fn settle(&mut self, before: u64) -> Handled {
        self.inner.flush()?;
        if self.lost() > before { Err(Fault::Lasting) } else { Ok(()) }
    }
}

impl Model for Audit {
    fn handle(&mut self, record: &Rec) -> Handled {
        let before = self.lost();
        let handled = self.inner.handle(record).and_then(|()| self.settle(before));
        self.counted.one(handled)
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        if records.is_empty() {
            return Ok(());
        }
        let before = self.lost();
        let all = |fault| Missed { places: (0..records.len()).collect(), fault };
        let handled = self.inner.batch(records).and_then(|()| self.settle(before).map_err(all));
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
