use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::super::Line;
use super::super::run::{Run, Stopped};
use super::cannot;
use super::watch::Identity;
use crate::Error;
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
    locked: bool,
    identity: Option<Identity>,
    /// When it was last written to before it was opened, if there was something in it.
    changed: Option<SystemTime>,
}

impl Open {
    pub(super) fn new(file: fs::File, path: &Path) -> Result<Self, Error> {
        let metadata = file.metadata().map_err(|error| cannot("inspect", path, error))?;
        let regular = metadata.is_file();
        let len = if regular { metadata.len() } else { 0 };
        let changed = if len > 0 { metadata.modified().ok() } else { None };
        Ok(Self {
            file: Arc::new(file),
            len,
            preamble: 0,
            regular,
            locked: false,
            identity: Identity::of(&metadata),
            changed,
        })
    }

    pub(super) fn file(&self) -> &Arc<fs::File> {
        &self.file
    }

    pub(super) fn len(&self) -> u64 {
        self.len
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
        self.locked = self.locked || !cfg!(unix) || !matches!(self.file.try_lock(), Err(fs::TryLockError::WouldBlock));
        self.locked
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

    /// Others have written to it, or cut it.
    pub(super) fn has_len(&mut self, len: u64) {
        self.len = len;
        self.preamble = self.preamble.min(len);
    }

    /// Empties it.
    pub(super) fn truncate(&mut self, path: &Path) -> Result<(), Error> {
        if self.regular {
            self.file.set_len(0).map_err(|error| cannot("truncate", path, error))?;
            self.len = 0;
            self.changed = None;
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

    /// Cuts the file back to `len`, if nothing but our own `torn` bytes lies behind that.
    fn cut(&self, torn: u64) -> bool {
        let is_ours = || self.file.metadata().is_ok_and(|metadata| metadata.len() == self.len + torn);
        self.regular && torn > 0 && is_ours() && self.file.set_len(self.len).is_ok()
    }
}
