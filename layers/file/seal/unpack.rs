//! Opens archives that may be compressed.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use crate::file::rotation;
pub(super) use crate::file::rotation::unpack;

/// Opens the file at `path` for reading its text, uncompressed.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    unpack(File::open(path)?)
}

/// Opens the file at `path`. Returns `None` if it is compressed.
pub(super) fn plain(path: &Path) -> io::Result<Option<File>> {
    let mut file = File::open(path)?;
    let is_packed = rotation::is_packed(&mut file)?;
    file.rewind()?;
    Ok(Some(file).filter(|_| !is_packed))
}
