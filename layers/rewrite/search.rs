use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Detector;
use super::detector::{Detectors, Folded, Match};
use super::mask::Mask;

/// Everything to look for in texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Searches {
    detectors: Detectors,
    custom: Vec<Custom>,
    /// How many of the last digits of a card number stay visible.
    pub(super) last_digits: usize,
}

/// Finds matches of a regular expression.
#[derive(Clone)]
struct Custom(Arc<Find>);

/// Returns the next match at an offset or after it; never an empty one.
type Find = dyn Fn(&str, usize) -> Option<Range<usize>> + Send + Sync;

/// Buffers that are reused for the next text.
#[derive(Default)]
pub(super) struct SearchBuffers {
    matches: Vec<Match>,
    folded: Folded,
}

impl SearchBuffers {
    pub(super) fn capacity(&self) -> usize {
        self.matches.capacity() * size_of::<Match>() + self.folded.capacity()
    }
}

impl Searches {
    pub(super) fn add(&mut self, detector: Detector) {
        self.detectors.add(detector);
    }

    #[cfg_attr(not(feature = "regex"), expect(dead_code, reason = "only regular expressions use it"))]
    pub(super) fn add_custom(&mut self, find: impl Fn(&str, usize) -> Option<Range<usize>> + Send + Sync + 'static) {
        self.custom.push(Custom(Arc::new(find)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.detectors.is_empty() && self.custom.is_empty()
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        self.detectors.has(Detector::Pair) && Detector::Pair.is_name(name)
    }

    pub(super) fn is_number(&self, digits: u128) -> bool {
        self.detectors.has(Detector::Card) && Detector::Card.is_number(digits)
    }

    pub(super) fn finds_any(&self, text: &str, memory: &mut SearchBuffers) -> bool {
        self.detectors.find(text, &mut memory.folded, &mut memory.matches);
        !memory.matches.is_empty() || self.custom.iter().any(|custom| custom.0(text, 0).is_some())
    }

    /// Appends `text` with all matches masked. Returns `false` and appends nothing if there are none. Overlapping matches are masked
    /// as one.
    pub(super) fn hide(&self, text: &str, mask: &Mask, memory: &mut SearchBuffers, out: &mut String) -> bool {
        self.hide_around(text, &[], mask, memory, out)
    }

    /// The same in a text of which these ranges, in ascending order, are masked already: a match within one of them is a part of a
    /// mask.
    pub(super) fn hide_around(
        &self,
        text: &str,
        masked: &[Range<usize>],
        mask: &Mask,
        memory: &mut SearchBuffers,
        out: &mut String,
    ) -> bool {
        self.detectors.find(text, &mut memory.folded, &mut memory.matches);
        for custom in &self.custom {
            let mut from = 0;
            while let Some(range) = custom.0(text, from) {
                from = range.end;
                memory.matches.push(Match { range, detector: None });
            }
        }
        memory.matches.retain(|found| !is_within(&found.range, masked));
        if memory.matches.is_empty() {
            return false;
        }
        self.write(text, mask, memory, out);
        true
    }

    fn write(&self, text: &str, mask: &Mask, memory: &mut SearchBuffers, out: &mut String) {
        let SearchBuffers { matches, folded } = memory;
        matches.sort_unstable_by_key(|found| found.range.start);
        let mut done = 0;
        let mut rest = matches.as_slice();
        while let [first, others @ ..] = rest {
            let mut end = first.range.end;
            let overlapping = others.iter().take_while(|other| {
                let overlaps = other.range.start < end;
                end = end.max(if overlaps { other.range.end } else { 0 });
                overlaps
            });
            let overlapping = overlapping.count();
            out.push_str(&text[done..first.range.start]);
            let secret = &text[first.range.start..end];
            match first.detector {
                Some(Detector::Card) if overlapping == 0 => {
                    folded.fold(secret);
                    self.write_card(folded.text(), mask, out);
                }
                _ => mask.write(secret, out),
            }
            done = end;
            rest = &others[overlapping..];
        }
        out.push_str(&text[done..]);
    }

    /// Masks a card number, of which the last digits may stay; a mask that reads the secret receives the digits alone.
    pub(super) fn write_card(&self, card: &str, mask: &Mask, out: &mut String) {
        let digits = || card.bytes().filter(u8::is_ascii_digit);
        if mask.reads() {
            let (mut plain, mut len) = ([0; 19], 0);
            digits().zip(&mut plain).for_each(|(digit, place)| {
                *place = digit;
                len += 1;
            });
            return mask.write(std::str::from_utf8(&plain[..len]).unwrap_or(card), out);
        }
        mask.write(card, out);
        out.extend(digits().skip(digits().count().saturating_sub(self.last_digits)).map(char::from));
    }
}

/// Whether the range lies within one of the others, which are in ascending order.
fn is_within(range: &Range<usize>, others: &[Range<usize>]) -> bool {
    others.get(others.partition_point(|other| other.end < range.end)).is_some_and(|other| other.start <= range.start)
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("custom")
    }
}
