//! The end of a file written by another process, which may have been killed within a line.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::file::descriptor::Descriptor;

/// Whether the file at `path`, which is not empty, ends within a line. A file that cannot be read counts as whole.
/// `reader` caches the file opened for reading.
pub(super) fn is_within_line(reader: &mut Option<Descriptor>, path: &Path) -> bool {
    last_byte(reader, path).is_ok_and(|last| !is_end(last))
}

/// Framings end a record with one of these, or need no end.
pub(super) fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | 0)
}

/// Uses a separate descriptor: the one for appending cannot read, and opening a pipe for both would not wait for its reader.
fn last_byte(reader: &mut Option<Descriptor>, path: &Path) -> io::Result<u8> {
    let reader = match reader.take().filter(Descriptor::is_ours) {
        Some(ours) => reader.insert(ours),
        None => reader.insert(Descriptor::new(File::open(path)?)?.0),
    };
    let mut file = &**reader.file();
    file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}
