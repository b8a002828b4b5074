//! The encoding of a record in memory: a fixed header and one flat, typed byte buffer behind it.
//!
//! ```text
//! header (100 bytes) | fields | spans, root first | texts
//! ```
//!
//! A field is `tag, name, payload`; a name is an index into its callsite's field set, or is inline. A span is `length, callsite,
//! id, severity, fields`. Texts (thread name; target, module, file and name if no callsite has them) are found by offset and length
//! from the header. Integers are little endian. Only this module writes and reads the layout, so that a queue can append a record
//! with one copy and nothing else needs to know it.

use super::value::{ErrorChain, Value};
use super::{Kind, Severity};
use crate::clock::Timestamp;

pub(crate) const HEADER: usize = 100;

/// The position of a text: offset from the start of the record, and length.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Slot {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

impl Slot {
    pub(super) const NONE: Self = Self { at: 0, len: 0 };

    #[inline]
    pub(crate) fn read(self, raw: &[u8]) -> Option<&str> {
        if self.at == 0 {
            return None;
        }
        raw.get(self.at as usize..self.at as usize + self.len as usize).map(text)
    }
}

/// A record's header, read in place.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a>(&'a [u8; HEADER]);

impl<'a> Head<'a> {
    /// Returns the header at the front of `raw`; `None` if that is too short.
    #[inline]
    pub(crate) fn of(raw: &'a [u8]) -> Option<Self> {
        let head = Self(raw.first_chunk()?);
        Severity::from_number(head.0[5]).map(|_| head)
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.u32(0) as usize
    }

    #[inline]
    pub(crate) fn kind(self) -> Kind {
        Kind::from_number(self.0[4])
    }

    #[inline]
    pub(crate) fn severity(self) -> Severity {
        Severity::of_known(self.0[5], self.0[7])
    }

    /// The kind in the lower byte, the number of the severity in the upper one.
    #[inline]
    pub(crate) fn kind_and_severity(self) -> u16 {
        u16::from_le_bytes([self.0[4], self.0[5]])
    }

    #[inline]
    pub(crate) fn as_captured(self) -> bool {
        self.0[6] != 0
    }

    #[inline]
    pub(crate) fn callsite(self) -> u32 {
        self.u32(8)
    }

    #[inline]
    pub(crate) fn time(self) -> Timestamp {
        Timestamp::new(self.u64(16) as i64, self.u32(12))
    }

    #[inline]
    pub(crate) fn thread_id(self) -> u64 {
        self.u64(24)
    }

    #[inline]
    pub(crate) fn stamp(self) -> u64 {
        self.u64(32)
    }

    #[inline]
    pub(crate) fn line(self) -> u32 {
        self.u32(40)
    }

    #[inline]
    pub(crate) fn fields_end(self) -> usize {
        self.u32(44) as usize
    }

    #[inline]
    pub(crate) fn spans_end(self) -> usize {
        self.u32(48) as usize
    }

    #[inline]
    pub(crate) fn message(self) -> Slot {
        self.slot(52)
    }

    #[inline]
    pub(crate) fn thread_name(self) -> Slot {
        self.slot(60)
    }

    #[inline]
    pub(crate) fn target(self) -> Slot {
        self.slot(68)
    }

    #[inline]
    pub(crate) fn module_path(self) -> Slot {
        self.slot(76)
    }

    #[inline]
    pub(crate) fn file(self) -> Slot {
        self.slot(84)
    }

    #[inline]
    pub(crate) fn name(self) -> Slot {
        self.slot(92)
    }

    #[inline]
    fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    #[inline]
    fn u64(self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at + 4)) << 32
    }

    #[inline]
    fn slot(self, at: usize) -> Slot {
        let slot = self.u64(at);
        Slot { at: slot as u32, len: (slot >> 32) as u32 }
    }
}

/// A record's header, changed in place: writing back a copy costs more than writing all of its fields.
pub(crate) struct HeadMut<'a>(&'a mut [u8; HEADER]);

