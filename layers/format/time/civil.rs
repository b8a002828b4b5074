//! Seconds to the text of dates and times.

use std::cell::Cell;

use crate::clock::Timestamp;
use crate::clock::civil::{self, DAY, FIRST_SECOND, LAST_SECOND};

/// `2026-11-21T01:19:03`, for local seconds that [`clamp`] let through; what stands behind [`DATE_TIME`] is nothing.
#[inline]
pub(super) fn date_time(local_seconds: i64) -> [u8; 24] {
    LAST.try_with(|last| {
        let (seconds, text) = last.get();
        if seconds == local_seconds {
            return text;
        }
        let text = date_time_anew(local_seconds, seconds, text);
        last.set((local_seconds, text));
        text
    })
    // The thread is ending; its records still have a time.
    .unwrap_or_else(|_| date_time_anew(local_seconds, 0, EPOCH))
}

/// How much of [`date_time`] is text.
pub(super) const DATE_TIME: usize = 19;

/// `time` shifted by an offset, or what comes nearest to it in the years 0000 to 9999.
#[inline]
pub(super) fn clamp(time: Timestamp, offset: i64) -> Timestamp {
    let local = time.seconds().saturating_add(offset);
    if (FIRST_SECOND..=LAST_SECOND).contains(&local) {
        return Timestamp::new(local, time.nanos());
    }
    match local < 0 {
        true => Timestamp::new(FIRST_SECOND, 0),
        false => Timestamp::new(LAST_SECOND, 999_999_999),
    }
}

/// The last two digits.
#[inline]
pub(super) fn two_digits(number: u32) -> [u8; 2] {
    PAIRS[number as usize % 100]
}

/// Written next to another second, `near` with its text, whose date is kept where the day is the same.
#[cold]
fn date_time_anew(local_seconds: i64, near: i64, mut text: [u8; 24]) -> [u8; 24] {
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

/// The date of a day counted from 1970-01-01, with midnight behind it.
fn date(day: i64) -> [u8; 24] {
    let (year, month, day) = civil::date(day);
    let mut text = EPOCH;
    text[0..2].copy_from_slice(&two_digits(year as u32 / 100));
    text[2..4].copy_from_slice(&two_digits(year as u32));
    text[5..7].copy_from_slice(&two_digits(month as u32));
    text[8..10].copy_from_slice(&two_digits(day as u32));
    text
}

/// As long as whole words are: odd lengths are copied in pieces.
const EPOCH: [u8; 24] = *b"1970-01-01T00:00:00\0\0\0\0\0";
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
    /// Most records share their second with the one before. Local seconds, so that it holds for every zone.
    static LAST: Cell<(i64, [u8; 24])> = const { Cell::new((0, EPOCH)) };
}
