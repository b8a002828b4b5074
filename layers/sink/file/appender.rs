use std::io;
use std::path::Path;

use super::super::run::{Run, Stopped};
use super::open::Open;
use super::options::Opening;
use super::{Place, cannot};
use crate::Error;
use crate::rotation::{Rotation, Rotator};

/// Appends to the file, opening, beginning and turning it as it goes.
#[derive(Debug)]
pub(super) struct Appender {
    place: Place,
    opening: Opening,
    /// `None` before the first write of a delayed file, and after an error.
    open: Option<Open>,
    rotator: Option<Rotator>,
    /// As the last batch had it: a new file may begin where there is none at hand, in a flush.
    preamble: Vec<u8>,
    /// The file ends within a line, whose end comes next.
    torn: bool,
}

impl Appender {
    pub(super) fn new(place: Place, opening: Opening, rotation: Option<Rotation>) -> Self {
        let rotator = rotation.map(Rotator::new);
        Self { place, opening, open: None, rotator, preamble: Vec::new(), torn: false }
    }

    pub(super) fn name(&self) -> &Path {
        &self.place.name
    }

    pub(super) fn rotate(&mut self, rotation: Rotation) {
        self.rotator = Some(Rotator::new(rotation));
    }

    #[inline]
    pub(super) fn preamble(&mut self, preamble: &[u8]) {
        // Mostly there is none. To compare two nothings costs more than the rest of a line: `memcmp` then looks at addresses
        // where nothing lies, which the processor forgives only slowly.
        if !preamble.is_empty() && self.preamble != preamble {
            preamble.clone_into(&mut self.preamble);
        }
    }

    pub(super) fn forget_torn(&mut self) {
        self.torn = false;
    }

    /// Opens the file unless it is open.
    pub(super) fn open(&mut self) -> Result<&mut Open, Error> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.opening.open(&self.place)?,
        };
        Ok(self.open.insert(open))
    }

    /// Writes the lines of `run`, to as many files as they need.
    pub(super) fn write(&mut self, run: Run<'_>) -> Result<(), Stopped> {
        let mut rest = run;
        while !rest.is_empty() {
            let before = run.count() - rest.count();
            let room = self.make_room(rest).map_err(|error| Stopped { lines: before, torn: 0, error })?;
            let (some, later) = rest.split_at(room);
            self.append(some).map_err(|stopped| Stopped { lines: before + stopped.lines, ..stopped })?;
            rest = later;
        }
        Ok(())
    }

    /// How many lines of `rest` go into the file now, at least one; turns the file where none does.
    fn make_room(&mut self, rest: Run<'_>) -> Result<usize, Error> {
        let (fit, fresh) = self.fit(rest)?;
        if fit > 0 || fresh {
            return Ok(fit.max(1));
        }
        if !self.turn() {
            return Ok(rest.count());
        }
        Ok(self.fit(rest)?.0.max(1))
    }

    /// How many lines of `rest` have room in the file, and whether it has no line yet.
    fn fit(&mut self, rest: Run<'_>) -> Result<(usize, bool), Error> {
        self.begin()?;
        let torn = self.torn;
        let open = self.open()?;
        let (len, fresh, regular) = (open.len(), open.is_fresh(), open.is_regular());
        match &self.rotator {
            // The end of a line belongs where its beginning is.
            Some(_) if torn => Ok((1, fresh)),
            Some(rotator) if regular => Ok((rest.fit(rotator.room(len)), fresh)),
            _ => Ok((rest.count(), fresh)),
        }
    }

    /// Opens the file, and writes the preamble where it is empty.
    fn begin(&mut self) -> Result<(), Error> {
        let empty = self.open()?.len() == 0;
        if !empty || self.preamble.is_empty() {
            return Ok(());
        }
        let preamble = std::mem::take(&mut self.preamble);
        let begun = self.open()?.begin(&preamble);
        self.preamble = preamble;
        begun.map_err(|error| self.failed(error))
    }

    /// Whether there is a new file now.
    fn turn(&mut self) -> bool {
        let Some(rotator) = &mut self.rotator else { return false };
        let new = rotator.turn(&self.place.absolute, || self.opening.open(&self.place));
        let turned = new.is_some();
        self.open = new.or(self.open.take());
        turned
    }

    fn append(&mut self, run: Run<'_>) -> Result<(), Stopped> {
        let open = self.open().map_err(|error| Stopped { lines: 0, torn: 0, error })?;
        let Err(Stopped { lines, torn, error }) = open.append(run) else {
            self.torn = false;
            return Ok(());
        };
        self.torn = torn > 0 || (self.torn && lines == 0);
        Err(Stopped { lines, torn, error: self.failed(error) })
    }

    /// Another descriptor may do better (the disk came back, the directory was made anew), so that the next write opens the
    /// file again. A pipe stays open: opening it would wait for its reader.
    fn failed(&mut self, error: io::Error) -> Error {
        self.open.take_if(|open| open.is_regular());
        cannot("write", &self.place.name, error)
    }
}
