//! Changes of bytes, and files in memory.

use std::io::Write as _;
use std::ops::Range;

use super::Random;

/// Flips a bit.
pub fn flip(bytes: &mut [u8], random: &mut Random) {
    if let Some(byte) = place(bytes.len(), random).and_then(|at| bytes.get_mut(at)) {
        *byte ^= 1 << random.below(8);
    }
}

pub fn cut(bytes: &mut Vec<u8>, random: &mut Random) {
    bytes.truncate(random.below(bytes.len() as u64 + 1) as usize);
}

/// One of 0 … `len` - 1.
pub fn place(len: usize, random: &mut Random) -> Option<usize> {
    (len > 0).then(|| random.below(len as u64) as usize)
}

/// The lines, each with its end.
pub fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// A random part of `0..len`, in whole units.
pub fn range(len: usize, random: &mut Random) -> Range<usize> {
    let start = random.below(len as u64 + 1) as usize;
    start..start + random.below((len - start) as u64 + 1) as usize
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory takes everything");
    packed.finish().expect("memory takes everything")
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory takes everything")
}
