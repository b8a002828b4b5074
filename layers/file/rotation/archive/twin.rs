//! Compares a compressed file with the uncompressed one at the same place.

use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

use super::super::compression::{is_cut_head, is_packed_head, unpack};
use crate::file::Identity;

/// What a compressed file has of the uncompressed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    /// The same content.
    Same,
    /// The beginning, or nothing: the file was cut by a power failure, or the program that wrote it was killed or is still at it.
    Unfinished,
    /// Other content.
    Other,
}

impl Twin {
    /// Reads both files, from their current positions.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, for another reason than what is in the compressed one.
    pub(crate) fn judge(mut packed: &fs::File, mut raw: &fs::File) -> io::Result<Self> {
        let mut head = Vec::new();
        packed.take(LONGEST_CUT_HEAD + 1).read_to_end(&mut head)?;
        io::Seek::seek_relative(&mut packed, -(head.len() as i64))?;
        if head.len() as u64 <= LONGEST_CUT_HEAD && is_cut_head(&head) {
            return Ok(Self::Unfinished);
        }
        let unfinished = if is_packed_head(&head) { Self::Unfinished } else { Self::Other };
        let mut unpacked = unpack(packed.try_clone()?)?;
        let (mut theirs, mut ours) = (Vec::with_capacity(PIECE), Vec::with_capacity(PIECE));
        let mut is_begun = false;
        loop {
            theirs.clear();
            ours.clear();
            let read = unpacked.by_ref().take(PIECE as u64).read_to_end(&mut theirs);
            raw.take(theirs.len() as u64).read_to_end(&mut ours)?;
            match read {
                _ if ours != theirs => return Ok(Self::Other),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(unfinished),
                // Nothing is known of one that cannot be unpacked at all: it may be whole, and need more memory than is allowed.
                Err(error) if is_of_content(&error) => {
                    return Ok(if is_begun || !theirs.is_empty() { unfinished } else { Self::Other });
                }
                Err(error) => return Err(error),
                Ok(0) => break,
                Ok(_) => is_begun = true,
            }
        }
        let is_all = raw.read(&mut [0])? == 0;
        Ok(if is_all { Self::Same } else { unfinished })
    }
}

/// Whether the content cannot be unpacked, as opposed to a file that cannot be read.
fn is_of_content(error: &io::Error) -> bool {
    error.raw_os_error().is_none() && error.kind() != io::ErrorKind::Unsupported
}

/// Opens a compressed file. A pipe could wait forever.
pub(super) fn open(path: &Path) -> io::Result<fs::File> {
    match path.metadata()?.is_file() {
        true => fs::File::open(path),
        false => Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is not a regular file", path.display()))),
    }
}

/// Whether the file at `path` is the one with this metadata, and has not been written to since.
pub(super) fn is_still(path: &Path, then: &Metadata) -> bool {
    path.metadata().is_ok_and(|now| {
        Identity::of(&now) == Identity::of(then)
            && now.len() == then.len()
            && now.modified().ok() == then.modified().ok()
    })
}

/// The longest beginning of a compressed file by which its compression is not known yet.
const LONGEST_CUT_HEAD: u64 = 3;
const PIECE: usize = 64 << 10;
