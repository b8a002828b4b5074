//! The envelope of a frame. It is the same in every version and never changes.

use std::fmt;

use crc32fast::Hasher;

use super::{Id, Limits};
use crate::{Error, ErrorKind};

/// A frame whose checksums match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Its length in bytes, including the head. The next frame begins behind it.
    pub len: usize,
    /// The id it was written with.
    pub id: Option<Id>,
    /// The version of its body.
    pub version: u8,
    /// The kind of its body; 1 is a record.
    pub kind: u8,
}

/// Why a frame cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// What is wrong.
    pub fault: Fault,
    /// The length of the frame in bytes, so that a reader can skip it; possibly more than have arrived yet. `None` if the head
    /// is damaged: then it is unknown where the next frame begins.
    pub len: Option<usize>,
}

impl Rejected {
    /// A rejection for this reason of a frame of this length.
    pub const fn new(fault: Fault, len: Option<usize>) -> Self {
        Self { fault, len }
    }
}

/// What is wrong with a frame. New faults may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes do not begin with the head of a frame, or the head is damaged.
    Head,
    /// The body, or the checksum of the whole frame, is damaged.
    Body,
    /// The checksums match, but the body is not a valid record: its writer is faulty or malicious.
    Malformed,
    /// It exceeds one of the [`Limits`].
    TooLarge,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.fault {
            Fault::Head => "not a frame, or its head is damaged",
            Fault::Body => "the frame is damaged",
            Fault::Malformed => "the frame is malformed",
            Fault::TooLarge => "the frame exceeds the limits",
        })
    }
}

impl std::error::Error for Rejected {}

/// The error has the kind [`ErrorKind::Format`].
impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::new(ErrorKind::Format, "cannot read a frame").with_source(rejected)
    }
}

/// What [`open`] found.
pub(super) enum Opened<'a> {
    Whole(Frame, &'a [u8]),
    Incomplete { missing: usize },
}

/// Verifies the frame at the front of `bytes` without interpreting its body.
#[inline]
pub(super) fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Opened<'a>, Rejected> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else { return begun(bytes) };
    let mut hasher = Hasher::new();
    hasher.update(&head[..CHECKED]);
    let damaged = Rejected { fault: Fault::Head, len: None };
    if head[..2] != MARKER || hasher.clone().finalize() != u32_at(head, CHECKED) {
        return Err(damaged);
    }
    let len = u32_at(head, 4) as usize;
    let whole = len.checked_add(HEAD).ok_or(damaged)?;
    if whole > limits.frame {
        return Err(Rejected { fault: Fault::TooLarge, len: Some(whole) });
    }
    let Some(body) = rest.get(..len) else { return Ok(Opened::Incomplete { missing: len - rest.len() }) };
    hasher.update(body);
    if hasher.finalize() != u32_at(head, CHECKED + 4) {
        return Err(Rejected { fault: Fault::Body, len: Some(whole) });
    }
    let id = Id::from_bytes(*head[8..].first_chunk().expect("a head is longer than 24 bytes"));
    Ok(Opened::Whole(Frame { len: whole, id, version: head[2], kind: head[3] }, body))
}

/// For bytes that are too short for a head: the marker shows whether they can become one.
fn begun(bytes: &[u8]) -> Result<Opened<'_>, Rejected> {
    match bytes.iter().zip(MARKER).all(|(byte, marker)| *byte == marker) {
        true => Ok(Opened::Incomplete { missing: HEAD - bytes.len() }),
        false => Err(Rejected { fault: Fault::Head, len: None }),
    }
}

/// Fills in the head of the frame that `out` consists of; `None` if its length does not fit.
pub(super) fn seal(out: &mut [u8], kind: u8, id: Option<Id>) -> Option<()> {
    let (head, body) = out.split_first_chunk_mut::<HEAD>()?;
    let len = u32::try_from(body.len()).ok()?;
    head[..2].copy_from_slice(&MARKER);
    head[2] = VERSION;
    head[3] = kind;
    head[4..8].copy_from_slice(&len.to_le_bytes());
    head[8..CHECKED].copy_from_slice(&id.map_or([0; 16], Id::to_bytes));
    let mut hasher = Hasher::new();
    hasher.update(&head[..CHECKED]);
    head[CHECKED..CHECKED + 4].copy_from_slice(&hasher.clone().finalize().to_le_bytes());
    hasher.update(body);
    head[CHECKED + 4..].copy_from_slice(&hasher.finalize().to_le_bytes());
    Some(())
}

#[inline]
fn u32_at(head: &[u8; HEAD], at: usize) -> u32 {
    u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

pub(super) const HEAD: usize = 32;
pub(super) const VERSION: u8 = 1;
pub(super) const RECORD: u8 = 1;
/// The length of what the first checksum covers.
const CHECKED: usize = 24;
/// The first byte does not occur in UTF-8, so that text is never taken for a frame.
const MARKER: [u8; 2] = [0xf5, b'T'];
