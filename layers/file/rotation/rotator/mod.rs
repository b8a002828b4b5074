use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Rotation;
use super::archive::{Archive, Rotated};
use super::family::{Family, remove};
use super::lock::Lock;
use super::pruning::Pruning;
use super::scheme::{self, Files, Retired, Scheme};
use super::slots::{Name, Slots};
use super::{background, begin, direction, obstacle, plausible, startup};
use crate::clock::Timestamp;
use crate::{Error, selflog};

/// Applies a [`Rotation`] to one file.
#[derive(Debug)]
pub(crate) struct Rotator {
    rotation: Rotation,
    scheme: Box<dyn Scheme>,
    family: Family,
    lock: Arc<Lock>,
    /// Removes archives, if more than the count limits them.
    pruning: Option<Arc<Pruning>>,
    /// Compresses archives.
    archive: Option<Arc<Archive<Rotated>>>,
    /// When the first line of the file in use was written, if known.
    began: Timestamp,
    /// What the deadline was computed from: when the file began, or an earlier time to which the clock was set.
    base: Timestamp,
    deadline: Option<Timestamp>,
    /// What keeps the file from being rotated was looked for, and reported.
    is_inspected: bool,
    /// The file in use is from before this process.
    is_inherited: bool,
    /// After a failure, when the next attempt may be made.
    retry: Option<Instant>,
    /// The last reported failure; `None` while it works.
    reported: Option<String>,
}

impl Rotator {
    /// Creates a rotator for the file at `path`, which must be absolute, and which processes may share.
    pub(crate) fn new(rotation: Rotation, path: &Path, lock: &Arc<Lock>, shared: bool) -> Self {
        let family = Family::new(path, rotation.naming.clone(), rotation.retention.count);
        let began = rotation.clock.now();
        startup::prepare();
        let family = family.shared(shared);
        let pruning = Pruning::new(&family, lock, &rotation.retention, &rotation.clock);
        let is_slow = family.is_slow_to_list();
        if is_slow || pruning.is_some() || rotation.compression.is_some() {
            // From now on the background thread may hold the lock when the process forks.
            lock.hold_at_forks();
        }
        let archive = rotation.compression.map(|compression| Archive::new(Rotated::new(&family, lock), compression));
        // Completes what an earlier process left unfinished.
        pruning.iter().for_each(Pruning::begin);
        archive.iter().for_each(Archive::begin);
        if is_slow {
            list_soon(&family, lock);
        }
        Self {
            scheme: scheme::of(&rotation),
            rotation,
            family,
            lock: lock.clone(),
            pruning,
            archive,
            began,
            base: began,
            deadline: None,
            is_inspected: false,
            is_inherited: true,
            retry: None,
            reported: None,
        }
    }

    pub(crate) fn family(&self) -> &Family {
        &self.family
    }

    /// Whether the path is a link to the file in use.
    pub(crate) fn is_live(&self) -> bool {
        self.rotation.naming.is_live()
    }

    pub(crate) fn lock(&self) -> &Arc<Lock> {
        &self.lock
    }

    /// Prepares the path before the file is opened, for the first time or again.
    pub(crate) fn prepare(&mut self) -> Result<(), Error> {
        if self.scheme.is_prepared(&self.files(false)) {
            return Ok(());
        }
        let _held = (!self.lock.is_shared()).then(|| self.lock.hold()).transpose()?;
        self.scheme.prepare(&self.files(false))
    }

    /// Called if it takes the place of the rotator of a file that has been open in this process: that file is not from before it.
    pub(crate) fn continues(&mut self) {
        self.is_inherited = false;
    }

    /// Called when the file was opened. `changed` is when it was last written to, if it has lines.
    pub(crate) fn opened(&mut self, file: &fs::File, changed: Option<SystemTime>) {
        if self.rotation.trigger.startup && self.is_inherited {
            self.is_inherited = startup::is_first(self.family.path());
        }
        if !std::mem::replace(&mut self.is_inspected, true) {
            self.inspect();
        }
        let now = self.rotation.clock.now();
        let changed = changed.map(|changed| plausible::past(changed.into(), now));
        let began = match changed {
            Some(changed) if self.rotation.trigger.counts_from_begin() => begin::of(file, changed),
            _ => changed.unwrap_or(now),
        };
        self.begin(began);
        self.base = self.base.min(now);
        self.set_deadline();
        if changed.is_none() {
            self.mark(file);
        } else {
            self.mark_direction(file);
        }
    }

