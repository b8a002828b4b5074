//! Checks the lines of a sealed log, one after another.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::chain::{Link, Sealing};
use super::checkpoint::{Checkpoint, Kind};
use super::flaw::{Broken, Flaw};
use super::line::SealedLine;
use super::lines::{Lines, Text};
use super::mark;

/// The state after the lines checked so far.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    sealing: &'a Sealing,
    expected: Option<Link>,
    file: PathBuf,
    /// The number of the line in the file, from 1.
    line: u64,
    /// The place after the last line; `None` before the first checkpoint.
    pub(super) link: Option<Link>,
    /// The place after the last genuine line.
    sound: Option<Link>,
    /// No line has been genuine since a broken one, so no more are reported.
    lost: bool,
    pub(super) first: Option<u64>,
    pub(super) lines: u64,
    pub(super) closed: bool,
    /// How many bytes follow the last whole line.
    pub(super) torn: u64,
    pub(super) met: bool,
    pub(super) broken: Vec<Broken>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(sealing: &'a Sealing, expected: Option<Link>) -> Self {
        Self {
            sealing,
            expected,
            file: PathBuf::new(),
            line: 0,
            link: None,
            sound: None,
            lost: false,
            first: None,
            lines: 0,
            closed: false,
            torn: 0,
            met: false,
            broken: Vec::new(),
        }
    }

    /// Continues with the lines of `file`.
    pub(super) fn begin(&mut self, file: &Path) {
        if self.torn > 0 {
            // Only the last file can end in a torn line.
            self.broken(Flaw::Torn);
        }
        self.torn = 0;
        file.clone_into(&mut self.file);
        self.line = 0;
    }

    /// Checks the lines of a file.
    pub(super) fn file(&mut self, text: impl Read) -> io::Result<()> {
        let mut lines = Lines::new(text);
        while let Some(line) = lines.next(self.sealing, self.links())? {
            if !self.line(line) {
                break;
            }
        }
        Ok(())
    }

    /// The places that the next line may follow: the line after an inserted one follows what was before the insertion.
    fn links(&self) -> impl Iterator<Item = Link> + use<> {
        self.link.into_iter().chain(self.sound.filter(|sound| Some(*sound) != self.link))
    }

    /// Checks one line. Returns whether the rest of the file is worth checking.
    fn line(&mut self, line: Text<'_>) -> bool {
        self.line += 1;
        self.closed = false;
        if !line.bytes.ends_with(b"\n") {
            self.torn(line);
            return true;
        }
        let Some(sealed) = SealedLine::parse(line) else {
            self.broken(if self.line == 1 { Flaw::NoBegin } else { Flaw::NoSeal });
            return true;
        };
        if let Some(checkpoint) = sealed.checkpoint() {
            if self.line == 1 && checkpoint.key != self.sealing.key {
                self.broken(Flaw::WrongKey { of_file: checkpoint.key, given: self.sealing.key });
                return false;
            }
            if sealed.is_checkpoint_after(&checkpoint.from, self.sealing) {
                self.checkpoint(checkpoint.kind, checkpoint.from, sealed.code);
                return true;
            }
        }
        match self.line {
            1 => self.broken(Flaw::NoBegin),
            _ => self.of_log(&sealed),
        }
        true
    }

    fn checkpoint(&mut self, kind: Kind, from: Link, code: mark::Code) {
        self.first.get_or_insert(from.lines);
        self.meet(from);
        match self.link {
            Some(link) if link != from => {
                let flaw = match link.chain == from.chain {
                    true => Flaw::Gap { before: self.sound.map_or(0, |link| link.lines), after: from.lines },
                    false => Flaw::OtherChain,
                };
                self.broken(flaw);
            }
            _ if self.line == 1 && kind != Kind::Begin => self.broken(Flaw::NoBegin),
            _ => {}
        }
        self.genuine(from.after_checkpoint(code));
        self.closed = kind == Kind::Close;
    }

    /// Checks a line of the log. The line after a changed one may still be genuine.
    fn of_log(&mut self, line: &SealedLine<'_>) {
        self.lines += 1;
        if let Some(link) = self.links().find(|link| line.follows(link, self.sealing)) {
            return self.genuine(link.after_line(line.code));
        }
        if !self.lost {
            self.broken(Flaw::Changed);
        }
        self.lost = true;
        self.link = self.link.map(|link| link.after_line(line.code));
    }

    fn genuine(&mut self, link: Link) {
        self.link = Some(link);
        self.sound = Some(link);
        self.lost = false;
        self.meet(link);
    }

    fn meet(&mut self, link: Link) {
        self.met |= self.expected == Some(link);
    }

    /// Checks the last piece of a file. A line that lacks only its line feed was not torn: the line feed was removed or changed.
    fn torn(&mut self, piece: Text<'_>) {
        self.torn = piece.len;
        if self.line == 1 && (piece.started.is_some() || !Checkpoint::may_start(piece.bytes)) {
            return self.broken(Flaw::NoBegin);
        }
        let Some((last, whole)) = piece.bytes.split_last() else { return };
        let line = Text { bytes: whole.strip_suffix(b"\r").unwrap_or(whole), ..piece };
        let Some(line) = SealedLine::parse(line) else { return };
        // It may be the first half of `\r\n`.
        let is_half =
            *last == b'\r' && self.link.is_some_and(|link| line.with_end(b"\r\n").follows(&link, self.sealing));
        if !is_half {
            self.broken(Flaw::Changed);
        }
    }

    pub(super) fn broken(&mut self, flaw: Flaw) {
        if self.broken.len() < MOST {
            self.broken.push(Broken::new(&self.file, self.line, flaw));
        }
    }
}

/// How many flaws are listed.
pub(super) const MOST: usize = 1_000;
