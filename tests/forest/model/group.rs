use super::{Batched, Handled, Missed, Model, Node, Rec, hand, last_error};

/// A tuple, `Vec` or `Option`: every handler gets every record, which is delivered if all of them deliver it.
pub struct Group(pub Vec<Node>);

impl Model for Group {
    fn handle(&mut self, record: &Rec) -> Handled {
        last_error(self.0.iter_mut().map(|inner| hand(inner, record)))
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        let mut all = None::<Missed>;
        for missed in self.0.iter_mut().filter_map(|inner| inner.batch(records).err()) {
            let mut places: Vec<_> = all.map_or(Vec::new(), |all| all.places);
            places.extend(missed.places);
            places.sort_unstable();
            places.dedup();
            all = Some(Missed { places, fault: missed.fault });
        }
        all.map_or(Ok(()), Err)
    }

    fn inner(&self) -> Vec<&Node> {
        self.0.iter().collect()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        self.0.iter_mut().collect()
    }
}