impl<'a> HeadMut<'a> {
    #[inline]
    pub(crate) fn of(raw: &'a mut [u8]) -> Option<Self> {
        raw.first_chunk_mut().map(Self)
    }

    pub(crate) fn set_kind(&mut self, kind: Kind) {
        self.0[4] = kind as u8;
    }

    #[inline]
    pub(crate) fn set_severity(&mut self, severity: Severity) {
        self.0[5] = severity.number();
        self.0[7] = severity.name_index();
    }

    /// Sets whether nothing has changed since the capture: the fields of the event and its spans are those of their callsites.
    #[inline]
    pub(crate) fn set_as_captured(&mut self, as_captured: bool) {
        self.0[6] = u8::from(as_captured);
    }

    /// Sets the callsite. 0: the record does not come from a callsite of this process.
    #[inline]
    pub(crate) fn set_callsite(&mut self, id: u32) {
        self.put32(8, id);
    }

    #[inline]
    pub(crate) fn set_time(&mut self, time: Timestamp) {
        self.put32(12, time.nanos());
        self.put64(16, time.seconds() as u64);
    }

    #[inline]
    pub(crate) fn set_thread_id(&mut self, id: u64) {
        self.put64(24, id);
    }

    /// Sets the stamp. Spans with the same stamp are equal in every byte; 0: unknown.
    #[inline]
    pub(crate) fn set_stamp(&mut self, stamp: u64) {
        self.put64(32, stamp);
    }

    /// Sets the line. 0: unknown.
    #[inline]
    pub(crate) fn set_line(&mut self, line: u32) {
        self.put32(40, line);
    }

    #[inline]
    pub(crate) fn set_fields_end(&mut self, end: usize) {
        self.put32(44, end as u32);
    }

    #[inline]
    pub(crate) fn set_spans_end(&mut self, end: usize) {
        self.put32(48, end as u32);
    }

    #[inline]
    pub(crate) fn set_message(&mut self, slot: Slot) {
        self.put_slot(52, slot);
    }

    #[inline]
    pub(crate) fn set_thread_name(&mut self, slot: Slot) {
        self.put_slot(60, slot);
    }

    #[inline]
    pub(crate) fn set_target(&mut self, slot: Slot) {
        self.put_slot(68, slot);
    }

    #[inline]
    pub(crate) fn set_module_path(&mut self, slot: Slot) {
        self.put_slot(76, slot);
    }

    #[inline]
    pub(crate) fn set_file(&mut self, slot: Slot) {
        self.put_slot(84, slot);
    }

    #[inline]
    pub(crate) fn set_name(&mut self, slot: Slot) {
        self.put_slot(92, slot);
    }

