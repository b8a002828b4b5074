//! Streams of encrypted blocks.

use std::fmt;

use aead_stream::{NewStream as _, StreamBE32, StreamPrimitive as _};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Generate as _, KeyInit as _};

use super::format::{BLOCK, Frame, HEADER, Header, TAG};
use super::keys::Keys;
use crate::file::key::Key;
use crate::process::Generation;
use crate::{Error, ErrorKind};

/// The authentication tag of a block.
pub(crate) type Tag = [u8; TAG];

/// Encrypts blocks, in one stream after another.
pub(crate) struct BlockEncryptor {
    keys: Keys,
    stream: Option<Stream>,
    /// The tag of the last block in the file; zeros at its start.
    tag: Tag,
    scratch: Vec<u8>,
    /// The process that began the stream. A forked child inherits its nonce and counter, and must not use them again.
    process: Generation,
}

impl BlockEncryptor {
    /// Starts at the beginning of a file.
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys, stream: None, tag: Tag::default(), scratch: Vec::new(), process: Generation::current() }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Starts a new stream after the block with this tag; zeros at the start of a file.
    pub(crate) fn continue_after(&mut self, tag: Tag) {
        self.stream = None;
        self.tag = tag;
    }

    /// The tag of the last block.
    pub(crate) fn tag(&self) -> Tag {
        self.tag
    }

    /// Appends `plain` in blocks, after a header if a stream begins.
    pub(crate) fn write(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        plain.chunks(BLOCK).try_for_each(|piece| self.block(piece, false, out))
    }

    /// Appends the block that ends the stream, if one has begun.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.stream.is_none() {
            return Ok(());
        }
        self.block(b"", true, out)?;
        self.stream = None;
        Ok(())
    }

    fn block(&mut self, plain: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.stream.is_some() && !self.process.is_current() {
            return Err(Error::new(ErrorKind::Config, "a forked child cannot continue its parent's encrypted stream"));
        }
        // The counter must leave room for the last block.
        if !last && self.stream.as_ref().is_some_and(|stream| stream.position == u32::MAX) {
            self.finish(out)?;
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                self.process = Generation::current();
                self.stream.insert(begin(&self.keys, &self.tag, out)?)
            }
        };
        self.scratch.clear();
        self.scratch.extend_from_slice(plain);
        stream.encrypt(last, &mut self.scratch)?;
        self.tag = tag_of(&self.scratch);
        out.extend_from_slice(&Frame { last, len: self.scratch.len() }.to_bytes());
        out.extend_from_slice(&self.scratch);
        Ok(())
    }
}

/// Shows neither keys nor data.
impl fmt::Debug for BlockEncryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockEncryptor").field("keys", &self.keys).finish_non_exhaustive()
    }
}

fn begin(keys: &Keys, before: &Tag, out: &mut Vec<u8>) -> Result<Stream, Error> {
    let (id, key) = keys.current();
    let nonce = <[u8; _]>::try_generate()
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot generate a nonce: {error}")))?;
    let header = Header { key: id, nonce };
    out.extend_from_slice(&header.to_bytes());
    Ok(Stream::new(key, header, before))
}

/// The tag of an encrypted block.
pub(super) fn tag_of(block: &[u8]) -> Tag {
    block.last_chunk().copied().unwrap_or_default()
}

/// The state of a stream.
pub(super) struct Stream {
    stream: StreamBE32<XChaCha20Poly1305>,
    position: u32,
    /// The header and the tag of the block before it in the file, which the first block authenticates.
    start: [u8; HEADER + TAG],
}

impl Stream {
    pub(super) fn new(key: &Key, header: Header, before: &Tag) -> Self {
        let stream = StreamBE32::from_aead(XChaCha20Poly1305::new(key.bytes().into()), &header.nonce.into());
        let mut start = [0; HEADER + TAG];
        start.iter_mut().zip(header.to_bytes().into_iter().chain(*before)).for_each(|(to, from)| *to = from);
        Self { stream, position: 0, start }
    }

    fn encrypt(&mut self, last: bool, block: &mut Vec<u8>) -> Result<(), Error> {
        let encrypted = self.stream.encrypt_in_place(self.position, last, self.associated(), block);
        self.position = self.position.saturating_add(1);
        encrypted.map_err(|_| Error::new(ErrorKind::Format, "cannot encrypt a block"))
    }

    /// Decrypts `block` in place. Returns whether it is the next block of the stream.
    pub(super) fn decrypt(&mut self, last: bool, block: &mut Vec<u8>) -> bool {
        let decrypted = self.stream.decrypt_in_place(self.position, last, self.associated(), block).is_ok();
        // When the counter is used up, only the last block may follow.
        let counted = self.position.checked_add(1);
        self.position = counted.unwrap_or(u32::MAX);
        decrypted && (last || counted.is_some())
    }

    pub(super) fn is_at_start(&self) -> bool {
        self.position == 0
    }

    fn associated(&self) -> &[u8] {
        if self.is_at_start() { &self.start } else { &[] }
    }
}

/// Does not show the key.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("position", &self.position).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_whose_counter_is_exhausted_is_followed_by_another() {
        let keys = Keys::new(Key::from_bytes([1; 32]));
        let mut blocks = BlockEncryptor::new(keys.clone());
        let mut out = Vec::new();
        blocks.write(b"one", &mut out).unwrap();
        blocks.stream.as_mut().unwrap().position = u32::MAX;
        let before = out.len();
        blocks.write(b"two", &mut out).unwrap();
        assert_eq!(Frame::read(out[before..before + 8].try_into().unwrap()), Some(Frame { last: true, len: TAG }));
        assert!(out[before + 24..].starts_with(&super::super::MAGIC));
        assert_eq!(blocks.stream.unwrap().position, 1);
    }
}
