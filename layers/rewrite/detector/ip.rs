//! Addresses of the Internet Protocol.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::is_escaped;

/// Whether the `.` or `:` at `at` may be part of an address.
pub(super) fn may_be_in(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    let beside = [before, bytes.get(at + 1).copied()];
    match bytes[at] {
        b':' => beside.iter().flatten().filter(|byte| byte.is_ascii_hexdigit() || **byte == b':').count() == 2,
        _ => beside.iter().flatten().filter(|byte| byte.is_ascii_digit()).count() == 2,
    }
}

/// Looks at the run of characters that addresses consist of, around `at`; the part before `from` is done already. Returns the first
/// address, IPv4 as four decimal numbers or IPv6 as in RFC 4291, section 2.2, and where the search stopped: if that is not behind
/// `at`, it has to go on.
///
/// Not addresses: a run without a digit (`abc::def` may be a path), or one that adjoins letters or further numbers (`v1.2.3.4`,
/// `1.3.6.1.4.1`).
pub(super) fn in_run(text: &str, from: usize, at: usize) -> (Option<Range<usize>>, usize) {
    let bytes = text.as_bytes();
    let start = bytes[from..at].iter().rposition(|byte| !is_part(*byte)).map_or(from, |before| from + before + 1);
    let mut end = end_of_run(bytes, start, None);
    // A run longer than an address with a port is not one, but may contain some between its colons.
    if end - start > MAX_RUN {
        end = end_of_run(bytes, start, Some(b':'));
    }
    let is_short = end - start <= MAX_RUN;
    (is_short.then(|| address_in(bytes, text, start, end)).flatten(), end)
}

/// Returns the end of the run of characters that addresses consist of, or of the sign that `ends` it. Without such a sign, the
/// search stops where the run is known to be too long.
fn end_of_run(bytes: &[u8], start: usize, ends: Option<u8>) -> usize {
    let most = if ends.is_none() { MAX_RUN + 1 } else { usize::MAX };
    // Leaders ("port.....1.2.3.4") separate things; they are not part of them.
    let is_end = |at: &usize| {
        let byte = bytes[*at];
        !is_part(byte) || ends == Some(byte) || (byte == b'.' && bytes[*at - 1] == b'.')
    };
    (start + 1..bytes.len()).take(most).find(is_end).unwrap_or(bytes.len().min(start.saturating_add(most)))
}

fn address_in(bytes: &[u8], text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let (mut points, mut colons, mut double, mut digits, mut before) = (0, 0, false, false, 0);
    for byte in &bytes[start..end] {
        points += usize::from(*byte == b'.');
        colons += usize::from(*byte == b':');
        double |= *byte == b':' && before == b':';
        digits |= byte.is_ascii_digit();
        before = *byte;
    }
    // Four numbers, or eight of which the last two may be four.
    let may_be = points >= 3 || colons >= 6 || double;
    if !digits || !may_be {
        return None;
    }
    let after_word = start > 0 && bytes[start - 1].is_ascii_alphanumeric() && !is_escaped(bytes, start);
    let before_word = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    v6(text, start, end, after_word, before_word).or_else(|| v4(bytes, text, start, end, after_word, before_word))
}

/// The whole run, except for a single colon at its start, and a single colon or full stops at its end.
fn v6(text: &str, start: usize, end: usize, after_word: bool, before_word: bool) -> Option<Range<usize>> {
    let run = &text[start..end];
    let front = usize::from(run.starts_with(':') && !run.starts_with("::"));
    let mut body = run[front..].trim_end_matches('.');
    if body.ends_with(':') && !body.ends_with("::") {
        body = &body[..body.len() - 1];
    }
    let joined = (after_word && front == 0) || (before_word && front + body.len() == run.len());
    let is_address = !joined && body.contains(':') && body.parse::<Ipv6Addr>().is_ok();
    is_address.then(|| start + front..start + front + body.len())
}

/// Returns the first piece between colons that consists of four numbers.
fn v4(bytes: &[u8], text: &str, start: usize, end: usize, after_word: bool, before_word: bool) -> Option<Range<usize>> {
    let mut at = start;
    for piece in text[start..end].split(':') {
        let body = piece.trim_matches('.');
        let front = at + (piece.len() - piece.trim_start_matches('.').len());
        let back = front + body.len();
        at += piece.len() + 1;
        let joined = (after_word && front == start) || (before_word && back == end);
        let joined = joined || (front > start && bytes[front - 1] == b'.' && after_word && front - start < 2);
        if !joined && body.parse::<Ipv4Addr>().is_ok() {
            return Some(front..back);
        }
    }
    None
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')
}

const MAX_RUN: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::{Detector, oracle::found_by};

    fn found(text: &str) -> Vec<&str> {
        found_by(Detector::Ip, text)
    }

    #[test]
    fn addresses_are_found_with_ports_and_punctuation() {
        assert_eq!(found("from 10.1.2.3:8080 to [2001:db8::1]:443."), ["10.1.2.3", "2001:db8::1"]);
        assert_eq!(found("ip=192.168.0.1, ip:fe80::1%eth0; (::1)"), ["192.168.0.1", "fe80::1", "::1"]);
        assert_eq!(found("peer 2001:db8:0:0:0:0:0:5: gone, 8.8.8.8."), ["2001:db8:0:0:0:0:0:5", "8.8.8.8"]);
        assert_eq!(found(&format!("host {} 10.9.8.7", ".".repeat(99))), ["10.9.8.7"]);
        assert_eq!(found(&format!("host{}10.9.8.7", ".".repeat(99))), ["10.9.8.7"]);
        assert_eq!(found("::ffff:1.2.3.4 é9.9.9.9é"), ["::ffff:1.2.3.4", "9.9.9.9"]);
        assert_eq!(found(r"a\n2001:db8::1\t1.1.1.1\n"), ["2001:db8::1", "1.1.1.1"]);
    }

    #[test]
    fn what_is_no_address_is_left() {
        for text in [
            "07:34:24",
            "2026-11-21T01:19:03.123456Z",
            "aa:bb:cc:dd:ee:ff",
            "std::fs",
            "abc::def",
            "v1.2.3.4",
            "1.2.3",
            "1.3.6.1.4.1",
            "256.1.1.1",
            "3.14",
            "a.b.c.d",
            "::",
            "12:30",
            "src/main.rs:7:12",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }
}
