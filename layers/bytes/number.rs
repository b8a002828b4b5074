//! Numbers as text, without the machinery of `fmt`.

/// Appends an integer of any kind.
#[inline]
pub(crate) fn int(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an integer. Those below 10^16 are written without an intermediate buffer, which would stall reads right after the writes.
#[inline]
pub(crate) fn unsigned(out: &mut Vec<u8>, value: u64) {
    match value {
        0..EIGHT => put_digits(out, value),
        EIGHT..SIXTEEN => {
            put_digits(out, value / EIGHT);
            out.extend_from_slice(&(eight_digits(value % EIGHT) | ZEROS).to_le_bytes());
        }
        _ => int(out, value),
    }
}

#[inline]
pub(crate) fn signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    unsigned(out, value.unsigned_abs());
}

/// Appends the shortest text that reads back as `value`, which must be finite. It is valid JSON; whole numbers keep a `.0`.
#[inline]
pub(crate) fn finite(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
}

/// Like [`finite`], but also appends `NaN`, `inf` and `-inf`.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    match value {
        _ if value.is_finite() => finite(out, value),
        _ if value.is_nan() => out.extend_from_slice(b"NaN"),
        _ if value > 0.0 => out.extend_from_slice(b"inf"),
        _ => out.extend_from_slice(b"-inf"),
    }
}

/// Returns `.123456Z`, the end of a time in UTC, for less than a million microseconds.
#[inline]
pub(crate) fn micros(micros: u32) -> [u8; 8] {
    let digits = (eight_digits(u64::from(micros)) | ZEROS) >> 16;
    (u64::from(b'.') | digits << 8 | u64::from(b'Z') << 56).to_le_bytes()
}

/// Returns the digits of a number below 10^8, with leading zeros.
#[inline]
pub(crate) fn zero_padded(value: u64) -> [u8; 8] {
    (eight_digits(value) | ZEROS).to_le_bytes()
}

/// Appends a number of up to eight digits.
#[inline]
fn put_digits(out: &mut Vec<u8>, value: u64) {
    // Not computed from the digits, which are available later: the position of the next bytes should be known early.
    let count = (value | 1).ilog10() + 1;
    let end = out.len() + count as usize;
    // The leading zeros are in the low bytes.
    out.extend_from_slice(&((eight_digits(value) | ZEROS) >> (64 - count * 8)).to_le_bytes());
    out.truncate(end);
}

/// Returns the digits of a number below 10^8, the first one in the lowest byte. They are computed in parallel in one word (Paul Khuong,
/// "How to print integers really fast").
#[inline]
fn eight_digits(value: u64) -> u64 {
    // First two numbers of four digits, the higher one in the lower half; then four of two; then eight of one.
    let halves = (value / 10_000) | ((value % 10_000) << 32);
    let tens = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = tens | ((halves - tens * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - tens * 10) << 8)
}

const EIGHT: u64 = 100_000_000;
const SIXTEEN: u64 = EIGHT * EIGHT;
const ZEROS: u64 = 0x3030_3030_3030_3030;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(value: u64) {
        let negative = (value as i64).wrapping_neg();
        let mut text = b"before ".to_vec();
        unsigned(&mut text, value);
        text.push(b' ');
        signed(&mut text, negative);
        assert_eq!(String::from_utf8(text).unwrap(), format!("before {value} {negative}"));
    }

    #[test]
    fn every_number_around_a_power_of_ten_is_written_whole() {
        for power in 0..20 {
            let power = 10_u64.pow(power);
            for value in power.saturating_sub(3)..power + 3 {
                check(value);
            }
        }
    }

    /// The two halves of eight digits do not affect each other.
    #[test]
    fn every_four_digits_are_written_whole_in_either_half() {
        for value in 0..10_000 {
            check(value);
            check(value * 10_000 + 9_999 - value);
            check(value * 10_000 * EIGHT + value);
            assert_eq!(micros(value as u32 * 100 + 99), *format!(".{:06}Z", value * 100 + 99).as_bytes());
        }
    }

    proptest! {
        #[test]
        fn integers_read_as_fmt_writes_them(value in any::<u64>(), shift in 0..64_u32) {
            check(value >> shift);
        }
    }
}
