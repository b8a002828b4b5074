//! What all lines of one callsite have in common, joined ahead.

use std::sync::OnceLock;

use crate::Severity;
use crate::bytes::Block;
use crate::record::Callsite;

/// A line as an alternation of what is constant and what is not.
#[derive(Debug)]
pub(super) struct Line {
    /// That of the callsite: a record with another one is not written by this.
    pub(super) severity: Severity,
    pub(super) steps: Box<[Step]>,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) constant: Option<Block>,
    pub(super) then: Then,
}

/// What follows upon something constant.
#[derive(Debug)]
pub(super) enum Then {
    /// The time, whose key and quotes are constant.
    Time,
    /// The message, which is the part with this index.
    Message(usize),
    /// The fields, in the object itself.
    Fields,
    /// The spans, which are the part with this index.
    Spans(usize),
    /// The part with this index.
    Part(usize),
    End,
}

impl Step {
    /// Empties `constant`.
    pub(super) fn new(constant: &mut Vec<u8>, then: Then) -> Self {
        let constant = std::mem::take(constant);
        Self { constant: (!constant.is_empty()).then(|| Block::new(&constant)), then }
    }
}

/// The lines of all callsites, each made when it is wanted first.
#[derive(Debug)]
pub(super) struct Lines(Box<[OnceLock<Chunk>]>);

/// `None`: a callsite whose lines have to be written part by part.
type Chunk = Box<[OnceLock<Option<Line>>]>;

impl Lines {
    /// The line of `callsite`, which `join` makes; `None` beyond what is kept.
    #[inline]
    pub(super) fn of(&self, callsite: &Callsite, join: impl FnOnce() -> Option<Line>) -> Option<&Option<Line>> {
        let index = callsite.id() as usize;
        let chunk = self.0.get(index / CHUNK)?.get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        let line = chunk.get(index % CHUNK)?;
        if line.get().is_none() {
            // Not by `get_or_init`: a fork meanwhile would leave the child with a line that nobody finishes.
            let _ = line.set(join());
        }
        line.get()
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self((0..CHUNKS).map(|_| OnceLock::new()).collect())
    }
}

/// What the original joined is soon joined again.
impl Clone for Lines {
    fn clone(&self) -> Self {
        Self::default()
    }
}

const CHUNK: usize = 64;
const CHUNKS: usize = 64;