    /// Reports what will keep the file from being rotated.
    fn inspect(&self) {
        if let Some(obstacle) = obstacle::find(self.family.path(), scheme::way_of(&self.rotation)) {
            selflog::tell(&format!("file {}: cannot be rotated: {obstacle}", self.family.path().display()));
        }
    }

    /// Called when the file was opened after a rotation.
    pub(crate) fn mark(&self, file: &fs::File) {
        if self.rotation.trigger.counts_from_begin() {
            begin::mark(file, self.began);
        }
        self.mark_direction(file);
    }

    fn mark_direction(&self, file: &fs::File) {
        if self.rotation.naming.counts_up() {
            direction::mark_oldest_first(file);
        }
    }

    fn begin(&mut self, began: Timestamp) {
        (self.began, self.base) = (began, began);
        self.set_deadline();
    }

    fn set_deadline(&mut self) {
        self.deadline = self.rotation.trigger.deadline(self.base, self.base);
    }

    /// Whether the file is to be rotated now. `fresh` if it has no line yet.
    pub(crate) fn is_due(&mut self, fresh: bool) -> bool {
        if self.is_inherited && self.rotation.trigger.startup && !fresh {
            return true;
        }
        self.is_inherited = false;
        let Some(deadline) = self.deadline else { return false };
        let now = self.rotation.clock.now();
        if fresh && (now < self.began || now >= deadline) {
            // The period passed without a line: later lines belong to another one.
            let is_named = self.rotation.naming.is_named_by_begin();
            return if is_named {
                now >= deadline
            } else {
                self.begin(now);
                false
            };
        }
        if now < self.base || (self.base < self.began && now >= self.began) {
            // The clock was set back, or is right again.
            self.began = plausible::past(self.began, now);
            self.base = self.began.min(now);
            self.set_deadline();
        }
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// How many more bytes fit into a file of `len` bytes.
    pub(crate) fn room(&self, len: u64) -> u64 {
        self.rotation.trigger.room(len)
    }

    /// Returns the newest archive, if there is one.
    ///
    /// # Errors
    ///
    /// If the directory cannot be listed.
    pub(crate) fn newest(&self) -> Result<Option<PathBuf>, Error> {
        Ok(self.family.archives()?.pop().map(|newest| newest.path))
    }

    /// Removes archives beyond the limits soon: the disk is full.
    pub(crate) fn make_space(&self) {
        self.pruning.iter().for_each(Pruning::begin);
    }

    /// Whether the last attempt failed and it is too early for the next one.
    pub(crate) fn is_put_off(&self) -> bool {
        self.retry.is_some_and(|retry| Instant::now() < retry)
    }

    /// Moves the file out of the way and opens a new one. Returns `None` if that failed: then everything is as before, the
    /// old file stays in use, the failure is reported, and the next attempt is delayed.
    ///
    /// `fresh` if it has no line yet.
    pub(crate) fn rotate<T>(&mut self, fresh: bool, open: impl FnOnce() -> Result<T, Error>) -> Option<T> {
        if self.is_put_off() {
            return None;
        }
        // If processes share the file, each write holds the lock already. It is held until old files are removed: they must
        // not be compressed, and so renamed, in between.
        let lock = self.lock.clone();
        let (rotated, _held) = match (!lock.is_shared()).then(|| lock.hold()).transpose() {
            Ok(held) => (self.try_rotate(fresh, open), held),
            Err(error) => (Err(error), None),
        };
        match rotated {
            Ok((new, retired)) => {
                self.retry = None;
                self.is_inherited = false;
                self.begin(self.rotation.clock.now());
                self.prune(retired);
                self.pruning.iter().for_each(Pruning::begin);
                self.archive.iter().for_each(Archive::begin);
                Some(new)
            }
            Err(error) => {
                self.retry = Some(Instant::now() + RETRY_DELAY);
                let path = self.family.path().display();
                self.report(format!("file {path}: rotation failed, still writing to the old file: {error:#}"));
                None
            }
        }
    }

    fn try_rotate<T>(&self, fresh: bool, open: impl FnOnce() -> Result<T, Error>) -> Result<(T, Retired), Error> {
        let files = self.files(fresh);
        let retired = self.retire(&files).or_else(|error| match self.family.forget() {
            // They may not be as they were.
            true => self.retire(&files),
            false => Err(error),
        })?;
        match open() {
            Ok(new) => Ok((new, retired)),
            Err(error) => {
                self.family.forget();
                Err(files.restore(&retired).err().unwrap_or(error))
            }
        }
    }

    fn retire(&self, files: &Files<'_>) -> Result<Retired, Error> {
        let mut archives = self.family.slots()?;
        let problem = files.redate(&mut archives);
        Ok(self.scheme.retire(files, archives)?.with(problem))
    }

    fn files(&self, fresh: bool) -> Files<'_> {
        Files { family: &self.family, rotation: &self.rotation, began: self.began, fresh }
    }

