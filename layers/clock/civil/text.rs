//! Civil times as text.

use std::cell::Cell;

use super::DAY;
use crate::bytes::number;

/// Returns `2026-11-21T01:19:03`, for local seconds in the years 0000 to 9999. Bytes from [`DATE_TIME`] on are
/// padding.
#[inline]
pub(crate) fn date_time(local_seconds: i64) -> [u8; 24] {
    LAST.try_with(|last| {
        let (seconds, text) = last.get();
        if seconds == local_seconds {
            return text;
        }
        let text = write_date_time(local_seconds, seconds, text);
        last.set((local_seconds, text));
        text
    })
    // A thread that is ending can still log.
    .unwrap_or_else(|_| write_date_time(local_seconds, 0, MIDNIGHT))
}

/// The length of the text in [`date_time`].
pub(crate) const DATE_TIME: usize = 19;

/// Returns the last two digits.
#[inline]
pub(crate) fn two_digits(number: u32) -> [u8; 2] {
    PAIRS[number as usize % 100]
}

/// Appends `.` and `precision` digits of the fraction, cut off, not rounded. Always copies eight digits: a piece of constant
/// length.
#[inline]
pub(crate) fn put_fraction(out: &mut Vec<u8>, nanos: u32, precision: u8) {
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

/// Writes the text. `text` is that of the second `near`, whose date is reused if it is the same.
#[cold]
fn write_date_time(local_seconds: i64, near: i64, mut text: [u8; 24]) -> [u8; 24] {
    let day = local_seconds.div_euclid(DAY);
    if day != near.div_euclid(DAY) {
        text = date(day);
    }
    let second = local_seconds.rem_euclid(DAY) as u32;
    text[11..13].copy_from_slice(&two_digits(second / 3600));
    text[14..16].copy_from_slice(&two_digits(second / 60 % 60));
    text[17..19].copy_from_slice(&two_digits(second % 60));
    text
}

/// Returns midnight of a day counted from 1970-01-01.
fn date(day: i64) -> [u8; 24] {
    let (year, month, day) = super::date(day);
    let mut text = MIDNIGHT;
    text[0..2].copy_from_slice(&two_digits(year as u32 / 100));
    text[2..4].copy_from_slice(&two_digits(year as u32));
    text[5..7].copy_from_slice(&two_digits(month as u32));
    text[8..10].copy_from_slice(&two_digits(day as u32));
    text
}

/// Padded to whole words, since other lengths are copied in pieces.
const MIDNIGHT: [u8; 24] = *b"1970-01-01T00:00:00\0\0\0\0\0";
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

thread_local! {
    /// The last text and its second, which most records share with the previous one. The second is local, so that the text is right
    /// for every zone.
    static LAST: Cell<(i64, [u8; 24])> = const { Cell::new((0, MIDNIGHT)) };
}
