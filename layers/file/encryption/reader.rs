use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Keys;
use super::format::{FRAME, Frame, HEADER, Header, MAGIC};
use super::stream::{Stream, Tag, tag_of};
use crate::Error;

/// Reads the plain text of an encrypted file.
///
/// What it gives is authentic, block by block. A block that is not is an error of kind `InvalidData` that names its offset,
/// and so is each read after that. At the end of the file reads give 0 bytes, and [`end`](Self::end) tells what end it
/// is; a file that has grown since is read on.
///
/// ```
/// use std::io::{Read, Write};
/// use tracing_handlers::encryption::{End, Key, Keys, Reader, Writer};
///
/// let keys = Keys::new(Key::from_bytes([7; 32]));
/// let mut writer = Writer::new(Vec::new(), keys.clone());
/// writer.write_all(b"one ")?;
/// writer.write_all(b"two")?;
/// let mut file = writer.finish()?;
/// let end = |file: &[u8]| {
///     let (mut reader, mut text) = (Reader::new(file, keys.clone()), String::new());
///     reader.read_to_string(&mut text).map(|_| (text, reader.end()))
/// };
/// assert_eq!(end(&file)?, ("one two".to_owned(), End::Closed));
/// assert_eq!(end(&file[..file.len() - 24])?, ("one two".to_owned(), End::Open));
/// assert_eq!(end(&file[..file.len() - 25])?, ("one ".to_owned(), End::Torn { bytes: 26 }));
/// file[36 + 8] ^= 1;
/// assert_eq!(end(&file).unwrap_err().to_string(), "block at byte 36: it does not authenticate");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    keys: Keys,
    /// Read; from `at` on not yet taken apart.
    raw: Vec<u8>,
    at: usize,
    /// Where that is in the file.
    offset: u64,
    block: Vec<u8>,
    /// So much of `block` was given out.
    given: usize,
    stream: Option<Stream>,
    found: Found,
    closed: bool,
    /// What is wrong with the file, once that is known.
    failed: Option<(io::ErrorKind, String)>,
}

/// What end an encrypted file has. New ones may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The last stream was ended: nothing is missing behind it but whole streams.
    Closed,
    /// The last stream goes on, or did until a crash, or somebody cut its end off.
    Open,
    /// An incomplete block stands at the end: a crash left it, or it is being written.
    Torn {
        /// How long it is.
        bytes: u64,
    },
}

/// The last block that is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The file up to its end.
    pub(crate) len: u64,
    pub(crate) tag: Tag,
}

impl Reader<File> {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io): it cannot be opened. That its key is not among `keys`, only reading it tells.
    pub fn open(path: impl AsRef<Path>, keys: Keys) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| Error::io(format!("cannot open {}", path.display()), error))?;
        Ok(Self::new(file, keys))
    }
}

impl<R: Read> Reader<R> {
    /// Reads from `from`, which need not be buffered.
    pub fn new(from: R, keys: Keys) -> Self {
        Self {
            from,
            keys,
            raw: Vec::new(),
            at: 0,
            offset: 0,
            block: Vec::new(),
            given: 0,
            stream: None,
            found: Found::default(),
            closed: false,
            failed: None,
        }
    }

    /// What end the file has, as far as it was read.
    pub fn end(&self) -> End {
        match self.offset + self.rest().len() as u64 - self.found.len {
            0 if self.closed => End::Closed,
            0 => End::Open,
            bytes => End::Torn { bytes },
        }
    }

    /// Reads to the end, for the sake of what it is.
    pub(crate) fn find_end(mut self) -> Result<Found, Error> {
        while self.next_block()? {}
        Ok(self.found)
    }

    /// Decrypts the next block; `false` at the end of the file.
    fn next_block(&mut self) -> Result<bool, Error> {
        loop {
            match self.rest().first() {
                None => {
                    if !self.has(1)? {
                        return Ok(false);
                    }
                }
                Some(&byte) if byte == MAGIC[0] => {
                    let is_whole = self.has(HEADER)?;
                    self.header()?;
                    if !is_whole {
                        return Ok(false);
                    }
                }
                Some(_) => return self.block(),
            }
        }
    }

