//! RFC 1952.

use std::fs;
use std::io::{self, Read};
use std::time::UNIX_EPOCH;

use flate2::GzBuilder;
use flate2::read::MultiGzDecoder;

use super::{Compression, copy};

impl Compression {
    /// gzip (RFC 1952), for `zcat`, `gzip -d` and Python's `gzip`; archives end in `.gz`.
    pub fn gzip() -> Self {
        Self { name: "gzip", extension: "gz", level: 6, highest: 9, pack }
    }
}

fn pack(from: &fs::File, to: &fs::File, level: i32) -> io::Result<u64> {
    // The header holds the time of change, in 32 bits: 0 means that there is none.
    let modified = from.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let level = flate2::Compression::new(level.unsigned_abs());
    // The name is left out: numbered files change theirs.
    let mut encoder = GzBuilder::new().mtime(modified.try_into().unwrap_or(0)).write(to, level);
    let copied = copy(from, &mut encoder)?;
    encoder.finish()?;
    Ok(copied)
}

/// Several archives one after another are one, as for `zcat`.
pub(super) fn unpack(from: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    Ok(Box::new(MultiGzDecoder::new(from)))
}
