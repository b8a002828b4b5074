use std::fmt;
use std::sync::Arc;

use super::number;
use crate::clock::Timestamp;

pub(super) use strftime::Strftime;

mod civil;
mod strftime;
#[cfg(feature = "time-zone")]
mod zone;
#[cfg(not(feature = "time-zone"))]
#[path = "utc.rs"]
mod zone;

/// How the time of a record is written.
///
/// | constructor | writes | in JSON |
/// |---|---|---|
/// | [`rfc3339`](Self::rfc3339), the default | `2026-11-21T01:19:03.123456Z` | string |
/// | `local`, `zone` (feature `time-zone`) | `2026-11-21T03:19:03.123456+02:00` | string |
/// | [`clock`](Self::clock) | `01:19:03.123` | string |
/// | [`unix_seconds`](Self::unix_seconds) | `1795223943` | number |
/// | [`unix_millis`](Self::unix_millis) | `1795223943123` | number |
/// | [`unix_nanos`](Self::unix_nanos) | `1795223943123456789` | number |
/// | [`none`](Self::none) | nothing | left out |
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`precision`](Self::precision) | 6; `clock` 3; `unix_seconds` 0 | digits of the second's fraction, 0 to 9, cut off, not rounded |
/// | [`short`](Self::short) | off; `clock` on | leaves out the date and the offset |
///
/// The years 0000 to 9999 can be written; a time outside is written as the nearest one inside.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::Time;
///
/// let time = Timestamp::new(1_795_223_943, 123_456_789);
/// assert_eq!(Time::rfc3339().text(time), "2026-11-21T01:19:03.123456Z");
/// assert_eq!(Time::rfc3339().precision(0).text(time), "2026-11-21T01:19:03Z");
/// assert_eq!(Time::clock().text(time), "01:19:03.123");
/// assert_eq!(Time::unix_seconds().precision(3).text(time), "1795223943.123");
/// ```
#[derive(Clone, Debug)]
pub struct Time {
    style: Style,
    precision: u8,
    /// `None`: UTC.
    zone: Option<Arc<dyn Zone>>,
}

impl Time {
    /// RFC 3339 in UTC, to the microsecond: `2026-11-21T01:19:03.123456Z`.
    pub fn rfc3339() -> Self {
        Self { style: Style::Long, precision: 6, zone: None }
    }

    /// The time of day in UTC, to the millisecond: `01:19:03.123`.
    pub fn clock() -> Self {
        Self::rfc3339().short().precision(3)
    }

