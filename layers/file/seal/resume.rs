//! Finds the end of a sealed file, from which its chain continues.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::chain::{Link, Sealing};
use super::checkpoint::{self, Checkpoint};
use super::line::SealedLine;
use super::lines::{Lines, Text};
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
    if !check_first(&first, name, sealing)? {
        return Ok(None);
    }
    let Some((link, start)) = last_checkpoint(file, len, sealing).map_err(cannot)? else { return Err(broken(name)) };
    file.seek(SeekFrom::Start(start)).map_err(cannot)?;
    let end = End::of(file.take(len - start), Some(link), sealing).map_err(cannot)?;
    end.resumed(start).map(Some).ok_or_else(|| broken(name))
}

/// Finds the end of the archive at `path`, which may be compressed. Returns `None` if it is empty.
pub(super) fn resume_at(path: &Path, sealing: &Sealing) -> Result<Option<Resumed>, Error> {
    let name = format!("file {}", path.display());
    let cannot = |error| Error::io(format!("cannot read {name}"), error);
    if let Some(mut file) = unpack::plain(path).map_err(cannot)? {
        return resume(&mut file, &name, sealing);
    }
    // A compressed file cannot be read backward: all of its lines are checked.
    let mut file = unpack::unpack(File::open(path).map_err(cannot)?).map_err(cannot)?;
    let mut first = Vec::new();
    file.by_ref().take(FIRST).read_to_end(&mut first).map_err(cannot)?;
    if !check_first(&first, &name, sealing)? {
        return Ok(None);
    }
    let end = End::of(first.chain(file), None, sealing).map_err(cannot)?;
    end.resumed(0).map(Some).ok_or_else(|| broken(&name))
}

/// Checks that a file that begins with `start` is sealed with our key. Returns `false` if not even its first line is whole.
fn check_first(start: &[u8], name: &str, sealing: &Sealing) -> Result<bool, Error> {
    let Some(first) = start.split_inclusive(|byte| *byte == b'\n').next() else { return Ok(false) };
    if !first.ends_with(b"\n") {
        return match Checkpoint::may_start(first) && (start.len() as u64) < FIRST {
            true => Ok(false),
            false => Err(not_sealed(name)),
        };
    }
    let checkpoint = SealedLine::parse(first).and_then(|line| line.checkpoint());
    let checkpoint = checkpoint.ok_or_else(|| not_sealed(name))?;
    if checkpoint.key != sealing.key {
        let keys = format!("sealed with the key {}, not with the given key {}", checkpoint.key, sealing.key);
        return Err(Error::new(ErrorKind::Config, format!("{name}: {keys}")));
    }
    Ok(true)
}

/// Returns the place after the last genuine checkpoint of a file of this length, and where the line after it starts. Reads from the
/// end, in pieces.
fn last_checkpoint(file: &mut (impl Read + Seek), len: u64, sealing: &Sealing) -> io::Result<Option<(Link, u64)>> {
    let mut end = len;
    while end > 0 {
        let start = end.saturating_sub(WINDOW);
        // With the byte before the first line, and the rest of the last one.
        let from = start.saturating_sub(1);
        let bytes = read_at(file, from, end + checkpoint::LONGEST - from)?;
        let starts_line = |at: usize| (from == 0 && at == 0) || at > 0 && bytes[at - 1] == b'\n';
        let first = (start - from) as usize;
        let last = ((end - from) as usize).min(bytes.len());
        for at in (first..last).rev().filter(|at| starts_line(*at)) {
            let line = bytes[at..].split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
            if let Some(link) = after_checkpoint(line.into(), sealing).filter(|_| line.ends_with(b"\n")) {
                return Ok(Some((link, from + (at + line.len()) as u64)));
            }
        }
        end = start;
    }
    Ok(None)
}

/// Where a file ends.
#[derive(Default)]
struct End {
    /// The place after the last whole line; `None` if the lines after the last checkpoint do not follow from it.
    link: Option<Link>,
    /// The length of the whole lines.
    len: u64,
    torn: u64,
}

impl End {
    /// Follows the lines of `text`, the first of which follows `link`.
    fn of(text: impl Read, link: Option<Link>, sealing: &Sealing) -> io::Result<Self> {
        let (mut lines, mut end) = (Lines::new(text), Self { link, ..Self::default() });
        while let Some(line) = lines.next(sealing, end.link)? {
            if !line.bytes.ends_with(b"\n") {
                end.torn = line.len;
                break;
            }
            end.len += line.len;
            let after_line = |link| after(link, line, sealing);
            end.link = after_checkpoint(line, sealing).or_else(|| end.link.and_then(after_line));
        }
        Ok(end)
    }

    /// `start` is where the text starts in its file.
    fn resumed(self, start: u64) -> Option<Resumed> {
        self.link.map(|link| Resumed { link, end: start + self.len, torn: self.torn })
    }
}

/// Returns the place after `line`, if that is a genuine checkpoint.
fn after_checkpoint(line: Text<'_>, sealing: &Sealing) -> Option<Link> {
    let line = SealedLine::parse(line)?;
    let from = line.checkpoint()?.from;
    line.is_checkpoint_after(&from, sealing).then(|| from.after_checkpoint(line.code))
}

/// Returns the place after `line`, if that follows `link`.
fn after(link: Link, line: Text<'_>, sealing: &Sealing) -> Option<Link> {
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

/// How many bytes are searched for a checkpoint at once.
const WINDOW: u64 = 64 << 10;
