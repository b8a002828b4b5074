//! Transformations of lines before they are written: sealing and encryption.

#[cfg(feature = "encryption")]
mod encrypt;
#[cfg(feature = "seal")]
mod seal;

#[cfg(feature = "encryption")]
pub(super) use encrypt::Encrypted;
#[cfg(feature = "seal")]
pub(super) use seal::Sealed;

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::open::Open;
use super::place::{Place, cannot};
use crate::file::Identity;
use crate::file::exclusive::Exclusive;
use crate::file::ownership::Ownership;
use crate::process::Generation;
use crate::record::Severity;
use crate::sink::RecordEnd;
use crate::sink::run::{Run, Stopped};
use crate::{Error, ErrorKind};

/// Transforms lines into the bytes written to a file, depending on what the file already holds.
pub(super) trait Encoder: Send + Sync + fmt::Debug {
    /// Creates an encoder with the same settings for another file.
    fn renewed(&self) -> Box<dyn Encoder>;

    /// What it does, and with which keys. Encoders that are alike can take each other's place.
    fn kind(&self) -> Kind;

    /// Whether compression makes its output any shorter.
    fn can_be_compressed(&self) -> bool {
        true
    }

    /// Starts a file that is empty or has no valid content. `newest` finds the newest archive.
    fn start(&mut self, newest: Newest<'_>) -> Result<(), Error>;

    /// Resumes a file that is not empty, called `name` in errors. Restores the state in which it was left, and returns the length
    /// of its valid part. Anything after that was torn by a crash, and is cut off.
    fn resume(&mut self, file: &mut fs::File, name: &str) -> Result<u64, Error>;

    /// How many lines of `run`, from the first on, fit into `room` bytes together with the end of the file.
    fn fit(&self, run: Run<'_>, room: u64, start: Start) -> usize;

    /// Appends the transformed lines of `run`, a unit at a time.
    fn encode(&mut self, run: Run<'_>, start: Start, out: &mut Encoded) -> Result<(), Error>;

    /// Appends the end of the file, as one unit.
    fn finish(&mut self, out: &mut Encoded) -> Result<(), Error>;

    /// Rolls back: only the first `units` units of `out` were written to the file.
    fn roll_back(&mut self, units: usize, out: &Encoded);
}

/// The kind of an encoder, and the identifiers of its keys, the current one first.
pub(super) type Kind = (&'static str, Vec<[u8; 8]>);

/// Finds the newest archive.
pub(super) type Newest<'a> = &'a dyn Fn() -> Result<Option<PathBuf>, Error>;

impl Clone for Box<dyn Encoder> {
    fn clone(&self) -> Self {
        self.renewed()
    }
}

/// What a file needs before the next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// It is empty.
    New,
    /// It was closed, or is from before this process.
    Again,
    /// Nothing is needed.
    Running,
}

/// Transformed lines, in units that are written whole or not at all.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// Where each unit ends in `bytes`.
    ends: Vec<RecordEnd>,
    /// How many lines are in the units up to and including each.
    lines: Vec<usize>,
}

impl Encoded {
    /// Ends a unit, which consists of the bytes appended since the last one and contains `lines` lines.
    #[cfg_attr(not(any(feature = "seal", feature = "encryption")), expect(dead_code))]
    pub(super) fn end_unit(&mut self, lines: usize) {
        self.ends.push(RecordEnd::new(self.bytes.len(), Severity::INFO));
        self.lines.push(self.lines_of(self.lines.len()) + lines);
    }

    /// The number of lines in the first `units` units.
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

/// An [`Encoder`] applied to one file after another.
#[derive(Debug)]
pub(super) struct FileEncoder {
    encoder: Box<dyn Encoder>,
    /// The process that opened the file. Its forked children inherit the key, counter and place in the chain, and must
    /// not reuse them.
    process: Generation,
    exclusive: Exclusive,
    /// The file whose state `encoder` has, and its length.
    known: Option<(Option<Identity>, u64)>,
    start: Start,
    out: Encoded,
}

impl FileEncoder {
    pub(super) fn new(encoder: Box<dyn Encoder>) -> Self {
        let (process, exclusive) = (Generation::current(), Exclusive::new());
        Self { encoder, process, exclusive, known: None, start: Start::New, out: Encoded::default() }
    }

    pub(super) fn encodes_like(&self, other: &Self) -> bool {
        self.encoder.kind() == other.encoder.kind()
    }

    /// Whether it belongs to the parent of this process.
    pub(super) fn is_inherited(&self) -> bool {
        !self.process.is_current()
    }

    /// Brings the encoder to the state of the file. `is_live` says that the path is a link that rotation makes.
    pub(super) fn look(
        &mut self,
        open: &mut Open,
        place: &Place,
        ownership: &Ownership,
        is_live: bool,
        newest: Newest<'_>,
    ) -> Result<(), Error> {
        self.check_process(place)?;
        // The encoder decides how a partial last line is treated.
        open.continue_line();
        let file = (open.identity(), open.len());
        if !open.is_regular() {
            return Err(config(place, "only a regular file can be sealed or encrypted"));
        }
        if self.known == Some(file) {
            return Ok(());
        }
        if !self.lock(place, ownership, is_live).map_err(|error| cannot("lock", &place.name, error))? {
            return Err(config(place, "it is sealed or encrypted, and already open in this or another process"));
        }
        self.known = None;
        let len = if open.len() == 0 { 0 } else { self.resume(open, place)? };
        if len == 0 {
            self.encoder.start(newest)?;
        }
        open.cut_to(len).map_err(|error| cannot("cut", &place.name, error))?;
        self.start = if len == 0 { Start::New } else { Start::Again };
        self.known = Some((open.identity(), len));
        Ok(())
    }

    fn lock(&self, place: &Place, ownership: &Ownership, is_live: bool) -> io::Result<bool> {
        // Not tested on Windows.
        if cfg!(unix) { self.exclusive.acquire(&place.absolute, ownership, is_live) } else { Ok(true) }
    }

    /// Returns the length of the valid part of the file.
    fn resume(&mut self, open: &Open, place: &Place) -> Result<u64, Error> {
        let failed = |error| cannot("read", &place.name, error);
        let mut file = fs::File::open(&place.absolute).map_err(failed)?;
        if !open.is_same(&file.metadata().map_err(failed)?) {
            // A result from another file must not truncate this one.
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, "it was moved away")));
        }
        self.encoder.resume(&mut file, &place.name.display().to_string())
    }

