//! Appends lines to the file at the path: makes room for them, and starts a new file with its preamble.

use std::io;

use super::File;
use super::durable::Durable;
use super::place::cannot;
use crate::Error;
use crate::record::Severity;
use crate::sink::RecordEnd;
use crate::sink::run::{Run, Stopped};

impl File {
    /// Appends the lines of `run`, to several files if rotation requires it.
    pub(super) fn append(&mut self, run: Run<'_>) -> Result<(), Stopped> {
        let refused = |error| Stopped { lines: 0, torn: 0, error };
        let lock = self.lock.clone();
        let _held = self.acquire(lock.as_deref()).map_err(refused)?;
        if self.durable.as_ref().is_some_and(Durable::distrusts) {
            self.drop_regular();
        }
        self.follow_path();
        self.rotate_if_due().map_err(refused)?;
        let mut rest = run;
        while !rest.is_empty() {
            let before = run.count() - rest.count();
            let room = self.make_room(rest).map_err(|error| Stopped { lines: before, torn: 0, error })?;
            let (some, later) = rest.split_at(room);
            self.append_here(some).map_err(|stopped| Stopped { lines: before + stopped.lines, ..stopped })?;
            rest = later;
        }
        Ok(())
    }

    /// How many lines of `rest` go into the file now, at least one. Rotates the file if none fits.
    fn make_room(&mut self, rest: Run<'_>) -> Result<usize, Error> {
        let (fit, fresh) = self.fit(rest)?;
        if fit > 0 || fresh {
            return Ok(fit.max(1));
        }
        if !self.rotate() {
            return Ok(rest.count());
        }
        Ok(self.fit(rest)?.0.max(1))
    }

    /// How many lines of `rest` fit into the file, and whether the file has no line yet.
    fn fit(&mut self, rest: Run<'_>) -> Result<(usize, bool), Error> {
        self.begin()?;
        let torn = self.torn;
        let open = self.opened()?;
        let (len, fresh, regular) = (open.len(), open.is_fresh(), open.is_regular());
        match &self.rotator {
            // The rest of a line belongs into the same file as its start.
            Some(_) if torn => Ok((1, fresh)),
            Some(rotator) if regular => {
                let room = rotator.room(len);
                Ok((self.encoder.as_ref().map_or_else(|| rest.fit(room), |encoder| encoder.fit(rest, room)), fresh))
            }
            _ => Ok((rest.count(), fresh)),
        }
    }

    /// Opens the file, and writes the preamble if it is empty.
    fn begin(&mut self) -> Result<(), Error> {
        let empty = self.opened()?.len() == 0;
        if !empty || self.preamble.is_empty() {
            return Ok(());
        }
        let preamble = std::mem::take(&mut self.preamble);
        let begun = match &self.encoder {
            None => self.opened()?.begin(&preamble),
            Some(_) => self.begin_encoded(&preamble),
        };
        self.preamble = preamble;
        begun.map_err(|error| self.failed(error))
    }

    fn begin_encoded(&mut self, preamble: &[u8]) -> io::Result<()> {
        let line = [RecordEnd::new(preamble.len(), Severity::INFO)];
        self.append_to_open(Run::new(preamble, &line)).map_err(|stopped| stopped.error)?;
        self.opened()?.end_preamble();
        Ok(())
    }

    /// Appends lines to the current file.
    fn append_here(&mut self, run: Run<'_>) -> Result<(), Stopped> {
        self.opened().map_err(|error| Stopped { lines: 0, torn: 0, error })?;
        let appended = self.append_to_open(run);
        let Err(Stopped { lines, torn, error }) = self.register(run, appended) else {
            self.torn = false;
            return Ok(());
        };
        self.torn = torn > 0 || (self.torn && lines == 0);
        Err(Stopped { lines, torn, error: self.failed(error) })
    }

    /// Appends lines, to the file opened again if other code has closed its descriptor.
    fn append_to_open(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        match self.try_append(run) {
            Err(stopped) if stopped.lines == 0 && is_closed(&stopped.error) => {
                self.lost_descriptor();
                self.opened().map_err(|error| Stopped { lines: 0, torn: 0, error: error.into() })?;
                self.try_append(run)
            }
            appended => appended,
        }
    }

    fn try_append(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        match (&mut self.open, &mut self.encoder) {
            (Some(open), None) => open.append(run),
            (Some(open), Some(encoder)) => encoder.append(open, run),
            (None, _) => Err(Stopped { lines: 0, torn: 0, error: io::ErrorKind::NotFound.into() }),
        }
    }

    /// Registers appended lines for the next sync.
    fn register(&mut self, run: Run<'_>, appended: Result<(), Stopped<io::Error>>) -> Result<(), Stopped<io::Error>> {
        match (&mut self.durable, &self.open) {
            (Some(durable), Some(open)) => durable.wrote(open, run, appended),
            _ => appended,
        }
    }

    /// Drops a regular file after an error, so that the next write opens it again: the disk or the directory may be back by
    /// then. A pipe stays open: its next reader gets the rest of the line.
    pub(super) fn failed(&mut self, error: io::Error) -> Error {
        self.drop_regular();
        cannot("write", &self.place.name, error)
    }
}

/// Whether the descriptor was closed, which an error of any other kind does not say.
fn is_closed(error: &io::Error) -> bool {
    cfg!(unix) && error.raw_os_error() == Some(libc::EBADF)
}
