use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::place::{Place, cannot};
use super::{devices, ending};
use crate::Error;
use crate::file::Identity;
use crate::file::descriptor::Descriptor;
use crate::process::{self, thread};
use crate::record::Severity;
use crate::sink::RecordEnd;
use crate::sink::run::{Run, Stopped, write_all};
use crate::stream::Outlet;

/// A file open for appending, and its length.
#[derive(Debug)]
pub(super) struct Open {
    /// Shared with the thread that syncs it.
    descriptor: Descriptor,
    /// For writes to a pipe or device, which may have a reader that does not read.
    outlet: Option<Outlet>,
    /// Until when these may wait, during a flush.
    deadline: Option<Instant>,
    /// Counts the bytes written here: writes of others are noticed later.
    len: u64,
    /// The length of the preamble.
    preamble: u64,
    regular: bool,
    identity: Option<Identity>,
    /// When it was last written to before it was opened, unless it was empty.
    changed: Option<SystemTime>,
    /// It ends within a line of another process, which was killed.
    unended: bool,
    /// A descriptor for reading its end, if others write to it too.
    reader: Option<Descriptor>,
}

impl Open {
    pub(super) fn new(file: fs::File, place: &Place) -> Result<Self, Error> {
        let (descriptor, metadata) = Descriptor::new(file).map_err(|error| cannot("inspect", &place.name, error))?;
        let outlet = if metadata.is_file() { None } else { outlet(&descriptor) };
        let regular = metadata.is_file() && !devices::lead_to(&place.absolute);
        let len = if regular { metadata.len() } else { 0 };
        let changed = if len > 0 { last_written(&metadata) } else { None };
        let unended = len > 0 && ending::is_within_line(&mut None, &place.absolute);
        Ok(Self {
            descriptor,
            outlet,
            deadline: None,
            len,
            preamble: 0,
            regular,
            identity: Identity::of_changing(&metadata),
            changed,
            unended,
            reader: None,
        })
    }

    #[inline]
    pub(super) fn file(&self) -> &Arc<fs::File> {
        self.descriptor.file()
    }

    /// Whether its descriptor still belongs to it.
    #[inline]
    pub(super) fn is_ours(&self) -> bool {
        self.descriptor.is_ours()
    }

    /// Sets until when writes to a pipe may wait.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Whether the file still has a name, here or elsewhere. Lines in one without a name are lost.
    pub(super) fn has_name(&self) -> bool {
        #[cfg(unix)]
        return self.file().metadata().is_ok_and(|metadata| std::os::unix::fs::MetadataExt::nlink(&metadata) > 0);
        #[cfg(not(unix))]
        true
    }

    /// Its length, including the end that a partial line of another process still needs.
    pub(super) fn len(&self) -> u64 {
        self.len + u64::from(self.unended)
    }

    /// Marks the partial line at its end as our own, whose rest is written next.
    pub(super) fn continue_line(&mut self) {
        self.unended = false;
    }

