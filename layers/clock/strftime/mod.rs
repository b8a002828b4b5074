//! Writes times by a format of `strftime`, which is parsed once.

mod moment;
mod parse;

use self::moment::Moment;
use super::civil::put_fraction;
use super::{Timestamp, Zone};
use crate::bytes::{number, width};

/// A format of C's `strftime` (C11, 7.27.3.5, with glibc's flags and additions) in the C locale.
#[derive(Clone, Debug)]
pub(crate) struct Strftime(Box<[Item]>);

impl Strftime {
    /// Parses `format` as C does, and so Python: what is not a directive is written as it is.
    pub(crate) fn c(format: &str) -> Self {
        Self(parse::c(format))
    }

    /// Parses `format` with directives for the second's fraction (`%3f`, `%.3f`). An unknown directive is an error, with the byte
    /// where it begins.
    pub(crate) fn strict(format: &str) -> Result<Self, (usize, String)> {
        parse::strict(format).map(Self)
    }

    /// Appends `time` in `zone`.
    pub(crate) fn write(&self, time: Timestamp, zone: &Zone, out: &mut Vec<u8>) {
        let moment = Moment::new(time, zone);
        for item in &self.0 {
            match item {
                Item::Text(text) => out.extend_from_slice(text.as_bytes()),
                Item::Fraction { digits, point } => write_fraction(moment.nanos, *digits, *point, out),
                Item::Verbatim(text, directive) => {
                    directive.pad_text(out, |out| out.extend_from_slice(text.as_bytes()))
                }
                Item::Directive(directive) => directive.write(&moment, out),
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Item {
    Text(Box<str>),
    Directive(Directive),
    /// An unknown directive, which C writes unchanged and pads like a text.
    Verbatim(Box<str>, Directive),
    Fraction {
        digits: u8,
        point: bool,
    },
}

/// `%`, flags, a width, a letter.
#[derive(Clone, Copy, Debug)]
struct Directive {
    letter: u8,
    pad: Pad,
    /// `^`
    upper: bool,
    /// `#`
    swap: bool,
    /// 0 if none is given.
    width: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pad {
    /// No flag.
    Usual,
    /// `0`
    Zeros,
    /// `_`
    Spaces,
    /// `-`
    Not,
}

impl Directive {
    /// Creates a directive without flags and width.
    fn plain(letter: u8) -> Self {
        Self { letter, pad: Pad::Usual, upper: false, swap: false, width: 0 }
    }

    fn write(self, moment: &Moment<'_>, out: &mut Vec<u8>) {
        match self.letter {
            b'a' => self.name(&DAYS[moment.weekday][..3], out),
            b'A' => self.name(DAYS[moment.weekday], out),
            b'b' | b'h' => self.name(&MONTHS[moment.month - 1][..3], out),
            b'B' => self.name(MONTHS[moment.month - 1], out),
            b'c' => self.compound(b"a b e T Y", b' ', moment, out),
            b'C' => self.number(1, moment.year / 100, out),
            b'd' => self.number(2, moment.day, out),
            b'D' | b'x' => self.compound(b"m d y", b'/', moment, out),
            b'e' => self.spaced(moment.day, out),
            b'F' => self.compound(b"Y m d", b'-', moment, out),
            b'g' => self.number(2, moment.iso_year().rem_euclid(100), out),
            b'G' => self.number(1, moment.iso_year(), out),
            b'H' => self.number(2, moment.hour, out),
            b'I' => self.number(2, moment.hour_of_12(), out),
            b'j' => self.number(3, moment.day_of_year + 1, out),
            b'k' => self.spaced(moment.hour, out),
            b'l' => self.spaced(moment.hour_of_12(), out),
            b'm' => self.number(2, moment.month as i64, out),
            b'M' => self.number(2, moment.minute, out),
            b'n' => self.pad_text(out, |out| out.push(b'\n')),
            b'p' => self.half(moment.hour, self.swap, out),
            b'P' => self.half(moment.hour, true, out),
            b'r' => self.pad_text(out, |out| {
                Self::plain(b'c').compound(b"I M S", b':', moment, out);
                out.push(b' ');
                Self::plain(b'p').half(moment.hour, false, out);
            }),
            b'R' => self.compound(b"H M", b':', moment, out),
            b's' => self.pad_text(out, |out| number::int(out, moment.seconds)),
            b'S' => self.number(2, moment.second, out),
            b't' => self.pad_text(out, |out| out.push(b'\t')),
            b'T' | b'X' => self.compound(b"H M S", b':', moment, out),
            b'u' => self.number(1, (moment.weekday as i64 + 6) % 7 + 1, out),
            b'U' => self.number(2, moment.week_from(0), out),
            b'V' => self.number(2, moment.iso_week(), out),
            b'w' => self.number(1, moment.weekday as i64, out),
            b'W' => self.number(2, moment.week_from(1), out),
            b'y' => self.number(2, moment.year % 100, out),
            b'Y' => self.number(1, moment.year, out),
            b'z' => self.offset(moment.offset_minutes, out),
            b'Z' => self.zone(moment, out),
            _ => self.pad_text(out, |out| out.push(self.letter)),
        }
    }

    /// Appends what `write` writes, padded on the left.
    fn pad_text(self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        write(out);
        if self.upper {
            // ASCII letters only, as glibc does in the C locale.
            out[start..].make_ascii_uppercase();
        }
        let length = width::chars(&out[start..]);
        self.pad_to(self.width, length, start, self.pad == Pad::Zeros, out);
    }

    fn pad_to(self, width: usize, length: usize, start: usize, zeros: bool, out: &mut Vec<u8>) {
        let fill = if zeros { b'0' } else { b' ' };
        width::insert(out, start, width.saturating_sub(length), fill);
    }

    fn name(self, name: &str, out: &mut Vec<u8>) {
        let upper = self.upper | self.swap;
        Self { upper, ..self }.pad_text(out, |out| out.extend_from_slice(name.as_bytes()));
    }

    /// Appends the directives of `letters`, which are separated by one byte each, with `sign` between them.
    fn compound(self, letters: &[u8], sign: u8, moment: &Moment<'_>, out: &mut Vec<u8>) {
        self.pad_text(out, |out| {
            for (index, &letter) in letters.iter().step_by(2).enumerate() {
                if index > 0 {
                    out.push(sign);
                }
                Self::plain(letter).write(moment, out);
            }
        });
    }

    /// Appends a number with at least `digits` digits, or those of the width.
    fn number(self, digits: usize, value: i64, out: &mut Vec<u8>) {
        self.pad_text(out, |out| {
            let start = out.len();
            number::int(out, value);
            if self.pad != Pad::Not {
                let length = out.len() - start;
                self.pad_to(digits.max(self.width), length, start, self.pad != Pad::Spaces, out);
            }
        });
    }

    /// Appends a number of two places, padded with a space instead of a zero.
    fn spaced(self, value: i64, out: &mut Vec<u8>) {
        let pad = if self.pad == Pad::Usual { Pad::Spaces } else { self.pad };
        Self { pad, ..self }.number(2, value, out);
    }

    fn half(self, hour: i64, lower: bool, out: &mut Vec<u8>) {
        let name: &[u8] = match (hour < 12, lower) {
            (true, false) => b"AM",
            (false, false) => b"PM",
            (true, true) => b"am",
            (false, true) => b"pm",
        };
        Self { upper: false, ..self }.pad_text(out, |out| out.extend_from_slice(name));
    }

    /// Appends an offset such as `+0545`. Sign and digits are padded separately, as in glibc.
    fn offset(self, minutes: i32, out: &mut Vec<u8>) {
        self.pad_text(out, |out| out.push(if minutes < 0 { b'-' } else { b'+' }));
        let minutes = i64::from(minutes.unsigned_abs());
        self.number(4, minutes / 60 * 100 + minutes % 60, out);
    }

    fn zone(self, moment: &Moment<'_>, out: &mut Vec<u8>) {
        Self { upper: self.upper && !self.swap, ..self }.pad_text(out, |out| {
            let start = out.len();
            moment.write_zone(out);
            if self.swap {
                out[start..].make_ascii_lowercase();
            }
        });
    }
}

/// Appends the first `digits` digits, cut off, not rounded.
fn write_fraction(nanos: u32, digits: u8, point: bool, out: &mut Vec<u8>) {
    let start = out.len();
    put_fraction(out, nanos, digits);
    if !point {
        out.remove(start);
    }
}

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn text(format: &str, seconds: i64) -> String {
        let mut out = Vec::new();
        let time = Timestamp::new(seconds, 123_456_789);
        Strftime::strict(format).unwrap().write(time, &Zone::UTC, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fractions_are_cut_off() {
        assert_eq!(text("%S%.3f %6f %f %1f %.9f", 0), "00.123 123456 123456 1 .123456789");
    }

    #[test]
    fn weeks_and_days_are_counted_as_in_iso_8601_and_c() {
        // 2021-01-03, a Sunday, in the last week of 2020.
        assert_eq!(text("%a %u %w %G-W%V %g %U %W %j", 1_609_632_000), "Sun 7 0 2020-W53 20 01 00 003");
        // 2024-12-30, a Monday, in the first week of 2025.
        assert_eq!(text("%a %u %w %G-W%V %g %U %W %j", 1_735_516_800), "Mon 1 1 2025-W01 25 52 53 365");
    }

    #[test]
    fn flags_and_widths_change_what_is_padded() {
        assert_eq!(text("%-d|%_d|%5d|%^a|%#p|%e|%10A|%k", 0), "1| 1|00001|THU|am| 1|  Thursday| 0");
    }

    #[test]
    fn a_strict_format_reports_where_it_is_wrong() {
        for (format, at) in [("%H:%Q", 3), ("%", 0), ("%H %5", 3), ("%Ey", 0), ("%.f", 0), ("%12f", 0), ("%99999d", 0)]
        {
            assert_eq!(Strftime::strict(format).map(|_| ()).map_err(|(place, _)| place), Err(at), "{format}");
        }
    }

    #[test]
    fn widths_have_a_limit_in_c_formats() {
        let mut out = Vec::new();
        let format = Strftime::c("%99999999999999999999999d%88888888888Q");
        format.write(Timestamp::EPOCH, &Zone::UTC, &mut out);
        assert_eq!(out.len(), 2_000);
    }

    #[test]
    fn times_out_of_range_are_clamped() {
        assert_eq!(text("%F %T", i64::MAX), "9999-12-31 23:59:59");
        assert_eq!(text("%F %T %G", i64::MIN), "0-01-01 00:00:00 -1");
    }
}