    pub(super) fn fit(&self, run: Run<'_>, room: u64) -> usize {
        self.encoder.fit(run, room, self.start)
    }

    /// Like [`Open::append`], but never reports a torn line: what could not be cut off now is cut off at the next opening.
    pub(super) fn append(&mut self, open: &mut Open, run: Run<'_>) -> Result<(), Stopped<io::Error>> {
        self.out.clear();
        if let Err(error) = self.encoder.encode(run, self.start, &mut self.out) {
            self.encoder.roll_back(0, &self.out);
            return Err(Stopped { lines: 0, torn: 0, error: error.into() });
        }
        let Err(stopped) = open.append(self.out.as_run()) else {
            self.written(open);
            return Ok(());
        };
        self.stopped(open, &stopped);
        Err(Stopped { lines: self.out.lines_of(stopped.lines), torn: 0, error: stopped.error })
    }

    /// Writes the end of the file, before it is closed or left. A forked child leaves that to its parent.
    pub(super) fn finish(&mut self, open: &mut Open) -> io::Result<()> {
        let is_known = self.known == Some((open.identity(), open.len()));
        if self.start != Start::Running || !is_known || !self.process.is_current() {
            return Ok(());
        }
        self.out.clear();
        self.encoder.finish(&mut self.out)?;
        match open.append(self.out.as_run()) {
            Ok(()) => {
                self.written(open);
                self.start = Start::Again;
                Ok(())
            }
            Err(stopped) => {
                self.stopped(open, &stopped);
                Err(stopped.error)
            }
        }
    }

    fn written(&mut self, open: &Open) {
        self.start = Start::Running;
        self.known = Some((open.identity(), open.len()));
    }

    fn stopped(&mut self, open: &Open, stopped: &Stopped<io::Error>) {
        self.encoder.roll_back(stopped.lines, &self.out);
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
