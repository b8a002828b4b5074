//! Old files that were compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The text of the file at `path`, which may be compressed.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(64 << 10, File::open(path)?);
    let start = file.fill_buf()?;
    match start {
        [0x1f, 0x8b, ..] => gzip(file),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd(file),
        _ => Ok(Box::new(file)),
    }
}

#[cfg(feature = "gzip")]
fn gzip(file: BufReader<File>) -> io::Result<Box<dyn BufRead>> {
    Ok(Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file))))
}

#[cfg(not(feature = "gzip"))]
fn gzip(_: BufReader<File>) -> io::Result<Box<dyn BufRead>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "it is compressed, and the feature `gzip` is off"))
}

#[cfg(feature = "zstd")]
fn zstd(file: BufReader<File>) -> io::Result<Box<dyn BufRead>> {
    Ok(Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)))
}

#[cfg(not(feature = "zstd"))]
fn zstd(_: BufReader<File>) -> io::Result<Box<dyn BufRead>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "it is compressed, and the feature `zstd` is off"))
}
