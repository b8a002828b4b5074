use std::rc::Rc;

use tracing_handlers::record::Kind;
use tracing_handlers::stats::DropReason;

use super::super::parts::Came;
use super::{Counted, Handled, Model, Node, Rec, World};

/// A `Queue`: records come out in batches when it is flushed.
pub struct Queue {
    inner: Node,
    world: Rc<World>,
    waiting: Vec<Rec>,
    counted: Counted,
}

impl Queue {
    pub fn new(inner: Node, name: &str, world: &Rc<World>) -> Self {
        Self { inner, world: world.clone(), waiting: Vec::new(), counted: Counted::named(name) }
    }

    /// Hands on a batch. Notices of other handlers are not counted.
    fn hand_on(&mut self, count: usize) {
        assert!(count <= self.waiting.len(), "{}: {count} came out of {}", self.counted.name, self.waiting.len());
        let batch: Vec<_> = self.waiting.drain(..count).collect();
        let is_own = |record: &Rec| record.kind != Kind::Loss;
        let missed = self.inner.batch(&batch).err().map_or(Vec::new(), |missed| missed.places);
        let own = batch.iter().filter(|record| is_own(record)).count();
        let failed = missed.iter().filter(|place| is_own(&batch[**place])).count();
        self.counted.delivered += (own - failed) as u64;
        self.counted.failed += failed as u64;
    }

    /// What came out of the real queue next.
    fn next(&self) -> Option<Came> {
        let Some(seen) = &self.world.seen else { return None };
        let next = seen.queue(&self.counted.name).0.lock().unwrap().pop_front();
        let may_be_none = self.world.is_over.get() && self.waiting.is_empty();
        assert!(next.is_some() || may_be_none, "{}: {} are still in the queue", self.counted.name, self.waiting.len());
        next
    }
}

impl Model for Queue {
    fn handle(&mut self, record: &Rec) -> Handled {
        if self.inner.enabled(record.into()) {
            self.waiting.push(record.clone());
        }
        Ok(())
    }

    fn inner(&self) -> Vec<&Node> {
        vec![&self.inner]
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        vec![&mut self.inner]
    }

    fn own_reports(&self) -> Vec<Counted> {
        let pending = self.waiting.iter().filter(|record| record.kind != Kind::Loss).count() as u64;
        vec![Counted { pending, ..self.counted.clone() }]
    }

    /// Follows the real queue until all records have come out, and a flush after them.
    fn flush(&mut self) -> Handled {
        loop {
            match self.next() {
                Some(Came::Batch(count)) => self.hand_on(count),
                Some(Came::Flush) => {
                    let flushed = self.inner.flush();
                    if self.waiting.is_empty() {
                        return flushed;
                    }
                }
                None => {
                    self.hand_on(self.waiting.len());
                    return self.inner.flush();
                }
            }
        }
    }

    fn fork(&mut self) {
        let pending = std::mem::take(&mut self.waiting).iter().filter(|record| record.kind != Kind::Loss).count();
        self.counted.drop(DropReason::Forked, pending);
        self.inner.fork();
    }
}
