//! Integers and texts as bytes: what the encoding of values and records is made of.

use super::cut::{MARK, cut_json, cut_text, cut_written};

/// Appends a name. A longer one than 65,535 bytes is cut, with a mark.
#[inline]
pub(super) fn put_text16(out: &mut Vec<u8>, text: &str) {
    if text.len() > u16::MAX as usize {
        return put_shortened(text, u16::MAX as usize, |text| put_text16(out, text));
    }
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends a text of an error chain, written by `write`.
pub(crate) fn put_text(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_len32(out, write);
}

/// Appends the output of `Debug` or `Display`.
#[inline]
pub(super) fn put_text32(out: &mut Vec<u8>, text: &str) {
    if text.len() > MAX_TEXT {
        return put_shortened_written(text, |text| put_bytes32(out, text.as_bytes()));
    }
    put_bytes32(out, text.as_bytes());
}

#[inline]
pub(super) fn put_bytes32(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// The longest text that one value can hold, in bytes. A longer one is cut, with a mark within this length.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// Calls `put` with the start of `text` and a mark, at most `max` bytes.
#[cold]
#[inline(never)]
pub(super) fn put_shortened(text: &str, max: usize, put: impl FnOnce(&str)) {
    let mut short = String::new();
    cut_text(text, max - MARK, &mut short);
    put(&short);
}

/// The same for the output of `Debug` or `Display`, which may be JSON.
#[cold]
#[inline(never)]
fn put_shortened_written(text: &str, put: impl FnOnce(&str)) {
    let mut short = String::new();
    cut_written(text, MAX_TEXT - MARK, &mut Vec::new(), &mut short);
    put(&short);
}

/// The same for a nested value.
#[cold]
#[inline(never)]
pub(super) fn put_shortened_json(json: &str, put: impl FnOnce(&str)) {
    let mut short = String::new();
    cut_json(json, MAX_TEXT - MARK, &mut Vec::new(), &mut short);
    put(&short);
}

#[inline]
pub(super) fn put_len32(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
    put_sized(out, |out| {
        let start = out.len();
        write(out);
        if out.len() - start > MAX_TEXT {
            shorten(out, start, false);
        }
    })
}

/// Shortens the text or nested value at the end.
#[cold]
#[inline(never)]
pub(super) fn shorten(out: &mut Vec<u8>, start: usize, is_json: bool) {
    let written = out.split_off(start);
    let put = |text: &str| out.extend_from_slice(text.as_bytes());
    match is_json {
        true => put_shortened_json(text(&written), put),
        false => put_shortened_written(text(&written), put),
    }
}

/// Appends what `write` appends, with its length in front. Returns the length.
#[inline]
pub(super) fn put_sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
    len
}

/// Takes typed pieces off the front of a slice; `None` at the end.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline]
    pub(super) fn bytes32(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.take(len as usize)
    }

    #[inline]
    pub(crate) fn text32(&mut self) -> Option<&'a str> {
        self.bytes32().map(text)
    }

    #[inline]
    pub(super) fn text16(&mut self) -> Option<&'a str> {
        let len = self.array().map(u16::from_le_bytes)?;
        self.take(len as usize).map(text)
    }
}

/// Returns the text in these bytes, which were written from a text.
#[inline]
pub(super) fn text(bytes: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(bytes).is_ok(), "the encoder writes whole texts only");
    // SAFETY: lengths and offsets of texts are written by this module alone, around bytes that it copied from a `&str`
    // or that were written through `fmt::Write`. Checking them again cost 16 % of an event in tracing-subscriber.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}
