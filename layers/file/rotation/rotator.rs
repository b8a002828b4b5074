use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Rotation;
use super::archive::{Archive, Rotated};
use super::family::{Family, Name, Slots, in_the_way, remove, rename};
use super::lock::Lock;
use super::naming::Mark;
use super::pruning::Pruning;
use crate::clock::Timestamp;
use crate::file::ownership;
use crate::{Error, selflog};

/// A [`Rotation`] at work on one file.
#[derive(Debug)]
pub(crate) struct Rotator {
    rotation: Rotation,
    family: Family,
    lock: Arc<Lock>,
    /// Where more than the count says which ended files stay.
    pruning: Option<Arc<Pruning>>,
    /// Where ended files are compressed.
    archive: Option<Arc<Archive<Rotated>>>,
    /// When the first line of the file in use was written, as far as that is known.
    began: Timestamp,
    deadline: Option<Timestamp>,
    /// The file in use is there from before this process.
    is_inherited: bool,
    /// After a failure: not before then.
    retry: Option<Instant>,
    /// What was told last; `None` while it works.
    told: Option<String>,
}

impl Rotator {
    /// For the file at `path`, which is absolute.
    pub(crate) fn new(rotation: Rotation, path: &Path, lock: impl FnOnce(&Family) -> Lock) -> Self {
        let family = Family::new(path, rotation.naming.clone());
        let began = rotation.clock.now();
        let lock = Arc::new(lock(&family));
        let pruning = Pruning::new(&family, &lock, &rotation.retention, &rotation.clock);
        if pruning.is_some() || rotation.compression.is_some() {
            // From now on another thread may have it when the process forks.
            lock.hold_at_forks();
        }
        let archive = rotation.compression.map(|compression| Archive::new(Rotated::new(&family, &lock), compression));
        // What the process before has not done, or not finished.
        archive.iter().for_each(Archive::begin);
        Self {
            rotation,
            family,
            lock,
            pruning,
            archive,
            began,
            deadline: None,
            is_inherited: true,
            retry: None,
            told: None,
        }
    }

    pub(crate) fn lock(&self) -> &Arc<Lock> {
        &self.lock
    }

    /// Before the file is opened, for the first time or again: where it has a name of its own and the path is a link to it,
    /// sees to both.
    pub(crate) fn prepare(&mut self) -> Result<(), Error> {
        let is_live = self.rotation.naming.is_live();
        let is_prepared = if is_live { self.family.mark_in_use().is_some() } else { !self.family.is_left_live() };
        if is_prepared {
            return Ok(());
        }
        let lock = self.lock.clone();
        let _held = (!lock.is_shared()).then(|| lock.hold()).transpose()?;
        if !is_live {
            return remove(self.family.path());
        }
        self.retire_what_is_no_link()?;
        let next = self.next_live_mark(&self.family.slots()?);
        self.link(&next)
    }

    /// The file was opened; `changed`: when it was last written to, if there are lines in it.
    pub(crate) fn opened(&mut self, changed: Option<SystemTime>) {
        let now = self.rotation.clock.now();
        let began = changed.map_or(now, |changed| Timestamp::from(changed).min(now));
        self.begin(began);
    }

    fn begin(&mut self, began: Timestamp) {
        self.began = began;
        self.deadline = self.rotation.trigger.deadline(began, began);
    }

    /// Whether the time of the file has come; `fresh`: it has no line yet.
    pub(crate) fn is_due(&mut self, fresh: bool) -> bool {
        if self.is_inherited && self.rotation.trigger.startup && !fresh {
            return true;
        }
        self.is_inherited = false;
        let Some(deadline) = self.deadline else { return false };
        let now = self.rotation.clock.now();
        if now < self.began || (now >= deadline && fresh) {
            // The clock was put back, or the period passed without a line: what follows belongs to another period.
            self.begin(now);
            return false;
        }
        now >= deadline
    }

    /// How many bytes a file of `len` bytes may still take.
    pub(crate) fn room(&self, len: u64) -> u64 {
        self.rotation.trigger.room(len)
    }

    /// The file that was ended last, if there is one.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed.
    pub(crate) fn newest(&self) -> Result<Option<PathBuf>, Error> {
        Ok(self.family.archives()?.pop().map(|newest| newest.path))
    }

    /// It failed so lately that it is not tried yet.
    pub(crate) fn is_put_off(&self) -> bool {
        self.retry.is_some_and(|retry| Instant::now() < retry)
    }

