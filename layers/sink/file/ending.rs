//! How a file ends that somebody else wrote to before: a process that is killed may leave a piece of a line.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Whether the file at `path`, which is not empty, ends with something else than the end of a line; what cannot be read is
/// taken for whole. `reader` is the file once it has been asked for.
pub(super) fn is_within_line(reader: &mut Option<File>, path: &Path) -> bool {
    last_byte(reader, path).is_ok_and(|last| !is_end(last))
}

/// Framings end a record with one of these, or need no end.
pub(super) fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | 0)
}

/// By a descriptor of its own: the one for appending cannot read, and for one that can both a pipe would not wait for its reader.
fn last_byte(reader: &mut Option<File>, path: &Path) -> io::Result<u8> {
    let file = match reader {
        Some(file) => file,
        None => reader.insert(File::open(path)?),
    };
    file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}
