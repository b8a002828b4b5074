//! Old files that were compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

/// The text of the file at `path`, which may be compressed.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(64 << 10, File::open(path)?);
    match file.fill_buf()? {
        start if start.starts_with(GZIP) => gzip(file),
        start if start.starts_with(ZSTD) => zstd(file),
        _ => Ok(Box::new(file)),
    }
}

/// The file at `path`, unless it is compressed.
pub(super) fn plain(path: &Path) -> io::Result<Option<File>> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    Ok(Some(file).filter(|_| !start.starts_with(GZIP) && !start.starts_with(ZSTD)))
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

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
