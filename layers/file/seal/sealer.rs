//! Seals lines as they are written.

use std::io::{Read, Seek};
use std::path::Path;

use super::chain::{Link, Sealing};
use super::checkpoint::{self, Checkpoint, Kind, rfc3339};
use super::line::split_end;
use super::mark;
use super::options::Seal;
use super::resume::{self, Resumed};
use crate::Error;
use crate::file::key::KeyId;

/// Seals lines, one after another, with checkpoints between them.
#[derive(Debug)]
pub(crate) struct Sealer {
    seal: Seal,
    sealing: Sealing,
    place: Place,
    /// Holds a checkpoint while it is sealed.
    scratch: Vec<u8>,
}

/// The position of a [`Sealer`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    link: Link,
    /// The number of lines since the last checkpoint.
    since: u64,
    /// Whether the last line was a JSON object: checkpoints have the same form.
    json: bool,
}

impl Sealer {
    /// Starts a new chain.
    pub(crate) fn new(seal: Seal) -> Self {
        let sealing = Sealing::new(&seal.key);
        let place = Place { link: Link::start(), since: 0, json: false };
        Self { seal, sealing, place, scratch: Vec::new() }
    }

    pub(crate) fn key_id(&self) -> KeyId {
        self.sealing.key
    }

    pub(crate) fn options(&self) -> &Seal {
        &self.seal
    }

    /// Continues after the content of `file`, called `name` in errors: see [`resume`](resume::resume).
    pub(crate) fn resume(&mut self, file: &mut (impl Read + Seek), name: &str) -> Result<Option<Resumed>, Error> {
        let found = resume::resume(file, name, &self.sealing)?;
        self.continue_after(found);
        Ok(found)
    }

    /// Continues after the archive at `path`. Returns `false` if it is empty.
    pub(crate) fn resume_at(&mut self, path: &Path) -> Result<bool, Error> {
        let found = resume::resume_at(path, &self.sealing)?;
        self.continue_after(found);
        Ok(found.is_some())
    }

    fn continue_after(&mut self, found: Option<Resumed>) {
        if let Some(found) = found {
            self.place.link = found.link;
            self.place.since = 0;
        }
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Rolls back to `place`: what was sealed since then was not written.
    pub(crate) fn back_to(&mut self, place: Place) {
        self.place = place;
    }

    /// Gives checkpoints the form of `line` from now on.
    pub(crate) fn look_like(&mut self, line: &[u8]) {
        self.place.json = mark::is_object(split_end(line.split_inclusive(is_end).next().unwrap_or_default()).0);
    }

    /// Appends a checkpoint.
    pub(crate) fn checkpoint(&mut self, kind: Kind, cut: u64, out: &mut Vec<u8>) {
        let (key, from, time) = (self.sealing.key, self.place.link, rfc3339(self.seal.clock.now()));
        self.scratch.clear();
        Checkpoint { kind, key, from, time, cut }.write(self.place.json, &mut self.scratch);
        let code = self.sealing.checkpoint(&from, &[&self.scratch, b"\n"]);
        mark::put(&self.scratch, &code, out);
        out.push(b'\n');
        self.place.link = from.after_checkpoint(code);
        self.place.since = 0;
    }

    /// Appends the lines of one record, after a checkpoint if one is due.
    pub(crate) fn record(&mut self, record: &[u8], out: &mut Vec<u8>) {
        if self.place.since >= self.seal.every {
            self.checkpoint(Kind::Count, 0, out);
        }
        for line in record.split_inclusive(is_end) {
            let (text, end) = split_end(line);
            let code = self.sealing.line(&self.place.link, &[text, end]);
            mark::put(text, &code, out);
            out.extend_from_slice(end);
            self.place.link = self.place.link.after_line(code);
            self.place.since += 1;
            self.place.json = mark::is_object(text);
        }
    }

    /// How many of `records` certainly fit into `room` bytes, together with the checkpoints between them.
    pub(crate) fn fit<'a>(&self, records: impl Iterator<Item = &'a [u8]>, room: u64) -> usize {
        let (mut since, mut needed, mut fit) = (self.place.since, 0, 0);
        for record in records {
            if since >= self.seal.every {
                needed += CHECKPOINT;
                since = 0;
            }
            let lines = record.split_inclusive(is_end).count() as u64;
            needed += record.len() as u64 + lines * (mark::LONGEST as u64 + 1);
            since += lines;
            if needed > room {
                break;
            }
            fit += 1;
        }
        fit
    }
}

/// How much room a checkpoint needs, at most.
pub(crate) const CHECKPOINT: u64 = checkpoint::LONGEST;

fn is_end(byte: &u8) -> bool {
    *byte == b'\n'
}
