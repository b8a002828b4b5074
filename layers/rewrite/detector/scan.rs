//! One pass over a text for all detectors.

use std::ops::Range;

use super::fold::{self, Folded};
use super::window::each_trigger;
use super::{Detector, card, email, ip, pair, token};

/// A set of detectors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::rewrite) struct Detectors(u8);

/// A match of a detector.
#[derive(Debug, PartialEq)]
pub(in crate::rewrite) struct Match {
    pub(in crate::rewrite) range: Range<usize>,
    /// `None` for a regular expression.
    pub(in crate::rewrite) detector: Option<Detector>,
}

impl Detectors {
    pub(in crate::rewrite) fn add(&mut self, detector: Detector) {
        self.0 |= 1 << detector as u8;
    }

    pub(in crate::rewrite) fn has(self, detector: Detector) -> bool {
        self.0 & 1 << detector as u8 != 0
    }

    pub(in crate::rewrite) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Replaces the contents of `matches` by all matches in `text`. Those of one detector are in ascending order and do not overlap.
    ///
    /// Returns whether characters had to be folded first. `folded` then contains the text that the ranges refer to.
    pub(in crate::rewrite) fn find(self, text: &str, folded: &mut Folded, matches: &mut Vec<Match>) -> bool {
        matches.clear();
        if self.is_empty() || Scan::new(text, self, false, matches).run() {
            return false;
        }
        folded.fold(text);
        matches.clear();
        Scan::new(folded.text(), self, true, matches).run();
        true
    }
}

/// The state of a pass.
struct Scan<'s> {
    text: &'s str,
    wanted: Detectors,
    is_folded: bool,
    matches: &'s mut Vec<Match>,
    /// The ends of the last matches.
    ends: [usize; Detector::ALL.len()],
    /// Words and runs of addresses are examined once, up to here.
    words: usize,
    runs: usize,
}

impl<'s> Scan<'s> {
    fn new(text: &'s str, wanted: Detectors, is_folded: bool, matches: &'s mut Vec<Match>) -> Self {
        Self { text, wanted, is_folded, matches, ends: [0; Detector::ALL.len()], words: 0, runs: 0 }
    }

    /// Returns `false` if the text has to be folded.
    fn run(&mut self) -> bool {
        each_trigger(self.text.as_bytes(), |at| self.see(at))
    }

    /// Looks for secrets at a trigger.
    #[inline]
    fn see(&mut self, at: usize) -> bool {
        match self.text.as_bytes()[at] {
            b'@' => self.look(Detector::Email, at, email::at),
            b'=' => self.look(Detector::Pair, at, pair::at),
            b':' => {
                self.look(Detector::Pair, at, pair::at);
                self.look_at_run(at);
            }
            b'.' => self.look_at_run(at),
            b'0'..=b'9' => {
                self.look(Detector::Card, at, card::at);
                if token::may_be_google(self.text.as_bytes(), at) {
                    self.look_at_word(at);
                }
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-' => self.look_at_word(at),
            _ => return self.is_folded || !fold::matters(self.text, at),
        }
        true
    }

    #[inline]
    fn look(&mut self, detector: Detector, at: usize, find: fn(&str, usize, usize) -> Option<Range<usize>>) {
        let from = self.ends[detector as usize];
        if at >= from
            && self.wanted.has(detector)
            && let Some(range) = find(self.text, from, at)
        {
            self.matched(detector, range);
        }
    }

    #[inline]
    fn look_at_word(&mut self, at: usize) {
        if at < self.words || !self.wanted.has(Detector::Token) {
            return;
        }
        let from = self.ends[Detector::Token as usize];
        let (found, end) = token::in_word(self.text, from, self.words, at);
        self.words = end;
        if let Some(range) = found {
            self.words = range.end;
            self.matched(Detector::Token, range);
        }
    }

    #[inline]
    fn look_at_run(&mut self, at: usize) {
        while at >= self.runs && self.wanted.has(Detector::Ip) && ip::may_be_in(self.text.as_bytes(), at) {
            let (found, end) = ip::in_run(self.text, self.runs, at);
            self.runs = end;
            if let Some(range) = found {
                self.runs = range.end;
                self.matched(Detector::Ip, range);
            }
        }
    }

    fn matched(&mut self, detector: Detector, range: Range<usize>) {
        self.ends[detector as usize] = range.end;
        self.matches.push(Match { range, detector: Some(detector) });
    }
}
