//! Zstandard (RFC 8878).

use std::fs;
use std::io::{self, Read};

use zstd::stream::{read, write};

use super::{Compression, copy};

impl Compression {
    /// Zstandard (RFC 8878) with a checksum, readable by `zstdcat` and `zstd -d`. Names end in `.zst`.
    pub fn zstd() -> Self {
        Self { name: "zstd", extension: "zst", level: 3, highest: 22, pack }
    }
}

fn pack(from: &fs::File, to: &fs::File, level: i32) -> io::Result<u64> {
    let mut encoder = write::Encoder::new(to, level)?;
    encoder.include_checksum(true)?;
    if level > LARGEST_MODEST_LEVEL {
        encoder.window_log(LARGEST_WINDOW)?;
    }
    let copied = copy(from, &mut encoder)?;
    encoder.finish()?;
    Ok(copied)
}

/// Several frames in a row are read as one, as by `zstdcat`.
pub(super) fn unpack(from: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut decoder = read::Decoder::new(from)?;
    decoder.window_log_max(LARGEST_WINDOW)?;
    Ok(Box::new(decoder))
}

/// The exponent of the largest window: 32 MiB. The file decides how much memory its window takes, which is up to 128 MiB otherwise.
const LARGEST_WINDOW: u32 = 25;
/// Levels above it have larger windows.
const LARGEST_MODEST_LEVEL: i32 = 20;