    /// Moves the file out of the way and opens a new one there. `None`: it could not be done, everything is as before, and
    /// the old file goes on; this is told, and the next attempts are put off.
    pub(crate) fn turn<T>(&mut self, open: impl FnOnce() -> Result<T, Error>) -> Option<T> {
        if self.is_put_off() {
            return None;
        }
        // Where processes share the file the whole of a write holds it already. What is to be removed then still has the name
        // by which it was found: nobody compresses it in between.
        let lock = self.lock.clone();
        let (turned, _held) = match (!lock.is_shared()).then(|| lock.hold()).transpose() {
            Ok(held) => (self.try_turn(open), held),
            Err(error) => (Err(error), None),
        };
        match turned {
            Ok(Turned { new, others, ended }) => {
                self.retry = None;
                self.is_inherited = false;
                self.begin(self.rotation.clock.now());
                self.prune(others, ended);
                self.pruning.iter().for_each(Pruning::begin);
                self.archive.iter().for_each(Archive::begin);
                Some(new)
            }
            Err(error) => {
                self.retry = Some(Instant::now() + BACK_OFF);
                self.tell(format!("file {}: goes on beyond its time: {error}", self.family.path().display()));
                None
            }
        }
    }

    fn try_turn<T>(&self, open: impl FnOnce() -> Result<T, Error>) -> Result<Turned<T>, Error> {
        let slots = self.family.slots()?;
        if self.rotation.retention.count == 0 && !self.rotation.naming.is_live() {
            empty(self.family.path())?;
            return Ok(Turned { new: open()?, others: slots, ended: 0 });
        }
        if self.rotation.naming.is_live() {
            return self.turn_link(slots, open);
        }
        let (mark, others) = self.make_way(slots)?;
        let retired = self.retire(&mark)?;
        let new =
            open().map_err(|error| match retired.then(|| rename(&self.family.place(&mark), self.family.path())) {
                Some(Err(worse)) => worse,
                _ => error,
            })?;
        Ok(Turned { new, others, ended: retired.into() })
    }

    /// The name that the file in use gets, and the others as they then are.
    fn make_way(&self, slots: Slots) -> Result<(Mark, Slots), Error> {
        if !self.rotation.naming.moves_up() {
            return Ok((self.next_mark(&slots, self.rotation.trigger.period_start(self.began)), slots));
        }
        self.move_up(slots).map(|slots| (number(1), slots))
    }

    /// The others move up by one, as far as the first gap, and without a gap the oldest is removed.
    ///
    /// It works from the top down, so that after an error no other file is lost and the next attempt finds the gap.
    fn move_up(&self, mut slots: Slots) -> Result<Slots, Error> {
        if !exists(self.family.path()) {
            return Ok(slots);
        }
        let keep = u64::try_from(self.rotation.retention.count).unwrap_or(u64::MAX);
        let gap = (1..keep).find(|n| !slots.contains_key(&number(*n))).unwrap_or(keep);
        // To rename a file over another one makes ext4 write it to the disk first, for which the caller would wait.
        if let Some(names) = slots.remove(&number(gap)) {
            self.family.remove(&names, &number(gap))?;
        }
        for n in (1..gap).rev() {
            let Some(names) = slots.remove(&number(n)) else { continue };
            self.family.relocate(&names, &number(n), &number(n + 1))?;
            slots.insert(number(n + 1), names);
        }
        Ok(slots)
    }

    /// Renames the file in use. Where it is gone (somebody moved it away) there is nothing to do, and the answer is `false`.
    fn retire(&self, mark: &Mark) -> Result<bool, Error> {
        let (from, to) = (self.family.path(), self.family.place(mark));
        if !exists(from) {
            return Ok(false);
        }
        if exists(&to) {
            return Err(in_the_way(&to));
        }
        match &self.rotation.rotator {
            None => rename(from, &to)?,
            Some(rotator) => rotator.rotate(from, &to)?,
        }
        Ok(true)
    }

    /// The mark behind the last one: of this date, or of all where there are no dates.
    fn next_mark(&self, slots: &Slots, at: Timestamp) -> Mark {
        if !self.rotation.naming.is_dated() {
            return number(slots.keys().next_back().map_or(0, |last| last.number).saturating_add(1));
        }
        let date = self.rotation.naming.date(self.rotation.zone().civil(at));
        let last = slots.keys().filter(|mark| mark.date == date).map(|mark| mark.number).max();
        Mark { date, number: last.map_or(0, |last| last.saturating_add(1)) }
    }

    /// For a file that begins now.
    fn next_live_mark(&self, taken: &Slots) -> Mark {
        self.next_mark(taken, self.rotation.trigger.period_start(self.rotation.clock.now()))
    }

