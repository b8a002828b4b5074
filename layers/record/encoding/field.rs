//! Field entries: how they are written.

use super::header::Slot;
use super::tag::*;
use crate::record::Value;
use crate::record::primitive::{MAX_TEXT, put_bytes32, put_len32, put_sized, put_text16, put_text32, truncate};

/// The name of a field in the encoding.
#[derive(Clone, Copy)]
pub(crate) enum Name<'a> {
    /// The field with this index, which is at most 254, of the callsite that the record or span belongs to.
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
