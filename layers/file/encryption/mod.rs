//! Encrypted log files.
//!
//! Each batch of lines becomes a block that is encrypted and authenticated by XChaCha20-Poly1305 (RFC 8439 with the extended
//! nonce of draft-irtf-cfrg-xchacha; the crate [`chacha20poly1305`](https://docs.rs/chacha20poly1305)). The blocks written
//! between opening and closing a file form a STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, "Online
//! Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015; the crate
//! [`aead-stream`](https://docs.rs/aead-stream)), so that changed, moved, repeated and removed blocks are detected.
//!
//! ```
//! use std::io::{Read, Write};
//! use tracing_handlers::encryption::{Decryptor, End, Key, Keys};
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
//! let mut decryptor = Decryptor::open(&path, keys)?;
//! let mut text = String::new();
//! decryptor.read_to_string(&mut text)?;
//! assert_eq!((text.as_str(), decryptor.end()), ("ada sold 3 pieces\n", End::Closed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`read::Reader::keys`](crate::read::Reader::keys) reads a file and its archives, line by line.
//!
//! # Format
//!
//! A file is a sequence of streams, one for each time it was opened:
//!
//! | part | bytes | content |
//! |---|---|---|
//! | header | 8 | `89 54 48 45 4e 43 0d 0a` ([`MAGIC`]) |
//! | | 1 | version: 1 |
//! | | 8 | [key id](KeyId): the first bytes of the HMAC-SHA-256 of `tracing-handlers encryption 1 key\0` under the key |
//! | | 19 | the random part of the nonces, which is followed by a counter of 4 bytes and a flag for the last block (`STREAM-BE32`) |
//! | block | 4 | kind (1; 2 for the last block of a stream), and the length of the data as 24 bits, big-endian |
//! | | 4 | the same, each bit inverted |
//! | | 1 to 65,552 | the encrypted bytes, and a tag of 16 bytes |
//!
//! The first block authenticates the header and the tag of the last block before it in the file: a stream cannot be truncated,
//! removed or moved while another one follows it in the same file. A block adds 24 bytes, opening the file 36, and
//! closing it 24. Without a [buffer](crate::sink::FileOptions::buffer) each batch is a block; on the logging thread that is each
//! line. With `buffer(64 * 1024)` there are fewer blocks, and the file is shorter and written faster.
//!
//! # What is protected
//!
//! - Without the key, lines can neither be read, nor changed or reordered unnoticed.
//! - Anyone who can read the file sees its length, the length and time of each batch, and the key id.
//! - A file whose **end** was cut off between two blocks looks like one after a crash: [`End::Open`] instead of
//!   [`End::Closed`]. Removed or exchanged files are not detected; [`seal`](crate::seal) detects them, but cannot be combined
//!   with encryption.
//! - Lines and the key are in the memory of the process (queues, buffers), and so also in swap space and core dumps.
//! - An attacker who breaks into the host can read the key, which decrypts all files written with it. Change keys from time to
//!   time.
//!
//! - A nonce is never used twice: a forked child does not continue a stream of its parent, even if both have the same
//!   process id.
//!
//! While a process has the file open, it holds a lock on `.NAME.lock` beside it, which only those can open who may write to the log; a
//! forked child does not inherit it. What everyone can and cannot do is on a [page of the guide](crate::guide::security).
//!
//! # After a crash
//!
//! When the file is opened again, it is read and authenticated from its beginning (about a second for each GiB, and at most as
//! much as its rotation allows); an incomplete block at its end is cut off, and a new stream begins. If a
//! complete block does not authenticate, or no key fits, opening fails and nothing is written. The same applies to a file
//! whose end was filled with zeros by a power failure: move it away.
//!
//! # Changing keys
//!
//! `Keys::new(new).and(old)` writes with the new key and reads with both. A file that was begun with the old key is continued
//! in a new stream.

mod decryptor;
mod encryptor;
mod format;
mod keys;
mod stream;

pub use crate::file::key::{Key, KeyId};
pub use decryptor::{Decryptor, End};
pub use encryptor::Encryptor;
pub use format::MAGIC;
pub use keys::Keys;

pub(crate) use format::{BLOCK, BLOCK_OVERHEAD, HEADER};
pub(crate) use stream::{BlockEncryptor, Tag};
