//! Numbers as text, without the machinery of `fmt`.

#[inline]
pub(crate) fn int(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that reads back as `value`, which is finite; whole numbers keep a `.0`. Valid JSON.
#[inline]
pub(crate) fn finite(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
}
