//! Branches of a tree under construction.

use super::names::Names;
use super::node::{Branch, Entry, Node};
use super::rest::Rest;
use super::shape::Shape;
use crate::bytes::Block;

/// A branch under construction.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    shape: Shape,
    /// Whether a dot in a name opens a nested object.
    nested: bool,
    /// The names whose dots never open a nested object.
    unnested: &'static [&'static str],
    names: Names,
    entries: Vec<DraftEntry>,
    reserved: Vec<&'static str>,
}

#[derive(Clone, Debug)]
struct DraftEntry {
    name: String,
    planned: Planned,
    /// Whether the user added the entry. If its name clashes with another entry's, this one is renamed.
    of_user: bool,
}

#[derive(Clone, Debug)]
enum Planned {
    Node(Node),
    Draft(Draft),
    Rest(Rest),
}

impl Draft {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, nested: false, unnested: &[], names: Names::default(), entries: Vec::new(), reserved: Vec::new() }
    }

    /// Creates an object for readers that treat names with dots as paths. With `nested`, such names become objects within objects.
    pub(super) fn of_paths(nested: bool) -> Self {
        Self { nested, names: Names::paths(), ..Self::new(Shape::Object) }
    }

    /// Sets the names that stay members of the object itself, although there are dots in them.
    pub(super) fn unnested(mut self, names: &'static [&'static str]) -> Self {
        self.unnested = names;
        self
    }

    /// Adds a member. If the name is present, `node` becomes the fallback of the existing member.
    pub(super) fn put(mut self, name: &str, node: Node) -> Self {
        let entry = DraftEntry { name: name.to_owned(), planned: Planned::Node(node), of_user: false };
        self.set(entry, |known, node| Node::First(vec![known, node]));
        self
    }

    /// Adds a member that the user has configured. If the name is present, the existing member becomes the fallback of `node`.
    pub(super) fn instead(mut self, name: &str, node: Node) -> Self {
        let entry = DraftEntry { name: name.to_owned(), planned: Planned::Node(node), of_user: true };
        self.set(entry, |known, node| Node::First(vec![node, known]));
        self
    }

    /// Adds a branch.
    pub(super) fn draft(mut self, name: &str, draft: Draft) -> Self {
        let entry = DraftEntry { name: name.to_owned(), planned: Planned::Draft(draft), of_user: false };
        self.set(entry, |known, _| known);
        self
    }

    /// Reserves names that mean something to the receiver, so that only the user's settings can give them, and no field has them.
    pub(super) fn reserve(mut self, names: &[&'static str]) -> Self {
        self.reserved.extend_from_slice(names);
        self
    }

    /// Adds the remaining fields at this position.
    pub(super) fn rest(mut self, rest: Rest) -> Self {
        self.entries.push(DraftEntry { name: String::new(), planned: Planned::Rest(rest), of_user: false });
        self
    }

    fn set(&mut self, new: DraftEntry, join: fn(Node, Node) -> Node) {
        // A path into a value that is not nested would be an object in the place of that value.
        let is_unnested =
            |name: &&&str| new.name.strip_prefix(**name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let opens_object = self.nested && self.unnested.iter().find(is_unnested).is_none();
        let (first, rest) = match new.name.split_once('.').filter(|_| opens_object) {
            Some((first, rest)) => (first, Some(rest.to_owned())),
            None => (&*new.name, None),
        };
        let known = self.entries.iter_mut().find(|known| known.name == first && !known.planned.is_rest());
        match (known.map(|known| &mut known.planned), rest, new.planned) {
            (Some(Planned::Draft(draft)), Some(name), planned) => draft.set(DraftEntry { name, planned, ..new }, join),
            (Some(Planned::Node(known)), None, Planned::Node(node)) => {
                let alone = std::mem::replace(known, Node::List(Vec::new()));
                *known = join(alone, node);
            }
            (None, Some(name), planned) => {
                let (first, mut draft) = (first.to_owned(), Draft::of_paths(true));
                draft.set(DraftEntry { name, planned, ..new }, join);
                self.entries.push(DraftEntry { name: first, planned: Planned::Draft(draft), of_user: new.of_user });
            }
            (_, _, planned) => self.entries.push(DraftEntry { planned, ..new }),
        }
    }

    /// Completes the branch: prepares everything that is the same for all records.
    pub(super) fn branch(self) -> Branch {
        let (shape, mut names) = (self.shape, self.names);
        let mut keys = vec![Vec::new(); self.entries.len()];
        for of_user in [false, true] {
            let entries = self.entries.iter().zip(&mut keys);
            for (entry, key) in entries.filter(|(entry, _)| entry.of_user == of_user && !entry.planned.is_rest()) {
                // Readers join a nested object and the members whose names are paths into it.
                *key = match self.unnested.contains(&&*entry.name) || self.nested && entry.planned.is_draft() {
                    true => names.reserve_as_no_path(&entry.name),
                    false => names.reserve(&entry.name),
                };
            }
        }
        let entry = |(entry, key): (DraftEntry, Vec<u8>)| {
            let node = match entry.planned {
                Planned::Rest(rest) => return Entry::Rest(rest),
                Planned::Node(node) => node,
                Planned::Draft(draft) => Node::Branch(draft.branch()),
            };
            Entry::Member(Block::new(&[shape.before(), &key, shape.after()].concat()), node)
        };
        let entries = self.entries.into_iter().zip(keys).map(entry).collect();
        for name in self.reserved {
            if !names.contains(name.as_bytes()) {
                names.reserve(name);
            }
        }
        Branch { shape, names, entries }
    }
}

impl Planned {
    fn is_draft(&self) -> bool {
        matches!(self, Self::Draft(_))
    }

    fn is_rest(&self) -> bool {
        matches!(self, Self::Rest(_))
    }
}
