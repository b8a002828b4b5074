//! Integers and texts as bytes: what the encoding of values and records is made of.

#[inline]
pub(super) fn put_text16(out: &mut Vec<u8>, text: &str) {
    let text = truncate(text, u16::MAX as usize);
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends a text of an error chain, written by `write`.
pub(crate) fn put_text(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_len32(out, write);
}

#[inline]
pub(super) fn put_text32(out: &mut Vec<u8>, text: &str) {
    put_bytes32(out, truncate(text, MAX_TEXT).as_bytes());
}

#[inline]
pub(super) fn put_bytes32(out: &mut Vec<u8>, bytes: &[u8]) {
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

#[inline]
pub(super) fn put_len32(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
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
