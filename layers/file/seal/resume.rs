//! Finds the end of a sealed file, from which its chain continues.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use super::chain::{Link, Sealing};
use super::checkpoint::Checkpoint;
use super::line::SealedLine;
use super::unpack;
use crate::{Error, ErrorKind};

/// The end of a sealed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumed {
    pub(super) link: Link,
    /// The length of the valid part of the file.
    pub(crate) end: u64,
    /// How many bytes of a torn line follow.
    pub(crate) torn: u64,
}

/// Finds the end of `file`, called `name` in errors. Returns `None` if not even its first line is whole, so that the file
/// may be emptied.
///
/// Checks only the lines after the last checkpoint; [`verify`](super::verify()) checks the whole file.
///
/// # Errors
///
/// - `Config` if the file is not sealed, or is sealed with another key.
/// - `Io` if it cannot be read, or if the lines after the last checkpoint do not follow from it.
pub(super) fn resume(file: &mut (impl Read + Seek), name: &str, sealing: &Sealing) -> Result<Option<Resumed>, Error> {
    let cannot = |error| Error::io(format!("cannot read {name}"), error);
    let len = file.seek(SeekFrom::End(0)).map_err(cannot)?;
    let first = read_at(file, 0, len.min(FIRST)).map_err(cannot)?;
    let Some(first) = first.split_inclusive(|byte| *byte == b'\n').next() else { return Ok(None) };
    if !first.ends_with(b"\n") {
        return match Checkpoint::may_start(first) && len < FIRST {
            true => Ok(None),
            false => Err(not_sealed(name)),
        };
    }
    check_first(first, name, sealing)?;
    let mut window = WINDOW;
    loop {
        let start = len.saturating_sub(window);
        let bytes = read_at(file, start, len - start).map_err(cannot)?;
        if let Some(found) = in_window(&bytes, start, sealing) {
            return found.map(Some).ok_or_else(|| broken(name));
        }
        if start == 0 {
            return Err(broken(name));
        }
        window *= 8;
    }
}

/// Finds the end of the archive at `path`, which may be compressed. Returns `None` if it is empty.
pub(super) fn resume_at(path: &Path, sealing: &Sealing) -> Result<Option<Resumed>, Error> {
    let name = format!("file {}", path.display());
    let mut text = Vec::new();
    let read = match unpack::plain(path) {
        Ok(Some(mut file)) => return resume(&mut file, &name, sealing),
        // A compressed file cannot be read backward.
        Ok(None) => unpack::open(path).and_then(|mut file| file.read_to_end(&mut text)),
        Err(error) => Err(error),
    };
    read.map_err(|error| Error::io(format!("cannot read {name}"), error))?;
    resume(&mut Cursor::new(text), &name, sealing)
}

/// Checks that the first line of a file is sealed with our key.
fn check_first(line: &[u8], name: &str, sealing: &Sealing) -> Result<(), Error> {
    let checkpoint = SealedLine::parse(line).and_then(|line| line.checkpoint());
    let checkpoint = checkpoint.ok_or_else(|| not_sealed(name))?;
    if checkpoint.key != sealing.key {
        let keys = format!("sealed with the key {}, not with the given key {}", checkpoint.key, sealing.key);
        return Err(Error::new(ErrorKind::Config, format!("{name}: {keys}")));
    }
    Ok(())
}

/// Looks for the last genuine checkpoint in `bytes`, which start at `start` in the file, and follows the lines after it. The
/// outer `None` means that there is no checkpoint, the inner one that a line after it is not genuine.
fn in_window(bytes: &[u8], start: u64, sealing: &Sealing) -> Option<Option<Resumed>> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut later: Vec<&[u8]> = Vec::new();
    let mut lines = &bytes[..whole];
    while !lines.is_empty() {
        let from = lines[..lines.len() - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (before, line) = lines.split_at(from);
        if let Some(link) = as_checkpoint(line, sealing) {
            let link = later.iter().rev().try_fold(link, |link, line| after(link, line, sealing));
            let end = start + whole as u64;
            return Some(link.map(|link| Resumed { link, end, torn: (bytes.len() - whole) as u64 }));
        }
        later.push(line);
        lines = before;
    }
    None
}

/// Returns the place after `line`, if that is a genuine checkpoint.
fn as_checkpoint(line: &[u8], sealing: &Sealing) -> Option<Link> {
    let line = SealedLine::parse(line)?;
    let from = line.checkpoint()?.from;
    line.is_checkpoint_after(&from, sealing).then(|| from.after_checkpoint(line.code))
}

/// Returns the place after `line`, if that follows `link`.
fn after(link: Link, line: &[u8], sealing: &Sealing) -> Option<Link> {
    let line = SealedLine::parse(line)?;
    line.follows(&link, sealing).then(|| link.after_line(line.code))
}

fn read_at(file: &mut (impl Read + Seek), start: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.by_ref().take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_sealed(name: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{name} is not sealed; move it away to start a sealed one"))
}

fn broken(name: &str) -> Error {
    let broken = "the lines after its last checkpoint were changed; nothing is written to it";
    Error::io(name.to_owned(), io::Error::new(io::ErrorKind::InvalidData, broken))
}

/// An upper bound for the length of the first line of a sealed file.
const FIRST: u64 = 4096;

/// How many bytes at the end of the file are read first.
const WINDOW: u64 = 64 << 10;