    #[inline]
    fn put32(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn put64(&mut self, at: usize, value: u64) {
        self.0[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn put_slot(&mut self, at: usize, slot: Slot) {
        self.put64(at, u64::from(slot.at) | u64::from(slot.len) << 32);
    }
}

/// Appends the header of an empty record to an empty buffer.
#[inline]
pub(crate) fn begin(raw: &mut Vec<u8>, kind: Kind, severity: Severity, time: Timestamp) {
    raw.extend_from_slice(&[0; HEADER]);
    let Some(mut head) = HeadMut::of(raw) else { return };
    head.0[4] = kind as u8;
    head.set_severity(severity);
    head.set_time(time);
    head.set_fields_end(HEADER);
    head.set_spans_end(HEADER);
    head.put32(0, HEADER as u32);
}

/// Sets the length of a record that is complete.
///
/// A record of 4 GiB or more, which is too large for its offsets, loses everything behind the header.
#[inline]
pub(crate) fn end(raw: &mut Vec<u8>) {
    if u32::try_from(raw.len()).is_err() {
        empty(raw);
    }
    let len = raw.len() as u32;
    if let Some(mut head) = HeadMut::of(raw) {
        head.put32(0, len);
    }
}

#[cold]
fn empty(raw: &mut Vec<u8>) {
    raw.truncate(HEADER);
    let Some(mut head) = HeadMut::of(raw) else { return };
    head.set_fields_end(HEADER);
    head.set_spans_end(HEADER);
    head.set_stamp(0);
    // Clears all slots.
    head.0[52..].fill(0);
}

// Tags of field entries: the kind of the payload in the low bits, how the name is given in the highest. The wire form has the same
// entries with inline names and never changes, so a change here requires a conversion there.
pub(super) const FALSE: u8 = 0;
pub(super) const TRUE: u8 = 1;
pub(super) const I64: u8 = 2;
pub(super) const U64: u8 = 3;
pub(super) const I128: u8 = 4;
pub(super) const U128: u8 = 5;
pub(super) const F64: u8 = 6;
pub(super) const STR: u8 = 7;
pub(super) const TEXT: u8 = 8;
pub(super) const BYTES: u8 = 9;
pub(super) const ERROR: u8 = 10;
pub(super) const JSON: u8 = 13;
/// No name, a text: the message of an event, or one of tracing-log's fields that went into the header.
pub(super) const ASIDE: u8 = 11;
/// No name, a span id: what this span follows from.
pub(super) const FOLLOWS: u8 = 12;
pub(super) const INLINE: u8 = 0x80;

/// The name of a field in the encoding.
#[derive(Clone, Copy)]
pub(crate) enum Name<'a> {
    /// The field with this index of the callsite that the record or span belongs to.
    Index(u8),
    Inline(&'a str),
}

impl<'a> Name<'a> {
    /// Returns a key that is equal for two fields of one callsite exactly if they are the same field.
    pub(crate) fn key(self) -> (u8, &'a str) {
        match self {
            Self::Index(index) => (index, ""),
            Self::Inline(name) => (u8::MAX, name),
        }
    }
}

#[inline(always)]
fn put_name(out: &mut Vec<u8>, tag: u8, name: Name<'_>) {
    match name {
        Name::Index(index) => out.extend_from_slice(&[tag, index]),
        Name::Inline(name) => {
            out.push(tag | INLINE);
            put_text16(out, name);
        }
    }
}

#[inline]
fn put_text16(out: &mut Vec<u8>, text: &str) {
    let text = truncate(text, u16::MAX as usize);
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends a text of an error chain, written by `write`.
pub(crate) fn put_text(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_len32(out, write);
}

#[inline]
fn put_text32(out: &mut Vec<u8>, text: &str) {
    put_bytes32(out, truncate(text, MAX_TEXT).as_bytes());
}

#[inline]
fn put_bytes32(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// The longest text that one value can hold, in bytes; a longer one is cut at a character boundary.
pub(crate) const MAX_TEXT: usize = 16 << 20;

#[inline]
pub(crate) fn truncate(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    cut(text, max)
}

#[cold]
fn cut(text: &str, max: usize) -> &str {
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Appends one field. If the kind of the value is known at compile time, only the code for that kind remains.
#[inline(always)]
pub(crate) fn put_field(out: &mut Vec<u8>, name: Name<'_>, value: Value<'_>) {
    match value {
        Value::Bool(value) => put_name(out, if value { TRUE } else { FALSE }, name),
        Value::I64(value) => put_word(out, I64, name, value.to_le_bytes()),
        Value::U64(value) => put_word(out, U64, name, value.to_le_bytes()),
        Value::I128(value) => put_fixed(out, I128, name, value.to_le_bytes()),
        Value::U128(value) => put_fixed(out, U128, name, value.to_le_bytes()),
        Value::F64(value) => put_word(out, F64, name, value.to_le_bytes()),
        Value::Str(value) => put_str(out, name, truncate(value, MAX_TEXT)),
        Value::Text(value) => {
            put_name(out, TEXT, name);
            put_text32(out, value);
        }
        Value::Bytes(value) => {
            put_name(out, BYTES, name);
            put_bytes32(out, &value[..value.len().min(MAX_TEXT)]);
        }
        Value::Error(chain) => {
            put_name(out, ERROR, name);
            put_bytes32(out, chain.0);
        }
        Value::Json(json) => {
            // After a cut it is not JSON any more.
            put_name(out, if json.len() > MAX_TEXT { TEXT } else { JSON }, name);
            put_text32(out, json);
        }
    }
}

#[inline]
fn put_str(out: &mut Vec<u8>, name: Name<'_>, text: &str) {
    let [a, b, c, d] = (text.len() as u32).to_le_bytes();
    match name {
        Name::Index(index) => out.extend_from_slice(&[STR, index, a, b, c, d]),
        Name::Inline(_) => {
            put_name(out, STR, name);
            out.extend_from_slice(&[a, b, c, d]);
        }
    }
    out.extend_from_slice(text.as_bytes());
}

#[inline]
fn put_word(out: &mut Vec<u8>, tag: u8, name: Name<'_>, payload: [u8; 8]) {
    let Name::Index(index) = name else { return put_fixed(out, tag, name, payload) };
    // One piece of constant length: a few instructions.
    let [a, b, c, d, e, f, g, h] = payload;
    out.extend_from_slice(&[tag, index, a, b, c, d, e, f, g, h]);
}

fn put_fixed<const N: usize>(out: &mut Vec<u8>, tag: u8, name: Name<'_>, payload: [u8; N]) {
    put_name(out, tag, name);
    out.extend_from_slice(&payload);
}

/// Appends a field whose text is written directly into the buffer by `write`. `is_json` decides whether the text is a nested value.
#[inline]
pub(crate) fn put_written(
    out: &mut Vec<u8>,
    name: Name<'_>,
    write: impl FnOnce(&mut Vec<u8>),
    is_json: impl FnOnce(&[u8]) -> bool,
) {
    let start = out.len();
    put_name(out, TEXT, name);
    let len = put_len32(out, write) as usize;
    if is_json(&out[out.len() - len..]) {
        out[start] = out[start] & INLINE | JSON;
    }
}

/// Appends an error field: `write` appends the messages with [`put_text`].
pub(crate) fn put_error(out: &mut Vec<u8>, name: Name<'_>, write: impl FnOnce(&mut Vec<u8>)) {
    put_name(out, ERROR, name);
    // Its messages are cut one by one; cutting the whole would break their lengths.
    put_sized(out, write);
}

/// Appends a text without a name. Returns its position, counted from `start`.
#[inline(always)]
pub(crate) fn put_aside(out: &mut Vec<u8>, start: usize, write: impl FnOnce(&mut Vec<u8>)) -> Slot {
    out.push(ASIDE);
    let len = put_len32(out, write);
    Slot { at: (out.len() - len as usize - start) as u32, len }
}

pub(crate) fn put_follows(out: &mut Vec<u8>, id: u64) {
    out.push(FOLLOWS);
    out.extend_from_slice(&id.to_le_bytes());
}

#[inline]
fn put_len32(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
    put_sized(out, |out| {
        let start = out.len();
        write(out);
        if out.len() - start > MAX_TEXT {
            let cut = truncate(text(&out[start..]), MAX_TEXT).len();
            out.truncate(start + cut);
        }
    })
}

/// Appends what `write` appends, with its length in front. Returns the length.
#[inline]
fn put_sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
    len
}

/// Appends a text at the end of the record that starts at `start`.
pub(crate) fn put_slot(out: &mut Vec<u8>, start: usize, text: &str) -> Slot {
    let text = truncate(text, MAX_TEXT);
    let at = (out.len() - start) as u32;
    out.extend_from_slice(text.as_bytes());
    Slot { at, len: text.len() as u32 }
}

/// The part of a span entry before its fields.
#[derive(Clone, Copy)]
pub(crate) struct SpanHead<'a> {
    pub(crate) callsite: u32,
    pub(crate) id: u64,
    pub(crate) severity: Severity,
    /// Used if `callsite` is 0.
    pub(crate) name: &'a str,
    /// Used if `callsite` is 0.
    pub(crate) target: &'a str,
}

/// Appends a span; `fields` appends its fields.
///
/// Fields of 4 GiB or more in total are left out, since the entry's length could not represent theirs.
pub(crate) fn put_span(out: &mut Vec<u8>, head: SpanHead<'_>, fields: impl FnOnce(&mut Vec<u8>)) {
    put_sized(out, |out| {
        out.extend_from_slice(&head.callsite.to_le_bytes());
        out.extend_from_slice(&head.id.to_le_bytes());
        out.push(head.severity.number());
        if head.callsite == 0 {
            put_text16(out, head.name);
            put_text16(out, head.target);
        }
        let start = out.len();
        fields(out);
        if out.len() - start > u32::MAX as usize - HEADER - 2 * u16::MAX as usize {
            out.truncate(start);
        }
    });
}

/// Appends a span without a callsite; `rest` is everything behind the callsite's id.
pub(super) fn put_foreign_span(out: &mut Vec<u8>, rest: &[u8]) {
    put_sized(out, |out| {
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(rest);
    });
}

/// Takes typed pieces off the front of a slice; `None` at the end.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    #[inline]
    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline]
    fn bytes32(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.take(len as usize)
    }

    #[inline]
    pub(crate) fn text32(&mut self) -> Option<&'a str> {
        self.bytes32().map(text)
    }

    #[inline]
    fn text16(&mut self) -> Option<&'a str> {
        let len = self.array().map(u16::from_le_bytes)?;
        self.take(len as usize).map(text)
    }

