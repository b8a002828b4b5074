//! Checkpoints: lines between those of the log that state the position in the chain.

use super::chain::Link;
use super::mark::{from_hex, push_hex};
use crate::clock::Timestamp;
use crate::file::key::KeyId;

/// The position in the chain, as stated by a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) kind: Kind,
    pub(super) key: KeyId,
    /// The place it continues from.
    pub(super) from: Link,
    pub(super) time: String,
    /// How many bytes of a torn line were cut off before it.
    pub(super) cut: u64,
}

/// Why the checkpoint was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first line of each file.
    Begin,
    /// The file was opened again.
    Continue,
    /// The number of lines since the last checkpoint was reached.
    Count,
    /// The file was closed.
    Close,
}

impl Checkpoint {
    /// Appends the line without its seal and its end.
    pub(super) fn write(&self, json: bool, out: &mut Vec<u8>) {
        let separators = if json { JSON } else { TEXT };
        let mut separators = separators.iter();
        let mut part = |value: &dyn Fn(&mut Vec<u8>)| {
            separators.next().into_iter().for_each(|separator| out.extend_from_slice(separator));
            value(out);
        };
        part(&|out| out.extend_from_slice(self.kind.name()));
        part(&|out| push_hex(&self.key.0, out));
        part(&|out| push_hex(&self.from.chain, out));
        part(&|out| push_number(self.from.lines, out));
        part(&|out| push_hex(&self.from.code, out));
        part(&|out| out.extend_from_slice(self.time.as_bytes()));
        part(&|out| push_number(self.cut, out));
        part(&|_| {});
    }

    /// Reads `text`, a line without its seal. Does not check whether it is genuine.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let separators = [JSON, TEXT].into_iter().find(|separators| text.starts_with(separators[0]))?;
        let mut values = values(text, separators)?.into_iter();
        let mut next = || values.next();
        Some(Self {
            kind: Kind::named(next()?)?,
            key: KeyId(from_hex(next()?)?),
            from: Link { chain: from_hex(next()?)?, lines: number(next()?)?, code: from_hex(next()?)? },
            time: std::str::from_utf8(next()?).ok()?.to_owned(),
            cut: number(next()?)?,
        })
    }

    /// Whether a line that starts with `text` may be a checkpoint.
    pub(super) fn may_be(text: &[u8]) -> bool {
        [JSON, TEXT].into_iter().any(|separators| text.starts_with(separators[0]))
    }

    /// Whether `text` can be the beginning of the first line of a sealed file.
    pub(super) fn may_start(text: &[u8]) -> bool {
        [JSON, TEXT].into_iter().any(|separators| {
            let start = [separators[0], Kind::Begin.name()].concat();
            start.starts_with(text) || text.starts_with(&start)
        })
    }
}

impl Kind {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Begin => b"begin",
            Self::Continue => b"continue",
            Self::Count => b"count",
            Self::Close => b"close",
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        [Self::Begin, Self::Continue, Self::Count, Self::Close].into_iter().find(|kind| kind.name() == name)
    }
}

/// Returns the parts of `text` between the `separators`.
fn values<'a>(text: &'a [u8], separators: &[&[u8]]) -> Option<Vec<&'a [u8]>> {
    let (first, rest) = separators.split_first()?;
    let (last, between) = rest.split_last()?;
    let mut text = text.strip_prefix(*first)?.strip_suffix(*last)?;
    let mut values = Vec::with_capacity(separators.len());
    for separator in between {
        let at = text.windows(separator.len()).position(|window| window == *separator)?;
        values.push(&text[..at]);
        text = &text[at + separator.len()..];
    }
    values.push(text);
    Some(values)
}

fn push_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Formats a time by RFC 3339, in UTC, to the second.
pub(super) fn rfc3339(time: Timestamp) -> String {
    let days = time.seconds().div_euclid(86_400);
    let second = time.seconds().rem_euclid(86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Returns the proleptic Gregorian date of a day counted from 1970-01-01. Years begin in March here, so that the leap day is the
/// last day of the year.
fn date(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, in periods of 400 years, which all have the same length.
    let days = days.saturating_add(719_468);
    let (period, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months that start in March or August have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (period * 400 + year + later, month, day)
}

/// An upper bound for the length of a checkpoint with its end.
pub(super) const LONGEST: u64 = 320;

const JSON: &[&[u8]] = &[
    b"{\"seal.checkpoint\":\"",
    b"\",\"key\":\"",
    b"\",\"chain\":\"",
    b"\",\"lines\":",
    b",\"from\":\"",
    b"\",\"time\":\"",
    b"\",\"cut\":",
    b"}",
];

const TEXT: &[&[u8]] = &[b"seal-checkpoint ", b" key=", b" chain=", b" lines=", b" from=", b" time=", b" cut=", b""];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let from = Link { chain: [0x1f; 16], lines: 1234, code: [0xe2; 16] };
        let time = rfc3339(Timestamp::new(1_792_579_229, 0));
        for kind in [Kind::Begin, Kind::Continue, Kind::Count, Kind::Close] {
            let checkpoint = Checkpoint { kind, key: KeyId([7; 8]), from, time: time.clone(), cut: 5 };
            for json in [false, true] {
                let mut out = Vec::new();
                checkpoint.write(json, &mut out);
                assert_eq!(Checkpoint::read(&out), Some(checkpoint.clone()), "{}", String::from_utf8_lossy(&out));
                assert_eq!(Checkpoint::may_start(&out), kind == Kind::Begin);
                assert!((0..20).all(|end| Checkpoint::may_start(&out[..end.min(15)])));
            }
        }
        assert_eq!(Checkpoint::read(b"seal-checkpoint begin key=00"), None);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(Timestamp::new(seconds, 0)), text);
        }
    }
}