    fn turn_link<T>(&self, others: Slots, open: impl FnOnce() -> Result<T, Error>) -> Result<Turned<T>, Error> {
        let before = fs::read_link(self.family.path()).ok();
        let mut taken = others.clone();
        taken.extend(self.family.mark_in_use().map(|mark| (mark, Vec::new())));
        self.link(&self.next_live_mark(&taken))?;
        match (open(), before) {
            // The one that has just ended goes with the others.
            (Ok(new), _) if self.rotation.retention.count == 0 => {
                Ok(Turned { new, others: self.family.slots().unwrap_or(others), ended: 0 })
            }
            (Ok(new), before) => Ok(Turned { new, others, ended: before.is_some().into() }),
            (Err(error), Some(before)) => self.family.link(&before).and(Err(error)),
            (Err(error), None) => Err(error),
        }
    }

    fn link(&self, mark: &Mark) -> Result<(), Error> {
        let target = self.family.place(mark);
        self.family.link(Path::new(target.file_name().unwrap_or_default()))
    }

    /// From a time when the path was the file itself.
    fn retire_what_is_no_link(&self) -> Result<(), Error> {
        let path = self.family.path();
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => remove(path),
            Ok(metadata) if metadata.is_file() => {
                let changed = metadata.modified().map_or(self.began, Timestamp::from);
                let at = self.rotation.trigger.period_start(changed);
                self.retire(&self.next_mark(&self.family.slots()?, at)).map(drop)
            }
            Ok(metadata) if !metadata.is_symlink() => Err(in_the_way(path)),
            _ => Ok(()),
        }
    }

    /// An ended file that cannot be removed is no reason not to rotate.
    fn prune(&mut self, others: Slots, ended: usize) {
        match self.try_prune(others, ended) {
            Err(error) => {
                self.tell(format!("file {}: keeps too many old files: {error}", self.family.path().display()));
            }
            Ok(()) if self.told.take().is_some() => {
                selflog::tell(&format!("file {}: rotates again", self.family.path().display()));
            }
            Ok(()) => {}
        }
    }

    fn try_prune(&self, others: Slots, ended: usize) -> Result<(), Error> {
        // What is no regular file is none of ours, and does not count.
        let mut oldest: Vec<_> = others.iter().filter(|(_, names)| names.iter().any(Name::is_file)).collect();
        let beyond = oldest.len().saturating_sub(self.rotation.retention.count.saturating_sub(ended));
        if self.rotation.naming.moves_up() {
            oldest.reverse();
        }
        for (mark, names) in oldest.into_iter().take(beyond) {
            self.family.remove(names, mark)?;
        }
        Ok(())
    }

    fn tell(&mut self, trouble: String) {
        if self.told.as_ref() != Some(&trouble) {
            selflog::tell(&trouble);
            self.told = Some(trouble);
        }
    }
}

/// What a turn came to.
struct Turned<T> {
    new: T,
    /// The ended files but the one that has just ended.
    others: Slots,
    /// 1, or 0 where there was nothing at the path.
    ended: usize,
}

fn number(number: u64) -> Mark {
    Mark { date: None, number }
}

