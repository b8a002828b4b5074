use std::fs;

use super::{Encoded, Encoder, Kind, Newest, Start};
use crate::Error;
use crate::file::encryption::{BLOCK, BLOCK_OVERHEAD, BlockEncryptor, Decryptor, HEADER, Keys, Tag};
use crate::sink::run::Run;

/// Encrypts lines.
#[derive(Debug)]
pub(in crate::file::sink) struct Encrypted {
    blocks: BlockEncryptor,
    /// The tag of the last block before the last append.
    before: Tag,
}

impl Encrypted {
    pub(in crate::file::sink) fn new(keys: Keys) -> Self {
        Self { blocks: BlockEncryptor::new(keys), before: Tag::default() }
    }

    fn continue_after(&mut self, tag: Tag) {
        self.before = tag;
        self.blocks.continue_after(tag);
    }
}

impl Encoder for Encrypted {
    fn renewed(&self) -> Box<dyn Encoder> {
        Box::new(Self::new(self.blocks.keys().clone()))
    }

    fn kind(&self) -> Kind {
        ("encrypt", self.blocks.keys().ids().map(|id| id.0).collect())
    }

    fn can_be_compressed(&self) -> bool {
        false
    }

    fn start(&mut self, _: Newest<'_>) -> Result<(), Error> {
        self.continue_after(Tag::default());
        Ok(())
    }

    fn resume(&mut self, file: &mut fs::File, name: &str) -> Result<u64, Error> {
        let found = Decryptor::new(file, self.blocks.keys().clone()).find_end();
        let found = found.map_err(|error| Error::new(error.kind(), format!("file {name}")).with_source(error))?;
        self.continue_after(found.tag);
        Ok(found.len)
    }

    fn fit(&self, run: Run<'_>, room: u64, start: Start) -> usize {
        let around = BLOCK_OVERHEAD + if start == Start::Running { 0 } else { HEADER };
        let mut room = room.saturating_sub(around as u64);
        let mut fit = 0;
        for block in blocks(run) {
            let overhead = (block.bytes().len().div_ceil(BLOCK) * BLOCK_OVERHEAD) as u64;
            let lines = block.fit(room.saturating_sub(overhead));
            fit += lines;
            if lines < block.count() {
                break;
            }
            room -= overhead + block.bytes().len() as u64;
        }
        fit
    }

    fn encode(&mut self, run: Run<'_>, _: Start, out: &mut Encoded) -> Result<(), Error> {
        self.before = self.blocks.tag();
        for block in blocks(run) {
            self.blocks.write(block.bytes(), &mut out.bytes)?;
            out.end_unit(block.count());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Encoded) -> Result<(), Error> {
        self.before = self.blocks.tag();
        self.blocks.finish(&mut out.bytes)?;
        out.end_unit(0);
        Ok(())
    }

    /// Continues with a new stream: nonces of this one were used for blocks that were not written whole, and parts of which may
    /// have been seen.
    fn roll_back(&mut self, units: usize, out: &Encoded) {
        let tag = out.bytes_of(units).last_chunk().copied().unwrap_or(self.before);
        self.continue_after(tag);
    }
}

/// Splits `run` into parts that each fit into a block; a line that does not is a part by itself.
fn blocks(run: Run<'_>) -> impl Iterator<Item = Run<'_>> {
    let mut rest = run;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (block, later) = rest.split_at(rest.fit(BLOCK as u64).max(1));
        rest = later;
        Some(block)
    })
}
