use std::fs;

use super::{Encoded, Encoder, Kind, Newest, Start};
use crate::Error;
use crate::file::seal::{self, CHECKPOINT, Seal, Sealer};
use crate::sink::run::Run;

/// Seals lines.
#[derive(Debug)]
pub(in crate::file::sink) struct Sealed {
    sealer: Sealer,
    /// Whether the chain has begun, in any file.
    running: bool,
    /// How many bytes of a torn line were cut off and are not recorded by a checkpoint yet.
    cut: u64,
    /// The sealer's place before the last append, and after each of its units.
    before: seal::Place,
    behind: Vec<seal::Place>,
    /// The value of `cut` before the last append.
    cut_before: u64,
}

impl Sealed {
    pub(in crate::file::sink) fn new(seal: Seal) -> Self {
        let sealer = Sealer::new(seal);
        let before = sealer.place();
        Self { sealer, running: false, cut: 0, before, behind: Vec::new(), cut_before: 0 }
    }

    fn remember(&mut self) {
        self.before = self.sealer.place();
        self.cut_before = self.cut;
        self.behind.clear();
    }
}

impl Encoder for Sealed {
    fn renewed(&self) -> Box<dyn Encoder> {
        Box::new(Self::new(self.sealer.options().clone()))
    }

    fn kind(&self) -> Kind {
        ("seal", vec![self.sealer.key_id().0])
    }

    fn start(&mut self, newest: Newest<'_>) -> Result<(), Error> {
        if self.running {
            return Ok(());
        }
        if let Some(newest) = newest()? {
            self.running = self.sealer.resume_at(&newest)?;
        }
        Ok(())
    }

    fn resume(&mut self, file: &mut fs::File, name: &str) -> Result<u64, Error> {
        let Some(found) = self.sealer.resume(file, &format!("file {name}"))? else {
            self.cut = file.metadata().map_or(0, |file| file.len());
            return Ok(0);
        };
        self.running = true;
        self.cut = found.torn;
        Ok(found.end)
    }

    /// Assumes the maximum length of each sealed line.
    fn fit(&self, run: Run<'_>, room: u64, start: Start) -> usize {
        let around = if start == Start::Running { CHECKPOINT } else { 2 * CHECKPOINT };
        self.sealer.fit(run.each().map(Run::bytes), room.saturating_sub(around))
    }

    fn encode(&mut self, run: Run<'_>, start: Start, out: &mut Encoded) -> Result<(), Error> {
        self.remember();
        if start != Start::Running {
            self.sealer.look_like(run.bytes());
            let kind = if start == Start::New { seal::Kind::Begin } else { seal::Kind::Continue };
            self.sealer.checkpoint(kind, std::mem::take(&mut self.cut), &mut out.bytes);
        }
        for record in run.each() {
            self.sealer.record(record.bytes(), &mut out.bytes);
            out.end_unit(1);
            self.behind.push(self.sealer.place());
        }
        self.running = true;
        Ok(())
    }

    fn finish(&mut self, out: &mut Encoded) -> Result<(), Error> {
        self.remember();
        self.sealer.checkpoint(seal::Kind::Close, 0, &mut out.bytes);
        out.end_unit(0);
        self.behind.push(self.sealer.place());
        Ok(())
    }

    fn roll_back(&mut self, units: usize, _: &Encoded) {
        let place = units.checked_sub(1).and_then(|last| self.behind.get(last));
        if place.is_none() {
            self.cut = self.cut_before;
        }
        self.sealer.back_to(place.copied().unwrap_or(self.before));
    }
}
