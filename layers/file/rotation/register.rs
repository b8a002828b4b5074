//! The logs that this process has open. The archive of one must not have the name of another: `worker.1` is the newest archive of
//! `worker`, and also what a second worker's log is called.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::process::hold_at_forks;
use crate::sync::{Mutex, lock};
use crate::{Error, ErrorKind};

/// The entry of a log. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    number: u64,
    directory: PathBuf,
    name: OsString,
}

impl Registered {
    /// Registers the log at `path`, which must be absolute.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if archives of another log of this process have that name.
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        let (directory, name) = (directory_of(path), path.file_name().unwrap_or_default().to_owned());
        // Asked without the lock: the names may be the application's.
        let rotated: Vec<_> = lock(&REGISTER).rotated_in(&directory);
        if let Some((other, _)) = rotated.iter().find(|(_, archives)| (archives.0)(&name)) {
            let (path, other) = (path.display(), Path::new(other).display());
            let what = format!("file {path}: archives of {other}, which is open in this process, have such names");
            return Err(Error::new(ErrorKind::Config, what));
        }
        let mut register = lock(&REGISTER);
        register.last += 1;
        let number = register.last;
        let logs = register.directories.entry(directory.clone()).or_default();
        logs.entry(name.clone()).or_default().push(Log { number, archives: None });
        Ok(Self { number, directory, name })
    }

    /// Sets which names archives of the log have; `None` if it is not rotated.
    pub(crate) fn set_archives(&self, are_archives: Option<impl Fn(&OsStr) -> bool + Send + Sync + 'static>) {
        let archives = are_archives.map(|are_archives| Archives(Arc::new(are_archives)));
        let mut register = lock(&REGISTER);
        let before = register.log(self).map(|log| std::mem::replace(&mut log.archives, archives));
        drop(register);
        drop(before);
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut register = lock(&REGISTER);
        let Some(logs) = register.directories.get_mut(&self.directory) else { return };
        let mut gone = Vec::new();
        if let Some(same) = logs.get_mut(&self.name) {
            gone.extend(same.extract_if(.., |log| log.number == self.number));
            if same.is_empty() {
                logs.remove(&self.name);
            }
        }
        if logs.is_empty() {
            register.directories.remove(&self.directory);
        }
        drop(register);
        // Dropping may run code of the application.
        drop(gone);
    }
}

/// Whether a log called `name` is open in `directory`, which [`directory_of`] returned.
pub(super) fn is_open(directory: &Path, name: &OsStr) -> bool {
    lock(&REGISTER).directories.get(directory).is_some_and(|logs| logs.contains_key(name))
}

/// The directory of `path`, the same for each path to it. Of one that does not exist yet, as much as exists.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (directory.canonicalize(), directory.file_name()) {
        (Ok(canonical), _) => canonical,
        (Err(_), Some(name)) => directory_of(directory).join(name),
        (Err(_), None) => directory.to_owned(),
    }
}

#[derive(Debug, Default)]
struct Register {
    /// By directory and name. While one log takes the place of another, both have its name.
    directories: HashMap<PathBuf, HashMap<OsString, Vec<Log>>>,
    last: u64,
}

impl Register {
    fn log(&mut self, of: &Registered) -> Option<&mut Log> {
        let same = self.directories.get_mut(&of.directory)?.get_mut(&of.name)?;
        same.iter_mut().find(|log| log.number == of.number)
    }

    fn rotated_in(&self, directory: &Path) -> Vec<(OsString, Archives)> {
        let logs = self.directories.get(directory).into_iter().flatten();
        logs.flat_map(|(name, same)| same.iter().filter_map(|log| Some((name.clone(), log.archives.clone()?))))
            .collect()
    }
}

#[derive(Debug)]
struct Log {
    number: u64,
    /// `None` if the log is not rotated.
    archives: Option<Archives>,
}

/// Which names are those of archives.
#[derive(Clone)]
struct Archives(Arc<dyn Fn(&OsStr) -> bool + Send + Sync>);

impl fmt::Debug for Archives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Archives")
    }
}

static REGISTER: LazyLock<Arc<Mutex<Register>>> = LazyLock::new(|| {
    let register = Arc::default();
    hold_at_forks(&register);
    register
});
