//! Objects in which no key stands twice.
//!
//! A key is written first and judged then: what is compared are its escaped bytes in the buffer. A small Bloom filter
//! over the names says for nearly every key that it is new, at the price of a multiplication; only where it hits are the
//! keys of the object compared one by one.

use std::cell::Cell;
use std::mem;
use std::ops::Range;

use super::key::Part;
use super::keys::JsonKeys;
use super::{Duplicates, NonFinite, value};
use crate::bytes::Block;
use crate::format::{escape, number};
use crate::record::{Field, Fields, Span, TakeField};

/// Writes members and objects to the end of a buffer.
pub(super) struct Writer<'b> {
    out: &'b mut Vec<u8>,
    /// The members written so far of all open objects, the innermost object's last.
    members: Vec<Member>,
    duplicates: Duplicates,
    non_finite: NonFinite,
}

/// Appends members of which it is known that none has a name that another one has: nothing is noted of them. `keys`: those of
/// the callsite that the fields belong to.
#[inline]
pub(super) fn write_members(out: &mut Vec<u8>, fields: Fields<'_>, keys: &'static JsonKeys, non_finite: NonFinite) {
    fields.hand_to(&mut Members { out, keys, non_finite });
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

struct Members<'b> {
    out: &'b mut Vec<u8>,
    keys: &'static JsonKeys,
    non_finite: NonFinite,
}

impl<'a> TakeField<'a> for Members<'_> {
    #[inline(always)]
    fn take(&mut self, field: Field<'a>) {
        match self.keys.field(&field) {
            Some(key) => key.put(self.out),
            None => write_key(self.out, field.name),
        }
        value::write(self.out, field.value, self.non_finite);
    }

    #[inline(never)]
    fn take_rarely(&mut self, field: Field<'a>) {
        self.take(field);
    }
}

/// An object being written. Every member begins with a comma; the first one's becomes the brace in the end.
pub(super) struct Object<'n> {
    start: usize,
    first_member: usize,
    bloom: Bloom,
    names: &'n Names,
    shape: Shape,
    are_paths: bool,
}

impl Object<'_> {
    /// What stands behind the value of a member.
    pub(super) fn end_of_member(&self) -> &'static [u8] {
        self.shape.end()
    }
}

/// What stands around the name of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `,"name":`
    Object,
    /// `,{"key":"name","value":`, as OpenTelemetry writes attributes: a list in which no key stands twice.
    KeyValues,
}

/// The names that an object's constant parts have, escaped.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    names: Vec<Box<[u8]>>,
    fixed: &'static [&'static [u8]],
    bloom: Bloom,
    are_paths: bool,
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
    pub(super) fn text(&mut self, part: &Part, text: &str) {
        part.lead.put(self.out);
        value::text(self.out, text);
    }

    #[inline]
    pub(super) fn text_if_any(&mut self, part: &Part, text: Option<&str>) {
        if let Some(text) = text {
            self.text(part, text);
        }
    }

    pub(super) fn int(&mut self, part: &Part, value: impl itoa::Integer) {
        part.lead.put(self.out);
        number::int(self.out, value);
    }

    pub(super) fn int_if_any(&mut self, part: &Part, value: Option<u64>) {
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
        let keys = JsonKeys::of(fields.callsite());
        for field in fields {
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
            self.members = MEMBERS.try_with(Cell::take).unwrap_or_default();
        }
        let index = self.members.len();
        self.members.push(member);
        write(self);
        let end = self.out.len();
        if let Some(member) = self.members.get_mut(index) {
            member.end = end;
        }
    }

    /// Deals with a key that `object` may have already. Tells whether its value is to be written; if not, the key has
    /// been taken back.
    #[cold]
    fn resolve(&mut self, object: &mut Object<'_>, member: &mut Member) -> bool {
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
    fn clashes(&self, object: &Object<'_>, name: &[u8]) -> bool {
        let siblings = self.members[object.first_member..].iter().map(|sibling| sibling.name(self.out));
        siblings.chain(object.names.iter()).any(|other| is_path_into(name, other) || is_path_into(other, name))
    }

    /// Takes the dots out of the name, and puts a number behind it where that is not enough.
    #[cold]
    fn rename_clashing(&mut self, object: &mut Object<'_>, member: &mut Member) {
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

impl Drop for Writer<'_> {
    #[inline]
    fn drop(&mut self) {
        let mut members = mem::take(&mut self.members);
        if members.capacity() == 0 || members.capacity() > KEEP {
            return;
        }
        members.clear();
        // A thread that is ending keeps nothing.
        let _ = MEMBERS.try_with(|kept| kept.set(members));
    }
}

impl Names {
    /// Only these, which want no escaping.
    pub(super) const fn fixed(fixed: &'static [&'static [u8]]) -> Self {
        let mut bloom = Bloom(0, 0);
        let mut index = 0;
        while index < fixed.len() {
            bloom.insert(fixed[index]);
            index += 1;
        }
        Self { names: Vec::new(), fixed, bloom, are_paths: false }
    }

    /// For an object whose reader takes `a.b` for a member of `a`: no name in it is a path into another one.
    pub(super) fn paths() -> Self {
        Self { are_paths: true, ..Self::default() }
    }

    /// Takes `name`, or where that is taken the next one with a number. Escaped, as it is to be written.
    pub(super) fn reserve(&mut self, name: &str) -> Vec<u8> {
        let mut escaped = Vec::new();
        escape::json(&mut escaped, name);
        if self.contains(&escaped) {
            let number = free_number(&escaped, self.iter());
            escaped.push(b'_');
            number::int(&mut escaped, number);
        }
        if self.are_paths {
            self.part_ways(&mut escaped);
        }
        self.bloom.insert(&escaped);
        self.names.push(escaped.clone().into_boxed_slice());
        escaped
    }

    /// As [`Writer::rename_clashing`].
    fn part_ways(&self, name: &mut Vec<u8>) {
        let clashes = |name: &[u8]| self.iter().any(|other| is_path_into(name, other) || is_path_into(other, name));
        if !clashes(name) {
            return;
        }
        name.iter_mut().filter(|byte| **byte == b'.').for_each(|dot| *dot = b'_');
        let (end, mut number) = (name.len(), 2);
        while self.contains(name) || clashes(name) {
            name.truncate(end);
            name.push(b'_');
            number::int(name, number);
            number += 1;
        }
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.iter().any(|other| other == name)
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.names.iter().map(|name| &**name).chain(self.fixed.iter().copied())
    }
}

