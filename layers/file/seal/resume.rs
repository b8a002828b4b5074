//! Where a sealed file ends, so that its chain can go on there.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use super::chain::{Link, Sealing};
use super::checkpoint::Checkpoint;
use super::mark;
use super::sealer::split_end;
use super::unpack;
use crate::{Error, ErrorKind};

/// The end of a sealed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumed {
    pub(super) link: Link,
    /// The file up to here is sound.
    pub(crate) end: u64,
    /// So many bytes of a torn line stand behind that.
    pub(crate) torn: u64,
}

/// Finds the end of `file`, which is called `name` in errors. `None`: not even its first line is whole, and the file may be
/// emptied.
///
/// Only what stands behind the last checkpoint is checked, from the file's end: [`verify`](super::verify) checks all.
///
/// # Errors
///
/// `Config`: the file is not sealed, or with another key. `Io`: it cannot be read, or what stands behind the last
/// checkpoint does not follow from it.
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

/// Finds the end of the ended file at `path`, which may be compressed. `None`: nothing is in it.
pub(super) fn resume_at(path: &Path, sealing: &Sealing) -> Result<Option<Resumed>, Error> {
    let name = format!("file {}", path.display());
    let mut text = Vec::new();
    let read = match unpack::plain(path) {
        Ok(Some(mut file)) => return resume(&mut file, &name, sealing),
        // Nothing can be read backwards there.
        Ok(None) => unpack::open(path).and_then(|mut file| file.read_to_end(&mut text)),
        Err(error) => Err(error),
    };
    read.map_err(|error| Error::io(format!("cannot read {name}"), error))?;
    resume(&mut Cursor::new(text), &name, sealing)
}

/// The first line of a file: sealed, and with our key.
fn check_first(line: &[u8], name: &str, sealing: &Sealing) -> Result<(), Error> {
    let checkpoint = mark::take(split_end(line).0).and_then(|(before, behind, _)| read(before, behind));
    let checkpoint = checkpoint.ok_or_else(|| not_sealed(name))?;
    if checkpoint.key != sealing.key {
        let keys = format!("sealed with the key {}, and the one at hand is {}", checkpoint.key, sealing.key);
        return Err(Error::new(ErrorKind::Config, format!("{name}: {keys}")));
    }
    Ok(())
}

/// What stands behind the last genuine checkpoint in `bytes`, which start at `start` in the file. The outer `None`: there
/// is no checkpoint; the inner one: a line behind it is not genuine.
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

/// The place behind `line`, if that is a genuine checkpoint.
pub(super) fn as_checkpoint(line: &[u8], sealing: &Sealing) -> Option<Link> {
    let (text, end) = split_end(line);
    let (before, behind, code) = mark::take(text)?;
    let from = read(before, behind)?.from;
    (sealing.checkpoint(&from, &[before, behind, end]) == code).then(|| from.after_checkpoint(code))
}

/// The place behind `line`, if that follows `link`.
fn after(link: Link, line: &[u8], sealing: &Sealing) -> Option<Link> {
    let (text, end) = split_end(line);
    let (before, behind, code) = mark::take(text)?;
    (sealing.line(&link, &[before, behind, end]) == code).then(|| link.after_line(code))
}

pub(super) fn read(before: &[u8], behind: &[u8]) -> Option<Checkpoint> {
    if !Checkpoint::may_be(before) {
        return None;
    }
    match behind {
        [] => Checkpoint::read(before),
        _ => Checkpoint::read(&[before, behind].concat()),
    }
}

fn read_at(file: &mut (impl Read + Seek), start: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.by_ref().take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_sealed(name: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{name} is not sealed: move it away, and a sealed one is begun"))
}

fn broken(name: &str) -> Error {
    let broken = "its end does not follow from its last checkpoint: it was changed; nothing is written to it";
    Error::io(name.to_owned(), io::Error::new(io::ErrorKind::InvalidData, broken))
}

/// More than the first line of a sealed file has.
const FIRST: u64 = 4096;

/// So much is looked at first.
const WINDOW: u64 = 64 << 10;
