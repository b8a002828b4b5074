use super::{Handled, Model, Node, Rec, last_error};

/// A third-party wrapper that implements `handle` and `inner` alone, and hands every record to all of its handlers.
pub struct Around(pub Vec<Node>);

impl Model for Around {
    fn handle(&mut self, record: &Rec) -> Handled {
        last_error(self.0.iter_mut().map(|inner| inner.handle(record)))
    }

    fn inner(&self) -> Vec<&Node> {
        self.0.iter().collect()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        self.0.iter_mut().collect()
    }
}
