//! Appends short texts and numbers to buffers without calling `memcpy`, which would cost more than the copy itself.

pub(crate) mod hidden;
pub(crate) mod number;
pub(crate) mod one_line;
pub(crate) mod width;

/// Bytes that are appended repeatedly. Up to 32 bytes are copied as one block of constant length.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    len: usize,
    short: [u8; SHORT],
    /// The bytes, if they do not fit into the block.
    long: Box<[u8]>,
}

impl Block {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        let long = match short.get_mut(..bytes.len()) {
            Some(start) => {
                start.copy_from_slice(bytes);
                Box::default()
            }
            None => bytes.into(),
        };
        Self { len: bytes.len(), short, long }
    }

    #[inline]
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        if self.len > SHORT {
            return out.extend_from_slice(&self.long);
        }
        let end = out.len() + self.len;
        out.extend_from_slice(&self.short);
        out.truncate(end);
    }
}

/// The largest index up to `at` that does not lie within a character. `str::floor_char_boundary` is newer than the oldest supported
/// compiler.
pub(crate) fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The length of the block: two of the smallest vector registers.
const SHORT: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_appends_what_it_was_made_of_whatever_its_length() {
        for len in 0..100 {
            let bytes: Vec<u8> = (0..len).collect();
            let mut out = b"before".to_vec();
            Block::new(&bytes).put(&mut out);
            assert_eq!(out, [b"before", &bytes[..]].concat());
        }
    }
}
