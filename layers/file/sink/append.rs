//! Appends lines to the file at the path: makes room for them, and starts a new file with its preamble.

use std::io;

use super::log::{Author, Log, Rest};
use super::place::cannot;
use crate::Error;
use crate::file::rotation::Rotator;
use crate::record::Severity;
use crate::sink::RecordEnd;
use crate::sink::run::{Run, Stopped};

impl Log {
    /// Appends the lines of `run`, to several files if rotation requires it. What is missing of a line that is written in part is
    /// kept, and counts as taken.
    pub(super) fn append(&mut self, run: Run<'_>, author: &mut Author<'_>) -> Result<(), Stopped> {
        let appended = self.try_append(run, author);
        if let Err(stopped) = &appended {
            self.make_space(&stopped.error);
        }
        appended
    }

    fn try_append(&mut self, run: Run<'_>, author: &mut Author<'_>) -> Result<(), Stopped> {
        let refused = |error| Stopped { lines: 0, torn: 0, error };
        let lock = self.lock.clone();
        let _held = self.acquire(lock.as_deref()).map_err(refused)?;
        if self.group().is_some_and(|group| group.distrusts()) {
            self.drop_regular();
        }
        self.follow_path();
        if let Some(open) = &mut self.open {
            open.set_deadline(author.deadline);
        }
        if self.rest.is_some() {
            self.write_rest().map_err(refused)?;
        }
        self.rotate_if_due().map_err(refused)?;
        let mut rest = run;
        while !rest.is_empty() {
            let before = run.count() - rest.count();
            let room = self.make_room(rest, author).map_err(|error| Stopped { lines: before, torn: 0, error })?;
            let (some, later) = rest.split_at(room);
            self.append_here(some, author).map_err(|stopped| Stopped { lines: before + stopped.lines, ..stopped })?;
            rest = later;
        }
        Ok(())
    }

    /// Has old files removed if the disk is full.
    #[cold]
    fn make_space(&self, error: &Error) {
        let kind = error.io_error().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            self.rotator.iter().for_each(Rotator::make_space);
        }
    }

    /// Writes what is missing of a line of which a part is written.
    #[cold]
    pub(super) fn write_rest(&mut self) -> Result<(), Error> {
        self.opened()?;
        let Some(mut rest) = self.rest.take() else { return Ok(()) };
        let line = [RecordEnd::new(rest.bytes.len(), Severity::INFO)];
        let written = match &mut self.open {
            Some(open) => open.append(Run::new(&rest.bytes, &line)),
            None => Ok(()),
        };
        let Err(Stopped { torn, error, .. }) = written else {
            self.forget_rest();
            return self.register_rest(&rest).map_err(|error| self.failed(error));
        };
        rest.bytes.drain(..torn);
        rest.is_here |= torn > 0;
        self.keep_rest(rest);
        Err(self.failed(error))
    }

    fn register_rest(&mut self, rest: &Rest) -> io::Result<()> {
        let Some((group, open)) = self.group().cloned().zip(self.open.as_ref()) else { return Ok(()) };
        match &rest.owed {
            Some((owed, window)) if open.is_regular() => group.wrote(owed, 1, *window, open.file()).map(drop),
            _ => Ok(()),
        }
    }

    /// How many lines of `rest` go into the file now, at least one. Rotates the file if none fits.
    fn make_room(&mut self, rest: Run<'_>, author: &Author<'_>) -> Result<usize, Error> {
        let (fit, fresh) = self.fit(rest, author)?;
        if fit > 0 || fresh {
            return Ok(fit.max(1));
        }
        if !self.rotate() {
            return Ok(rest.count());
        }
        Ok(self.fit(rest, author)?.0.max(1))
    }

    /// How many lines of `rest` fit into the file, and whether the file has no line yet.
    fn fit(&mut self, rest: Run<'_>, author: &Author<'_>) -> Result<(usize, bool), Error> {
        self.begin(author.preamble)?;
        let open = self.opened()?;
        let (len, fresh, regular) = (open.len(), open.is_fresh(), open.is_regular());
        match &self.rotator {
            Some(rotator) if regular => {
                let room = rotator.room(len);
                Ok((self.encoder.as_ref().map_or_else(|| rest.fit(room), |encoder| encoder.fit(rest, room)), fresh))
            }
            _ => Ok((rest.count(), fresh)),
        }
    }

    /// Opens the file, and writes the preamble if it is empty.
    fn begin(&mut self, preamble: &[u8]) -> Result<(), Error> {
        let empty = self.opened()?.len() == 0;
        if !empty || preamble.is_empty() {
            return Ok(());
        }
        let begun = match &self.encoder {
            None => self.opened()?.begin(preamble),
            Some(_) => self.begin_encoded(preamble),
        };
        begun.map_err(|error| self.failed(error))
    }

    fn begin_encoded(&mut self, preamble: &[u8]) -> io::Result<()> {
        let line = [RecordEnd::new(preamble.len(), Severity::INFO)];
        self.append_to_open(Run::new(preamble, &line)).map_err(|stopped| stopped.error)?;
        self.opened()?.end_preamble();
        Ok(())
    }

    /// Appends lines to the current file.
    fn append_here(&mut self, run: Run<'_>, author: &mut Author<'_>) -> Result<(), Stopped> {
        self.opened().map_err(|error| Stopped { lines: 0, torn: 0, error })?;
        let appended = self.append_to_open(run);
        let Err(Stopped { mut lines, torn, error }) = self.register(run, appended, author) else { return Ok(()) };
        if torn > 0 {
            self.keep_rest(Rest::new(run, lines, torn, author));
            lines += 1;
        }
        Err(Stopped { lines, torn: 0, error: self.failed(error) })
    }

    /// Appends lines, to the file opened again if other code has closed its descriptor.
    fn append_to_open(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        match self.append_once(run) {
            Err(stopped) if stopped.lines == 0 && is_closed(&stopped.error) => {
                self.lost_descriptor();
                self.opened().map_err(|error| Stopped { lines: 0, torn: 0, error: error.into() })?;
                self.append_once(run)
            }
            appended => appended,
        }
    }

    fn append_once(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        match (&mut self.open, &mut self.encoder) {
            (Some(open), None) => open.append(run),
            (Some(open), Some(encoder)) => encoder.append(open, run),
            (None, _) => Err(Stopped { lines: 0, torn: 0, error: io::ErrorKind::NotFound.into() }),
        }
    }

    /// Registers appended lines for the next sync.
    fn register(
        &mut self,
        run: Run<'_>,
        appended: Result<(), Stopped<io::Error>>,
        author: &mut Author<'_>,
    ) -> Result<(), Stopped<io::Error>> {
        let Some((group, open)) = self.group().cloned().zip(self.open.as_ref()) else { return appended };
        match &mut author.durable {
            Some(durable) => return durable.wrote(&group, open, run, appended),
            None if open.is_regular() => group.passed(open.file()),
            None => {}
        }
        appended
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
