//! The tags of field entries: the kind of the value in the low bits, how the name is given in the highest.
//!
//! The wire form has the same entries with inline names and never changes, so a change here requires a conversion there.

pub(in crate::record) const FALSE: u8 = 0;
pub(in crate::record) const TRUE: u8 = 1;
pub(in crate::record) const I64: u8 = 2;
pub(in crate::record) const U64: u8 = 3;
pub(in crate::record) const I128: u8 = 4;
pub(in crate::record) const U128: u8 = 5;
pub(in crate::record) const F64: u8 = 6;
pub(in crate::record) const STR: u8 = 7;
pub(in crate::record) const TEXT: u8 = 8;
pub(in crate::record) const BYTES: u8 = 9;
pub(in crate::record) const ERROR: u8 = 10;
pub(in crate::record) const JSON: u8 = 13;
/// No name, a text: the message of an event, or one of tracing-log's fields that went into the header.
pub(in crate::record) const ASIDE: u8 = 11;
/// No name, a span id: what this span follows from.
pub(in crate::record) const FOLLOWS: u8 = 12;
pub(in crate::record) const INLINE: u8 = 0x80;
