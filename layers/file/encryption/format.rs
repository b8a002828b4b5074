//! The headers and frames around encrypted data.

use crate::file::key::KeyId;

/// The first bytes of an encrypted file.
pub const MAGIC: [u8; 8] = *b"\x89THENC\r\n";

/// The length of a header.
pub(crate) const HEADER: usize = MAGIC.len() + 1 + 8 + NONCE;

/// The maximum number of bytes in a block.
pub(crate) const BLOCK: usize = 64 << 10;

/// How many bytes a block adds to its content.
pub(crate) const BLOCK_OVERHEAD: usize = FRAME + TAG;

pub(super) const NONCE: usize = 19;
pub(super) const TAG: usize = 16;
pub(super) const FRAME: usize = 8;
const VERSION: u8 = 1;

/// The start of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) key: KeyId,
    pub(super) nonce: [u8; NONCE],
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let parts = MAGIC.into_iter().chain([VERSION]).chain(self.key.0).chain(self.nonce);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    pub(super) fn read(bytes: &[u8; HEADER]) -> Result<Self, &'static str> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or("it has no valid header")?;
        let rest = rest.strip_prefix(&[VERSION]).ok_or("its version is not supported")?;
        let (key, rest) = rest.split_first_chunk().ok_or("it has no valid header")?;
        let nonce = rest.try_into().map_err(|_| "it has no valid header")?;
        Ok(Self { key: KeyId(*key), nonce })
    }
}

/// The start of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) last: bool,
    /// The length of the encrypted bytes and the tag.
    pub(super) len: usize,
}

impl Frame {
    pub(super) fn to_bytes(self) -> [u8; FRAME] {
        let word = (if self.last { LAST } else { MORE } << 24) | self.len as u32;
        (u64::from(word) << 32 | u64::from(!word)).to_be_bytes()
    }

    /// Whether a frame can begin with `bytes`.
    pub(super) fn may_start(bytes: &[u8]) -> bool {
        let inverted = bytes.iter().skip(FRAME / 2).zip(bytes).take(FRAME / 2);
        bytes.first().is_none_or(|kind| matches!(u32::from(*kind), MORE | LAST))
            && inverted.into_iter().all(|(inverted, byte)| *inverted == !byte)
    }

    /// Returns `None` if `bytes` are not a frame.
    pub(super) fn read(bytes: [u8; FRAME]) -> Option<Self> {
        let both = u64::from_be_bytes(bytes);
        let (word, inverted) = ((both >> 32) as u32, both as u32);
        let frame = Self { last: word >> 24 == LAST, len: (word & 0xff_ffff) as usize };
        let is_frame =
            word == !inverted && matches!(word >> 24, MORE | LAST) && (TAG..=BLOCK + TAG).contains(&frame.len);
        is_frame.then_some(frame)
    }
}

const MORE: u32 = 1;
const LAST: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_frames_are_read_as_they_were_written() {
        let header = Header { key: KeyId([1, 2, 3, 4, 5, 6, 7, 8]), nonce: [9; NONCE] };
        assert_eq!(Header::read(&header.to_bytes()), Ok(header));
        for last in [false, true] {
            for len in [TAG, 1000, BLOCK + TAG] {
                let frame = Frame { last, len };
                assert_eq!(Frame::read(frame.to_bytes()), Some(frame));
            }
        }
    }

    #[test]
    fn a_frame_with_any_flipped_bit_is_refused() {
        let frame = Frame { last: false, len: 1000 }.to_bytes();
        for bit in 0..64 {
            assert_eq!(Frame::read((u64::from_be_bytes(frame) ^ 1 << bit).to_be_bytes()), None);
        }
        let bytes = Frame { last: true, len: 1000 }.to_bytes();
        assert!((0..=8).all(|len| Frame::may_start(&bytes[..len])));
        assert!(!Frame::may_start(b"plain\n") && !Frame::may_start(&[1, 0, 0, 99, 1]));
        for len in [0, TAG - 1, BLOCK + TAG + 1] {
            assert_eq!(Frame::read(Frame { last: false, len }.to_bytes()), None);
        }
        assert_eq!(Frame::read(MAGIC), None);
    }
}
