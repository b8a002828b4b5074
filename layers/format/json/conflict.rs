//! What becomes of a member whose name its object has already.

use super::Duplicates;
use super::member::Member;
use super::names::{free_number, is_path_into};
use super::object::{Object, Writer};
use crate::format::number;

impl Writer<'_> {
    /// Deals with a key that `object` may have already. Tells whether its value is to be written; if not, the key has
    /// been taken back.
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

    /// Puts the least free number behind the name.
    fn add_suffix(&mut self, object: &mut Object<'_>, member: &mut Member) -> bool {
        let name = member.name(self.out);
        let siblings = self.members[object.first_member..].iter().map(|sibling| sibling.name(self.out));
        let number = free_number(name, siblings.chain(object.names.iter()));
        self.number(member, member.name_range().end, number);
        object.bloom.insert(member.name(self.out));
        true
    }

    /// Puts a number behind what of the member's key ends at `end`.
    fn number(&mut self, member: &mut Member, end: usize, number: usize) {
        self.out.truncate(end);
        self.out.push(b'_');
        number::int(self.out, number);
        self.out.extend_from_slice(member.shape.after());
        member.value = self.out.len();
    }

    /// Whether `name` is a path into what has a value of its own in `object`, or the other way round: `a` and `a.b`.
    pub(super) fn clashes(&self, object: &Object<'_>, name: &[u8]) -> bool {
        let siblings = self.members[object.first_member..].iter().map(|sibling| sibling.name(self.out));
        siblings.chain(object.names.iter()).any(|other| is_path_into(name, other) || is_path_into(other, name))
    }

    /// Takes the dots out of the name, and puts a number behind it where that is not enough.
    #[cold]
    pub(super) fn rename_clashing(&mut self, object: &mut Object<'_>, member: &mut Member) {
        let range = member.name_range();
        let end = range.end;
        for byte in &mut self.out[range] {
            if *byte == b'.' {
                *byte = b'_';
            }
        }
        let mut number = 2;
        while self.is_taken(object, member.name(self.out)) {
            self.number(member, end, number);
            number += 1;
        }
        object.bloom.insert(member.name(self.out));
    }

    fn is_taken(&self, object: &Object<'_>, name: &[u8]) -> bool {
        let siblings = &self.members[object.first_member..];
        siblings.iter().any(|sibling| sibling.name(self.out) == name)
            || object.names.contains(name)
            || self.clashes(object, name)
    }

    /// Takes an earlier member out; those behind it, `last` among them, move up.
    fn remove(&mut self, index: usize, last: &mut Member) -> bool {
        let Member { start, end, .. } = self.members.remove(index);
        self.out.drain(start..end);
        for member in self.members[index..].iter_mut().chain([last]) {
            member.move_up(end - start);
        }
        true
    }
}
