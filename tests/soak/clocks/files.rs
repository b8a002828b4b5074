//! What is in the files of one log, whatever they are called.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tracing_handlers::clock::Timestamp;
use tracing_handlers::read::{Event, Reader};

use super::session::text;
use super::settings::{BASE, Kind, Settings};

/// A file of the log.
#[derive(Clone, Debug)]
pub struct Content {
    pub path: PathBuf,
    /// Which lines it has: each is the next.
    pub lines: Range<u64>,
    pub modified: Timestamp,
}

/// Reads all files of `directory` but those called `others`, in the order of their lines.
pub fn read(directory: &Path, settings: &Settings, others: &BTreeSet<OsString>) -> Result<Vec<Content>, String> {
    let link = directory.join(BASE);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().unwrap_or_default();
        let is_other = others.contains(name) || is_auxiliary(name) || settings.live && path == link;
        // A kill may leave an archive beside its compressed copy.
        if !is_other && !is_twin(&path, others) {
            files.extend(content(&path, settings)?);
        }
    }
    files.sort_by_key(|file| file.lines.start);
    Ok(files)
}

/// Locks, and what a kill left of a file that was being compressed or a link that was being made.
fn is_auxiliary(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with('.') && (name.ends_with(".lock") || name.ends_with(".tmp")))
}

fn is_twin(path: &Path, others: &BTreeSet<OsString>) -> bool {
    ["gz", "zst"].iter().any(|extension| {
        let mut packed = path.file_name().unwrap_or_default().to_owned();
        packed.push(format!(".{extension}"));
        !others.contains(&packed) && path.with_file_name(packed).exists()
    })
}

/// `None` for a file without lines.
fn content(path: &Path, settings: &Settings) -> Result<Option<Content>, String> {
    let mut lines: Option<Range<u64>> = None;
    for line in lines_of(Reader::files([path]), settings)? {
        let expected = lines.as_ref().map_or(line, |lines| lines.end);
        if line != expected {
            return Err(format!("{}: line {line} follows line {}", path.display(), expected.wrapping_sub(1)));
        }
        lines = Some(lines.map_or(line, |lines| lines.start)..line + 1);
    }
    let metadata = path.metadata().map_err(|error| format!("{}: {error}", path.display()))?;
    let modified = metadata.modified().map_or(Timestamp::EPOCH, Timestamp::from);
    Ok(lines.map(|lines| Content { path: path.to_owned(), lines, modified }))
}

/// The numbers of the lines.
pub fn lines_of(reader: Reader, settings: &Settings) -> Result<Vec<u64>, String> {
    let mut lines = Vec::new();
    for event in decrypted(reader, settings) {
        match event {
            Event::Line(line) if is_seal(&line.bytes) => {}
            Event::Line(line) => lines.push(number(&line.text()).ok_or_else(|| format!("not a line: {line:?}"))?),
            Event::Gap(gap) if is_harmless(&gap, settings) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(lines)
}

fn decrypted(reader: Reader, settings: &Settings) -> Reader {
    match settings.kind {
        #[cfg(feature = "encryption")]
        Kind::Encrypted => reader.keys(super::settings::keys()),
        _ => reader,
    }
}

/// Numbers that were passed by, and the missing end of an encrypted file whose process was killed.
fn is_harmless(gap: &tracing_handlers::read::Gap, settings: &Settings) -> bool {
    use tracing_handlers::read::Gap;

    match gap {
        Gap::Missing { .. } => true,
        #[cfg(feature = "encryption")]
        Gap::Unreadable { lines, .. } => settings.kind == Kind::Encrypted && (settings.is_killed || *lines > 0),
        _ => false,
    }
}

fn is_seal(line: &[u8]) -> bool {
    line.starts_with(b"seal-checkpoint ")
}

/// Which line this is, if it is whole.
fn number(line: &str) -> Option<u64> {
    let line = line.split_once(" seal=").map_or(line, |(line, _)| line);
    let number = line.get(..8)?.parse().ok()?;
    (text(number).trim_end() == line).then_some(number)
}
