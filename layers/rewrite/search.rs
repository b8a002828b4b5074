use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Pattern;
use super::mask::Mask;

/// Everything that is looked for in texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Searches {
    all: Vec<Search>,
    /// How many of the last digits of a card's number stay.
    pub(super) last_digits: usize,
}

#[derive(Clone)]
enum Search {
    Known(Pattern),
    Own(Arc<Find>),
}

/// The next place at an offset or behind it; never an empty one.
type Find = dyn Fn(&str, usize) -> Option<Range<usize>> + Send + Sync;

impl Searches {
    pub(super) fn add(&mut self, pattern: Pattern) {
        self.all.push(Search::Known(pattern));
    }

    #[cfg_attr(not(feature = "regex"), expect(dead_code, reason = "only regular expressions are added so"))]
    pub(super) fn add_own(&mut self, find: impl Fn(&str, usize) -> Option<Range<usize>> + Send + Sync + 'static) {
        self.all.push(Search::Own(Arc::new(find)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        self.known().any(|pattern| pattern.is_name(name))
    }

    pub(super) fn is_number(&self, digits: u128) -> bool {
        self.known().any(|pattern| pattern.is_number(digits))
    }

    pub(super) fn finds_any(&self, text: &str) -> bool {
        self.all.iter().any(|search| search.find(text, 0).is_some())
    }

    /// Appends `text` with all that is found masked; appends nothing where nothing is, and tells so. What is found by
    /// several and overlaps is masked as one. `nexts` is memory.
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

    /// Goes on behind what begins at `start` and all that overlaps it; tells where that ends, and whether it is a card alone.
    fn advance(&self, text: &str, start: usize, nexts: &mut [Option<Range<usize>>]) -> (usize, bool) {
        let (mut end, mut found, mut cards) = (start + 1, 0, 0);
        loop {
            let before = found;
            for (search, next) in self.all.iter().zip(&mut *nexts) {
                while let Some(range) = next.take_if(|range| range.start < end) {
                    end = end.max(range.end);
                    found += 1;
                    cards += usize::from(matches!(search, Search::Known(Pattern::Card)));
                    *next = search.find(text, range.end);
                }
            }
            if found == before {
                return (end, found == 1 && cards == 1);
            }
        }
    }

    /// A card's number, of which the last digits may stay; a mask that reads it gets the digits alone.
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

    fn known(&self) -> impl Iterator<Item = Pattern> {
        self.all.iter().filter_map(|search| match search {
            Search::Known(pattern) => Some(*pattern),
            Search::Own(_) => None,
        })
    }
}

impl Search {
    fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        match self {
            Self::Known(pattern) => pattern.find(text, from),
            Self::Own(find) => find(text, from),
        }
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(pattern) => fmt::Debug::fmt(pattern, f),
            Self::Own(_) => f.write_str("of its own"),
        }
    }
}
