use std::fs;

use super::super::FileOptions;
use super::{Coat, Coated, Newest, Start};
use crate::Error;
use crate::file::encryption::{BLOCK, BLOCK_OVERHEAD, BlockEncryptor, Decryptor, HEADER, Keys, Tag};
use crate::sink::run::Run;

impl FileOptions {
    /// Encrypts the file with the current key of `keys`: see [`encryption`](crate::encryption) for what that protects.
    ///
    /// An existing file is read first, and one of `keys` must decrypt it. Each write is a separate block, 24 bytes
    /// longer than its lines: use a [`buffer`](Self::buffer). Cannot be combined with `seal`, [`shared`](Self::shared) or
    /// [compression](crate::rotation::Rotation::compression), which cannot shorten encrypted files.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::ErrorKind;
    /// use tracing_handlers::encryption::{Key, Keys};
    /// use tracing_handlers::sink::File;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log.enc");
    /// let (old, new) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
    /// File::options().encrypt(Keys::new(old.clone())).buffer(64 * 1024).open(&path)?.write_all(b"one\n")?;
    ///
    /// let refused = File::options().encrypt(Keys::new(new.clone())).open(&path).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::Config);
    /// File::options().encrypt(Keys::new(new).and(old)).open(&path)?.write_all(b"two\n")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encrypt(self, keys: Keys) -> Self {
        self.coat(Box::new(Encrypted::new(keys)))
    }
}

/// A coat that encrypts lines.
#[derive(Debug)]
struct Encrypted {
    blocks: BlockEncryptor,
    /// The tag of the last block before the last append.
    before: Tag,
}

impl Encrypted {
    fn new(keys: Keys) -> Self {
        Self { blocks: BlockEncryptor::new(keys), before: Tag::default() }
    }

    fn continue_after(&mut self, tag: Tag) {
        self.before = tag;
        self.blocks.continue_after(tag);
    }
}

impl Coat for Encrypted {
    fn again(&self) -> Box<dyn Coat> {
        Box::new(Self::new(self.blocks.keys().clone()))
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

    fn wrap(&mut self, run: Run<'_>, _: Start, out: &mut Coated) -> Result<(), Error> {
        self.before = self.blocks.tag();
        for block in blocks(run) {
            self.blocks.write(block.bytes(), &mut out.bytes)?;
            out.end_unit(block.count());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Coated) -> Result<(), Error> {
        self.before = self.blocks.tag();
        self.blocks.finish(&mut out.bytes)?;
        out.end_unit(0);
        Ok(())
    }

    /// Continues with a new stream: nonces of this one were used for blocks that were not written whole, and parts of which may
    /// have been seen.
    fn back_to(&mut self, units: usize, out: &Coated) {
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