    /// Whether it has no line yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.len <= self.preamble
    }

    /// Whether it is neither a pipe nor a device, nor reached through one as `/dev/stdout` is: it can then be truncated, renamed and opened again.
    pub(super) fn is_regular(&self) -> bool {
        self.regular
    }

    pub(super) fn is_same(&self, metadata: &fs::Metadata) -> bool {
        self.identity == Identity::of_changing(metadata)
    }

    /// Identifies the file regardless of its current name.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Truncates it to `len`, if it is longer.
    pub(super) fn cut_to(&mut self, len: u64) -> io::Result<()> {
        if len < self.len {
            self.file().set_len(len)?;
            self.len = len;
        }
        Ok(())
    }

    /// Marks its current content as the preamble.
    pub(super) fn end_preamble(&mut self) {
        self.preamble = self.len;
    }

    pub(super) fn changed(&self) -> Option<SystemTime> {
        self.changed
    }

    /// Updates the length: if it has changed, others have written or truncated it, and may have been killed within a line.
    pub(super) fn has_len(&mut self, len: u64, place: &Place) {
        if len == self.len {
            return;
        }
        self.len = len;
        self.preamble = self.preamble.min(len);
        self.unended = len > 0 && ending::is_within_line(&mut self.reader, &place.absolute);
    }

    /// Empties the file.
    pub(super) fn truncate(&mut self, path: &Path) -> Result<(), Error> {
        if self.regular {
            self.file().set_len(0).map_err(|error| cannot("truncate", path, error))?;
            self.len = 0;
            self.changed = None;
            self.unended = false;
        }
        Ok(())
    }

    /// Writes the preamble.
    pub(super) fn begin(&mut self, preamble: &[u8]) -> io::Result<()> {
        let line = [RecordEnd::new(preamble.len(), Severity::INFO)];
        self.append(Run::new(preamble, &line)).map_err(|stopped| stopped.error)?;
        self.preamble = self.len;
        Ok(())
    }

    /// Writes `run`, by one `write(2)` unless that is short. After an error, the file is cut back to the last whole line if
    /// possible.
    pub(super) fn append(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        self.end_line(run)?;
        let written = match &mut self.outlet {
            None => run.write_to(&mut &**self.descriptor.file()),
            Some(outlet) => write_to_pipe(outlet, run, self.deadline),
        };
        let Err(mut stopped) = written else {
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

    /// Ends a partial line of another process in the way the lines of `run` end, so that it does not merge with ours.
    fn end_line(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        if !self.unended {
            return Ok(());
        }
        // Length-prefixed lines, for example, have no end that could be added.
        if let Some(end) = run.bytes().last().filter(|end| ending::is_end(**end)) {
            write_all(&mut &**self.file(), &[*end]).map_err(|(_, error)| Stopped { lines: 0, torn: 0, error })?;
            self.len += 1;
        }
        self.unended = false;
        Ok(())
    }

    /// Cuts the file back to `len`, if only our own `torn` bytes follow.
    fn cut(&self, torn: u64) -> bool {
        let is_ours = || self.file().metadata().is_ok_and(|metadata| metadata.len() == self.len + torn);
        self.regular && torn > 0 && is_ours() && self.file().set_len(self.len).is_ok()
    }
}

/// A pipe or device was opened without waiting, and has a description of its own that may stay so.
#[cfg(unix)]
fn outlet(descriptor: &Descriptor) -> Option<Outlet> {
    Some(Outlet::own(descriptor.file().clone(), PATIENCE))
}

#[cfg(not(unix))]
fn outlet(_: &Descriptor) -> Option<Outlet> {
    None
}

/// Waits for a reader that does not read until the deadline of a flush; else for the [`PATIENCE`], and as long as it takes on a thread
/// that holds up no other code.
#[cold]
fn write_to_pipe(outlet: &mut Outlet, run: Run<'_>, deadline: Option<Instant>) -> Result<(), Stopped<io::Error>> {
    let piece = outlet.piece();
    let mut attempt = match deadline {
        // There may be no later one.
        _ if process::is_exiting() => outlet.patient_attempt().until(process::exit_deadline()),
        Some(deadline) => outlet.patient_attempt().until(deadline),
        None if thread::is_worker() => outlet.patient_attempt(),
        None => outlet.attempt(false).map_err(|error| Stopped { lines: 0, torn: 0, error })?,
    };
    run.write_pieces_to(&mut attempt, piece)
}

/// When it was last written to. The kernel's timestamps are up to a tick late: if another process has just created
/// the file, at a deadline, the timestamp may still be before the deadline.
fn last_written(metadata: &fs::Metadata) -> Option<SystemTime> {
    let modified = metadata.modified().ok()?;
    let late = modified.checked_sub(TICK);
    let is_just_begun = metadata.created().is_ok_and(|created| late.is_none_or(|late| late <= created));
    if is_just_begun { modified.checked_add(TICK) } else { Some(modified) }
}

/// How long a write waits for the reader of a pipe.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(1);
/// For 100 ticks per second, the lowest rate of Linux.
const TICK: Duration = Duration::from_millis(10);
