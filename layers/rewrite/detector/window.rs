//! Searches for the bytes at which a secret may begin or be recognized, many at a time.
//!
//! The loops have constant bounds and no branches, so that the compiler translates them to vector instructions.

/// Calls `each` with the positions of all triggers in ascending order.
///
/// A trigger is a byte at which [`Scan`](super::scan::Scan) looks for a secret. Every secret has at least one; most text has none.
#[inline]
pub(super) fn each_trigger(bytes: &[u8], mut each: impl FnMut(usize)) {
    let mut padded;
    for start in (0..bytes.len()).step_by(LANES) {
        let inside = start.checked_sub(BEFORE).and_then(|from| bytes[from..].first_chunk());
        let window = match inside {
            Some(window) => window,
            None => {
                padded = padded_window(bytes, start);
                &padded
            }
        };
        if may_have_trigger(window) {
            each_in_window(window, |lane| each(start + lane));
        }
    }
}

/// The bytes of all lanes, and those around them.
type Window = [u8; BEFORE + LANES + BEHIND];

const LANES: usize = 32;
const BEFORE: usize = 1;
const BEHIND: usize = 3;

/// Returns the window at the start or at the end of a text, filled up with zeros.
#[inline(never)]
fn padded_window(bytes: &[u8], start: usize) -> Window {
    let mut window = [0; BEFORE + LANES + BEHIND];
    let from = start.saturating_sub(BEFORE);
    let text = &bytes[from..bytes.len().min(start + LANES + BEHIND)];
    window[BEFORE - (start - from)..][..text.len()].copy_from_slice(text);
    window
}

/// A superset of the triggers that is cheap to compute.
#[inline(always)]
fn may_have_trigger(window: &Window) -> bool {
    let mut any = 0;
    for lane in 0..LANES {
        let [byte, next, third] = [1, 2, 3].map(|offset| window[lane + offset]);
        // The digits and `:`; `=` to `A`.
        let sign = (byte.wrapping_sub(b'0') <= 10) | (byte.wrapping_sub(b'=') <= 4);
        let sign = sign | (byte == b'_') | (byte == b'-') | (byte == b'J') | (byte == b'G') | (byte == b'\\');
        any |= u8::from(sign | is_word_start(byte, next, third) | (byte >= 0xc2));
    }
    any != 0
}

#[inline]
fn each_in_window(window: &Window, mut each: impl FnMut(usize)) {
    let triggers = triggers(window);
    for (index, eight) in triggers.as_chunks::<8>().0.iter().enumerate() {
        let mut left = u64::from_le_bytes(*eight);
        while left != 0 {
            each(8 * index + left.trailing_zeros() as usize / 8);
            left &= left - 1;
        }
    }
}

/// Returns 1 for each lane with a trigger, and 0 for the others.
#[inline(always)]
fn triggers(window: &Window) -> [u8; LANES] {
    let mut triggers = [0; LANES];
    for (lane, trigger) in triggers.iter_mut().enumerate() {
        let [before, byte, next, third, fourth] = [0, 1, 2, 3, 4].map(|offset| window[lane + offset]);
        let card = is_digit(byte) & !is_digit(before) & is_digit(next) & is_digit(third) & is_digit(fourth);
        let sign = (byte == b'@') | (byte == b'=') | (byte == b':') | (byte == b'_') | (byte == b'-');
        let point = (byte == b'.') & is_digit(before) & is_digit(next);
        // `AKIA`, `AIza`; `eyJ`; `SG.`; `ya29`
        let key = (byte == b'A') & ((fourth == b'A') | (next == b'I'));
        let key = key | (byte == b'J') & (before == b'y') | (byte == b'G') & (before == b'S');
        let key = key | (byte == b'2') & (before == b'a') & (next == b'9');
        *trigger = u8::from(card | sign | point | key | is_word_start(byte, next, third) | is_foldable(byte, next));
    }
    triggers
}

/// Whether these are the start of `cio…`, `bearer` or `basic`.
#[inline(always)]
fn is_word_start(byte: u8, next: u8, third: u8) -> bool {
    let [lower, lower_next, lower_third] = [byte, next, third].map(|byte| byte | 0x20);
    let bearer = (lower_next == b'e') & (lower_third == b'a');
    let basic = (lower_next == b'a') & (lower_third == b's');
    (lower == b'b') & (bearer | basic) | (byte == b'c') & (next == b'i') & (third == b'o')
}

/// Whether a character that [`Folded`](super::fold::Folded) replaces may begin here, or the escape of one.
#[inline(always)]
fn is_foldable(byte: u8, next: u8) -> bool {
    let letters = (byte == 0xc2) | (byte == 0xcd) | (byte.wrapping_sub(0xd8) < 4);
    letters | (byte.wrapping_sub(0xe0) < 4) | (byte >= 0xee) | (byte == b'\\') & (next == b'u')
}

#[inline(always)]
fn is_digit(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 10
}