    /// Takes a header, if it is whole. A piece that belongs to none was not torn: it is something else.
    fn header(&mut self) -> Result<(), Error> {
        if !may_be_header(self.rest()) {
            return Err(bad("stream", self.offset, "no header"));
        }
        let Some(bytes) = self.rest().first_chunk() else { return Ok(()) };
        let header = Header::read(bytes).map_err(|what| bad("stream", self.offset, what))?;
        if self.stream.as_ref().is_some_and(Stream::is_at_start) {
            return Err(bad("stream", self.offset, "the one before it is empty"));
        }
        let key = self.keys.find(header.key)?;
        self.stream = Some(Stream::new(key, header, &self.found.tag));
        self.take(HEADER);
        Ok(())
    }

    fn block(&mut self) -> Result<bool, Error> {
        let is_whole = self.has(FRAME)?;
        if self.stream.is_none() || !Frame::may_start(self.rest()) {
            return Err(bad("block", self.offset, "there is none"));
        }
        if !is_whole {
            return Ok(false);
        }
        let frame = self.rest().first_chunk().and_then(|bytes| Frame::read(*bytes));
        let Some(frame) = frame else { return Err(bad("block", self.offset, "there is none")) };
        if !self.has(FRAME + frame.len)? {
            return Ok(false);
        }
        self.block.clear();
        self.block.extend_from_slice(&self.raw[self.at..][FRAME..FRAME + frame.len]);
        self.given = 0;
        let tag = tag_of(&self.block);
        if !self.stream.as_mut().is_some_and(|stream| stream.decrypt(frame.last, &mut self.block)) {
            self.block.clear();
            return Err(bad("block", self.offset, "it does not authenticate"));
        }
        self.take(FRAME + frame.len);
        self.found = Found { len: self.offset, tag };
        self.closed = frame.last;
        if frame.last {
            self.stream = None;
        }
        Ok(true)
    }

    /// Reads on until there are `wanted` bytes; `false`: there are not.
    fn has(&mut self, wanted: usize) -> Result<bool, Error> {
        while self.rest().len() < wanted {
            self.raw.drain(..std::mem::take(&mut self.at));
            let before = self.raw.len();
            // So much that small blocks do not each cost a read.
            self.raw.resize(before + PIECE, 0);
            let read = self.from.read(&mut self.raw[before..]);
            self.raw.truncate(before + *read.as_ref().unwrap_or(&0).min(&PIECE));
            match read {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("cannot read an encrypted file", error)),
            }
        }
        Ok(true)
    }

    fn take(&mut self, bytes: usize) {
        self.at += bytes;
        self.offset += bytes as u64;
    }

    fn rest(&self) -> &[u8] {
        &self.raw[self.at..]
    }

    /// The same again, where the file is not what was written; an error of the system may pass.
    fn fail(&mut self, error: Error) -> io::Error {
        let Some(io_error) = error.io_error() else {
            let failed = (io::ErrorKind::InvalidData, error.to_string());
            self.failed = Some(failed);
            return io::Error::new(io::ErrorKind::InvalidData, error);
        };
        let kind = io_error.kind();
        if kind == io::ErrorKind::InvalidData {
            self.failed = Some((kind, error.to_string()));
        }
        io::Error::new(kind, error)
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, message)) = &self.failed {
            return Err(io::Error::new(*kind, message.clone()));
        }
        // Blocks may be empty.
        while self.given >= self.block.len() && !out.is_empty() {
            match self.next_block() {
                Ok(true) => {}
                Ok(false) => return Ok(0),
                Err(error) => return Err(self.fail(error)),
            }
        }
        let piece = self.block.get(self.given..).unwrap_or_default();
        let some = piece.len().min(out.len());
        out[..some].copy_from_slice(&piece[..some]);
        self.given += some;
        Ok(some)
    }
}

/// As far as it goes.
fn may_be_header(bytes: &[u8]) -> bool {
    bytes.iter().zip(MAGIC).all(|(byte, known)| *byte == known)
}

fn bad(what: &str, offset: u64, why: &'static str) -> Error {
    Error::io(format!("{what} at byte {offset}"), io::Error::new(io::ErrorKind::InvalidData, why))
}

const PIECE: usize = 64 << 10;