    /// Reads the next field entry.
    #[inline]
    pub(crate) fn entry(&mut self) -> Option<Entry<'a>> {
        let tag = self.u8()?;
        match tag {
            ASIDE => return self.bytes32().map(|_| Entry::Aside),
            FOLLOWS => return self.u64().map(Entry::Follows),
            _ => {}
        }
        let name = match tag & INLINE {
            0 => Name::Index(self.u8()?),
            _ => Name::Inline(self.text16()?),
        };
        let value = match tag & !INLINE {
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            I64 => Value::I64(self.array().map(i64::from_le_bytes)?),
            U64 => Value::U64(self.u64()?),
            I128 => Value::I128(self.array().map(i128::from_le_bytes)?),
            U128 => Value::U128(self.array().map(u128::from_le_bytes)?),
            F64 => Value::F64(self.array().map(f64::from_le_bytes)?),
            STR => Value::Str(self.text32()?),
            TEXT => Value::Text(self.text32()?),
            BYTES => Value::Bytes(self.bytes32()?),
            JSON => Value::Json(self.text32()?),
            _ => Value::Error(ErrorChain(self.bytes32()?)),
        };
        Some(Entry::Field(name, value))
    }

    /// Hands the next field to `take`. Returns `None` at the end. Faster than [`entry`](Self::entry) if `take` is inlined: each
    /// kind of value has separate code, which need not match on the kind again.
    #[inline(always)]
    pub(super) fn field_to(&mut self, take: &mut impl TakeEntry<'a>) -> Option<()> {
        let (&[tag, index], rest) = self.0.split_first_chunk()?;
        let name = Name::Index(index);
        let mut rest = Self(rest);
        match tag {
            FALSE => take.take(name, Value::Bool(false)),
            TRUE => take.take(name, Value::Bool(true)),
            I64 => take.take(name, Value::I64(rest.u64()? as i64)),
            U64 => take.take(name, Value::U64(rest.u64()?)),
            F64 => take.take(name, Value::F64(f64::from_bits(rest.u64()?))),
            STR => take.take(name, Value::Str(rest.text32()?)),
            TEXT => take.take(name, Value::Text(rest.text32()?)),
            ASIDE => {
                rest = Self(&self.0[1..]);
                rest.bytes32()?;
            }
            _ => {
                rest = *self;
                if let Entry::Field(name, value) = rest.entry_rarely()? {
                    take.take_rarely(name, value);
                }
            }
        }
        *self = rest;
        Some(())
    }

    #[inline(never)]
    fn entry_rarely(&mut self) -> Option<Entry<'a>> {
        self.entry()
    }

    /// Reads the next field entry. Returns it with the bytes that it was read from.
    pub(crate) fn entry_verbatim(&mut self) -> Option<(Entry<'a>, &'a [u8])> {
        let before = self.0;
        let entry = self.entry()?;
        Some((entry, &before[..before.len() - self.0.len()]))
    }

    /// Reads the next field entry, without interpreting its value.
    #[inline]
    pub(super) fn raw_entry(&mut self) -> Option<RawEntry<'a>> {
        let before = self.0;
        let tag = self.u8()?;
        let name = match tag {
            ASIDE | FOLLOWS => None,
            _ if tag & INLINE == 0 => Some(self.u8()?),
            _ => {
                let len = self.array().map(u16::from_le_bytes)?;
                self.take(len as usize)?;
                None
            }
        };
        let payload = self.0;
        match tag & !INLINE {
            FALSE | TRUE => {}
            I64 | U64 | F64 | FOLLOWS => drop(self.take(8)?),
            I128 | U128 => drop(self.take(16)?),
            _ => drop(self.bytes32()?),
        }
        let len = |of: &[u8]| of.len() - self.0.len();
        Some(RawEntry { tag, index: name, payload: &payload[..len(payload)], whole: &before[..len(before)] })
    }

    /// Reads the next span: its head and the bytes of its fields.
    #[inline]
    pub(crate) fn span(&mut self) -> Option<(SpanHead<'a>, &'a [u8])> {
        let mut span = Reader(self.bytes32()?);
        let callsite = span.u32()?;
        let id = span.u64()?;
        let severity = Severity::from_number(span.u8()?)?;
        let (name, target) = match callsite {
            0 => (span.text16()?, span.text16()?),
            _ => ("", ""),
        };
        Some((SpanHead { callsite, id, severity, name, target }, span.0))
    }
}