/// A dangling symbolic link exists too: its name is taken.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// By its name and not by the descriptor: it need not be ours that is full.
fn empty(path: &Path) -> Result<(), Error> {
    // Not through a link that somebody else has put there.
    match ownership::open(path, None).and_then(|file| file.set_len(0)) {
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
    use crate::file::ownership::Ownership;

    fn rotator(rotation: Rotation, path: &Path) -> Rotator {
        Rotator::new(rotation, path, |_| Lock::new())
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Each holds its own name.
    fn fill(dir: &Path, names: &[&str]) {
        names.iter().for_each(|name| fs::write(dir.join(name), name).unwrap());
    }

    fn text(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).unwrap()
    }

    #[test]
    fn a_failure_is_put_off_and_then_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let in_the_way = dir.path().join("app.log.1");
        fill(dir.path(), &["app.log"]);
        fs::create_dir(&in_the_way).unwrap();
        let mut rotator = rotator(Rotation::size(1).keep(1), &dir.path().join("app.log"));
        assert!(rotator.turn(|| Ok(())).is_none(), "a directory is in the way");

        fs::remove_dir(&in_the_way).unwrap();
        assert!(rotator.turn(|| Ok(())).is_none(), "too early");
        rotator.retry = Some(Instant::now());
        assert!(rotator.turn(|| Ok(())).is_some());
        assert!(rotator.told.is_none());
    }

    #[test]
    fn a_file_that_somebody_moved_away_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &["app.log.1", "app.log.2"]);
        for keep in [2, 2] {
            assert!(rotator(Rotation::size(1).keep(keep), &dir.path().join("app.log")).turn(|| Ok(())).is_some());
            assert_eq!(names(dir.path()), ["app.log.1", "app.log.2"], "there is no file more than before");
        }
    }

    #[test]
    fn a_new_file_that_cannot_be_opened_leaves_the_old_one_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &["app.log"]);
        let mut rotator = rotator(Rotation::size(1), &dir.path().join("app.log"));
        let failed = rotator.turn(|| Err::<(), _>(Error::new(ErrorKind::Io, "too many open files")));
        assert!(failed.is_none());
        assert_eq!(names(dir.path()), ["app.log"]);
    }

    #[test]
    fn as_many_as_there_can_be_may_be_kept() {
        let dir = tempfile::tempdir().unwrap();
        // The number that comes after the greatest one, where it wraps around.
        fill(dir.path(), &["app.log", "app.log.0", "app.log.1"]);
        let path = dir.path().join("app.log");
        assert!(rotator(Rotation::size(1).keep(usize::MAX), &path).turn(|| Ok(())).is_some());
        for (name, was) in [("app.log.0", "app.log.0"), ("app.log.1", "app.log"), ("app.log.2", "app.log.1")] {
            assert_eq!(text(dir.path(), name), was);
        }
    }

    #[test]
    fn files_beyond_the_count_are_removed_wherever_they_are() {
        let dir = tempfile::tempdir().unwrap();
        fill(
            dir.path(),
            &["app.log", "app.log.1", "app.log.2", "app.log.3", "app.log.4", "app.log.9.gz", "app.log.9.bak"],
        );
        assert!(rotator(Rotation::size(1).keep(2), &dir.path().join("app.log")).turn(|| Ok(())).is_some());
        assert_eq!(names(dir.path()), ["app.log.1", "app.log.2", "app.log.9.bak"]);
        assert_eq!(text(dir.path(), "app.log.2"), "app.log.1");
    }

    #[test]
    fn the_first_gap_ends_the_renaming() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &["app.log", "app.log.1", "app.log.3"]);
        assert!(rotator(Rotation::size(1).keep(1000), &dir.path().join("app.log")).turn(|| Ok(())).is_some());
        assert_eq!(names(dir.path()), ["app.log.1", "app.log.2", "app.log.3"]);
        assert_eq!(text(dir.path(), "app.log.3"), "app.log.3");
        assert_eq!(text(dir.path(), "app.log.2"), "app.log.1");
    }

    #[test]
    fn a_compressed_file_moves_up_with_the_others() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &["app.log", "app.log.1", "app.log.2.gz", "app.log.3", "app.log.3.zst"]);
        assert!(rotator(Rotation::size(1).keep(3), &dir.path().join("app.log")).turn(|| Ok(())).is_some());
        assert_eq!(names(dir.path()), ["app.log.1", "app.log.2", "app.log.3.gz"]);
        assert_eq!(text(dir.path(), "app.log.3.gz"), "app.log.2.gz");
    }

    #[test]
    fn what_counts_from_the_oldest_goes_on_behind_the_last() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &["app.log", "app.log.3.gz", "app.log.7", "app.log.07"]);
        let rotation = Rotation::size(1).keep(2).naming(super::super::Naming::numbered_oldest_first());
        assert!(rotator(rotation, &dir.path().join("app.log")).turn(|| Ok(())).is_some());
        assert_eq!(names(dir.path()), ["app.log.07", "app.log.7", "app.log.8"]);
        assert_eq!(text(dir.path(), "app.log.8"), "app.log");
    }

    #[test]
    fn one_process_waits_for_the_lock_of_another_descriptor() {
        let dir = tempfile::tempdir().unwrap();
        let family = Family::new(&dir.path().join("app.log"), super::super::Naming::numbered());
        let (one, other) = (Lock::shared(&family, &Ownership::default()), Lock::shared(&family, &Ownership::default()));
        let held = one.hold().unwrap();
        let waits = std::thread::spawn(move || other.hold().map(drop).is_ok());
        assert!(!waits.is_finished());
        drop(held);
        assert!(waits.join().unwrap());
        assert_eq!(names(dir.path()), [".app.log.lock"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_whose_directory_was_moved_away_is_made_again_in_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        fs::create_dir(&logs).unwrap();
        let family = Family::new(&logs.join("app.log"), super::super::Naming::numbered());
        let lock = Lock::shared(&family, &Ownership::default());
        drop(lock.hold().unwrap());
        fs::rename(&logs, dir.path().join("old")).unwrap();
        let error = lock.hold().map(drop).unwrap_err();
        assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::NotFound));
        fs::create_dir(&logs).unwrap();
        drop(lock.hold().unwrap());
        assert_eq!(names(&logs), [".app.log.lock"]);
    }

    #[test]
    fn a_lock_that_was_removed_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let family = Family::new(&dir.path().join("app.log"), super::super::Naming::numbered());
        let lock = Lock::shared(&family, &Ownership::default());
        drop(lock.hold().unwrap());
        fs::remove_file(dir.path().join(".app.log.lock")).unwrap();
        drop(lock.hold().unwrap());
        assert_eq!(names(dir.path()), [".app.log.lock"]);
    }
}
