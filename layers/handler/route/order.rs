//! The order in which slots were used: every step takes constant time.

use std::sync::Arc;

use crate::clock::Timestamp;

/// Lists of slots, each from the least to the most recently used one.
pub(super) struct Order {
    /// The ends of each list, then the nodes: a ring for each list.
    nodes: Vec<Node>,
    free: Vec<usize>,
    uses: u64,
}

/// Which list a slot is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Living,
    Failed,
    /// To be closed.
    Closing,
}

/// A slot's place, for as long as it is in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

struct Node {
    /// `None`: an end, or free.
    text: Option<Arc<str>>,
    before: usize,
    after: usize,
    used: u64,
    last: Timestamp,
}

impl Order {
    pub(super) fn new() -> Self {
        let end = |list: usize| Node { text: None, before: list, after: list, used: 0, last: Timestamp::EPOCH };
        Self { nodes: (0..LISTS).map(end).collect(), free: Vec::new(), uses: 0 }
    }

    /// Adds a slot that is used now.
    pub(super) fn add(&mut self, list: List, text: Arc<str>, now: Timestamp) -> Place {
        self.uses += 1;
        let node = Node { text: Some(text), before: 0, after: 0, used: self.uses, last: now };
        let place = match self.free.pop() {
            Some(place) => {
                self.nodes[place] = node;
                place
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        self.link(place, list);
        Place(place)
    }

    /// Notes that the slot is used now.
    pub(super) fn use_now(&mut self, Place(place): Place, list: List, now: Timestamp) {
        self.uses += 1;
        (self.nodes[place].used, self.nodes[place].last) = (self.uses, now);
        self.shift(Place(place), list);
    }

    /// Puts the slot behind the others of `list`.
    pub(super) fn shift(&mut self, Place(place): Place, list: List) {
        self.unlink(place);
        self.link(place, list);
    }

    pub(super) fn remove(&mut self, Place(place): Place) {
        self.unlink(place);
        self.nodes[place].text = None;
        self.free.push(place);
    }

    /// Returns the text of the first slot in the list, when it was used last, and the number of that use.
    pub(super) fn first(&self, list: List) -> Option<(&Arc<str>, Timestamp, u64)> {
        let node = &self.nodes[self.nodes[list as usize].after];
        Some((node.text.as_ref()?, node.last, node.used))
    }

    /// Returns the number of the slot's last use.
    pub(super) fn used(&self, Place(place): Place) -> u64 {
        self.nodes[place].used
    }

    /// Called when the clock has been set back: no slot was used later than `now`.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.nodes.iter_mut().for_each(|node| node.last = node.last.min(now));
    }

    /// Puts the node in front of the list's end.
    fn link(&mut self, place: usize, list: List) {
        let end = list as usize;
        let before = self.nodes[end].before;
        (self.nodes[place].before, self.nodes[place].after) = (before, end);
        self.nodes[before].after = place;
        self.nodes[end].before = place;
    }

    fn unlink(&mut self, place: usize) {
        let Node { before, after, .. } = self.nodes[place];
        self.nodes[before].after = after;
        self.nodes[after].before = before;
    }
}

const LISTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(order: &Order, list: List) -> String {
        let mut at = order.nodes[list as usize].after;
        let mut texts = String::new();
        while let Some(text) = &order.nodes[at].text {
            texts += text;
            at = order.nodes[at].after;
        }
        texts
    }

    #[test]
    fn a_list_is_in_the_order_of_uses() {
        let (mut order, now) = (Order::new(), Timestamp::EPOCH);
        let places = ["a", "b", "c", "d"].map(|text| order.add(List::Living, text.into(), now));
        order.use_now(places[1], List::Living, now);
        order.shift(places[0], List::Closing);
        assert_eq!((texts(&order, List::Living), texts(&order, List::Closing)), ("cdb".into(), "a".into()));
        order.remove(places[3]);
        order.use_now(places[0], List::Living, now);
        assert_eq!(order.add(List::Failed, "e".into(), now), places[3]);
        assert_eq!((texts(&order, List::Living), texts(&order, List::Closing)), ("cba".into(), "".into()));
        assert_eq!(order.first(List::Living).map(|(text, ..)| &**text), Some("c"));
        assert_eq!(order.first(List::Failed).map(|(_, _, used)| used), Some(order.used(places[3])));
        assert_eq!(order.first(List::Closing), None);
    }
}
