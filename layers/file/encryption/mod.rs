//! Log files that only a key opens.
//!
//! Each batch of lines becomes a block that is encrypted and authenticated by XChaCha20-Poly1305 (RFC 8439 with the longer
//! nonce of draft-irtf-cfrg-xchacha; the crate [`chacha20poly1305`](https://docs.rs/chacha20poly1305)), and the blocks of one opening are a STREAM (Hoang,
//! Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015; the
//! crate [`aead-stream`](https://docs.rs/aead-stream)): one that was changed, moved, doubled or taken out is found.
//!
//! ```
//! use std::io::{Read, Write};
//! use tracing_handlers::encryption::{End, Key, Keys, Reader};
//! use tracing_handlers::sink;
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("app.log.enc");
//! let keys = Keys::new(Key::from_bytes([7; 32])); // or Key::from_env("LOG_KEY")?
//! let mut file = sink::File::options().encrypt(keys.clone()).open(&path)?;
//! file.write_all(b"ada sold 3 pieces\n")?;
//! drop(file);
//! assert!(!std::fs::read(&path)?.windows(3).any(|bytes| bytes == b"ada"));
//!
//! let mut reader = Reader::open(&path, keys)?;
//! let mut text = String::new();
//! reader.read_to_string(&mut text)?;
//! assert_eq!((text.as_str(), reader.end()), ("ada sold 3 pieces\n", End::Closed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`read::Reader::keys`](crate::read::Reader::keys) reads a file and its old ones, line by line.
//!
//! # What a file looks like
//!
//! One stream after another, a new one with each opening of the file:
//!
//! | part | bytes | what |
//! |---|---|---|
//! | header | 8 | `89 54 48 45 4e 43 0d 0a` ([`MAGIC`]) |
//! | | 1 | version: 1 |
//! | | 8 | [key id](KeyId): the first bytes of HMAC-SHA-256 of `tracing-handlers encryption 1 key\0` under the key |
//! | | 19 | the random part of the nonces; a counter of 4 bytes and a flag for the last block follow it (`STREAM-BE32`) |
//! | block | 4 | kind (1; the last of a stream is 2), and the length of what follows, 24 bits, the most significant first |
//! | | 4 | the same, each bit turned |
//! | | 1 to 65,552 | the encrypted bytes, and a tag of 16 bytes |
//!
//! The header is authenticated with the first block, and so is the tag of the last block before it in the file: a stream
//! cannot be cut short, taken out or moved while another one follows it in the same file. A block adds 24 bytes, an
//! opening 36, and a close 24. Without a [buffer](crate::sink::FileOptions::buffer) each batch is a block, on the
//! logging thread each line; with `buffer(64 * 1024)` there are few, and the file is shorter and written faster.
//!
//! # What is protected, and what is not
//!
//! - Nobody without the key reads a line, and none can change one, or the order, unnoticed.
//! - Everybody who reads the file sees how long it is, how long each batch was and when it came, and which key it was.
//! - That the **end** was cut off, between two blocks, looks like a crash: [`End::Open`] instead of [`End::Closed`]. Whole
//!   files that are removed or exchanged for one another are not found: [`seal`](crate::seal) does that, and the two do not go together.
//! - Lines lie in the memory of the process (queue, buffers), and with it in swap and core dumps, and so does the key.
//! - One who breaks into the host reads the key there: it opens all files that were written with it. Turn keys now and then.
//!
//! # After a crash
//!
//! When the file is opened again, it is read and authenticated from its beginning (about a second for each GiB, and only as
//! long as a file gets under its rotation); an incomplete block at its end is cut off, and a new stream begins. Where a
//! complete block does not authenticate, or no key fits, opening is an error and nothing is written. So it is with a file
//! whose end a power failure filled with zeros: it must be moved away.
//!
//! # Turning keys
//!
//! `Keys::new(new).and(old)`: what is written is written with the new key, a file that the old one began goes on in a new
//! stream, and the reader takes both.

mod format;
mod keys;
mod reader;
mod stream;
mod writer;

pub use crate::file::key::{Key, KeyId};
pub use format::MAGIC;
pub use keys::Keys;
pub use reader::{End, Reader};
pub use writer::Writer;

pub(crate) use format::{BLOCK, BLOCK_OVERHEAD, HEADER};
pub(crate) use stream::{Encrypter, Tag};
