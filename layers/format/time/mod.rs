mod free;
#[cfg(feature = "time-zone")]
mod zone;

use self::free::Free;
use super::{escape, number};
use crate::Error;
use crate::clock::civil::{self, put_fraction};
use crate::clock::{Timestamp, Zone};

/// How the time of a record is written.
///
/// | constructor | writes | in JSON |
/// |---|---|---|
/// | [`rfc3339`](Self::rfc3339), the default | `2026-11-21T01:19:03.123456Z` | string |
/// | `local`, `zone` (feature `time-zone`) | `2026-11-21T03:19:03.123456+02:00` | string |
/// | [`clock`](Self::clock) | `01:19:03.123` | string |
/// | [`strftime`](Self::strftime) | by a format of C's: `2026-11-21 01:19:03.123` | string |
/// | [`uptime`](Self::uptime), [`since`](Self::since) | `   0.000412907s`: since the start of the program, or since a time | string |
/// | [`from_fn`](Self::from_fn) | what a function writes | string |
/// | [`format_time`](Self::format_time) | what a timer of tracing-subscriber writes | string |
/// | [`unix_seconds`](Self::unix_seconds) | `1795223943` | number |
/// | [`unix_millis`](Self::unix_millis) | `1795223943123` | number |
/// | [`unix_nanos`](Self::unix_nanos) | `1795223943123456789` | number |
/// | [`none`](Self::none) | nothing | omitted |
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`precision`](Self::precision) | 6; `clock` 3; `unix_seconds` 0; `since` 9 | digits of the second's fraction, 0 to 9, cut off, not rounded |
/// | [`short`](Self::short) | `false`; `clock` `true` | omits the date |
/// | [`offset`](Self::offset) | `true`; if short, `false` | shows the offset from UTC, `Z` or `+02:00` |
/// | `in_local`, `in_zone` (feature `time-zone`) | UTC | the time zone of `rfc3339`, `clock` and `strftime` |
///
/// Times outside the years 0000 to 9999 are written as the nearest time inside.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::Time;
///
/// let time = Timestamp::new(1_795_223_943, 123_456_789);
/// assert_eq!(Time::rfc3339().text(time), "2026-11-21T01:19:03.123456Z");
/// assert_eq!(Time::rfc3339().precision(0).text(time), "2026-11-21T01:19:03Z");
/// assert_eq!(Time::clock().text(time), "01:19:03.123");
/// assert_eq!(Time::clock().offset(true).text(time), "01:19:03.123Z");
/// assert_eq!(Time::unix_seconds().precision(3).text(time), "1795223943.123");
/// ```
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Time {
    style: Style,
    precision: u8,
    zone: Zone,
    /// `None`: according to the style.
    offset: Option<bool>,
    /// Set for [`Style::Free`].
    free: Option<Free>,
}

impl Time {
    /// Writes RFC 3339 in UTC, to the microsecond: `2026-11-21T01:19:03.123456Z`.
    pub fn rfc3339() -> Self {
        Self { style: Style::Long, precision: 6, zone: Zone::UTC, offset: None, free: None }
    }

    /// Writes the time of day in UTC, to the millisecond: `01:19:03.123`.
    pub fn clock() -> Self {
        Self::rfc3339().short(true).precision(3)
    }

    /// Writes the seconds since 1970-01-01T00:00:00Z; with a [`precision`](Self::precision) above 0 as a decimal fraction.
    pub fn unix_seconds() -> Self {
        Self { style: Style::UnixSeconds, precision: 0, zone: Zone::UTC, offset: None, free: None }
    }

    /// Writes the milliseconds since 1970-01-01T00:00:00Z, a whole number.
    pub fn unix_millis() -> Self {
        Self { style: Style::UnixWhole { digits: 3 }, precision: 0, zone: Zone::UTC, offset: None, free: None }
    }

    /// Writes the nanoseconds since 1970-01-01T00:00:00Z, a whole number, which exceeds `i64` from the year 2262 on.
    pub fn unix_nanos() -> Self {
        Self { style: Style::UnixWhole { digits: 9 }, precision: 0, zone: Zone::UTC, offset: None, free: None }
    }

    /// Writes no time, for receivers that add their own: journald, container runtimes.
    pub fn none() -> Self {
        Self { style: Style::None, precision: 0, zone: Zone::UTC, offset: None, free: None }
    }

    /// Sets the digits of the second's fraction, at most 9.
    pub fn precision(mut self, digits: u8) -> Self {
        self.precision = digits.min(9);
        self
    }

