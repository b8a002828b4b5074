use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::format::{FRAME, Frame, HEADER, Header, MAGIC};
use super::keys::Keys;
use super::stream::{Stream, Tag, tag_of};
use crate::Error;

/// Decrypts an encrypted file.
///
/// Implements [`Read`]. Only authenticated bytes are returned, block by block. A block that does not authenticate is an error of
/// kind `InvalidData` that states its offset, and every read after it returns the same error. At the end of the file
/// reads return 0 bytes, and [`end`](Self::end) says how the file ends; if the file grows later, more can be read.
///
/// ```
/// use std::io::{Read, Write};
/// use tracing_handlers::encryption::{Decryptor, Encryptor, End, Key, Keys};
///
/// let keys = Keys::new(Key::from_bytes([7; 32]));
/// let mut encryptor = Encryptor::new(Vec::new(), keys.clone());
/// encryptor.write_all(b"one ")?;
/// encryptor.write_all(b"two")?;
/// let mut file = encryptor.finish()?;
/// let end = |file: &[u8]| {
///     let (mut decryptor, mut text) = (Decryptor::new(file, keys.clone()), String::new());
///     decryptor.read_to_string(&mut text).map(|_| (text, decryptor.end()))
/// };
/// assert_eq!(end(&file)?, ("one two".to_owned(), End::Closed));
/// assert_eq!(end(&file[..file.len() - 24])?, ("one two".to_owned(), End::Open));
/// assert_eq!(end(&file[..file.len() - 25])?, ("one ".to_owned(), End::Torn { bytes: 26 }));
/// file[36 + 8] ^= 1;
/// assert_eq!(format!("{:#}", end(&file).unwrap_err()), "block at byte 36: it does not authenticate");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Decryptor<R> {
    from: R,
    keys: Keys,
    /// Bytes that were read; those from `at` on are not decrypted yet.
    raw: Vec<u8>,
    at: usize,
    /// The position of `at` in the file.
    offset: u64,
    block: Vec<u8>,
    /// How many bytes of `block` were returned.
    given: usize,
    stream: Option<Stream>,
    found: Found,
    closed: bool,
    /// Why the file is invalid, once that is known.
    failed: Option<(io::ErrorKind, Error)>,
}

/// How an encrypted file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The last stream was closed: at most whole streams are missing after it.
    Closed,
    /// The last stream is still written to, was ended by a crash, or its end was cut off.
    Open,
    /// The file ends with an incomplete block, which was left by a crash or is being written.
    Torn {
        /// The length of the incomplete block.
        bytes: u64,
    },
}

/// The last complete block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The length of the file up to its end.
    pub(crate) len: u64,
    pub(crate) tag: Tag,
}

impl Decryptor<File> {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the file cannot be opened. Whether `keys` contains its key is only known when it is read.
    pub fn open(path: impl AsRef<Path>, keys: Keys) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| Error::io(format!("cannot open {}", path.display()), error))?;
        Ok(Self::new(file, keys))
    }
}

impl<R: Read> Decryptor<R> {
    /// Decrypts what `from` returns. `from` need not be buffered.
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

    /// How the file ends, as far as it was read.
    pub fn end(&self) -> End {
        match self.offset + self.rest().len() as u64 - self.found.len {
            0 if self.closed => End::Closed,
            0 => End::Open,
            bytes => End::Torn { bytes },
        }
    }

    /// Reads to the end of the file, and returns the last complete block.
    pub(crate) fn find_end(mut self) -> Result<Found, Error> {
        while self.next_block()? {}
        Ok(self.found)
    }

    /// Decrypts the next block. Returns `false` at the end of the file.
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

    /// Reads a header, if it is whole. Bytes that cannot belong to a header are an error.
    fn header(&mut self) -> Result<(), Error> {
        if !may_be_header(self.rest()) {
            return Err(bad("stream", self.offset, "it has no valid header"));
        }
        let Some(bytes) = self.rest().first_chunk() else { return Ok(()) };
        let header = Header::read(bytes).map_err(|what| bad("stream", self.offset, what))?;
        if self.stream.as_ref().is_some_and(Stream::is_at_start) {
            return Err(bad("stream", self.offset, "the stream before it is empty"));
        }
        let key = self.keys.find(header.key)?;
        self.stream = Some(Stream::new(key, header, &self.found.tag));
        self.take(HEADER);
        Ok(())
    }

    fn block(&mut self) -> Result<bool, Error> {
        let is_whole = self.has(FRAME)?;
        if self.stream.is_none() || !Frame::may_start(self.rest()) {
            return Err(bad("block", self.offset, "there is no valid block"));
        }
        if !is_whole {
            return Ok(false);
        }
        let frame = self.rest().first_chunk().and_then(|bytes| Frame::read(*bytes));
        let Some(frame) = frame else { return Err(bad("block", self.offset, "there is no valid block")) };
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

    /// Reads until `wanted` bytes are available. Returns `false` if the file ends before that.
    fn has(&mut self, wanted: usize) -> Result<bool, Error> {
        while self.rest().len() < wanted {
            self.raw.drain(..std::mem::take(&mut self.at));
            let before = self.raw.len();
            // A large piece, so that small blocks do not need a read each.
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

    /// Remembers an error if the file is invalid. Errors of the system may be temporary.
    fn fail(&mut self, error: Error) -> io::Error {
        let Some(io_error) = error.io_error() else {
            self.failed = Some((io::ErrorKind::InvalidData, error.again()));
            return io::Error::new(io::ErrorKind::InvalidData, error);
        };
        let kind = io_error.kind();
        if kind == io::ErrorKind::InvalidData {
            self.failed = Some((kind, error.again()));
        }
        io::Error::new(kind, error)
    }
}

/// Shows neither keys nor plain text.
impl<R> fmt::Debug for Decryptor<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").field("keys", &self.keys).field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl<R: Read> Read for Decryptor<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, error)) = &self.failed {
            return Err(io::Error::new(*kind, error.again()));
        }
        // A block may be empty.
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

/// Whether a header can begin with `bytes`.
fn may_be_header(bytes: &[u8]) -> bool {
    bytes.iter().zip(MAGIC).all(|(byte, known)| *byte == known)
}

fn bad(what: &str, offset: u64, why: &'static str) -> Error {
    Error::io(format!("{what} at byte {offset}"), io::Error::new(io::ErrorKind::InvalidData, why))
}

const PIECE: usize = 64 << 10;
