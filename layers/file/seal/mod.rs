//! Logs in which every change shows.
//!
//! A sealed log is a text like any other: each line ends in a seal, and here and there stands a checkpoint, a line of its
//! own. Who has the key can [`verify`] that no line was changed, removed, inserted or moved since it was written, in one
//! file or in a rotated family of them. Who does not have it can read the log, and cannot change it unnoticed.
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
//! # What a file looks like
//!
//! ```text
//! {"seal.checkpoint":"begin","key":"…","chain":"…","lines":0,"from":"0000…","time":"2026-11-21T10:40:29Z","cut":0,"seal":"…"}
//! {"level":"INFO","message":"sold","seal":"5d41402abc4b2a76b9719d911017c592"}
//! ```
//!
//! A line that is a JSON object gets a last member `seal`, any other line gets ` seal=` at its end, both with 32 lower-case
//! hexadecimal digits. An object that has a member of that name already then has two. The seal is an HMAC-SHA-256 (RFC 2104), cut to 128 bits, of the line, its running number, the name
//! of the chain, and the seal of the line before it: the chain of MACs that Bellare and Yee, and Schneier and Kelsey, build
//! their logs of, with one key throughout. A record of several lines has a seal on each, and a record that does not end in a
//! line feed gets one.
//!
//! Checkpoints say how many lines stand before them (`lines`), the seal that they go on from (`from`), and when they were
//! written. There is one at the beginning of each file (`begin`; so the files of a rotated family link to one another, and a
//! file that is missing between two others is found), when a file is opened again (`continue`), every 1,000 lines
//! (`count`) and at the end of a file that was closed (`close`): by dropping the sink, by rotation, or at the
//! [end of the process](crate::process).
//!
//! # After a crash
//!
//! The chain goes on behind the last whole line. What the crash left of a torn line is cut off, and the checkpoint there
//! says how many bytes it was (`cut`). A file whose last lines do not verify, that is sealed with another key, or not at all,
//! is not written to: opening it is an error.
//!
//! # What it cannot tell
//!
//! - That the **end** was cut off between two lines: so looks a log after a crash. Whoever wants to know keeps the
//!   [`Head`] that `verify` gives elsewhere, and [expects](Verifier::expect) it the next time. That old files were removed
//!   from the **front** looks like retention: [`Verified::first`] says how many lines are not there.
//! - Anything about one who **has the key**: one who breaks into the host reads it there, and can write the log anew. Key
//!   evolution (Bellare and Yee 1997, Schneier and Kelsey 1999), which protects what was written before the break-in, is
//!   not supported; send the heads, or the log, to another host.
//! - When a line was written, beyond the times of the checkpoints around it, which the host's clock gave.
//!
//! Several processes cannot write one sealed file, nor can a forked child go on with its parent's.

mod chain;
mod checkpoint;
mod files;
mod head;
mod mark;
mod resume;
mod sealer;
mod unpack;
mod verify;
mod walk;

pub use crate::file::key::{Key, KeyId};
pub use head::Head;
pub use verify::{Broken, Unverified, Verified, Verifier, What, verify};

pub(crate) use checkpoint::Kind;
pub(crate) use sealer::{CHECKPOINT, Place, Sealer};

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, System};

/// How a log is sealed: [`FileOptions::seal`](crate::sink::FileOptions::seal).
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`every`](Self::every) | 1,000 | a checkpoint after so many lines |
/// | [`clock`](Self::clock) | the system's | where the times of checkpoints come from |
#[derive(Clone)]
pub struct Seal {
    key: Key,
    every: u64,
    clock: Arc<dyn Clock>,
}

impl Seal {
    /// With this key.
    pub fn new(key: Key) -> Self {
        Self { key, every: 1_000, clock: Arc::new(System) }
    }

    /// A checkpoint after so many lines, at least 1. It makes up for broken lines: behind one, checking starts again.
    pub fn every(mut self, lines: u64) -> Self {
        self.every = lines.max(1);
        self
    }

    /// Where the times of checkpoints come from.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

/// Without the key.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("every", &self.every).finish_non_exhaustive()
    }
}
