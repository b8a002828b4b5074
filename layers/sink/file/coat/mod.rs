//! What lines are put into before they are written: a seal, a cipher.

#[cfg(feature = "encryption")]
mod encrypt;
#[cfg(feature = "seal")]
mod seal;

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::super::Line;
use super::super::run::{Run, Stopped};
use super::open::Open;
use super::watch::Identity;
use super::{Place, cannot};
use crate::process::Generation;
use crate::record::Severity;
use crate::{Error, ErrorKind};

/// Turns lines into what is written to a file, where what comes next depends on what the file holds.
pub(super) trait Coat: Send + Sync + fmt::Debug {
    /// The same settings for another file.
    fn again(&self) -> Box<dyn Coat>;

    /// Whether what it makes gets any shorter by it.
    fn can_be_compressed(&self) -> bool {
        true
    }

    /// The file is empty, or nothing in it is sound; `newest` finds the file that was ended last, if there is one.
    fn start(&mut self, newest: Newest<'_>) -> Result<(), Error>;

    /// The file, which errors call `name`, holds something: finds the state in which it was left, and how much of it is
    /// sound. What stands behind that was torn by a crash, and is cut off.
    fn resume(&mut self, file: &mut fs::File, name: &str) -> Result<u64, Error>;

    /// How many of the first lines of `run` have room in `room` bytes, with what it takes to close the file behind them.
    fn fit(&self, run: Run<'_>, room: u64, start: Start) -> usize;

    /// Appends what `run` becomes, a unit at a time.
    fn wrap(&mut self, run: Run<'_>, start: Start, out: &mut Coated) -> Result<(), Error>;

    /// Appends, as one unit, what ends the file.
    fn finish(&mut self, out: &mut Coated) -> Result<(), Error>;

    /// Of what was appended to `out` only the first `units` went into the file.
    fn back_to(&mut self, units: usize, out: &Coated);
}

/// Finds the file that was ended last.
pub(super) type Newest<'a> = &'a dyn Fn() -> Result<Option<PathBuf>, Error>;

impl Clone for Box<dyn Coat> {
    fn clone(&self) -> Self {
        self.again()
    }
}

/// What a file needs before the next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// It is empty.
    New,
    /// It was closed, or is from before this process.
    Again,
    /// Nothing.
    Running,
}

/// What lines have become, and what of it goes into the file whole or not at all.
#[derive(Debug, Default)]
pub(super) struct Coated {
    pub(super) bytes: Vec<u8>,
    /// Where each unit ends in `bytes`.
    ends: Vec<Line>,
    /// How many lines are in the units up to each.
    lines: Vec<usize>,
}

impl Coated {
    /// What was appended since the last unit is one, in which there are so many lines.
    #[cfg_attr(not(any(feature = "seal", feature = "encryption")), expect(dead_code))]
    pub(super) fn end_unit(&mut self, lines: usize) {
        self.ends.push(Line { end: self.bytes.len(), severity: Severity::INFO });
        self.lines.push(self.lines_of(self.lines.len()) + lines);
    }

    /// How many lines are in the first `units` units.
    fn lines_of(&self, units: usize) -> usize {
        units.checked_sub(1).and_then(|last| self.lines.get(last)).copied().unwrap_or(0)
    }

    /// The bytes of the first `units` units.
    #[cfg_attr(not(feature = "encryption"), expect(dead_code))]
    pub(super) fn bytes_of(&self, units: usize) -> &[u8] {
        self.as_run().split_at(units).0.bytes()
    }

    fn as_run(&self) -> Run<'_> {
        Run::new(&self.bytes, &self.ends)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.lines.clear();
    }
}

/// A [`Coat`] at work on one file after another.
#[derive(Debug)]
pub(super) struct Wrapping {
    coat: Box<dyn Coat>,
    /// The process that opened the file. Its forked children have the same key, counter and place in the chain, and must
    /// not use them a second time.
    process: Generation,
    /// The file that `coat` knows, and how long it is.
    known: Option<(Option<Identity>, u64)>,
    start: Start,
    out: Coated,
}

impl Wrapping {
    pub(super) fn new(coat: &dyn Coat) -> Self {
        let process = Generation::current();
        Self { coat: coat.again(), process, known: None, start: Start::New, out: Coated::default() }
    }

