//! The same matches found the slow way, each detector by itself and without triggers, for comparison.

use std::ops::Range;

use proptest::prelude::*;

use super::fold::Folded;
use super::scan::{Detectors, Match};
use super::{Detector, card, email, ip, pair, token};

/// Returns what a detector finds.
pub(super) fn found_by(detector: Detector, text: &str) -> Vec<&str> {
    ranges_by(detector, text).into_iter().map(|range| &text[range]).collect()
}

pub(super) fn ranges_by(detector: Detector, text: &str) -> Vec<Range<usize>> {
    let mut wanted = Detectors::default();
    wanted.add(detector);
    let (mut folded, mut matches) = (Folded::default(), Vec::new());
    wanted.find(text, &mut folded, &mut matches);
    matches.into_iter().map(|found| found.range).collect()
}

/// Returns the next match at `from` or after it.
fn next(detector: Detector, text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let each = |byte: fn(u8) -> bool, find: fn(&str, usize, usize) -> Option<Range<usize>>| {
        (from..bytes.len()).filter(|at| byte(bytes[*at])).find_map(|at| find(text, from, at))
    };
    match detector {
        Detector::Card => each(|byte| byte.is_ascii_digit(), card::at),
        Detector::Email => each(|byte| byte == b'@', email::at),
        Detector::Pair => each(|byte| matches!(byte, b'=' | b':'), pair::at),
        Detector::Token => {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            in_pieces(text, from, is_word, |start| token::in_word(text, from, start, start))
        }
        Detector::Ip => {
            let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
            in_pieces(text, from, is_part, |start| ip::in_run(text, start, start))
        }
    }
}

fn in_pieces(
    text: &str,
    from: usize,
    is_part: impl Fn(u8) -> bool,
    look: impl Fn(usize) -> (Option<Range<usize>>, usize),
) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += text.as_bytes()[at..].iter().position(|byte| is_part(*byte))?;
        match look(at) {
            (None, end) => at = end,
            (found, _) => return found,
        }
    }
}

fn all(text: &str) -> Vec<(Detector, Range<usize>)> {
    let of = |detector| {
        let mut from = 0;
        std::iter::from_fn(move || {
            let range = next(detector, text, from)?;
            from = range.end;
            Some((detector, range))
        })
    };
    let mut all: Vec<_> = Detector::ALL.into_iter().flat_map(of).collect();
    all.sort_by_key(|(detector, range)| (range.start, *detector as u8));
    all
}

fn scanned(text: &str) -> Vec<(Detector, Range<usize>)> {
    let mut wanted = Detectors::default();
    Detector::ALL.into_iter().for_each(|detector| wanted.add(detector));
    let (mut folded, mut matches) = (Folded::default(), Vec::new());
    wanted.find(text, &mut folded, &mut matches);
    let pair = |Match { range, detector }: Match| (detector.expect("no regular expressions"), range);
    let mut all: Vec<_> = matches.into_iter().map(pair).collect();
    all.sort_by_key(|(detector, range)| (range.start, *detector as u8));
    all
}

const PIECES: &str = concat!(
    r"4111 1111 1111 1111|4111111111111111|3782\n822463\n10005|5555-5555-5555-4444|4111|1111|2026-11-21T07:34:24",
    r"|a@b\.example|ada|@|\.|::|:|=|://|1\.2\.3\.4|10\.0|2001:db8::7|f00d|dead:beef|fe80::|[0-9a-f]{60,70}",
    r"|password|token|pin|secret=|cookie: |'|\{|\(|\)|Some|Bearer |BASIC |bearer|QWxhZGRpbjpvcGVu|eyJhbGciOiJ9|eyJ",
    r"|ghp_|sk-|sk_live_|AKIA[A-Z]{16}|AIza|cio|[a-z0-9]{34}|SG|ya29|-----BEGIN RSA PRIVATE KEY-----|-----END ",
    r"|_|-|\\n|\\t|\\|é|ф|請| |, |\n|[a-zA-Z]{1,12} |[ -~]{1,4}",
);

fn texts() -> impl Strategy<Value = String> {
    prop::string::string_regex(&format!("({PIECES}){{0,24}}")).unwrap()
}

fn foldable_texts() -> impl Strategy<Value = String> {
    let foldable = r"\u{a0}|\u{200b}|\u{ff02}|\u{ff0c}|\u{ff11}|\u{2011}|\\u\{a0\}";
    prop::string::string_regex(&format!("({PIECES}|{foldable}|{foldable}){{0,16}}")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 200_000 }))]

    #[test]
    fn one_pass_finds_what_each_detector_finds_by_itself(text in texts()) {
        // Pieces may form an escape, as in `\u2001:db8::7`, which begins with a space.
        let mut folded = Folded::default();
        folded.fold(&text);
        prop_assume!(folded.text() == text);
        prop_assert_eq!(scanned(&text), all(&text));
    }

    #[test]
    fn characters_that_are_folded_keep_nothing_from_being_found(text in foldable_texts()) {
        let masked: Vec<_> = Detector::ALL.into_iter().flat_map(|detector| ranges_by(detector, &text)).collect();
        for (detector, range) in all(&text) {
            let mut places = text[range.clone()].char_indices().map(|(at, _)| range.start + at);
            let is_masked = places.all(|at| masked.iter().any(|masked| masked.contains(&at)));
            prop_assert!(is_masked, "{}: {:?}", detector, &text[range]);
        }
    }
}
