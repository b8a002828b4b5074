//! gzip (RFC 1952).

use std::fs;
use std::io::{self, Read};
use std::time::UNIX_EPOCH;

use flate2::GzBuilder;
use flate2::read::MultiGzDecoder;

use super::{Compression, copy};

impl Compression {
    /// gzip (RFC 1952), readable by `zcat`, `gzip -d` and Python's `gzip`. Names end in `.gz`.
    pub fn gzip() -> Self {
        Self { name: "gzip", extension: "gz", level: 6, highest: 9, pack }
    }
}

fn pack(from: &fs::File, to: &fs::File, level: i32) -> io::Result<u64> {
    // The header contains the modification time in 32 bits; 0 means none.
    let modified = from.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let level = flate2::Compression::new(level.unsigned_abs());
    // Without a name: numbered archives change theirs.
    let mut encoder = GzBuilder::new().mtime(modified.try_into().unwrap_or(0)).write(to, level);
    let copied = copy(from, &mut encoder)?;
    encoder.finish()?;
    Ok(copied)
}

/// Several members in a row are read as one, as by `zcat`.
pub(super) fn unpack(from: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    Ok(Box::new(MultiGzDecoder::new(from)))
}
