//! One pass over a text for all detectors.

use std::cmp::Reverse;
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

    /// Replaces the contents of `matches` by all matches in `text`, in ascending order. Of one detector, none lies within another.
    ///
    /// If characters have to be folded, that is what is found in the text as it is and in the folded text: a character that folding
    /// replaces may be part of a secret, separate it from something else, or be hidden in it.
    pub(in crate::rewrite) fn find(self, text: &str, folded: &mut Folded, matches: &mut Vec<Match>) {
        matches.clear();
        if self.is_empty() || !Scan::new(text, self, matches).run() {
            return;
        }
        folded.fold(text);
        let plain = matches.len();
        Scan::new(folded.text(), self, matches).run();
        matches[plain..].iter_mut().for_each(|found| found.range = folded.original(found.range.clone()));
        drop_inner(matches);
    }
}

/// Drops the matches that equal another one of the same detector or lie within it.
fn drop_inner(matches: &mut Vec<Match>) {
    matches.sort_unstable_by_key(|found| (found.range.start, Reverse(found.range.end)));
    let mut ends = [0; Detector::ALL.len()];
    matches.retain(|found| {
        let Some(end) = found.detector.map(|detector| &mut ends[detector as usize]) else { return true };
        let is_outer = found.range.end > *end;
        *end = found.range.end.max(*end);
        is_outer
    });
}

/// The state of a pass.
struct Scan<'s> {
    text: &'s str,
    wanted: Detectors,
    /// Whether the text has to be folded.
    folds: bool,
    matches: &'s mut Vec<Match>,
    /// The ends of the last matches.
    ends: [usize; Detector::ALL.len()],
    /// Words and runs of addresses are examined once, up to here.
    words: usize,
    runs: usize,
}

impl<'s> Scan<'s> {
    fn new(text: &'s str, wanted: Detectors, matches: &'s mut Vec<Match>) -> Self {
        Self { text, wanted, folds: false, matches, ends: [0; Detector::ALL.len()], words: 0, runs: 0 }
    }

    /// Returns whether the text has to be folded.
    fn run(mut self) -> bool {
        each_trigger(self.text.as_bytes(), |at| self.see(at));
        self.folds
    }

    /// Looks for secrets at a trigger.
    #[inline]
    fn see(&mut self, at: usize) {
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
            _ => self.folds = self.folds || fold::matters(self.text, at),
        }
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
