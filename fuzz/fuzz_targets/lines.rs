//! Lines that become records, however they are cut into pieces.

#![no_main]

use std::io::Write as _;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::Severity;
use tracing_handlers::receive::{Lines, prefix};
use tracing_handlers::testing::Captured;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    max_line: u8,
    blank: bool,
    pieces: Vec<u8>,
    text: &'a [u8],
}

fuzz_target!(|input: Input| {
    let whole = received(&input, [input.text]);
    assert_eq!(received(&input, pieces(input.text, &input.pieces)), whole, "in pieces, the records are others");
    assert_eq!(received(&input, input.text.chunks(1)), whole, "byte by byte, the records are others");
    check(&input, &whole);
});

/// The severity, message and part of each record.
type Received = Vec<(Severity, String, Option<u64>)>;

fn received<'a>(input: &Input<'_>, pieces: impl IntoIterator<Item = &'a [u8]>) -> Received {
    let captured = Captured::new();
    let mut lines = Lines::new(captured.clone()).severity_of(prefix).max_line(input.max_line.into()).blank(input.blank);
    pieces.into_iter().for_each(|piece| lines.write_all(piece).expect("a write never fails"));
    drop(lines);
    let records = captured.records();
    let records = records.iter().map(|record| {
        let record = record.as_record();
        let part = record.field("part").map(|part| part.to_string().parse().expect("a part is a number"));
        (record.severity(), record.message().to_owned(), part)
    });
    records.collect()
}

fn pieces<'a>(mut text: &'a [u8], lengths: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, rest) = text.split_at(text.len().min((*length).into()));
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

/// No record is longer than allowed, and together they are the text without its line ends and prefixes.
fn check(input: &Input<'_>, records: &Received) {
    let max_line = usize::from(input.max_line.max(4));
    let mut last = 0;
    for (_, message, part) in records {
        // A byte that is not UTF-8 becomes a character of three.
        assert!(message.len() <= max_line * 3 && !message.contains('\n'), "{message:?}");
        assert!(part.is_none_or(|part| part == 1 || part == last + 1), "{records:?}");
        last = part.unwrap_or(0);
    }
    let Ok(text) = str::from_utf8(input.text) else { return };
    let all: String = records.iter().map(|(_, message, _)| message.as_str()).collect();
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    if lines.clone().all(|line| prefix(line).is_none()) {
        assert_eq!(all, lines.collect::<String>());
    }
}
