//! Field entries: how they are read.

use super::field::Name;
use super::tag::*;
use crate::record::primitive::Reader;
use crate::record::{ErrorChain, Value};

impl<'a> Reader<'a> {
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
    pub(in crate::record) fn field_to(&mut self, take: &mut impl TakeEntry<'a>) -> Option<()> {
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
    pub(in crate::record) fn raw_entry(&mut self) -> Option<RawEntry<'a>> {
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
}

/// Takes fields one after another, with their names as encoded.
pub(in crate::record) trait TakeEntry<'a> {
    /// Must be inlined.
    fn take(&mut self, name: Name<'a>, value: Value<'a>);

    /// The same, but must not be inlined: for rare kinds of names and values.
    fn take_rarely(&mut self, name: Name<'a>, value: Value<'a>);
}

/// The bytes of a field entry.
pub(in crate::record) struct RawEntry<'a> {
    pub(in crate::record) tag: u8,
    /// The index of its name, if that is not inline.
    pub(in crate::record) index: Option<u8>,
    /// Its value, with the length in front unless the tag implies it.
    pub(in crate::record) payload: &'a [u8],
    pub(in crate::record) whole: &'a [u8],
}

impl RawEntry<'_> {
    pub(in crate::record) fn is_of_fixed_length(&self) -> bool {
        matches!(self.tag & !INLINE, FALSE | TRUE | I64 | U64 | I128 | U128 | F64 | FOLLOWS)
    }
}

pub(crate) enum Entry<'a> {
    Field(Name<'a>, Value<'a>),
    Aside,
    Follows(u64),
}
