use std::io;
use std::path::Path;
use std::sync::Arc;

use super::coat::Wrapping;
use super::control::{Asked, Control};
use super::durable::Durable;
use super::open::Open;
use super::options::{Opening, Settings};
use super::watch::{self, Found, Watch};
use super::{Place, cannot};
use crate::Error;
use crate::file::rotation::{Held, Lock, Rotation, Rotator};
use crate::record::Severity;
use crate::sink::Line;
use crate::sink::run::{Run, Stopped};

/// Appends to the file, and opens, starts and rotates it as needed.
#[derive(Debug)]
pub(super) struct Appender {
    place: Place,
    opening: Opening,
    shared: bool,
    /// While it is held, other processes neither write nor rotate the file.
    lock: Option<Arc<Lock>>,
    watch: Option<Watch>,
    asked: Asked,
    /// `None` before the first write of a delayed file, and after an error.
    open: Option<Open>,
    rotator: Option<Rotator>,
    /// `None` if nothing is ever synced.
    durable: Option<Durable>,
    /// Seals or encrypts lines.
    coat: Option<Wrapping>,
    /// From the last batch, since a flush may start a new file too.
    preamble: Vec<u8>,
    /// The file ends within a line, whose rest is written next.
    torn: bool,
}

impl Appender {
    pub(super) fn new(place: Place, settings: Settings) -> Self {
        let Settings { opening, shared, watch, rotation, durability, sync_after, coat } = settings;
        let durable = Durable::new(durability, sync_after, &place);
        let mut appender = Self {
            place,
            opening,
            shared,
            lock: None,
            watch,
            asked: Asked::default(),
            open: None,
            rotator: None,
            durable,
            coat: coat.map(|coat| Wrapping::new(&*coat)),
            preamble: Vec::new(),
            torn: false,
        };
        match rotation {
            Some(rotation) => appender.rotate(rotation),
            None if shared => appender.rotate(Rotation::on_request()),
            None => {}
        }
        appender
    }

    pub(super) fn name(&self) -> &Path {
        &self.place.name
    }

    pub(super) fn control(&self) -> &Control {
        self.asked.control()
    }

    #[inline]
    pub(super) fn durable(&self) -> Option<&Durable> {
        self.durable.as_ref()
    }

    #[inline]
    pub(super) fn durable_mut(&mut self) -> Option<&mut Durable> {
        self.durable.as_mut()
    }

    pub(super) fn rotate(&mut self, rotation: Rotation) {
        let (shared, ownership) = (self.shared, self.opening.ownership());
        let rotator = Rotator::new(rotation, &self.place.absolute, |family| match shared {
            true => Lock::shared(family, ownership),
            false => Lock::new(),
        });
        self.lock = shared.then(|| rotator.lock().clone());
        self.rotator = Some(rotator);
        // The file may need another name now; a pipe stays open.
        self.leave();
        self.open.take_if(|open| open.is_regular());
    }

    #[inline]
    pub(super) fn preamble(&mut self, preamble: &[u8]) {
        // Usually both are empty. Comparing them would cost more than the rest of a line: `memcmp` of zero bytes at dangling
        // addresses is slow.
        if !preamble.is_empty() && self.preamble != preamble {
            preamble.clone_into(&mut self.preamble);
        }
    }

    pub(super) fn forget_torn(&mut self) {
        self.torn = false;
    }

    /// Opens the file before the first line.
    pub(super) fn begin_open(&mut self) -> Result<(), Error> {
        let lock = self.lock.clone();
        let _held = self.hold(lock.as_deref())?;
        self.open().map(drop)
    }

