use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::Line;
use super::super::run::{Run, Stopped, write_all};
use super::watch::Identity;
use super::{Place, cannot, ending};
use crate::Error;
use crate::process::Generation;
use crate::record::Severity;

/// A file that is open for appending, and how long it is.
#[derive(Debug)]
pub(super) struct Open {
    /// Shared with who syncs it.
    file: Arc<fs::File>,
    /// By counting what we write: other writers are not seen at once.
    len: u64,
    /// So much of it is the preamble.
    preamble: u64,
    regular: bool,
    /// The process that locked it.
    locked: Option<Generation>,
    identity: Option<Identity>,
    /// When it was last written to before it was opened, if there was something in it.
    changed: Option<SystemTime>,
    /// It ends within a line that somebody else began: a process that was killed.
    unended: bool,
    /// Where its end is read, if others write to it too.
    reader: Option<fs::File>,
}

impl Open {
    pub(super) fn new(file: fs::File, place: &Place) -> Result<Self, Error> {
        let metadata = file.metadata().map_err(|error| cannot("inspect", &place.name, error))?;
        let regular = metadata.is_file();
        let len = if regular { metadata.len() } else { 0 };
        let changed = if len > 0 { last_written(&metadata) } else { None };
        let unended = len > 0 && ending::is_within_line(&mut None, &place.absolute);
        Ok(Self {
            file: Arc::new(file),
            len,
            preamble: 0,
            regular,
            locked: None,
            identity: Identity::of(&metadata),
            changed,
            unended,
            reader: None,
        })
    }

    pub(super) fn file(&self) -> &Arc<fs::File> {
        &self.file
    }

    /// How long it is, with the end that a line of somebody else still needs.
    pub(super) fn len(&self) -> u64 {
        self.len + u64::from(self.unended)
    }

    /// The line that it ends within is our own, and its end comes next.
    pub(super) fn go_on_within_line(&mut self) {
        self.unended = false;
    }

    /// No line is in it yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.len <= self.preamble
    }

    /// Neither a pipe nor a device: its end can be cut off, and it can be renamed and opened again.
    pub(super) fn is_regular(&self) -> bool {
        self.regular
    }

    pub(super) fn is_same(&self, metadata: &fs::Metadata) -> bool {
        self.identity == Identity::of(metadata)
    }

    /// Which file it is, whatever it is called by now.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Locks it for as long as it is open; `false`: somebody else has. Where there are no locks everybody is let in.
    pub(super) fn lock(&mut self) -> bool {
        // On Windows a lock would keep readers out.
        if self.locked.is_none() && cfg!(unix) && matches!(self.file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            return false;
        }
        self.locked.get_or_insert_with(Generation::current);
        true
    }

    /// Cuts off what stands behind `len`.
    pub(super) fn cut_to(&mut self, len: u64) -> io::Result<()> {
        if len < self.len {
            self.file.set_len(len)?;
            self.len = len;
        }
        Ok(())
    }

    /// What is in it by now is the preamble.
    pub(super) fn end_preamble(&mut self) {
        self.preamble = self.len;
    }

    pub(super) fn changed(&self) -> Option<SystemTime> {
        self.changed
    }

    /// It is so long: others have written to it, or cut it, if that is new. They may have been killed within a line.
    pub(super) fn has_len(&mut self, len: u64, place: &Place) {
        if len == self.len {
            return;
        }
        self.len = len;
        self.preamble = self.preamble.min(len);
        self.unended = len > 0 && ending::is_within_line(&mut self.reader, &place.absolute);
    }

    /// Empties it.
    pub(super) fn truncate(&mut self, path: &Path) -> Result<(), Error> {
        if self.regular {
            self.file.set_len(0).map_err(|error| cannot("truncate", path, error))?;
            self.len = 0;
            self.changed = None;
            self.unended = false;
        }
        Ok(())
    }

    /// Writes the preamble.
    pub(super) fn begin(&mut self, preamble: &[u8]) -> io::Result<()> {
        let line = [Line { end: preamble.len(), severity: Severity::INFO }];
        self.append(Run::new(preamble, &line)).map_err(|stopped| stopped.error)?;
        self.preamble = self.len;
        Ok(())
    }

    /// Writes `run`, by one `write(2)` unless that comes up short. After an error the last line that went out whole is the
    /// end of the file again, where that is in our power.
    pub(super) fn append(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        self.end_line(run)?;
        let Err(mut stopped) = run.write_to(&mut &*self.file) else {
            self.len += run.bytes().len() as u64;
            return Ok(());
        };
        self.len += run.split_at(stopped.lines).0.bytes().len() as u64;
        if self.cut(stopped.torn as u64) {
            stopped.torn = 0;
        }
        self.len += stopped.torn as u64;
        Err(stopped)
    }

    /// Ends the line that somebody else began, as the lines of `run` end, so that theirs and ours are not one.
    fn end_line(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        if !self.unended {
            return Ok(());
        }
        // Lengths in front of lines, say, have no end that could be set.
        if let Some(end) = run.bytes().last().filter(|end| ending::is_end(**end)) {
            write_all(&mut &*self.file, &[*end]).map_err(|(_, error)| Stopped { lines: 0, torn: 0, error })?;
            self.len += 1;
        }
        self.unended = false;
        Ok(())
    }

    /// Cuts the file back to `len`, if nothing but our own `torn` bytes lies behind that.
    fn cut(&self, torn: u64) -> bool {
        let is_ours = || self.file.metadata().is_ok_and(|metadata| metadata.len() == self.len + torn);
        self.regular && torn > 0 && is_ours() && self.file.set_len(self.len).is_ok()
    }
}

/// The thread that syncs the file may keep it open for a while longer. A forked child leaves the lock to its parent.
impl Drop for Open {
    fn drop(&mut self) {
        if self.locked.is_some_and(Generation::is_current) {
            let _ = self.file.unlock();
        }
    }
}

/// When it was last written to. The kernel stamps files by a clock that is up to a tick late: where another process has just begun
/// the file, at a deadline, the stamp may be that of the time before.
fn last_written(metadata: &fs::Metadata) -> Option<SystemTime> {
    let modified = metadata.modified().ok()?;
    let late = modified.checked_sub(TICK);
    let is_just_begun = metadata.created().is_ok_and(|created| late.is_none_or(|late| late <= created));
    if is_just_begun { modified.checked_add(TICK) } else { Some(modified) }
}

/// With 100 of them in a second, which is the fewest that Linux has.
const TICK: Duration = Duration::from_millis(10);