impl Shape {
    #[inline]
    pub(super) const fn before(self) -> &'static [u8] {
        match self {
            Self::Object => KEY_START,
            Self::KeyValues => b",{\"key\":\"",
        }
    }

    #[inline]
    pub(super) const fn after(self) -> &'static [u8] {
        match self {
            Self::Object => KEY_END,
            Self::KeyValues => b"\",\"value\":",
        }
    }

    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::Object => b"",
            Self::KeyValues => b"}",
        }
    }
}

/// Where a member lies in the buffer: `,"name":` from `start` to `value`, its value from there to `end`.
#[derive(Clone, Copy, Debug)]
struct Member {
    start: usize,
    value: usize,
    end: usize,
    shape: Shape,
}

impl Member {
    #[inline]
    fn name<'o>(&self, out: &'o [u8]) -> &'o [u8] {
        &out[self.name_range()]
    }

    #[inline]
    fn name_range(&self) -> Range<usize> {
        self.start + self.shape.before().len()..self.value - self.shape.after().len()
    }

    fn move_up(&mut self, by: usize) {
        self.start -= by;
        self.value -= by;
        // Not written yet for the last one.
        self.end = self.end.saturating_sub(by);
    }
}

/// A set of names that may hold more than was put in, never less: one bit of 64 for each name, twice. With a dozen names
/// in it, one new name of thirty is taken for an old one.
#[derive(Clone, Copy, Debug, Default)]
struct Bloom(u64, u64);

impl Bloom {
    /// Adds `name`; tells whether it is certainly new.
    #[inline]
    const fn insert(&mut self, name: &[u8]) -> bool {
        let hash = hash(name);
        let (one, two) = (1 << (hash & 63), 1 << (hash >> 6 & 63));
        let old = (self.0 & one != 0) & (self.1 & two != 0);
        *self = Self(self.0 | one, self.1 | two);
        !old
    }
}

/// From the length and three bytes: names that agree in those are told apart by comparing them.
#[inline]
const fn hash(name: &[u8]) -> u32 {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return 0 };
    let middle = name[name.len() / 2];
    let all = u32::from_le_bytes([first, middle, last, name.len() as u8]);
    all.wrapping_mul(0x9e37_79b1) >> 20
}

/// Whether `path` is `whole`, a dot, and more.
fn is_path_into(path: &[u8], whole: &[u8]) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.first() == Some(&b'.'))
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

#[cold]
fn write_key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(KEY_START);
    escape::json(out, name);
    out.extend_from_slice(KEY_END);
}

/// The least number from 2 on with which `name` is not among `names`. Looks at 64 numbers in one walk over the names, so
/// that nothing is allocated.
pub(in crate::format) fn free_number<'n>(name: &[u8], names: impl Iterator<Item = &'n [u8]> + Clone) -> usize {
    let mut from = 2;
    loop {
        let numbers = names.clone().filter_map(|other| suffix(name, other)?.checked_sub(from));
        let taken = numbers.filter(|number| *number < 64).fold(0_u64, |taken, number| taken | 1 << number);
        if taken != u64::MAX {
            return from + taken.trailing_ones() as usize;
        }
        from += 64;
    }
}

/// The number behind `name` and `_` in `other`, if that is what `other` is.
fn suffix(name: &[u8], other: &[u8]) -> Option<usize> {
    let digits = other.strip_prefix(name)?.strip_prefix(b"_")?;
    // `a_02` and `a_+2` are not what number 2 looks like.
    if !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

const KEY_START: &[u8] = b",\"";
const KEY_END: &[u8] = b"\":";
/// Members of one record; a list that had to grow beyond this is not kept.
const KEEP: usize = 1024;

static SPAN_NAMES: Names = Names::fixed(&[b"name"]);

thread_local! {
    static MEMBERS: Cell<Vec<Member>> = const { Cell::new(Vec::new()) };
}
