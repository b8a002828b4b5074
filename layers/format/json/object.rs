//! Objects in which no key stands twice.
//!
//! A key is written first and judged then: what is compared are its escaped bytes in the buffer. A small Bloom filter
//! over the names says for nearly every key that it is new, at the price of a multiplication; only where it hits are the
//! keys of the object compared one by one.

use std::mem;

use super::bloom::Bloom;
use super::distinct::write_members;
use super::keys::JsonKeys;
use super::member::{self, Member};
use super::names::Names;
use super::planned::PlannedPart;
use super::shape::{Shape, write_key};
use super::{Duplicates, NonFinite, value};
use crate::bytes::Block;
use crate::format::number;
use crate::record::{Field, Fields, Span};

/// Writes members and objects to the end of a buffer.
pub(super) struct Writer<'b> {
    pub(super) out: &'b mut Vec<u8>,
    /// The members written so far of all open objects, the innermost object's last.
    pub(super) members: Vec<Member>,
    pub(super) duplicates: Duplicates,
    non_finite: NonFinite,
}

/// Closes an object that starts at `start`: the comma of its first member becomes the brace.
#[inline]
pub(super) fn close(out: &mut Vec<u8>, start: usize) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// An object being written. Every member begins with a comma; the first one's becomes the brace in the end.
pub(super) struct Object<'n> {
    start: usize,
    pub(super) first_member: usize,
    pub(super) bloom: Bloom,
    pub(super) names: &'n Names,
    shape: Shape,
    are_paths: bool,
}

impl Object<'_> {
    /// What stands behind the value of a member.
    pub(super) fn end_of_member(&self) -> &'static [u8] {
        self.shape.end()
    }
}

impl<'b> Writer<'b> {
    #[inline]
    pub(super) fn new(out: &'b mut Vec<u8>, duplicates: Duplicates, non_finite: NonFinite) -> Self {
        Self { out, members: Vec::new(), duplicates, non_finite }
    }

    #[inline]
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    #[inline]
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    pub(super) fn text(&mut self, part: &PlannedPart, text: &str) {
        part.lead.put(self.out);
        value::text(self.out, text);
    }

    #[inline]
    pub(super) fn text_if_any(&mut self, part: &PlannedPart, text: Option<&str>) {
        if let Some(text) = text {
            self.text(part, text);
        }
    }

    pub(super) fn int(&mut self, part: &PlannedPart, value: impl itoa::Integer) {
        part.lead.put(self.out);
        number::int(self.out, value);
    }

    pub(super) fn int_if_any(&mut self, part: &PlannedPart, value: Option<u64>) {
        if let Some(value) = value {
            self.int(part, value);
        }
    }

    /// Begins an object in which `names` are taken.
    #[inline]
    pub(super) fn open<'n>(&mut self, names: &'n Names) -> Object<'n> {
        self.open_as(names, Shape::Object)
    }

    /// The same of another shape.
    #[inline]
    pub(super) fn open_as<'n>(&mut self, names: &'n Names, shape: Shape) -> Object<'n> {
        let (start, first_member) = (self.out.len(), self.members.len());
        Object { start, first_member, bloom: names.bloom, names, shape, are_paths: names.are_paths }
    }

    #[inline]
    pub(super) fn close(&mut self, object: Object<'_>) {
        self.members.truncate(object.first_member);
        close(self.out, object.start);
        if object.shape == Shape::KeyValues {
            as_list(self.out, object.start);
        }
    }

    /// The object that a span is in a list.
    #[inline]
    pub(super) fn span(&mut self, span: &Span<'_>) {
        let mut object = self.open(&SPAN_NAMES);
        self.raw(b",\"name\":");
        value::text(self.out, span.name());
        self.members(&mut object, span.fields());
        self.close(object);
    }

    /// The same with a comma in front, where no member can have the name of another one. `beginning`: `,{"name":"request"`.
    #[inline]
    pub(super) fn distinct_span(&mut self, beginning: &Block, keys: &'static JsonKeys, span: &Span<'_>) {
        beginning.put(self.out);
        write_members(self.out, span.fields(), keys, self.non_finite);
        self.out.push(b'}');
    }

    #[inline]
    pub(super) fn members(&mut self, object: &mut Object<'_>, fields: Fields<'_>) {
        self.members_if(object, fields, |_| true);
    }

    /// Writes those of the `fields` for which `is_wanted` returns `true`.
    #[inline]
    pub(super) fn members_if(
        &mut self,
        object: &mut Object<'_>,
        fields: Fields<'_>,
        mut is_wanted: impl FnMut(&Field<'_>) -> bool,
    ) {
        let keys = JsonKeys::of(fields.callsite());
        for field in fields.filter(|field| is_wanted(field)) {
            let key = keys.and_then(|keys| keys.field(&field));
            self.member(object, key, field.name, |to| value::write(to.out, field.value, to.non_finite));
        }
    }

    /// A member whose value is written by `write`; `key` is its name as `,"name":` where that is prepared.
    #[inline]
    pub(super) fn member(
        &mut self,
        object: &mut Object<'_>,
        key: Option<&Block>,
        name: &str,
        write: impl FnOnce(&mut Self),
    ) {
        let start = self.out.len();
        match key {
            Some(key) => key.put(self.out),
            None => write_key(self.out, name),
        }
        self.value_of(object, start, write);
    }

    /// A member whose name is written by `name`, escaped, and whose value by `write`.
    #[inline]
    pub(super) fn member_named(
        &mut self,
        object: &mut Object<'_>,
        name: impl FnOnce(&mut Vec<u8>),
        write: impl FnOnce(&mut Self),
    ) {
        let start = self.out.len();
        self.raw(object.shape.before());
        name(self.out);
        self.raw(object.shape.after());
        self.value_of(object, start, write);
    }

    /// The value of the member whose key stands at the end of the buffer, from `start` on.
    #[inline]
    fn value_of(&mut self, object: &mut Object<'_>, start: usize, write: impl FnOnce(&mut Self)) {
        let mut member = Member { start, value: self.out.len(), end: 0, shape: object.shape };
        if !object.bloom.insert(member.name(self.out)) && !self.resolve(object, &mut member) {
            return;
        }
        if object.are_paths && self.clashes(object, member.name(self.out)) {
            self.rename_clashing(object, &mut member);
        }
        if self.members.capacity() == 0 {
            // Kept between records, so that it is allocated once per thread.
            self.members = member::take_list();
        }
        let index = self.members.len();
        self.members.push(member);
        write(self);
        let end = self.out.len();
        if let Some(member) = self.members.get_mut(index) {
            member.end = end;
        }
    }
}

impl Drop for Writer<'_> {
    #[inline]
    fn drop(&mut self) {
        member::give_list(mem::take(&mut self.members));
    }
}

/// Makes a list of what was closed as an object that starts at `start`. A list without items lost nothing to its brace.
fn as_list(out: &mut [u8], start: usize) {
    if let Some(first) = out.get_mut(start) {
        *first = b'[';
    }
    if let Some(last) = out.last_mut() {
        *last = b']';
    }
}

static SPAN_NAMES: Names = Names::fixed(&[b"name"]);
