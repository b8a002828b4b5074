//! Detects compressed files by their first bytes, regardless of their names.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::Path;

/// Returns the content of `file` from its current position on, uncompressed.
///
/// # Errors
///
/// `Unsupported` if the feature for its compression is disabled.
pub(crate) fn unpack(mut file: fs::File) -> io::Result<Box<dyn Read + Send>> {
    let (head, format) = head(&mut file)?;
    // Does not seek, since it may be a pipe.
    let all = Box::new(Cursor::new(head).chain(file));
    let Some(format) = format else { return Ok(all) };
    match format.unpack {
        Some(unpack) => unpack(all),
        None => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("it is compressed, but the feature `{}` is disabled", format.feature),
        )),
    }
}

/// Whether the content is compressed. Consumes the first bytes of `file`.
#[cfg(feature = "seal")]
pub(crate) fn is_packed(file: &mut fs::File) -> io::Result<bool> {
    head(file).map(|(_, format)| format.is_some())
}

/// Whether a file that consists of these bytes is the beginning of a compressed one.
pub(crate) fn is_cut_head(bytes: &[u8]) -> bool {
    FORMATS.iter().any(|format| format.magic.starts_with(bytes))
}

/// Whether a file that begins with these bytes is compressed.
pub(crate) fn is_packed_head(bytes: &[u8]) -> bool {
    FORMATS.iter().any(|format| format.is_magic(bytes))
}

fn head(file: &mut fs::File) -> io::Result<(Vec<u8>, Option<&'static Format>)> {
    let mut head = Vec::with_capacity(LONGEST_MAGIC);
    file.take(LONGEST_MAGIC as u64).read_to_end(&mut head)?;
    let format = FORMATS.iter().find(|format| format.is_magic(&head));
    Ok((head, format))
}

/// Whether `path` is named like a compressed file.
pub(crate) fn is_packed_name(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| packed_extensions().any(|known| known == extension))
}

/// The extensions of compressed files.
pub(crate) fn packed_extensions() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.extension)
}

type Unpack = fn(Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>>;

struct Format {
    extension: &'static str,
    feature: &'static str,
    magic: &'static [u8],
    /// `None` if the feature is disabled.
    unpack: Option<Unpack>,
}

impl Format {
    fn is_magic(&self, head: &[u8]) -> bool {
        head.starts_with(self.magic)
    }
}

const FORMATS: &[Format] = &[
    Format {
        extension: "gz",
        feature: "gzip",
        // RFC 1952, section 2.3.1: ID1, ID2, and the only compression method.
        magic: &[0x1f, 0x8b, 8],
        #[cfg(feature = "gzip")]
        unpack: Some(super::gzip::unpack),
        #[cfg(not(feature = "gzip"))]
        unpack: None,
    },
    Format {
        extension: "zst",
        feature: "zstd",
        // RFC 8878, section 3.1.1, little-endian.
        magic: &[0x28, 0xb5, 0x2f, 0xfd],
        #[cfg(feature = "zstd")]
        unpack: Some(super::zstd::unpack),
        #[cfg(not(feature = "zstd"))]
        unpack: None,
    },
];

const LONGEST_MAGIC: usize = 4;