    /// Sets whether the date is omitted, and the offset unless [set](Self::offset). Affects RFC 3339 only.
    pub fn short(mut self, short: bool) -> Self {
        self.style = match self.style {
            Style::Long | Style::Short if short => Style::Short,
            Style::Long | Style::Short => Style::Long,
            style => style,
        };
        self
    }

    /// Sets whether the offset from UTC is shown, `Z` or `+02:00`. Affects RFC 3339 only, which without it does not say which time zone
    /// it is in.
    pub fn offset(mut self, shown: bool) -> Self {
        self.offset = Some(shown);
        self
    }

    /// Writes RFC 3339 in the time zone with this [name](crate::clock#time-zones), which may be `utc` or `local`.
    pub(in crate::format) fn named(zone: &str) -> Result<Self, Error> {
        Ok(Self::rfc3339().zoned(Zone::named(zone)?))
    }

    pub(in crate::format) fn zoned(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// Returns the time zone of the written time.
    pub(in crate::format) fn in_use(&self) -> &Zone {
        &self.zone
    }

    /// Returns `time` as text, as formats write it.
    pub fn text(&self, time: Timestamp) -> String {
        let mut out = Vec::new();
        self.write(time, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends `time`; a text of the user's choice is escaped as in a line for people.
    #[inline]
    pub(crate) fn write(&self, time: Timestamp, out: &mut Vec<u8>) {
        self.write_escaped(time, out, escape::plain);
    }

    /// Appends `time`. Only a text of the user's choice may need escaping, and is appended by `put`.
    #[inline]
    pub(in crate::format) fn write_escaped(&self, time: Timestamp, out: &mut Vec<u8>, put: fn(&mut Vec<u8>, &str)) {
        match self.style {
            Style::Long if self.is_default() => write_default(time, out),
            Style::Long | Style::Short => self.write_civil(time, out),
            Style::UnixSeconds => write_unix(time, self.precision, self.precision, out),
            Style::UnixWhole { digits } => write_unix(time, digits, 0, out),
            Style::None => {}
            Style::Free => self.write_free(time, out, put),
        }
    }

    #[inline(never)]
    fn write_free(&self, time: Timestamp, out: &mut Vec<u8>, put: fn(&mut Vec<u8>, &str)) {
        self.with_free(time, |text| put(out, text));
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.precision == 6 && self.zone.is_utc() && self.offset.is_none()
    }

    /// Whether nothing is written.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self.style, Style::None)
    }

    /// Whether it is written as a number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.style, Style::UnixSeconds | Style::UnixWhole { .. })
    }

    #[inline(never)]
    fn write_civil(&self, time: Timestamp, out: &mut Vec<u8>) {
        let minutes = self.zone.offset_minutes(time.seconds());
        let local = time.to_local(i64::from(minutes) * 60);
        let date_time = civil::date_time(local.seconds());
        match self.style {
            Style::Short => out.extend_from_slice(&date_time[11..civil::DATE_TIME]),
            _ => out.extend_from_slice(&date_time[..civil::DATE_TIME]),
        }
        put_fraction(out, local.nanos(), self.precision);
        if self.offset.unwrap_or(matches!(self.style, Style::Long)) {
            put_offset(out, (!self.zone.is_utc()).then_some(minutes));
        }
    }
}

impl Default for Time {
    /// Creates the same format as [`rfc3339`](Self::rfc3339).
    fn default() -> Self {
        Self::rfc3339()
    }
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Long,
    Short,
    UnixSeconds,
    /// Whole units of 10 to the power of `-digits` seconds.
    UnixWhole {
        digits: u8,
    },
    None,
    Free,
}

/// Appends `2026-11-21T01:19:03.123456Z`, copied in whole words.
#[inline]
fn write_default(time: Timestamp, out: &mut Vec<u8>) {
    let time = time.to_local(0);
    let end = out.len() + civil::DATE_TIME;
    out.extend_from_slice(&civil::date_time(time.seconds()));
    out.truncate(end);
    out.extend_from_slice(&number::micros(time.nanos() / 1_000));
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

/// Appends the time in units of 10 to the power of `-digits` seconds, with a point before the last `fraction` digits.
fn write_unix(time: Timestamp, digits: u8, fraction: u8, out: &mut Vec<u8>) {
    let time = time.to_local(0);
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
    // Less than 10^9, so nothing is truncated.
    let rest = (units.unsigned_abs() % per_second.unsigned_abs()) as u32;
    number::int(out, whole as u64);
    put_fraction(out, rest * per_unit, fraction);
}

#[cfg(test)]
mod tests;
