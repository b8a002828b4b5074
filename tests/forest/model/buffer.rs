use std::rc::Rc;

use tracing_handlers::stats::DropReason;

use super::{Counted, Handled, Model, Node, Rec, World, allows};

/// A `Buffer`.
pub struct Buffer {
    inner: Node,
    capacity: usize,
    ring: bool,
    flush_at: Option<u8>,
    kept: Vec<Rec>,
    world: Rc<World>,
    counted: Counted,
}

impl Buffer {
    pub fn new(inner: Node, name: &str, world: &Rc<World>, capacity: usize, ring: bool, flush_at: Option<u8>) -> Self {
        let (world, counted) = (world.clone(), Counted::named(name));
        Self { inner, capacity, ring, flush_at, kept: Vec::new(), world, counted }
    }

    fn release(&mut self) -> Handled {
        let kept = std::mem::take(&mut self.kept);
        if kept.is_empty() {
            return Ok(());
        }
        let handled = self.inner.batch(&kept);
        self.counted.all(kept.len(), handled).map_err(|missed| missed.fault)
    }
}

impl Model for Buffer {
    fn handle(&mut self, record: &Rec) -> Handled {
        if !self.inner.enabled(record.into()) {
            return Ok(());
        }
        let is_important = allows(self.flush_at, record.severity);
        if self.ring && !is_important && self.kept.len() == self.capacity {
            self.kept.remove(0);
            self.counted.drop(DropReason::Oldest, 1);
        }
        self.kept.push(record.clone());
        match is_important || self.world.is_exiting.get() || (!self.ring && self.kept.len() >= self.capacity) {
            true => self.release(),
            false => Ok(()),
        }
    }

    fn inner(&self) -> Vec<&Node> {
        vec![&self.inner]
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        vec![&mut self.inner]
    }

    fn own_reports(&self) -> Vec<Counted> {
        vec![Counted { pending: self.kept.len() as u64, ..self.counted.clone() }]
    }

    fn flush(&mut self) -> Handled {
        let released = self.release();
        let flushed = self.inner.flush();
        released.and(flushed)
    }

    fn fork(&mut self) {
        let kept = std::mem::take(&mut self.kept).len();
        self.counted.drop(DropReason::Forked, kept);
        self.inner.fork();
    }
}