    /// Seconds since 1970-01-01T00:00:00Z; with a [`precision`](Self::precision) above 0 as a decimal fraction.
    pub fn unix_seconds() -> Self {
        Self { style: Style::UnixSeconds, precision: 0, zone: None }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, a whole number.
    pub fn unix_millis() -> Self {
        Self { style: Style::UnixWhole { digits: 3 }, precision: 0, zone: None }
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z, a whole number; from the year 2262 on it does not fit 64 bits with sign.
    pub fn unix_nanos() -> Self {
        Self { style: Style::UnixWhole { digits: 9 }, precision: 0, zone: None }
    }

    /// No time at all, where the reader adds its own: journald, container runtimes.
    pub fn none() -> Self {
        Self { style: Style::None, precision: 0, zone: None }
    }

    /// The digits of the second's fraction; more than 9 are taken as 9.
    pub fn precision(mut self, digits: u8) -> Self {
        self.precision = digits.min(9);
        self
    }

    /// Leaves out the date and the offset; Unix times stay as they are.
    pub fn short(mut self) -> Self {
        if let Style::Long = self.style {
            self.style = Style::Short;
        }
        self
    }

    /// `time` as text: what a format writes, for use elsewhere.
    pub fn text(&self, time: Timestamp) -> String {
        let mut out = Vec::new();
        self.write(time, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends `time`.
    #[inline]
    pub(crate) fn write(&self, time: Timestamp, out: &mut Vec<u8>) {
        match self.style {
            Style::Long if self.precision == 6 && self.zone.is_none() => write_default(time, out),
            Style::Long | Style::Short => self.write_civil(time, out),
            Style::UnixSeconds => write_unix(time, self.precision, self.precision, out),
            Style::UnixWhole { digits } => write_unix(time, digits, 0, out),
            Style::None => {}
        }
    }

    /// Nothing is written.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self.style, Style::None)
    }

    /// What is written is a number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.style, Style::UnixSeconds | Style::UnixWhole { .. })
    }

    #[inline(never)]
    fn write_civil(&self, time: Timestamp, out: &mut Vec<u8>) {
        let minutes = self.zone.as_ref().map(|zone| zone.offset_minutes(time.seconds()));
        let local = civil::clamp(time, i64::from(minutes.unwrap_or(0)) * 60);
        let date_time = civil::date_time(local.seconds());
        match self.style {
            Style::Short => out.extend_from_slice(&date_time[11..civil::DATE_TIME]),
            _ => out.extend_from_slice(&date_time[..civil::DATE_TIME]),
        }
        put_fraction(out, local.nanos(), self.precision);
        if let Style::Long = self.style {
            put_offset(out, minutes);
        }
    }
}

impl Default for Time {
    /// [`rfc3339`](Self::rfc3339).
    fn default() -> Self {
        Self::rfc3339()
    }
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Long,
    Short,
    UnixSeconds,
    /// Whole units, of which a second has 10 to the power of `digits`.
    UnixWhole {
        digits: u8,
    },
    None,
}

/// Where clocks are ahead of UTC or behind it.
trait Zone: fmt::Debug + Send + Sync + 'static {
    /// How far ahead, in whole minutes (RFC 3339 has no seconds there), `seconds` after the epoch.
    fn offset_minutes(&self, seconds: i64) -> i32;

    /// Appends what this offset is called there and then: `CEST`, or `+0545` where it has no letters.
    fn put_abbreviation(&self, seconds: i64, out: &mut Vec<u8>);
}

/// `2026-11-21T01:19:03.123456Z`, in whole words.
#[inline]
fn write_default(time: Timestamp, out: &mut Vec<u8>) {
    let time = civil::clamp(time, 0);
    let end = out.len() + civil::DATE_TIME;
    out.extend_from_slice(&civil::date_time(time.seconds()));
    out.truncate(end);
    out.extend_from_slice(&number::micros(time.nanos() / 1_000));
}

/// Appends `.` and the digits: eight of them in any case, which is one piece of constant length.
#[inline]
fn put_fraction(out: &mut Vec<u8>, nanos: u32, precision: u8) {
    if precision == 0 {
        return;
    }
    let end = out.len() + 1 + precision as usize;
    let [a, b, c, d, e, f, g, h] = number::zero_padded(u64::from(nanos / 10));
    out.extend_from_slice(&[b'.', a, b, c, d, e, f, g, h]);
    if precision == 9 {
        out.push(b'0' + (nanos % 10) as u8);
    }
    out.truncate(end);
}

#[inline]
fn put_offset(out: &mut Vec<u8>, minutes: Option<i32>) {
    let Some(minutes) = minutes else { return out.push(b'Z') };
    let sign = if minutes < 0 { b'-' } else { b'+' };
    let (hours, rest) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
    let [h1, h0] = civil::two_digits(hours);
    let [m1, m0] = civil::two_digits(rest);
    out.extend_from_slice(&[sign, h1, h0, b':', m1, m0]);
}

/// Appends the time in units of which a second has 10 to the power of `digits`, with a point before the last `fraction`.
fn write_unix(time: Timestamp, digits: u8, fraction: u8, out: &mut Vec<u8>) {
    let time = civil::clamp(time, 0);
    let per_second = 10_i128.pow(u32::from(digits));
    let per_unit = 10_u32.pow(9 - u32::from(digits));
    let units = i128::from(time.seconds()) * per_second + i128::from(time.nanos() / per_unit);
    if fraction == 0 {
        return match i64::try_from(units) {
            Ok(units) => number::int(out, units),
            Err(_) => number::int(out, units),
        };
    }
    if units < 0 {
        out.push(b'-');
    }
    let whole = units.unsigned_abs() / per_second.unsigned_abs();
    // Below 10^9, so that nothing is cut off.
    let rest = (units.unsigned_abs() % per_second.unsigned_abs()) as u32;
    number::int(out, whole as u64);
    put_fraction(out, rest * per_unit, fraction);
}

#[cfg(test)]
mod tests;
