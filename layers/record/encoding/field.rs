//! Field entries: how they are written.

use super::header::Slot;
use super::tag::*;
use crate::record::Value;
use crate::record::primitive::{
    MAX_TEXT, Reader, put_bytes32, put_len32, put_shortened, put_shortened_json, put_sized, put_text, put_text16,
    put_text32, shorten,
};

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
        Value::Str(value) => put_str(out, name, value),
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
            put_messages(out, |out| out.extend_from_slice(chain.0));
        }
        Value::Json(json) => {
            put_name(out, JSON, name);
            if json.len() > MAX_TEXT {
                return put_shortened_json(json, |json| put_bytes32(out, json.as_bytes()));
            }
            put_bytes32(out, json.as_bytes());
        }
    }
}

#[inline]
fn put_str(out: &mut Vec<u8>, name: Name<'_>, text: &str) {
    if text.len() > MAX_TEXT {
        return put_shortened(text, MAX_TEXT, |text| put_whole_str(out, name, text));
    }
    put_whole_str(out, name, text);
}

#[inline(always)]
fn put_whole_str(out: &mut Vec<u8>, name: Name<'_>, text: &str) {
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
    let mut found = false;
    put_sized(out, |out| {
        let start = out.len();
        write(out);
        found = is_json(&out[start..]);
        if out.len() - start > MAX_TEXT {
            shorten(out, start, found);
        }
    });
    if found {
        out[start] = out[start] & INLINE | JSON;
    }
}

/// Appends an error field: `write` appends the messages with [`put_text`].
pub(crate) fn put_error(out: &mut Vec<u8>, name: Name<'_>, write: impl FnOnce(&mut Vec<u8>)) {
    put_name(out, ERROR, name);
    put_messages(out, write);
}

/// Appends the messages of an error, of which each is cut by itself: cutting the whole would break their lengths.
#[inline(never)]
fn put_messages(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_sized(out, |out| {
        let start = out.len();
        write(out);
        if out.len() - start > MAX_ERROR {
            shrink_error(out, start, MAX_ERROR);
        }
    });
}

/// Keeps as many messages of the error at the end as fit into `most` bytes, and the number of the others.
#[cold]
#[inline(never)]
fn shrink_error(out: &mut Vec<u8>, start: usize, most: usize) {
    let long = out.split_off(start);
    let (mut reader, mut cut) = (Reader(&long), 0_u64);
    while let Some(text) = reader.text32() {
        match cut {
            0 if out.len() - start + text.len() <= most => put_text(out, |out| out.extend_from_slice(text.as_bytes())),
            _ => cut += 1,
        }
    }
    put_text(out, |out| out.extend_from_slice(format!("…[{cut} errors cut]").as_bytes()));
}

/// The greatest total length of an error's messages.
const MAX_ERROR: usize = 1 << 30;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_first_messages() {
        let mut out = b"before".to_vec();
        for text in ["one", "two", "three", "four"] {
            put_text(&mut out, |out| out.extend_from_slice(text.as_bytes()));
        }
        shrink_error(&mut out, 6, 9);
        let mut reader = Reader(&out[6..]);
        let texts: Vec<_> = std::iter::from_fn(|| reader.text32()).collect();
        assert_eq!((&out[..6], texts), (&b"before"[..], vec!["one", "…[3 errors cut]"]));
    }
}
