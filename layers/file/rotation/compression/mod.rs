#[cfg(feature = "gzip")]
mod gzip;
mod temporary;
mod unpack;
#[cfg(feature = "zstd")]
mod zstd;

pub(super) use temporary::{Temporary, remove_leftover};
#[cfg(feature = "seal")]
pub(crate) use unpack::is_packed;
pub(crate) use unpack::{is_cut_head, is_packed_head, is_packed_name, packed_extensions, unpack};

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::str::FromStr;

use crate::clock::words::keyword;
use crate::{Error, ErrorKind};

/// How archives are compressed: gzip (feature `gzip`) or Zstandard (feature `zstd`).
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`level`](Self::level) | 6 of 1 to 9 (gzip), 3 of 1 to 22 (Zstandard) | higher is smaller and slower |
///
#[cfg_attr(feature = "gzip", doc = "```")]
#[cfg_attr(not(feature = "gzip"), doc = "```text")]
/// use tracing_handlers::rotation::Compression;
///
/// let compression = Compression::gzip().level(9);
/// assert_eq!((compression.extension(), compression.to_string()), ("gz", "gzip, level 9".to_owned()));
/// assert_eq!(Compression::gzip().level(100), Compression::gzip().level(9));
/// assert_eq!("gzip, level 9".parse::<Compression>()?, compression);
/// assert_eq!("gzip".parse::<Compression>()?, Compression::gzip());
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// A background thread with a low priority compresses archives in pieces of 64 KiB; logging threads never do. A
/// compressed file gets its name only when it is complete and on the disk. It has the permissions, the owner (if the process may
/// set it) and the modification time of the original, but not its extended attributes. An archive that grows while it is
/// compressed stays as it is until the next time. While it is written, the compressed file of `app.log.1` is called
/// `.app.log.1.gz.tmp`; one left by a killed process is removed by the next process.
///
/// As text, a compression is `gzip` or `zstd`, optionally followed by a level: `zstd, level 19`.
///
/// Python's `RotatingFileHandler` has `namer` and `rotator` for this, log4j2 the extension of `filePattern`.
#[must_use = "a rotation does nothing until it is given to a file"]
#[derive(Clone, Copy)]
pub struct Compression {
    name: &'static str,
    extension: &'static str,
    level: i32,
    highest: i32,
    /// Compresses the first file into the second, and returns how many bytes it read.
    pack: fn(&fs::File, &fs::File, i32) -> io::Result<u64>,
}

impl Compression {
    /// Sets the level, from 1 on. A level out of range is replaced by the nearest valid one.
    ///
    /// Zstandard's levels above 19 need several hundred MiB of memory for compressing. For decompressing, archives of every level need at
    /// most 32 MiB; files that need more, made by another program, are not read.
    pub fn level(mut self, level: i32) -> Self {
        self.level = level.clamp(1, self.highest);
        self
    }

    /// The extension of compressed files: `gz` or `zst`.
    pub fn extension(&self) -> &'static str {
        self.extension
    }

    /// Compresses `from`, from its beginning, into `to`. Returns the length of `from`.
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
        f.pad(&format!("{}, level {}", self.name, self.level))
    }
}

/// Reads what `Display` writes, in any case; without a level, the default level applies.
impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let words = keyword(text);
        let (name, level) = match words.split_once(',') {
            Some((name, level)) => (name.trim(), Some(level.trim())),
            None => (words.as_str(), None),
        };
        let compression = named(name)?;
        let Some(level) = level else { return Ok(compression) };
        let number = level.strip_prefix("level").map(str::trim).filter(|number| !number.starts_with('+'));
        let number = number.and_then(|number| number.parse().ok());
        let number = number.filter(|number| (1..=compression.highest).contains(number));
        number.map(|number| compression.level(number)).ok_or_else(|| {
            let highest = compression.highest;
            Error::new(
                ErrorKind::Config,
                format!("expected `level 1` to `level {highest}` for {name}, found `{level}`"),
            )
        })
    }
}

fn named(name: &str) -> Result<Compression, Error> {
    if let Some(compression) = AVAILABLE.iter().map(|make| make()).find(|compression| compression.name == name) {
        return Ok(compression);
    }
    Err(Error::new(
        ErrorKind::Config,
        match name {
            "gzip" | "zstd" => format!("compression `{name}`: the feature `{name}` is disabled"),
            _ => format!("expected `gzip` or `zstd`, found `{name}`"),
        },
    ))
}

const AVAILABLE: &[fn() -> Compression] = &[
    #[cfg(feature = "gzip")]
    Compression::gzip,
    #[cfg(feature = "zstd")]
    Compression::zstd,
];

/// Copies piece by piece, and returns how many bytes there were.
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
