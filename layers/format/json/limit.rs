use crate::bytes::floor_char_boundary;
use crate::format::escape;

/// The longest string value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit<'m> {
    /// In bytes, before escaping.
    pub(super) bytes: usize,
    /// Appended to a string that was cut.
    pub(super) marker: &'m str,
}

impl Limit<'_> {
    /// No limit.
    pub(super) const NONE: Self = Self { bytes: usize::MAX, marker: "" };

    pub(super) const fn is_none(&self) -> bool {
        self.bytes == usize::MAX
    }

    /// Appends as much of `text` as the limit allows, without quotes, and subtracts it from the limit. Returns whether all of it
    /// was appended.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, text: &str) -> bool {
        if text.len() <= self.bytes {
            self.bytes -= text.len();
            escape::json(out, text);
            return true;
        }
        escape::json(out, &text[..floor_char_boundary(text, self.bytes)]);
        escape::json(out, self.marker);
        self.bytes = 0;
        false
    }
}
