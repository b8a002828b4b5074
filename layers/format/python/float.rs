use std::io::Write;

/// A notation of floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Notation {
    /// `e`
    Exponent,
    /// `f`
    Fixed,
    /// `g`: fixed, or with an exponent for very large and very small numbers.
    General,
    /// Like `General`, but always with a point: Python's `format` without a type.
    Pointed,
}

/// Whether the number is written with a minus sign.
pub(super) fn is_negative(value: f64) -> bool {
    value.is_sign_negative() && !value.is_nan()
}

/// Appends a number that is not negative. With `alternate`, it always has a point and keeps trailing zeros. `digits` is scratch space.
pub(super) fn write(
    value: f64,
    notation: Notation,
    precision: usize,
    alternate: bool,
    digits: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    if put_not_finite(value, out) {
        return;
    }
    match notation {
        Notation::Fixed => {
            // Writing to a vector cannot fail, here and below.
            let _ = write!(out, "{value:.precision$}");
            if alternate && precision == 0 {
                out.push(b'.');
            }
        }
        Notation::Exponent => {
            let exponent = take_apart(value, Some(precision), digits);
            with_exponent(digits, exponent, alternate, out);
        }
        Notation::General | Notation::Pointed => {
            let precision = precision.max(1);
            let pointed = notation == Notation::Pointed;
            let exponent = take_apart(value, Some(precision - 1), digits);
            if !alternate {
                let last = digits.iter().rposition(|digit| *digit != b'0').unwrap_or(0);
                digits.truncate(last + 1);
            }
            let most = precision as i32 - i32::from(pointed);
            match exponent < -4 || exponent >= most {
                true => with_exponent(digits, exponent, alternate, out),
                false => fixed(digits, exponent, pointed, alternate, out),
            }
        }
    }
}

/// Appends a number that is not negative as Python's `repr` does: the fewest digits that read back as the same number. With
/// `alternate`, it has a point before an exponent too.
pub(super) fn shortest(value: f64, alternate: bool, out: &mut Vec<u8>) {
    if put_not_finite(value, out) {
        return;
    }
    let mut buffer = [0; 32];
    let mut rest = &mut buffer[..];
    // At most 17 digits, a point and four characters of an exponent.
    let _ = write!(rest, "{value:e}");
    let left = rest.len();
    let text = &buffer[..buffer.len() - left];
    let mut digits = [b'0'; 32];
    let (count, exponent) = split(text, &mut digits);
    match (-4..16).contains(&exponent) {
        true => fixed(&digits[..count], exponent, true, false, out),
        false => with_exponent(&digits[..count], exponent, alternate, out),
    }
}

fn put_not_finite(value: f64, out: &mut Vec<u8>) -> bool {
    match (value.is_nan(), value.is_infinite()) {
        (true, _) => out.extend_from_slice(b"nan"),
        (_, true) => out.extend_from_slice(b"inf"),
        _ => return false,
    }
    true
}

/// Puts the digits of a number, `decimals` of them after the first, into `digits`. Returns the power of ten of the first digit.
fn take_apart(value: f64, decimals: Option<usize>, digits: &mut Vec<u8>) -> i32 {
    digits.clear();
    let _ = write!(digits, "{value:.*e}", decimals.unwrap_or(0));
    let sign = digits.iter().position(|byte| *byte == b'e').unwrap_or(digits.len());
    let exponent = digits.get(sign + 1..).and_then(|text| str::from_utf8(text).ok()?.parse().ok()).unwrap_or(0);
    digits.truncate(sign);
    if digits.len() > 1 {
        digits.remove(1);
    }
    exponent
}

/// Splits a text such as `1.25e-7`: puts its digits into `digits`, and returns their number and the exponent.
fn split(text: &[u8], digits: &mut [u8]) -> (usize, i32) {
    let sign = text.iter().position(|byte| *byte == b'e').unwrap_or(text.len());
    let exponent = text.get(sign + 1..).and_then(|text| str::from_utf8(text).ok()?.parse().ok()).unwrap_or(0);
    let mut count = 0;
    for (digit, byte) in digits.iter_mut().zip(text[..sign].iter().filter(|byte| **byte != b'.')) {
        *digit = *byte;
        count += 1;
    }
    (count, exponent)
}

/// Appends `1.25e-07`.
fn with_exponent(digits: &[u8], exponent: i32, alternate: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(&digits[..1]);
    if digits.len() > 1 || alternate {
        out.push(b'.');
    }
    out.extend_from_slice(&digits[1..]);
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
}

/// Appends `0.00125`, `12500`, and with `.0` if it is `pointed`.
fn fixed(digits: &[u8], exponent: i32, pointed: bool, alternate: bool, out: &mut Vec<u8>) {
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', exponent.unsigned_abs() as usize - 1));
        out.extend_from_slice(digits);
        return;
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    out.extend_from_slice(&digits[..whole.min(digits.len())]);
    out.extend(std::iter::repeat_n(b'0', whole.saturating_sub(digits.len())));
    if digits.len() > whole {
        out.push(b'.');
        out.extend_from_slice(&digits[whole..]);
    } else if alternate || pointed {
        out.push(b'.');
        if pointed && !alternate {
            out.push(b'0');
        }
    }
}
