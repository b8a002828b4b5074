//! Old files that were compressed.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::Path;

use crate::file::rotation;

/// The text of the file at `path`, which may be compressed.
pub(super) fn open(path: &Path) -> io::Result<BufReader<Box<dyn Read + Send>>> {
    Ok(BufReader::with_capacity(64 << 10, rotation::unpack(File::open(path)?)?))
}

/// The file at `path`, unless it is compressed.
pub(super) fn plain(path: &Path) -> io::Result<Option<File>> {
    let mut file = File::open(path)?;
    let is_packed = rotation::is_packed(&mut file)?;
    file.rewind()?;
    Ok(Some(file).filter(|_| !is_packed))
}
