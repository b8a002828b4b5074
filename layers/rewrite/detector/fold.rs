//! Characters that look like ASCII or like nothing: spaces, dashes and digits of other kinds, and characters of no width.

use std::ops::Range;

use crate::bytes::hidden::is_hidden;

/// A text in which a secret looks as detectors know it, and the way back to the original.
///
/// Spaces and line separators become ASCII ones, dashes `-`, full-width forms and decimal digits of some other scripts ASCII; characters
/// of no width are left out. The escapes of these characters that `{:?}` and JSON write (`\u{a0}`, `\u00a0`) count as the characters.
#[derive(Default)]
pub(in crate::rewrite) struct Folded {
    text: String,
    marks: Vec<Mark>,
}

/// A replaced character.
struct Mark {
    /// Its place in the folded text.
    folded: Range<usize>,
    /// The end of what it replaces in the original.
    end: usize,
}

impl Folded {
    pub(in crate::rewrite) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::rewrite) fn capacity(&self) -> usize {
        self.text.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    pub(in crate::rewrite) fn fold(&mut self, text: &str) {
        self.text.clear();
        self.marks.clear();
        let bytes = text.as_bytes();
        let mut done = 0;
        while let Some(start) = bytes[done..].iter().position(|byte| may_fold(*byte)).map(|found| done + found) {
            self.text.push_str(&text[done..start]);
            done = start;
            match folded_at(text, start) {
                Some((place, len)) => {
                    let at = self.text.len();
                    self.text.extend(place);
                    done += len;
                    self.marks.push(Mark { folded: at..self.text.len(), end: done });
                }
                None => {
                    let char = text[start..].chars().next();
                    self.text.extend(char);
                    done += char.map_or(1, char::len_utf8);
                }
            }
        }
        self.text.push_str(&text[done..]);
    }

    /// Returns where a range of the folded text lies in the original.
    pub(in crate::rewrite) fn original(&self, range: Range<usize>) -> Range<usize> {
        let at = |count: usize, place: usize| match count.checked_sub(1).map(|index| &self.marks[index]) {
            Some(mark) => place - mark.folded.end + mark.end,
            None => place,
        };
        let start = at(self.marks.partition_point(|mark| mark.folded.end <= range.start), range.start);
        start..at(self.marks.partition_point(|mark| mark.folded.start < range.end), range.end)
    }
}

/// Whether folding may change what detectors make of the text around `at`.
///
/// Most spaces, dashes and characters of no width stand after symbols, where no secret is: after an emoji, for example.
pub(super) fn matters(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    match folded_at(text, at) {
        Some((Some('0'..='9'), _)) => true,
        Some(_) if is_full_width(&text[at..]) => true,
        Some((Some('-'), _)) => before.is_some_and(|before| before.is_ascii_digit()),
        Some(_) => before.is_some_and(|before| before.is_ascii() || before.is_alphanumeric()),
        None => false,
    }
}

fn is_full_width(text: &str) -> bool {
    text.starts_with(|char| matches!(char, '\u{ff01}'..='\u{ff5e}'))
}

fn may_fold(byte: u8) -> bool {
    byte >= 0xc2 || byte == b'\\'
}

/// Returns what the character or the escape at `at` becomes, and its length.
fn folded_at(text: &str, at: usize) -> Option<(Option<char>, usize)> {
    let rest = &text[at..];
    if rest.starts_with('\\') {
        let (char, len) = unescaped(rest)?;
        // Control characters that break lines; unescaped, they are ASCII.
        let place = if matches!(char, '\u{b}' | '\u{c}') { Some('\n') } else { folded(char)? };
        return Some((place, len));
    }
    let char = rest.chars().next()?;
    Some((folded(char)?, char.len_utf8()))
}

/// Returns the character that an escape stands for, and the length of the escape. Each time a text is written by `{:?}` again, the
/// backslash is doubled.
fn unescaped(text: &str) -> Option<(char, usize)> {
    let letter = text.bytes().take(MAX_BACKSLASHES).position(|byte| byte != b'\\')?;
    let rest = text[letter..].strip_prefix('u')?;
    let (digits, len) = match rest.strip_prefix('{') {
        Some(rest) => {
            let len = rest.bytes().take(7).position(|byte| byte == b'}')?;
            (&rest[..len], len + 2)
        }
        None => (rest.get(..4)?, 4),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| plain)?;
    Some((char::from_u32(number)?, letter + 1 + len))
}

/// Returns what replaces the character: an ASCII character or nothing.
fn folded(char: char) -> Option<Option<char>> {
    let digit = |zero: char| char::from_digit(char as u32 - zero as u32, 10);
    Some(match char {
        // Spaces
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        // Line separators
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        // Hyphens and dashes, the minus sign
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Some('-'),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(char as u32 - 0xff01 + 0x21),
        '\u{660}'..='\u{669}' => digit('\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit('\u{6f0}'),
        '\u{966}'..='\u{96f}' => digit('\u{966}'),
        _ if is_invisible(char) => None,
        _ => return None,
    })
}

/// Whether the character has no width: joiners, marks of direction, fillers, variation selectors, tags, controls.
fn is_invisible(char: char) -> bool {
    is_hidden(char) || matches!(char, '\u{fe0e}' | '\u{fe0f}')
}

const MAX_BACKSLASHES: usize = 17;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::window::each_trigger;
    use super::*;

    #[test]
    fn a_range_of_the_folded_text_leads_back_to_the_original() {
        let mut folded = Folded::default();
        folded.fold("a\u{200b}\u{a0}b\u{feff}４\\u{a0}\\\\u2013é\\u00e9\u{ad}");
        assert_eq!(folded.text(), "a b4 -é\\u00e9");
        let original = |range| folded.original(range);
        assert_eq!((original(0..1), original(1..2), original(2..3)), (0..1, 4..6, 6..7));
        // Invisible characters inside belong to it; those around it do not.
        assert_eq!((original(0..2), original(2..4), original(3..4)), (0..6, 6..13, 10..13));
        assert_eq!((original(4..5), original(5..6), original(6..8)), (13..19, 19..26, 26..28));
        assert_eq!(original(8..14), 28..34);
    }

    #[test]
    fn every_character_that_is_folded_is_a_trigger() {
        for char in ('\0'..=char::MAX).filter(|char| folded(*char).is_some()) {
            for text in [format!("1{char}1"), format!("1\\u{{{:x}}}1", char as u32)] {
                let mut found = false;
                each_trigger(text.as_bytes(), |at| {
                    found |= at == 1 && matters(&text, at);
                });
                assert!(found, "{text:?}");
            }
        }
    }

    #[test]
    fn a_text_with_emoji_is_not_folded() {
        for (text, expected) in [("🦀\u{fe0f}", false), ("—\u{a0}", false), ("é\u{200b}", true), ("字\u{200b}", true)]
        {
            let at = text.char_indices().next_back().unwrap().0;
            assert_eq!(matters(text, at), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn all_else_stays_as_it_is(text in r"([a-c\u{a0}\u{ad}\u{ff10}-\u{ff12}é🦀-]|\\|u00|\\u\{a0\}|\\u00ad){0,20}") {
            let mut folded = Folded::default();
            folded.fold(&text);
            for (at, char) in folded.text().char_indices() {
                let range = folded.original(at..at + char.len_utf8());
                let was = &text[range];
                let same = was.chars().eq([char]);
                prop_assert!(same || folded_at(was, 0).is_some_and(|(place, len)| place == Some(char) && len == was.len()));
            }
        }
    }
}