    /// Opens the file unless it is open.
    pub(super) fn open(&mut self) -> Result<&mut Open, Error> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open_anew()?,
        };
        let open = self.open.insert(open);
        if self.torn {
            open.go_on_within_line();
        }
        if let Some(coat) = &mut self.coat {
            coat.look(open, &self.place, &|| self.rotator.as_ref().map_or(Ok(None), Rotator::newest))?;
        }
        Ok(open)
    }

    #[cold]
    fn open_anew(&mut self) -> Result<Open, Error> {
        if let Some(rotator) = &mut self.rotator {
            self.opening.make_way(&self.place)?;
            rotator.prepare()?;
        }
        if let (Some(_), Some(durable)) = (&self.coat, &self.durable) {
            // A file with a pending sync is still open, and locked.
            durable.retire();
        }
        // Requests from here on may concern the file that is opened now.
        self.asked.reopened();
        let open = self.opening.open(&self.place)?;
        if let Some(rotator) = &mut self.rotator {
            rotator.opened(open.changed());
        }
        if let Some(durable) = &self.durable {
            durable.opened();
        }
        Ok(open)
    }

    /// Writes the lines of `run`, to several files if rotation requires it.
    pub(super) fn write(&mut self, run: Run<'_>) -> Result<(), Stopped> {
        let refused = |error| Stopped { lines: 0, torn: 0, error };
        let lock = self.lock.clone();
        let _held = self.hold(lock.as_deref()).map_err(refused)?;
        if self.durable.as_ref().is_some_and(Durable::distrusts) {
            self.open.take_if(|open| open.is_regular());
        }
        self.look().map_err(refused)?;
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

    /// Carries out requests without a line to write.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if !self.asked.to_rotate() && !self.asked.to_reopen() {
            return Ok(());
        }
        let lock = self.lock.clone();
        let _held = self.hold(lock.as_deref())?;
        let was_open = self.open.is_some();
        self.look()?;
        // The requester expects the new file to exist, and the next line may be far off.
        if was_open { self.open().map(drop) } else { Ok(()) }
    }

    /// Acquires the lock of a file that several processes write to.
    fn hold<'a>(&self, lock: Option<&'a Lock>) -> Result<Option<Held<'a>>, Error> {
        let Some(lock) = lock else { return Ok(None) };
        let is_missing = |error: &Error| error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        match lock.hold() {
            Err(error) if is_missing(&error) => {
                self.opening.make_way(&self.place)?;
                lock.hold().map(Some)
            }
            held => held.map(Some),
        }
    }

    /// Leaves the open file if the path no longer leads to it or a reopen was requested, and rotates the file if that is due.
    #[inline]
    fn look(&mut self) -> Result<(), Error> {
        if self.open.is_some() && (self.asked.to_reopen() || self.is_elsewhere()) {
            self.leave();
            self.open.take_if(|open| open.is_regular());
            self.asked.reopened();
            // The partial line stays in the old file; later lines go to another one.
            self.torn = false;
        }
        if self.rotator.is_some() { self.look_at_time() } else { Ok(()) }
    }

    fn look_at_time(&mut self) -> Result<(), Error> {
        let open = self.open()?;
        let (fresh, regular) = (open.is_fresh(), open.is_regular());
        let Some(rotator) = &mut self.rotator else { return Ok(()) };
        let asked = self.asked.to_rotate();
        if !regular || self.torn {
            return Ok(());
        }
        // A file without lines needs no rotation.
        if (rotator.is_due(fresh) || asked && !fresh) && !self.turn() {
            return Ok(());
        }
        self.asked.rotated();
        Ok(())
    }

    /// Whether the path now leads to another file, or to none.
    #[inline]
    fn is_elsewhere(&mut self) -> bool {
        let is_due = self.shared || self.watch.as_mut().is_some_and(Watch::is_due);
        is_due && self.has_moved()
    }

    #[cold]
    fn has_moved(&mut self) -> bool {
        let Some(open) = self.open.as_mut().filter(|open| open.is_regular()) else { return false };
        match watch::look(&self.place.absolute, open) {
            Found::Same(len) => open.has_len(len, &self.place),
            Found::Other => return true,
            Found::Unknown => {}
        }
        false
    }

    /// How many lines of `rest` go into the file now, at least one. Rotates the file if none fits.
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

    /// How many lines of `rest` fit into the file, and whether the file has no line yet.
    fn fit(&mut self, rest: Run<'_>) -> Result<(usize, bool), Error> {
        self.begin()?;
        let torn = self.torn;
        let open = self.open()?;
        let (len, fresh, regular) = (open.len(), open.is_fresh(), open.is_regular());
        match &self.rotator {
            // The rest of a line belongs into the same file as its start.
            Some(_) if torn => Ok((1, fresh)),
            Some(rotator) if regular => {
                let room = rotator.room(len);
                Ok((self.coat.as_ref().map_or_else(|| rest.fit(room), |coat| coat.fit(rest, room)), fresh))
            }
            _ => Ok((rest.count(), fresh)),
        }
    }

    /// Opens the file, and writes the preamble if it is empty.
    fn begin(&mut self) -> Result<(), Error> {
        let empty = self.open()?.len() == 0;
        if !empty || self.preamble.is_empty() {
            return Ok(());
        }
        let preamble = std::mem::take(&mut self.preamble);
        let begun = match &self.coat {
            None => self.open()?.begin(&preamble),
            Some(_) => self.begin_coated(&preamble),
        };
        self.preamble = preamble;
        begun.map_err(|error| self.failed(error))
    }

    fn begin_coated(&mut self, preamble: &[u8]) -> io::Result<()> {
        let line = [Line { end: preamble.len(), severity: Severity::INFO }];
        self.append_to_open(Run::new(preamble, &line)).map_err(|stopped| stopped.error)?;
        self.open()?.end_preamble();
        Ok(())
    }

    /// Writes the end of a sealed or encrypted file.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        let (Some(coat), Some(open)) = (&mut self.coat, &mut self.open) else { return Ok(()) };
        coat.finish(open).map_err(|error| self.failed(error))
    }

    /// Closes the file before it is left. On failure the end is missing, as after a crash; the lines are unaffected.
    fn leave(&mut self) {
        let _ = self.close();
    }

    /// Rotates the file. Returns `false` if lines are to be written to the old file instead.
    fn turn(&mut self) -> bool {
        if self.rotator.as_ref().is_none_or(Rotator::is_put_off) {
            return false;
        }
        self.leave();
        let Some(rotator) = &mut self.rotator else { return false };
        let new = rotator.turn(|| {
            if let Some(durable) = &self.durable {
                durable.retire();
            }
            let new = self.opening.open(&self.place)?;
            if let Some(durable) = &self.durable {
                durable.opened();
            }
            Ok(new)
        });
        match new {
            Some(new) => self.open = Some(new),
            // A custom rotator may have failed after it moved the file, which has ended then.
            None if !self.has_moved() => return false,
            None => self.open = None,
        }
        true
    }

    fn append(&mut self, run: Run<'_>) -> Result<(), Stopped> {
        self.open().map_err(|error| Stopped { lines: 0, torn: 0, error })?;
        let appended = self.append_to_open(run);
        let Err(Stopped { lines, torn, error }) = self.wrote(run, appended) else {
            self.torn = false;
            return Ok(());
        };
        self.torn = torn > 0 || (self.torn && lines == 0);
        Err(Stopped { lines, torn, error: self.failed(error) })
    }

    fn wrote(&mut self, run: Run<'_>, appended: Result<(), Stopped<io::Error>>) -> Result<(), Stopped<io::Error>> {
        match (&mut self.durable, &self.open) {
            (Some(durable), Some(open)) => durable.wrote(open, run, appended),
            _ => appended,
        }
    }

    fn append_to_open(&mut self, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        match (&mut self.open, &mut self.coat) {
            (Some(open), None) => open.append(run),
            (Some(open), Some(coat)) => coat.append(open, run),
            (None, _) => Err(Stopped { lines: 0, torn: 0, error: io::ErrorKind::NotFound.into() }),
        }
    }

    /// Drops a regular file after an error, so that the next write opens it again: the disk or the directory may be back by
    /// then. A pipe stays open: opening it would wait for its reader.
    fn failed(&mut self, error: io::Error) -> Error {
        self.open.take_if(|open| open.is_regular());
        cannot("write", &self.place.name, error)
    }
}