/// Takes fields one after another, with their names as encoded.
pub(super) trait TakeEntry<'a> {
    /// Must be inlined.
    fn take(&mut self, name: Name<'a>, value: Value<'a>);

    /// The same, but must not be inlined: for rare kinds of names and values.
    fn take_rarely(&mut self, name: Name<'a>, value: Value<'a>);
}

/// The bytes of a field entry.
pub(super) struct RawEntry<'a> {
    pub(super) tag: u8,
    /// The index of its name, if that is not inline.
    pub(super) index: Option<u8>,
    /// Its value, with the length in front unless the tag implies it.
    pub(super) payload: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl RawEntry<'_> {
    pub(super) fn is_of_fixed_length(&self) -> bool {
        matches!(self.tag & !INLINE, FALSE | TRUE | I64 | U64 | I128 | U128 | F64 | FOLLOWS)
    }
}

pub(crate) enum Entry<'a> {
    Field(Name<'a>, Value<'a>),
    Aside,
    Follows(u64),
}

/// Returns the text in these bytes, which were written from a text.
#[inline]
fn text(bytes: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(bytes).is_ok(), "the encoder writes whole texts only");
    // SAFETY: lengths and offsets of texts are written by this module alone, around bytes that it copied from a `&str`
    // or that were written through `fmt::Write`. Checking them again cost 16 % of an event in tracing-subscriber.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_record_whose_offsets_would_overflow_loses_its_values_and_nothing_else() {
        // Zeroed pages that are never accessed cost nothing.
        let mut raw = vec![0; u32::MAX as usize + 1];
        let mut head = HeadMut::of(&mut raw).expect("room for a header");
        head.set_severity(Severity::WARN);
        head.set_time(Timestamp::new(7, 0));
        head.set_fields_end(u32::MAX as usize);
        head.set_message(Slot { at: 100, len: 5 });
        end(&mut raw);
        let read = Head::of(&raw).expect("a whole header");
        assert_eq!((raw.len(), read.len(), read.fields_end()), (HEADER, HEADER, HEADER));
        assert_eq!((read.severity(), read.time(), read.message().at), (Severity::WARN, Timestamp::new(7, 0), 0));
    }
}
