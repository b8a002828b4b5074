use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Rotation;
use crate::{Error, selflog};

/// A [`Rotation`] at work on one file.
#[derive(Debug)]
pub(crate) struct Rotator {
    rotation: Rotation,
    /// After a failure: not before then.
    retry: Option<Instant>,
    /// What was told last; `None` while it works.
    told: Option<String>,
}

impl Rotator {
    pub(crate) fn new(rotation: Rotation) -> Self {
        Self { rotation, retry: None, told: None }
    }

    /// How many bytes a file of `len` bytes may still take.
    pub(crate) fn room(&self, len: u64) -> u64 {
        self.rotation.trigger.room(len)
    }

    /// Moves `path` out of the way and opens a new file there. `None`: it could not be done, everything is as before, and
    /// the old file goes on; this is told, and the next attempts are put off.
    pub(crate) fn turn<T>(&mut self, path: &Path, open: impl FnOnce() -> Result<T, Error>) -> Option<T> {
        if self.retry.is_some_and(|retry| Instant::now() < retry) {
            return None;
        }
        match self.rotation.turn(path, open) {
            Ok(new) => {
                self.retry = None;
                self.prune(path);
                Some(new)
            }
            Err(error) => {
                self.retry = Some(Instant::now() + BACK_OFF);
                self.tell(format!("file {}: goes on beyond its size: {error}", path.display()));
                None
            }
        }
    }

    /// An old file that cannot be removed is no reason not to rotate.
    fn prune(&mut self, path: &Path) {
        match self.rotation.retention.prune(&self.rotation.naming, path) {
            Err(error) => self.tell(format!("file {}: keeps too many old files: {error}", path.display())),
            Ok(()) if self.told.take().is_some() => selflog::tell(&format!("file {}: rotates again", path.display())),
            Ok(()) => {}
        }
    }

    fn tell(&mut self, trouble: String) {
        if self.told.as_ref() != Some(&trouble) {
            selflog::tell(&trouble);
            self.told = Some(trouble);
        }
    }
}

impl Rotation {
    fn turn<T>(&self, path: &Path, open: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        if self.retention.count() == 0 {
            empty(path)?;
            return open();
        }
        let retired = self.naming.retire(path, self.retention.count())?;
        open().map_err(|error| match retired.then(|| self.naming.restore(path)) {
            Some(Err(worse)) => worse,
            _ => error,
        })
    }
}

/// By its name and not by the descriptor: it need not be ours that is full.
fn empty(path: &Path) -> Result<(), Error> {
    match fs::OpenOptions::new().write(true).truncate(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot empty {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// A file that cannot be turned would otherwise pay for a failing rename on every line.
const BACK_OFF: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_failure_is_put_off_and_then_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let in_the_way = dir.path().join("app.log.1");
        fs::write(&path, "x").unwrap();
        fs::create_dir(&in_the_way).unwrap();
        let mut rotator = Rotator::new(Rotation::size(1).keep(1));
        assert!(rotator.turn(&path, || Ok(())).is_none(), "a directory is in the way");

        fs::remove_dir(&in_the_way).unwrap();
        assert!(rotator.turn(&path, || Ok(())).is_none(), "too early");
        rotator.retry = Some(Instant::now());
        assert!(rotator.turn(&path, || Ok(())).is_some());
        assert!(rotator.told.is_none());
    }

    #[test]
    fn a_file_that_somebody_moved_away_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        fs::write(dir.path().join("app.log.1"), "1").unwrap();
        for keep in [0, 5] {
            assert!(Rotator::new(Rotation::size(1).keep(keep)).turn(&path, || Ok(())).is_some());
        }
        assert!(!dir.path().join("app.log.2").exists());
    }

    #[test]
    fn a_new_file_that_cannot_be_opened_leaves_the_old_one_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        fs::write(&path, "x").unwrap();
        let mut rotator = Rotator::new(Rotation::size(1));
        let failed = rotator.turn(&path, || Err::<(), _>(Error::new(ErrorKind::Io, "too many open files")));
        assert!(failed.is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "x");
        assert!(!dir.path().join("app.log.1").exists());
    }

    #[test]
    fn as_many_as_there_can_be_may_be_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        // The number that comes after the greatest one, where it wraps around.
        for name in ["app.log", "app.log.0", "app.log.1"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        assert!(Rotator::new(Rotation::size(1).keep(usize::MAX)).turn(&path, || Ok(())).is_some());
        for (name, text) in [("app.log.0", "app.log.0"), ("app.log.1", "app.log"), ("app.log.2", "app.log.1")] {
            assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), text);
        }
    }

    #[test]
    fn files_beyond_the_count_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        for name in ["app.log", "app.log.1", "app.log.2", "app.log.3", "app.log.4"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        assert!(Rotator::new(Rotation::size(1).keep(2)).turn(&path, || Ok(())).is_some());
        assert_eq!(fs::read_to_string(dir.path().join("app.log.2")).unwrap(), "app.log.1");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
