//! Sealed logs: every change is detectable.
//!
//! A sealed log is an ordinary text file in which each line ends in a seal, with checkpoints (lines of their own) here and
//! there. Those who have the key can [`verify`](verify()) that no line was changed, removed, inserted or moved since it was written, in
//! one file or in a rotated family of files. Those who do not have it can read the log, but cannot change it unnoticed.
//!
//! ```
//! use std::io::Write;
//! use tracing_handlers::seal::{self, Key, Seal, Unverified};
//! use tracing_handlers::sink;
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("audit.log");
//! let key = Key::from_bytes([7; 32]); // or Key::from_file("/etc/shop/seal.key")?
//! let mut file = sink::File::options().seal(Seal::new(key.clone())).open(&path)?;
//! file.write_all(b"ada sold 3 pieces\n")?;
//! file.write_all(b"bob sold 5 pieces\n")?;
//! drop(file);
//!
//! let verified = seal::verify(&path, &key)?;
//! assert!(verified.lines == 2 && verified.closed);
//!
//! let forged = std::fs::read_to_string(&path)?.replace("sold 5", "sold 9");
//! std::fs::write(&path, forged)?;
//! let Err(Unverified::Broken(broken)) = seal::verify(&path, &key) else { panic!("it was changed") };
//! assert_eq!(broken[0].line, 3, "the first line is a checkpoint");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Format
//!
//! ```text
//! {"seal.checkpoint":"begin","key":"…","chain":"…","lines":0,"from":"0000…","time":"2026-11-21T10:40:29Z","cut":0,"seal":"…"}
//! {"level":"INFO","message":"sold","seal":"5d41402abc4b2a76b9719d911017c592"}
//! ```
//!
//! A JSON object gets `seal` as its last member (an existing member of that name stays, so that there are two); any other
//! line gets ` seal=` at its end. Both are followed by 32 lower-case hexadecimal digits. The seal is an HMAC-SHA-256
//! (RFC 2104), truncated to 128 bits, of the line, its number, the name of the chain, and the previous seal: the chain of
//! MACs described by Bellare and Yee, and by Schneier and Kelsey, with one key throughout. In a record of several lines each
//! line has a seal, and a record that does not end in a line feed gets one.
//!
//! A checkpoint states how many lines are before it (`lines`), the seal it continues from (`from`), and when it was
//! written. There is one at the beginning of each file (`begin`), which links the files of a rotated family, so that a file
//! missing between two others is detected; when a file is opened again (`continue`); every 1,000 lines (`count`); and at
//! the end of a file that was closed (`close`): by dropping the sink, by rotation, or at the
//! [end of the process](crate::process).
//!
//! # After a crash
//!
//! The chain continues after the last whole line. The remains of a torn line are cut off, and the checkpoint there states
//! how many bytes they were (`cut`). A file whose last lines do not verify, that is sealed with another key, or that is not
//! sealed is not written to: opening it fails.
//!
//! # Limits
//!
//! - A log whose **end** was cut off between two lines looks like a log after a crash. To detect this, keep the
//!   [`Head`] that `verify` returns in another place, and [expect](Verifier::expect) it the next time. The removal of archives
//!   at the **front** looks like retention: [`Verified::first`] is the number of missing lines.
//! - An attacker who **has the key** (who breaks into the host, for example) can rewrite the log. Key
//!   evolution (Bellare and Yee 1997, Schneier and Kelsey 1999), which protects lines written before a break-in, is
//!   not supported; send the heads, or the log, to another host.
//! - The time of a line is known only from the checkpoints around it, whose times come from the host's clock.
//!
//! - If **all** files are replaced by those of another log that was sealed with the same key, the result is genuine, but
//!   another log. Use a key for each log, or expect a head.
//!
//! [`verify`](verify()) covers all that a [`Reader`](crate::read::Reader) shows under the name of the log: any other file that the reader would
//! take for one of the log is reported. What everyone can and cannot do is on a [page of the guide](crate::guide::security).
//!
//! Several processes cannot write one sealed file, and a forked child cannot continue its parent's. While a process has the file open, it
//! holds a lock on `.NAME.lock` beside it, which only those can open who may write to the log; a forked child does not inherit it.

mod chain;
mod checkpoint;
mod files;
mod flaw;
mod head;
mod line;
mod lines;
mod mark;
mod options;
mod resume;
mod sealer;
mod unpack;
mod verified;
mod verify;
mod walk;

pub use crate::file::key::{Key, KeyId};
pub use flaw::{Broken, Flaw};
pub use head::Head;
pub use options::Seal;
pub use verified::{Unverified, Verified};
pub use verify::{Verifier, verify};

pub(crate) use checkpoint::Kind;
pub(crate) use sealer::{CHECKPOINT, Place, Sealer};
