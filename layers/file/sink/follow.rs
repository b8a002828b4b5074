//! Which file the path leads to: opens it, leaves it when it was moved, and rotates it.

use std::io;

use super::log::Log;
use super::open::Open;
use super::watch::{self, Found, Watch};
use crate::file::rotation::{Held, Lock, Rotator};
use crate::{Error, ErrorKind, process, selflog};

impl Log {
    /// Opens the file, if it is not open.
    pub(super) fn open_locked(&mut self) -> Result<(), Error> {
        let lock = self.lock.clone();
        let _held = self.acquire(lock.as_deref())?;
        self.opened().map(drop)
    }

    /// Switches to the file at the path, if that is another one, without waiting for the [watch](Self::watch): the path was opened
    /// again just now.
    pub(super) fn look_again(&mut self) -> Result<(), Error> {
        if self.open.is_none() {
            return Ok(());
        }
        let lock = self.lock.clone();
        let _held = self.acquire(lock.as_deref())?;
        if self.has_moved() { self.switch() } else { Ok(()) }
    }

    /// Returns the open file, and opens it if necessary.
    pub(super) fn opened(&mut self) -> Result<&mut Open, Error> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open_again()?,
        };
        let is_within_line = self.is_torn();
        let open = self.open.insert(open);
        if is_within_line {
            open.continue_line();
        }
        if let Some(encoder) = &mut self.encoder {
            let is_live = self.rotator.as_ref().is_some_and(Rotator::is_live);
            let newest = || self.rotator.as_ref().map_or(Ok(None), Rotator::newest);
            encoder.look(open, &self.place, self.opening.ownership(), is_live, &newest)?;
        }
        Ok(open)
    }

    #[cold]
    fn open_again(&mut self) -> Result<Open, Error> {
        if let Some(rotator) = &mut self.rotator {
            self.opening.create_missing_dirs(&self.place)?;
            rotator.prepare()?;
        }
        if self.encoder.is_some() {
            // The file that is left is synced before the encoder reads the one that is opened.
            self.retire();
        }
        // Requests from here on may concern the file that is opened now.
        self.requests.reopened();
        let mut open = self.opening.open(&self.place)?;
        if self.finds_twin(&open) {
            return Err(Error::new(ErrorKind::Config, format!("{}: it is open under another name", self.describe())));
        }
        self.opening.empty_once(&mut open, &self.place)?;
        if let Some(rotator) = &mut self.rotator {
            rotator.opened(open.file(), open.changed());
        }
        if let Some(group) = self.group() {
            group.trust();
        }
        self.was_opened(&open);
        Ok(open)
    }

    /// Syncs the file before it is left for another one. The threads that wait for its lines get the error if that fails.
    fn retire(&mut self) {
        if let Some(group) = self.group() {
            group.settle();
        }
    }

    /// Carries out requests without a line to write.
    pub(super) fn carry_out_requests(&mut self) -> Result<(), Error> {
        if !self.requests.to_rotate() && !self.requests.to_reopen() {
            return Ok(());
        }
        let lock = self.lock.clone();
        let _held = self.acquire(lock.as_deref())?;
        let was_open = self.open.is_some();
        self.follow_path();
        self.rotate_if_due()?;
        // The requester expects the new file to exist, and the next line may be far off.
        if was_open { self.opened().map(drop) } else { Ok(()) }
    }

    /// Acquires the lock of a file that several processes write to.
    pub(super) fn acquire<'a>(&self, lock: Option<&'a Lock>) -> Result<Option<Held<'a>>, Error> {
        let Some(lock) = lock else { return Ok(None) };
        let is_missing = |error: &Error| error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        match lock.hold() {
            Err(error) if is_missing(&error) => {
                self.opening.create_missing_dirs(&self.place)?;
                lock.hold().map(Some)
            }
            held => held.map(Some),
        }
    }

    /// Switches to the file at the path, if that is no longer the open one or a reopen was requested.
    #[inline]
    pub(super) fn follow_path(&mut self) {
        if self.open.is_some() && (self.requests.to_reopen() || self.is_elsewhere()) {
            self.open_anew();
        }
    }

    /// Leaves a file whose descriptor was closed.
    #[cold]
    pub(super) fn lost_descriptor(&mut self) {
        self.set_open(None);
        self.leaves_line();
        selflog::tell(&format!("{}: its descriptor was closed by other code; opening it again", self.describe()));
    }

    /// Opens the file at the path before the open one is left. If that fails, lines still go to the open one, as long as it has a
    /// name under which they are found.
    #[cold]
    pub(super) fn open_anew(&mut self) {
        if let Err(error) = self.switch()
            && self.open.is_some()
            && self.stays.is_news(true)
        {
            let name = self.describe();
            selflog::tell(&format!("{name}: still writing to the file that was opened before: {error:#}"));
        }
    }

    fn switch(&mut self) -> Result<(), Error> {
        // One attempt for each request: whatever fails below must not be tried again for each line.
        self.requests.reopened();
        if self.open.as_ref().is_none_or(|open| !open.is_regular()) {
            return Ok(());
        }
        // Its end may be part of the file that is opened now. A later line continues the file if that cannot be opened.
        self.end();
        match self.open_again() {
            Ok(new) => {
                let is_other = self.open.as_ref().is_none_or(|old| old.identity() != new.identity());
                self.open = Some(new);
                if is_other {
                    // The partial line stays in the old file; later lines go to another one.
                    self.leaves_line();
                }
                if self.stays.is_news(false) {
                    selflog::tell(&format!("{}: opened again", self.describe()));
                }
                Ok(())
            }
            Err(error) => {
                if !self.open.as_ref().is_some_and(Open::has_name) {
                    self.leave();
                    self.leaves_line();
                }
                Err(error)
            }
        }
    }

    /// What is missing of a line stays missing in the file that is left.
    fn leaves_line(&mut self) {
        if let Some(rest) = &mut self.rest {
            rest.is_here = false;
        }
    }

    /// Whether the open file ends within a line, whose rest is written next.
    fn is_torn(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.is_here)
    }

    /// Rotates the file if that is due, or was requested.
    #[inline]
    pub(super) fn rotate_if_due(&mut self) -> Result<(), Error> {
        if self.rotator.is_some() { self.check_rotation() } else { Ok(()) }
    }

    fn check_rotation(&mut self) -> Result<(), Error> {
        let open = self.opened()?;
        let (fresh, regular) = (open.is_fresh(), open.is_regular());
        let Some(rotator) = &mut self.rotator else { return Ok(()) };
        let requested = self.requests.to_rotate();
        if !regular || self.rest.is_some() {
            return Ok(());
        }
        // A file without lines needs no rotation.
        if (rotator.is_due(fresh) || requested && !fresh) && !self.rotate() {
            return Ok(());
        }
        self.requests.rotated();
        Ok(())
    }

    /// Rotates the file. Returns `false` if lines are to be written to the old file instead.
    pub(super) fn rotate(&mut self) -> bool {
        if self.rotator.as_ref().is_none_or(Rotator::is_put_off) {
            return false;
        }
        let fresh = self.open.as_ref().is_some_and(Open::is_fresh);
        let before = self.open.as_ref().and_then(|open| open.file().metadata().ok());
        if !fresh {
            self.end();
        }
        let group = self.group().cloned();
        let Some(rotator) = &mut self.rotator else { return false };
        let new = rotator.rotate(fresh, || {
            if let Some(group) = &group {
                group.settle();
            }
            let new = self.opening.open_after(before.as_ref(), &self.place)?;
            if let Some(group) = &group {
                group.trust();
            }
            Ok(new)
        });
        match new {
            Some(new) => {
                rotator.mark(new.file());
                self.set_open(Some(new));
            }
            // A custom rotator may have failed after it moved the file, which has ended then.
            None if !self.has_moved() => return false,
            None => self.set_open(None),
        }
        true
    }

    /// Whether the path now leads to another file, or to none.
    #[inline]
    fn is_elsewhere(&mut self) -> bool {
        let forks = process::forks();
        if self.forks != forks {
            self.forks = forks;
            self.check_descriptor();
        }
        let is_due = self.shared || self.watch.as_mut().is_some_and(Watch::is_due);
        is_due && self.has_moved()
    }

    #[cold]
    fn check_descriptor(&mut self) {
        if self.open.as_ref().is_some_and(|open| !open.is_ours()) {
            self.lost_descriptor();
        }
    }

    #[cold]
    fn has_moved(&mut self) -> bool {
        self.check_descriptor();
        let Some(open) = self.open.as_mut().filter(|open| open.is_regular()) else { return false };
        match watch::look(&self.place.absolute, open) {
            Found::Same(len) => open.has_len(len, &self.place),
            Found::Other => return true,
            Found::Unknown => {}
        }
        false
    }

    /// Ends a regular file, and closes it.
    pub(super) fn leave(&mut self) {
        self.end();
        self.drop_regular();
    }

    /// Closes a regular file without ending it. A pipe stays open.
    pub(super) fn drop_regular(&mut self) {
        if self.open.as_ref().is_some_and(Open::is_regular) {
            self.set_open(None);
        }
    }

    /// Ends the file before it is left. On failure the end is missing, as after a crash; the lines are unaffected.
    fn end(&mut self) {
        let _ = self.write_end();
    }

    /// Writes the end of a sealed or encrypted file.
    pub(super) fn write_end(&mut self) -> Result<(), Error> {
        let (Some(encoder), Some(open)) = (&mut self.encoder, &mut self.open) else { return Ok(()) };
        encoder.finish(open).map_err(|error| self.failed(error))
    }
}
