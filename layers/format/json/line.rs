//! The prepared bytes that all lines of one callsite have in common.

use super::keys::JsonKeys;
use crate::Severity;
use crate::bytes::Block;
use crate::record::PerCallsite;

/// A prepared line: constant and variable pieces alternate.
#[derive(Debug)]
pub(super) struct Line {
    /// The callsite's severity. Records with another severity are written part by part.
    pub(super) severity: Severity,
    pub(super) keys: &'static JsonKeys,
    pub(super) steps: Box<[Step]>,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) constant: Option<Block>,
    pub(super) then: Then,
}

/// The variable piece that follows a constant piece.
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
    /// Creates a step and leaves `constant` empty.
    pub(super) fn new(constant: &mut Vec<u8>, then: Then) -> Self {
        let constant = std::mem::take(constant);
        Self { constant: (!constant.is_empty()).then(|| Block::new(&constant)), then }
    }
}

/// The lines of all callsites, each prepared at first use. `None` marks a callsite whose lines are written part by part.
#[derive(Debug)]
pub(super) struct Lines(pub(super) Box<PerCallsite<Option<Line>>>);

impl Default for Lines {
    fn default() -> Self {
        Self(Box::new(PerCallsite::new()))
    }
}

/// The lines of a clone are prepared again.
impl Clone for Lines {
    fn clone(&self) -> Self {
        Self::default()
    }
}
