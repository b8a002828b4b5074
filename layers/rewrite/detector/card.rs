//! Numbers of payment cards (ISO/IEC 7812).

use std::ops::Range;

/// Returns the card number whose first group of digits begins at `start`.
///
/// A candidate is 13 to 19 ASCII digits, contiguous or in groups with a [`Separator`] between them, always the same, apart from
/// line breaks: four to six digits in the first group, three or more in the following ones, any number in the last.
pub(super) fn at(text: &str, _from: usize, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // Every issuer's prefix begins with one of these.
    if !matches!(bytes[start], b'2'..=b'6' | b'8' | b'9') || start > 0 && bytes[start - 1].is_ascii_digit() {
        return None;
    }
    let end = end_of_group(bytes, start);
    (end - start >= 4).then(|| card_at(bytes, start, end))?.map(|end| start..end)
}

/// Whether a number is that of a card.
pub(super) fn is_card(number: u128) -> bool {
    let mut digits = Digits::default();
    let mut text = [0; 40];
    let mut left = number;
    let mut at = text.len();
    while left > 0 {
        at -= 1;
        text[at] = (left % 10) as u8;
        left /= 10;
    }
    text[at..].iter().all(|digit| digits.push(*digit)) && digits.are_a_card()
}

/// Returns the end of the card number whose first group is `start..end`; the longest, if there are several.
fn card_at(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let mut digits = Digits::default();
    let mut found = None;
    let (mut group, mut end, mut before) = (start, end, None);
    loop {
        if !bytes[group..end].iter().all(|byte| digits.push(byte - b'0')) {
            break;
        }
        let is_decimal = group > start && end - group < 4 && is_fraction(bytes, end + 1);
        if digits.are_a_card() && !is_decimal {
            found = Some(end);
        }
        // Nothing belongs to the number after a contiguous one, or after a short last group.
        if end - start > 6 && group == start || group > start && end - group < 3 {
            break;
        }
        let Some((separator, len)) = Separator::at(bytes, end) else { break };
        if before.is_some_and(|before| before != separator && separator != Separator::Break) {
            break;
        }
        // A number that is broken at the end of a line has other separators elsewhere.
        before = before.or(Some(separator).filter(|separator| *separator != Separator::Break));
        group = end + len;
        end = end_of_group(bytes, group);
    }
    found.filter(|end| stands_alone(bytes, start, *end))
}

/// What separates groups of digits.
#[derive(Clone, Copy, PartialEq)]
enum Separator {
    /// A space, a tab, a dash, a point, an underscore.
    One(u8),
    /// A line break, also as an escape, with spaces around it.
    Break,
}

impl Separator {
    /// Returns the separator at `start`, and its length, if a digit follows it.
    fn at(bytes: &[u8], start: usize) -> Option<(Self, usize)> {
        let rest = &bytes[start..bytes.len().min(start + MAX_SEPARATOR)];
        let (first, next) = (*rest.first()?, rest.get(1)?);
        if next.is_ascii_digit() && matches!(first, b' ' | b'\t' | b'-' | b'.' | b'_') {
            return Some((Self::One(first), 1));
        }
        let (mut at, mut breaks) = (0, 0);
        loop {
            match rest[at..] {
                [b' ' | b'\t', ..] => at += 1,
                [b'\n' | b'\r' | b'\x0b' | b'\x0c', ..] => {
                    breaks += 1;
                    at += 1;
                }
                [b'\\', b'n' | b'r', ..] => {
                    breaks += 1;
                    at += 2;
                }
                [b'\\', b't', digit, ..] if digit.is_ascii_digit() && is_escape(&rest[..at]) => {
                    return Some((Self::One(b'\t'), at + 2));
                }
                // What is escaped again has twice as many.
                [b'\\', b'\\', ..] => at += 1,
                [digit, ..] if digit.is_ascii_digit() && breaks > 0 => return Some((Self::Break, at)),
                _ => return None,
            }
        }
    }
}

fn is_escape(backslashes: &[u8]) -> bool {
    backslashes.iter().all(|byte| *byte == b'\\')
}

/// Whether it is not a fraction, nor part of a hexadecimal number or a UUID.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    !is_fraction(bytes, start) && !is_in_hexadecimal(bytes, start, end) && !is_in_uuid(bytes, start)
}

/// Whether `start` follows a point between digits.
fn is_fraction(bytes: &[u8], start: usize) -> bool {
    let point = start.checked_sub(1).filter(|point| bytes.get(*point) == Some(&b'.'));
    let before = point.and_then(|point| point.checked_sub(1));
    before.is_some_and(|before| bytes[before].is_ascii_digit()) && bytes.get(start).is_some_and(u8::is_ascii_digit)
}

/// Whether letters adjoin it, and all of them are hexadecimal digits.
fn is_in_hexadecimal(bytes: &[u8], start: usize, end: usize) -> bool {
    let word = |byte: &&u8| byte.is_ascii_alphanumeric();
    let before = bytes[..start].iter().rev().take(WORD).take_while(word);
    let after = bytes[end..].iter().take(WORD).take_while(word);
    let mut letters = before.chain(after).peekable();
    letters.peek().is_some() && letters.all(u8::is_ascii_hexdigit)
}

/// RFC 9562, section 4: `8-4-4-4-12`. `at` may be in any of the groups.
fn is_in_uuid(bytes: &[u8], at: usize) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'-';
    let before = bytes[..at].iter().rev().take(UUID + 1).take_while(is_part).count();
    let Some(text) = bytes.get(at - before..at - before + UUID) else { return false };
    text.iter().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

