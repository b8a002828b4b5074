//! Goes through the lines of a sealed log, one after another.

use std::path::{Path, PathBuf};

use super::chain::{Link, Sealing};
use super::checkpoint::Kind;
use super::mark;
use super::resume::read;
use super::sealer::split_end;
use super::verify::{Broken, What};

/// What the lines so far have come to.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    sealing: &'a Sealing,
    expected: Option<Link>,
    file: PathBuf,
    /// Of the file, from 1.
    line: u64,
    /// Behind the last line; `None` before the first checkpoint.
    pub(super) link: Option<Link>,
    /// Behind the last genuine line.
    sound: Option<Link>,
    /// Since a broken line no other was genuine, so that no more are told.
    lost: bool,
    pub(super) first: Option<u64>,
    pub(super) lines: u64,
    pub(super) closed: bool,
    /// Bytes behind the last whole line.
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

    /// The lines of `file` come next.
    pub(super) fn begin(&mut self, file: &Path) {
        if self.torn > 0 {
            // Only where writing stopped can there be a torn line.
            self.broken(What::Torn);
        }
        self.torn = 0;
        file.clone_into(&mut self.file);
        self.line = 0;
    }

    /// Whether it makes sense to go on with this file.
    pub(super) fn line(&mut self, line: &[u8]) -> bool {
        self.line += 1;
        self.closed = false;
        let (text, end) = split_end(line);
        if !line.ends_with(b"\n") {
            self.torn(line);
            return true;
        }
        let Some((before, behind, code)) = mark::take(text) else {
            self.broken(if self.line == 1 { What::NoBegin } else { What::NoSeal });
            return true;
        };
        let parts = [before, behind, end];
        if let Some(checkpoint) = read(before, behind) {
            if self.line == 1 && checkpoint.key != self.sealing.key {
                self.broken(What::WrongKey { of_file: checkpoint.key, given: self.sealing.key });
                return false;
            }
            if self.sealing.checkpoint(&checkpoint.from, &parts) == code {
                self.checkpoint(checkpoint.kind, checkpoint.from, code);
                return true;
            }
        }
        match self.line {
            1 => self.broken(What::NoBegin),
            _ => self.of_log(&parts, code),
        }
        true
    }

    fn checkpoint(&mut self, kind: Kind, from: Link, code: mark::Code) {
        self.first.get_or_insert(from.lines);
        self.meet(from);
        match self.link {
            Some(link) if link != from => {
                let what = match link.chain == from.chain {
                    true => What::Gap { before: self.sound.map_or(0, |link| link.lines), after: from.lines },
                    false => What::OtherChain,
                };
                self.broken(what);
            }
            _ if self.line == 1 && kind != Kind::Begin => self.broken(What::NoBegin),
            _ => {}
        }
        self.genuine(from.after_checkpoint(code));
        self.closed = kind == Kind::Close;
    }

    /// A line of the log. Behind one that was changed the next may be genuine still; behind one that was inserted it is the
    /// next of what was before.
    fn of_log(&mut self, parts: &[&[u8]], code: mark::Code) {
        self.lines += 1;
        let follows = |link: &Link| self.sealing.line(link, parts) == code;
        if let Some(link) = [self.link, self.sound].into_iter().flatten().find(follows) {
            return self.genuine(link.after_line(code));
        }
        if !self.lost {
            self.broken(What::Changed);
        }
        self.lost = true;
        self.link = self.link.map(|link| link.after_line(code));
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

    /// The last piece of a file. A line that has all but its line feed was not torn: something else stands in its place.
    fn torn(&mut self, piece: &[u8]) {
        self.torn = piece.len() as u64;
        let Some((last, whole)) = piece.split_last() else { return };
        let Some((before, behind, code)) = mark::take(whole.strip_suffix(b"\r").unwrap_or(whole)) else { return };
        // That may be the first half of `\r\n`.
        let parts: [&[u8]; 3] = [before, behind, b"\r\n"];
        let is_half = *last == b'\r' && self.link.is_some_and(|link| self.sealing.line(&link, &parts) == code);
        if !is_half {
            self.broken(What::Changed);
        }
    }

    pub(super) fn broken(&mut self, what: What) {
        if self.broken.len() < MOST {
            self.broken.push(Broken { file: self.file.clone(), line: self.line, what });
        }
    }
}

/// Nobody reads more.
const MOST: usize = 1_000;
