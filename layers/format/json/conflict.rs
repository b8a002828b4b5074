//! Resolution of conflicts: members whose name is already present in the object.

use std::ops::Range;

use super::Duplicates;
use super::member::Member;
use super::names::{are_nested, free_number, part_ways};
use super::object::{Object, Writer};
use crate::format::number;

impl Writer<'_> {
    /// Resolves a key that may already be present in `object`. Returns whether its value must be written; if not, the key has been
    /// removed from the buffer.
    #[cold]
    pub(super) fn resolve(&mut self, object: &mut Object<'_>, member: &mut Member) -> bool {
        let name = member.name(self.out);
        let reserved = object.names.contains(name);
        let siblings = object.first_member..self.members.len();
        let same = self.members[siblings].iter().position(|other| other.name(self.out) == name);
        match (self.duplicates, same) {
            (_, None) if !reserved => true,
            (Duplicates::Suffix, _) => self.add_suffix(object, member),
            (Duplicates::Last, Some(same)) => self.remove(object.first_member + same, member),
            (Duplicates::First, _) | (Duplicates::Last, None) => {
                self.out.truncate(member.start);
                false
            }
        }
    }

    /// Appends the lowest free number to the name.
    fn add_suffix(&mut self, object: &mut Object<'_>, member: &mut Member) -> bool {
        let name = member.name(self.out);
        let siblings = self.members[object.first_member..].iter().map(|sibling| sibling.name(self.out));
        let number = free_number(name, siblings.chain(object.names.iter()));
        self.out.truncate(member.name_range().end);
        self.out.push(b'_');
        number::int(self.out, number);
        self.out.extend_from_slice(member.shape.after());
        member.value = self.out.len();
        object.bloom.insert(member.name(self.out));
        true
    }

    /// Returns whether `name` is a path into a member of `object` or a member is a path into `name`, such as `a` and `a.b`.
    pub(super) fn clashes(&self, object: &Object<'_>, name: &[u8]) -> bool {
        let siblings = self.members[object.first_member..].iter().map(|sibling| sibling.name(self.out));
        siblings.chain(object.names.iter()).any(|other| are_nested(name, other))
    }

    /// Replaces the name of a member that clashes with another one.
    #[cold]
    pub(super) fn rename_clashing(&mut self, object: &mut Object<'_>, member: &mut Member) {
        let Range { start, end } = member.name_range();
        let siblings = &self.members[object.first_member..];
        self.out.truncate(end);
        part_ways(self.out, start, |out, name| {
            let siblings = siblings.iter().map(|sibling| sibling.name(out));
            siblings.chain(object.names.iter()).any(|other| other == name || are_nested(name, other))
        });
        self.out.extend_from_slice(member.shape.after());
        member.value = self.out.len();
        object.bloom.insert(member.name(self.out));
    }

    /// Removes an earlier member. The members after it, including `last`, move up.
    fn remove(&mut self, index: usize, last: &mut Member) -> bool {
        let Member { start, end, .. } = self.members.remove(index);
        self.out.drain(start..end);
        for member in self.members[index..].iter_mut().chain([last]) {
            member.move_up(end - start);
        }
        true
    }
}
