//! Rotations that can never work: settings that contradict each other, and names that are too long.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::Rotation;
use super::naming::Mark;
use crate::{Error, ErrorKind};

/// What else is set for the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct With {
    pub(crate) shared: bool,
    /// It is sealed or encrypted.
    pub(crate) encoded: bool,
}

impl Rotation {
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the file at `path`, which must be absolute, can never be rotated like this.
    pub(crate) fn check(&self, path: &Path, with: With) -> Result<(), Error> {
        let contradiction = match self {
            _ if !self.copies => None,
            Self { rotator: Some(_), .. } => Some("`rotator` and `copy_truncate` cannot be combined"),
            Self { naming, .. } if naming.is_live() => {
                Some("`copy_truncate` cannot be combined with `live` names: such a file is never renamed")
            }
            // After a crash lines may be in both files, which would look like an attack.
            _ if with.encoded => Some("a sealed or encrypted file cannot be rotated by `copy_truncate`"),
            _ => None,
        };
        match contradiction {
            Some(what) => Err(config(path, what)),
            None => self.check_names(path, with),
        }
    }

    fn check_names(&self, path: &Path, with: With) -> Result<(), Error> {
        let (Some(base), Some(directory)) = (path.file_name(), path.parent()) else { return Ok(()) };
        let Some(longest) = self.names(base, with).into_iter().max_by_key(|name| name.len()) else { return Ok(()) };
        let (name, len) = (longest.to_string_lossy(), longest.len());
        let limits = limits(directory);
        if limits.is_some_and(|(limit, _)| len > limit) {
            let limit = limits.map_or(0, |(limit, _)| limit);
            let what = format!("rotation needs names of up to {len} bytes, such as {name:?}, and the limit is {limit}");
            return Err(config(path, &what));
        }
        let whole = directory.join(&longest).as_os_str().len();
        if limits.is_some_and(|(_, limit)| whole > limit) {
            let limit = limits.map_or(0, |(_, limit)| limit);
            let what =
                format!("rotation needs paths of up to {whole} bytes, ending in {name:?}, and the limit is {limit}");
            return Err(config(path, &what));
        }
        Ok(())
    }

    /// The longest names of each kind that files beside the log called `base` have.
    fn names(&self, base: &OsStr, with: With) -> Vec<OsString> {
        let beside = |end: &str| concat(&[OsStr::new("."), base, OsStr::new(end)]);
        let mut names = Vec::new();
        if with.shared || with.encoded {
            names.push(beside(".lock"));
        }
        if self.naming.is_live() {
            names.push(beside(".link.tmp"));
        }
        if self.retention.count == 0 && !self.naming.is_live() {
            return names;
        }
        if self.copies {
            names.push(beside(".copy.tmp"));
        }
        let archive = self.naming.name(base, &self.last_mark());
        if let Some(compression) = &self.compression {
            let end = format!(".{}.tmp", compression.extension());
            names.push(concat(&[OsStr::new("."), &archive, OsStr::new(&end)]));
        }
        names.push(archive);
        names
    }

    /// The mark with the longest name that rotation can be expected to reach.
    fn last_mark(&self) -> Mark {
        let most = |count: u64| u64::try_from(self.retention.count).unwrap_or(count).min(count);
        match () {
            () if self.naming.counts_down() => Mark::numbered(most(MANY)),
            () if self.naming.is_dated() => {
                Mark { date: Some(self.zone().civil(self.clock.now())), number: most(MANY_OF_A_DATE) }
            }
            () => Mark::numbered(MANY),
        }
    }
}

/// How many files one log may have, over all the time.
const MANY: u64 = 999_999;
const MANY_OF_A_DATE: u64 = 999;

fn concat(parts: &[&OsStr]) -> OsString {
    parts.iter().fold(OsString::new(), |mut name, part| {
        name.push(part);
        name
    })
}

fn config(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("file {}: {what}", path.display()))
}

/// How many bytes a name in `directory` and a path may have. The directory may not exist yet.
#[cfg(unix)]
fn limits(directory: &Path) -> Option<(usize, usize)> {
    use std::os::unix::ffi::OsStrExt as _;

    let there = directory.ancestors().find(|directory| directory.is_dir())?;
    let there = std::ffi::CString::new(there.as_os_str().as_bytes()).ok()?;
    // SAFETY: the path ends with a zero.
    let name = unsafe { libc::pathconf(there.as_ptr(), libc::_PC_NAME_MAX) };
    // One byte is for the zero at the end.
    Some((usize::try_from(name).unwrap_or(255), libc::PATH_MAX as usize - 1))
}

/// Not known.
#[cfg(not(unix))]
fn limits(_: &Path) -> Option<(usize, usize)> {
    None
}