    /// Removes archives beyond the count. A failure does not prevent the rotation.
    fn prune(&mut self, mut retired: Retired) {
        let unused = retired.unused.map_or(Ok(()), |mark| remove(&self.family.place(&mark)));
        let pruned = unused.and(self.try_prune(&mut retired.archives, retired.added.is_some().into()));
        let pruned = retired.problem.take().map_or(pruned, Err);
        self.remember(retired, pruned.is_ok());
        match pruned {
            Err(error) => {
                self.report(format!("file {}: cannot remove old files: {error:#}", self.family.path().display()));
            }
            Ok(()) if self.reported.take().is_some() => {
                selflog::tell(&format!("file {}: rotation works again", self.family.path().display()));
            }
            Ok(()) => {}
        }
    }

    /// Remembers the archives, unless something went wrong or a custom rotator may have done anything.
    fn remember(&self, retired: Retired, is_certain: bool) {
        if !is_certain || self.rotation.rotator.is_some() {
            self.family.forget();
            return;
        }
        let mut archives = retired.archives;
        archives.extend(retired.added.map(|added| (added.mark, vec![Name::plain(added.kind)])));
        self.family.remember(&archives);
    }

    fn try_prune(&self, archives: &mut Slots, added: usize) -> Result<(), Error> {
        // Files that are not regular are ignored, and not counted.
        let mut oldest_first: Vec<_> = archives.iter().filter(|(_, names)| names.iter().any(Name::is_file)).collect();
        oldest_first.sort_by(|(one, _), (other, _)| self.rotation.naming.compare_age(one, other));
        let beyond = oldest_first.len().saturating_sub(self.rotation.retention.count.saturating_sub(added));
        // A file that cannot be removed must not keep the others.
        let oldest: Vec<_> = oldest_first.into_iter().take(beyond).map(|(mark, _)| *mark).collect();
        let removed = oldest.into_iter().filter_map(|mark| archives.remove_entry(&mark));
        removed.map(|(mark, names)| self.family.remove(&names, &mark)).fold(Ok(()), Result::and)
    }

    fn report(&mut self, failure: String) {
        if self.reported.as_ref() != Some(&failure) {
            selflog::tell(&failure);
            self.reported = Some(failure);
        }
    }
}

/// Lists the archives on the background thread, so that the first rotation finds them known.
fn list_soon(family: &Family, lock: &Arc<Lock>) {
    let (listed, lock) = (family.clone(), lock.clone());
    // If it fails, the rotation tries it again, and reports that.
    background::submit("list", family.path(), Box::new(move || drop(lock.hold().and_then(|_held| listed.slots()))));
}

/// Without it, a file that cannot be rotated would cost a failing rename for each line.
const RETRY_DELAY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