    /// Sees to it that the coat knows what is in the file.
    pub(super) fn look(&mut self, open: &mut Open, place: &Place, newest: Newest<'_>) -> Result<(), Error> {
        self.check_process(place)?;
        // How its last line ends is for the coat to say.
        open.go_on_within_line();
        let file = (open.identity(), open.len());
        if !open.is_regular() {
            return Err(config(place, "only a regular file can be sealed or encrypted"));
        }
        if !open.lock() {
            return Err(config(place, "it is sealed or encrypted, and already open in this or another process"));
        }
        if self.known == Some(file) {
            return Ok(());
        }
        self.known = None;
        let len = if open.len() == 0 { 0 } else { self.resume(open, place)? };
        if len == 0 {
            self.coat.start(newest)?;
        }
        open.cut_to(len).map_err(|error| cannot("cut", &place.name, error))?;
        self.start = if len == 0 { Start::New } else { Start::Again };
        self.known = Some((open.identity(), len));
        Ok(())
    }

    /// How much of what is in the file is sound.
    fn resume(&mut self, open: &Open, place: &Place) -> Result<u64, Error> {
        let failed = |error| cannot("read", &place.name, error);
        let mut file = fs::File::open(&place.absolute).map_err(failed)?;
        if !open.is_same(&file.metadata().map_err(failed)?) {
            // What is found in another file must not be cut off this one.
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, "it was moved away")));
        }
        self.coat.resume(&mut file, &place.name.display().to_string())
    }

    pub(super) fn fit(&self, run: Run<'_>, room: u64) -> usize {
        self.coat.fit(run, room, self.start)
    }

    /// As [`Open::append`]. What was torn and could not be cut off, the next opening cuts off: no line is torn here.
    pub(super) fn append(&mut self, open: &mut Open, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        self.out.clear();
        if let Err(error) = self.coat.wrap(run, self.start, &mut self.out) {
            self.coat.back_to(0, &self.out);
            return Err(Stopped { lines: 0, torn: 0, error: error.into() });
        }
        let Err(stopped) = open.append(self.out.as_run()) else {
            self.went_out(open);
            return Ok(());
        };
        self.stopped(open, &stopped);
        Err(Stopped { lines: self.out.lines_of(stopped.lines), torn: 0, error: stopped.error })
    }

    /// Ends what is in the file: it is closed, or makes way for another one. A forked child leaves that to its parent.
    pub(super) fn finish(&mut self, open: &mut Open) -> io::Result<()> {
        let is_known = self.known == Some((open.identity(), open.len()));
        if self.start != Start::Running || !is_known || !self.process.is_current() {
            return Ok(());
        }
        self.out.clear();
        self.coat.finish(&mut self.out)?;
        match open.append(self.out.as_run()) {
            Ok(()) => {
                self.went_out(open);
                self.start = Start::Again;
                Ok(())
            }
            Err(stopped) => {
                self.stopped(open, &stopped);
                Err(stopped.error)
            }
        }
    }

    fn went_out(&mut self, open: &Open) {
        self.start = Start::Running;
        self.known = Some((open.identity(), open.len()));
    }

    fn stopped(&mut self, open: &Open, stopped: &Stopped<io::Error>) {
        self.coat.back_to(stopped.lines, &self.out);
        if stopped.lines > 0 || self.start == Start::Running {
            self.start = Start::Again;
        }
        self.known = (stopped.torn == 0).then(|| (open.identity(), open.len()));
    }

    fn check_process(&self, place: &Place) -> Result<(), Error> {
        if self.process.is_current() {
            return Ok(());
        }
        Err(config(place, "a forked child cannot continue its parent's sealed or encrypted file"))
    }
}

fn config(place: &Place, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("file {}: {what}", place.name.display()))
}
