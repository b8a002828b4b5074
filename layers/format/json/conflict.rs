//! Resolution of conflicts: members whose name is already present in the object.

use super::Duplicates;
use super::member::Member;
use super::names::{Names, put_number};
use super::object::{Object, Writer};
use crate::format::known_names::{NameList, without_dots};

impl Writer<'_> {
    /// Resolves a key that may already be present in `object`. Returns whether its value must be written; if not, the key has been
    /// removed from the buffer.
    #[cold]
    pub(super) fn resolve(&mut self, object: &mut Object<'_>, member: &mut Member) -> bool {
        let present = Present::of(object, &self.members, self.out);
        let same = object.known.last_of(&present, member.name(self.out));
        match (self.duplicates, same) {
            (_, None) => true,
            (Duplicates::Suffix, _) => self.add_suffix(object, member),
            (Duplicates::Last, Some(same)) if same >= object.names.len() => {
                self.members[object.first_member + same - object.names.len()].replaced = true;
                object.any_replaced = true;
                true
            }
            (Duplicates::First | Duplicates::Last, _) => {
                self.out.truncate(member.start);
                false
            }
        }
    }

    /// Appends the lowest free number to the name.
    fn add_suffix(&mut self, object: &mut Object<'_>, member: &mut Member) -> bool {
        let present = Present::of(object, &self.members, self.out);
        let number = object.known.free_number(&present, member.name(self.out));
        self.out.truncate(member.name_range().end);
        self.finish_name(object, member, Some(number));
        true
    }

    /// Returns whether `name` is a path into a member of `object` or a member is a path into `name`, such as `a` and `a.b`.
    pub(super) fn clashes(&mut self, object: &mut Object<'_>, member: &Member) -> bool {
        let present = Present::of(object, &self.members, self.out);
        object.known.clashes(&present, member.name(self.out))
    }

    /// Replaces the name of a member that clashes with another one.
    #[cold]
    pub(super) fn rename_clashing(&mut self, object: &mut Object<'_>, member: &mut Member) {
        let range = member.name_range();
        self.out.truncate(range.end);
        without_dots(&mut self.out[range.clone()]);
        let present = Present::of(object, &self.members, self.out);
        let number = object.known.free_path(&present, &self.out[range]);
        self.finish_name(object, member, number);
    }

    /// Completes the key whose name is at the end of the buffer.
    fn finish_name(&mut self, object: &mut Object<'_>, member: &mut Member, number: Option<usize>) {
        if let Some(number) = number {
            put_number(self.out, number);
        }
        self.out.extend_from_slice(member.shape.after());
        member.value = self.out.len();
        object.bloom.insert(member.name(self.out));
    }

    /// Removes the members of `object` that later ones have replaced. All at once: to move the rest of the line for each of them would
    /// take time that is quadratic in their number.
    #[cold]
    pub(super) fn remove_replaced(&mut self, object: &Object<'_>) {
        let mut replaced = self.members[object.first_member..].iter().filter(|member| member.replaced).peekable();
        let mut to = None;
        while let Some(member) = replaced.next() {
            let to = to.get_or_insert(member.start);
            let end = replaced.peek().map_or(self.out.len(), |next| next.start);
            self.out.copy_within(member.end..end, *to);
            *to += end - member.end;
        }
        if let Some(to) = to {
            self.out.truncate(to);
        }
    }
}

/// The names in an object: those of its constant parts, then those of its members.
struct Present<'o> {
    names: &'o Names,
    members: &'o [Member],
    out: &'o [u8],
}

impl<'o> Present<'o> {
    fn of(object: &Object<'o>, members: &'o [Member], out: &'o [u8]) -> Self {
        Self { names: object.names, members: &members[object.first_member..], out }
    }
}

impl NameList for Present<'_> {
    fn len(&self) -> usize {
        self.names.len() + self.members.len()
    }

    fn name(&self, index: usize) -> &[u8] {
        match self.names.get(index) {
            Some(name) => name,
            None => self.members[index - self.names.len()].name(self.out),
        }
    }
}