fn end_of_group(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    start + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// The digits of a candidate.
#[derive(Default)]
struct Digits {
    digits: [u8; MOST],
    len: usize,
}

impl Digits {
    /// Returns `false` if there are too many.
    fn push(&mut self, digit: u8) -> bool {
        let free = self.digits.get_mut(self.len);
        self.len += usize::from(free.is_some());
        free.map(|place| *place = digit).is_some()
    }

    fn are_a_card(&self) -> bool {
        self.len >= LEAST && self.is_issued() && self.has_check_digit()
    }

    /// Whether an issuer has numbers with this prefix and length.
    fn is_issued(&self) -> bool {
        let prefix = self.digits[..4].iter().fold(0, |number, digit| number * 10 + u16::from(*digit));
        ISSUERS.iter().any(|(prefixes, lengths)| prefixes.contains(&prefix) && lengths.contains(&self.len))
    }

    /// Luhn's algorithm (ISO/IEC 7812-1, annex B).
    fn has_check_digit(&self) -> bool {
        let sum: u32 = self.digits[..self.len]
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
                (0, digit) => digit,
                (_, digit @ ..5) => digit * 2,
                (_, digit) => digit * 2 - 9,
            })
            .sum();
        sum.is_multiple_of(10)
    }
}

/// The first four digits, and the possible lengths.
const ISSUERS: &[(Range<u16>, &[usize])] = &[
    // Visa
    (4000..5000, &[13, 16, 19]),
    // Mastercard
    (5100..5600, &[16]),
    (2221..2721, &[16]),
    // American Express
    (3400..3500, &[15]),
    (3700..3800, &[15]),
    // Diners Club
    (3000..3060, &[14, 15, 16, 17, 18, 19]),
    (3095..3096, &[14, 15, 16, 17, 18, 19]),
    (3600..3700, &[14, 15, 16, 17, 18, 19]),
    (3800..4000, &[14, 15, 16, 17, 18, 19]),
    // JCB
    (3528..3590, &[16, 17, 18, 19]),
    // Discover, RuPay
    (6000..6100, &[16]),
    (6011..6012, &[16, 17, 18, 19]),
    (6440..6600, &[16, 17, 18, 19]),
    (5080..5090, &[16]),
    (8100..8300, &[16, 17, 18, 19]),
    // UnionPay
    (6200..6300, &[16, 17, 18, 19]),
    // Maestro
    (5018..5019, &[13, 14, 15, 16, 17, 18, 19]),
    (5020..5021, &[13, 14, 15, 16, 17, 18, 19]),
    (5038..5039, &[13, 14, 15, 16, 17, 18, 19]),
    (5893..5894, &[13, 14, 15, 16, 17, 18, 19]),
    (6304..6305, &[13, 14, 15, 16, 17, 18, 19]),
    (6759..6764, &[13, 14, 15, 16, 17, 18, 19]),
    // Mir
    (2200..2205, &[16, 17, 18, 19]),
    // Troy
    (9792..9793, &[16]),
];

const LEAST: usize = 13;
const MOST: usize = 19;
const UUID: usize = 36;
/// The length of the longest separator: a line break and the indentation of the next line.
const MAX_SEPARATOR: usize = 64;
/// How many letters around a number are examined.
const WORD: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::{Detector, oracle::found_by};
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        found_by(Detector::Card, text)
    }

    #[test]
    fn numbers_of_all_issuers_are_found_however_they_are_grouped() {
        // Numbers that payment providers publish for tests.
        let cards = [
            "4111111111111111",
            "4012 8888 8888 1881",
            "4222222222222",
            "4222 2222 2222 2",
            "5555-5555-5555-4444",
            "2223003122003222",
            "3782 822463 10005",
            "371449635398431",
            "30569309025904",
            "3852 000002 3237",
            "6011111111111117",
            "3530111333300000",
            "6200000000000005",
            "6304000000000000",
            "2200000000000004",
        ];
        for card in cards {
            let text = format!("paid with <{card}>, année «{card}»: ok");
            assert_eq!(found(&text), [card, card]);
        }
    }

    #[test]
    fn a_card_is_found_among_other_numbers() {
        assert_eq!(found("12 4111 1111 1111 1111 3, 7"), ["4111 1111 1111 1111"]);
        assert_eq!(found("order 7 4111111111111111 4"), ["4111111111111111"]);
        assert_eq!(found("No.4111111111111111.pdf card4111111111111111x"), ["4111111111111111"; 2]);
    }

    #[test]
    fn numbers_that_only_resemble_a_card_are_left() {
        let texts = [
            "4111111111111112",
            "1795223943123456000",
            "1795223943123",
            "0.4111111111111111",
            "14111111111111111",
            "41111111111111111111",
            "4111 1111-1111 1111",
            "4111  1111 1111 1111",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "ab4111111111111111ef",
            "41111111-1111-1111-8000-00000000000a",
            "2026-11-21 07:34:24",
            "+49 30 123456-789",
            "6011384668828562 0.76",
            "6011384668828562 0",
        ];
        for text in texts {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn integers_are_judged_by_their_digits() {
        assert!(is_card(4_111_111_111_111_111) && !is_card(4_111_111_111_111_112));
        assert!(!is_card(0) && !is_card(u128::MAX));
    }
}
