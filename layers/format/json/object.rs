//! Objects without duplicate keys.
//!
//! A key is written first and checked afterwards, by its escaped bytes in the buffer. For the cost of a multiplication, a small
//! Bloom filter over the names shows that nearly every key is new. Keys are looked up only if the filter hits.

use std::mem;

use super::bloom::Bloom;
use super::distinct::write_members;
use super::keys::JsonKeys;
use super::limit::Limit;
use super::member::{self, Member};
use super::names::Names;
use super::shape::Shape;
use super::{Duplicates, NonFinite, value};
use crate::bytes::Block;
use crate::format::escape;
use crate::format::known_names::KnownNames;
use crate::record::{Field, Fields, Record, Span, Value};

/// Writes members and objects to the end of a buffer.
pub(super) struct Writer<'b> {
    pub(super) out: &'b mut Vec<u8>,
    /// The members written so far of all open objects. Those of the innermost object come last.
    pub(super) members: Vec<Member>,
    pub(super) duplicates: Duplicates,
    non_finite: NonFinite,
    pub(super) limit: Limit<'b>,
}

/// Closes an object that starts at `start`. The comma of its first member becomes the opening brace.
#[inline]
pub(super) fn close(out: &mut Vec<u8>, start: usize) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// An object being written. Every member begins with a comma, and closing replaces the first comma with the opening brace.
pub(super) struct Object<'n> {
    start: usize,
    pub(super) first_member: usize,
    pub(super) bloom: Bloom,
    pub(super) names: &'n Names,
    pub(super) known: KnownNames,
    /// Whether any members have been replaced by later ones.
    pub(super) any_replaced: bool,
    shape: Shape,
    are_paths: bool,
}

impl<'b> Writer<'b> {
    #[inline]
    pub(super) fn new(out: &'b mut Vec<u8>, duplicates: Duplicates, non_finite: NonFinite, limit: Limit<'b>) -> Self {
        Self { out, members: Vec::new(), duplicates, non_finite, limit }
    }

    #[inline]
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    #[inline]
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends `value`, cut to the limit.
    #[inline]
    pub(super) fn value(&mut self, value: Value<'_>) {
        value::write_within(self.out, value, self.non_finite, self.limit);
    }

    /// Appends `key`, which is `,"name":`, and the value that `write` appends. Appends nothing if `write` returns `false`.
    #[inline]
    pub(super) fn keyed(&mut self, key: &Block, write: impl FnOnce(&mut Self) -> bool) {
        let start = self.out.len();
        key.put(self.out);
        if !write(self) {
            self.out.truncate(start);
        }
    }

    /// Appends the items as a list, calling `write` for each item.
    pub(super) fn list<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.raw(b"[");
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.raw(b",");
            }
            write(self, item);
        }
        self.raw(b"]");
    }

    /// Opens an object in which `names` are taken.
    #[inline]
    pub(super) fn open<'n>(&mut self, names: &'n Names) -> Object<'n> {
        self.open_as(names, Shape::Object)
    }

    /// Opens an object of the given shape in which `names` are taken.
    #[inline]
    pub(super) fn open_as<'n>(&mut self, names: &'n Names, shape: Shape) -> Object<'n> {
        let (start, first_member) = (self.out.len(), self.members.len());
        Object {
            start,
            first_member,
            bloom: names.bloom,
            names,
            known: KnownNames::default(),
            any_replaced: false,
            shape,
            are_paths: names.are_paths,
        }
    }

    #[inline]
    pub(super) fn close(&mut self, object: Object<'_>) {
        if object.any_replaced {
            self.remove_replaced(&object);
        }
        self.members.truncate(object.first_member);
        close(self.out, object.start);
        if object.shape == Shape::KeyValues {
            as_list(self.out, object.start);
        }
    }

    /// Appends the spans as a list of objects, root first. Returns whether there are any.
    #[inline(never)]
    pub(super) fn spans(&mut self, record: &Record<'_>) -> bool {
        let start = self.out.len();
        for span in record.spans() {
            let keys = JsonKeys::of(span.callsite()).filter(|_| record.is_as_captured() && self.limit.is_none());
            match keys.and_then(|keys| Some((keys, keys.span()?))) {
                Some((keys, beginning)) => self.distinct_span(beginning, keys, &span),
                None => {
                    self.raw(b",");
                    self.span(&span);
                }
            }
        }
        // Each span begins with a comma.
        let Some(comma) = self.out.get_mut(start) else { return false };
        *comma = b'[';
        self.out.push(b']');
        true
    }

    /// Appends a span as an object, with its name as a member.
    #[inline(never)]
    pub(super) fn span(&mut self, span: &Span<'_>) {
        let mut object = self.open(&SPAN_NAMES);
        self.raw(b",\"name\":");
        self.value(span.name().into());
        self.members(&mut object, span.fields());
        self.close(object);
    }

    /// Appends a comma and the span as an object whose members are known to have distinct names. `beginning` holds the opening
    /// bytes, `,{"name":"request"`.
    #[inline]
    fn distinct_span(&mut self, beginning: &Block, keys: &'static JsonKeys, span: &Span<'_>) {
        beginning.put(self.out);
        write_members(self.out, span.fields(), keys, self.non_finite);
        self.out.push(b'}');
    }

    #[inline]
    pub(super) fn members(&mut self, object: &mut Object<'_>, fields: Fields<'_>) {
        self.members_if(object, fields, |_| true);
    }

    /// Appends the `fields` for which `is_wanted` returns `true`.
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
            let name = |out: &mut Vec<u8>| escape::json(out, field.name);
            self.member(object, key, name, |to| to.value(field.value));
        }
    }

    /// Appends a member: `name` appends its escaped name, and `write` its value. `key` is the prepared `,"name":`, if there is one.
    #[inline]
    pub(super) fn member(
        &mut self,
        object: &mut Object<'_>,
        key: Option<&Block>,
        name: impl FnOnce(&mut Vec<u8>),
        write: impl FnOnce(&mut Self),
    ) {
        let (start, shape) = (self.out.len(), object.shape);
        match key {
            Some(key) if shape == Shape::Object => key.put(self.out),
            _ => {
                self.raw(shape.before());
                name(self.out);
                self.raw(shape.after());
            }
        }
        let mut member = Member { start, value: self.out.len(), end: 0, shape, replaced: false };
        if !object.bloom.insert(member.name(self.out)) && !self.resolve(object, &mut member) {
            return;
        }
        if object.are_paths && self.clashes(object, &member) {
            self.rename_clashing(object, &mut member);
        }
        if self.members.capacity() == 0 {
            // The list is kept between records, so that it is allocated once per thread.
            self.members = member::take_list();
        }
        let index = self.members.len();
        self.members.push(member);
        write(self);
        self.raw(shape.end());
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

/// Replaces the braces of a closed object that starts at `start` with the brackets of a list.
fn as_list(out: &mut [u8], start: usize) {
    if let Some(first) = out.get_mut(start) {
        *first = b'[';
    }
    if let Some(last) = out.last_mut() {
        *last = b']';
    }
}

pub(super) static SPAN_NAMES: Names = Names::fixed(&[b"name"]);
