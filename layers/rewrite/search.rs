use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Detector;
use super::mask::Mask;

/// Everything to look for in texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Searches {
    all: Vec<Search>,
    /// How many of the last digits of a card number stay visible.
    pub(super) last_digits: usize,
}

#[derive(Clone)]
enum Search {
    Known(Detector),
    Custom(Arc<Find>),
}

/// Returns the next match at an offset or after it; never an empty one.
type Find = dyn Fn(&str, usize) -> Option<Range<usize>> + Send + Sync;

impl Searches {
    pub(super) fn add(&mut self, detector: Detector) {
        self.all.push(Search::Known(detector));
    }

    #[cfg_attr(not(feature = "regex"), expect(dead_code, reason = "only regular expressions use it"))]
    pub(super) fn add_custom(&mut self, find: impl Fn(&str, usize) -> Option<Range<usize>> + Send + Sync + 'static) {
        self.all.push(Search::Custom(Arc::new(find)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        self.known().any(|detector| detector.is_name(name))
    }

    pub(super) fn is_number(&self, digits: u128) -> bool {
        self.known().any(|detector| detector.is_number(digits))
    }

    pub(super) fn finds_any(&self, text: &str) -> bool {
        self.all.iter().any(|search| search.find(text, 0).is_some())
    }

    /// Appends `text` with all matches masked. Returns `false` and appends nothing if there are none. Overlapping matches are masked
    /// as one. `nexts` is scratch memory.
    pub(super) fn hide(
        &self,
        text: &str,
        mask: &Mask,
        nexts: &mut Vec<Option<Range<usize>>>,
        out: &mut String,
    ) -> bool {
        nexts.clear();
        nexts.extend(self.all.iter().map(|search| search.find(text, 0)));
        let mut done = 0;
        while let Some(start) = nexts.iter().flatten().map(|range| range.start).min() {
            let (end, is_card) = self.advance(text, start, nexts);
            out.push_str(&text[done..start]);
            match is_card {
                true => self.write_card(&text[start..end], mask, out),
                false => mask.write(&text[start..end], out),
            }
            done = end;
        }
        if done > 0 {
            out.push_str(&text[done..]);
        }
        done > 0
    }

    /// Skips the match that begins at `start` and all that overlap it. Returns where they end, and whether it is a single card number.
    fn advance(&self, text: &str, start: usize, nexts: &mut [Option<Range<usize>>]) -> (usize, bool) {
        let (mut end, mut found, mut cards) = (start + 1, 0, 0);
        loop {
            let before = found;
            for (search, next) in self.all.iter().zip(&mut *nexts) {
                while let Some(range) = next.take_if(|range| range.start < end) {
                    end = end.max(range.end);
                    found += 1;
                    cards += usize::from(matches!(search, Search::Known(Detector::Card)));
                    *next = search.find(text, range.end);
                }
            }
            if found == before {
                return (end, found == 1 && cards == 1);
            }
        }
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

    fn known(&self) -> impl Iterator<Item = Detector> {
        self.all.iter().filter_map(|search| match search {
            Search::Known(detector) => Some(*detector),
            Search::Custom(_) => None,
        })
    }
}

impl Search {
    fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        match self {
            Self::Known(detector) => detector.find(text, from),
            Self::Custom(find) => find(text, from),
        }
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(detector) => fmt::Debug::fmt(detector, f),
            Self::Custom(_) => f.write_str("custom"),
        }
    }
}
