#[cfg(feature = "gzip")]
mod gzip;
mod temporary;
mod unpack;
#[cfg(feature = "zstd")]
mod zstd;

pub(super) use temporary::{Temporary, remove_left_over};
#[cfg(feature = "seal")]
pub(crate) use unpack::is_packed;
pub(crate) use unpack::{is_packed_name, packed_extensions, unpack};

use std::fmt;
use std::fs;
use std::io::{self, Read as _};

/// How old files are compressed: gzip (feature `gzip`) or Zstandard (feature `zstd`).
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`level`](Self::level) | 6 of 1 to 9 (gzip), 3 of 1 to 22 (Zstandard) | higher is smaller and slower |
///
#[cfg_attr(feature = "gzip", doc = "```")]
#[cfg_attr(not(feature = "gzip"), doc = "```ignore")]
/// use tracing_handlers::rotation::Compression;
///
/// let compression = Compression::gzip().level(9);
/// assert_eq!((compression.extension(), compression.to_string()), ("gz", "gzip, level 9".to_owned()));
/// assert_eq!(Compression::gzip().level(100), Compression::gzip().level(9));
/// ```
///
/// It is done by a thread of its own with a low priority, a piece of 64 KiB after another, never by the thread that logs. An
/// archive gets its name only when it is complete and on the disk; it has the permissions, the owner (where that may be
/// given) and the time of change of the file it was made of, but not its extended attributes. A file that something was
/// appended to while it was compressed stays as it is, until the next time. Until it is renamed, the archive of `app.log.1` lies
/// beside it as `.app.log.1.gz.tmp`; one that a killed process left behind is removed by the next.
///
/// Python's `RotatingFileHandler` has `namer` and `rotator` for this, log4j2 the ending of `filePattern`.
#[derive(Clone, Copy)]
pub struct Compression {
    name: &'static str,
    extension: &'static str,
    level: i32,
    highest: i32,
    /// Reads all of the file, and writes the archive; tells how many bytes it read.
    pack: fn(&fs::File, &fs::File, i32) -> io::Result<u64>,
}

impl Compression {
    /// How hard it tries, from 1; a level out of the range is taken as the nearer end.
    ///
    /// Zstandard's levels above 19 need several hundred MiB of memory, here and in everything that reads the archive.
    pub fn level(mut self, level: i32) -> Self {
        self.level = level.clamp(1, self.highest);
        self
    }

    /// What an archive's name ends with: `gz` or `zst`.
    pub fn extension(&self) -> &'static str {
        self.extension
    }

    /// Compresses all of `from`, from its beginning, into `to`; tells how long `from` was.
    pub(super) fn pack(&self, from: &fs::File, to: &fs::File) -> io::Result<u64> {
        (self.pack)(from, to, self.level)
    }
}

impl PartialEq for Compression {
    fn eq(&self, other: &Self) -> bool {
        (self.extension, self.level) == (other.extension, other.level)
    }
}

impl Eq for Compression {}

impl fmt::Debug for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Compression({self})")
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, level {}", self.name, self.level)
    }
}

/// Copies piece by piece; tells how many bytes there were.
#[cfg_attr(not(any(feature = "gzip", feature = "zstd")), expect(dead_code, reason = "nothing compresses"))]
fn copy(mut from: &fs::File, mut to: impl io::Write) -> io::Result<u64> {
    let (mut piece, mut copied) = (vec![0; PIECE], 0);
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(copied),
            Ok(some) => {
                to.write_all(&piece[..some])?;
                copied += some as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

const PIECE: usize = 64 << 10;
