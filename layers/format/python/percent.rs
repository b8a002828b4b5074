use std::io::Write;

use super::attribute::Attribute;
use super::float::{self, Notation};
use super::object::{How, Object};
use super::{Conversion, Piece, Pieces, Wrong, count};
use crate::format::{escape, width};

/// Parses a format of Python's `%` operator, in which each conversion has a name: `%(name)-8s`, `%%`.
pub(super) fn parse(format: &str) -> Result<Vec<Piece>, Wrong> {
    let mut pieces = Pieces::default();
    let mut rest = format;
    while let Some(plain) = rest.find('%') {
        pieces.text.push_str(&rest[..plain]);
        let at = format.len() - rest.len() + plain;
        rest = &rest[plain + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            pieces.text.push('%');
            rest = after;
            continue;
        }
        let (name, after) = name(rest)
            .ok_or_else(|| Wrong::new(at, "`%` must be followed by `(name)`; write `%%` for the character"))?;
        let (percent, after) = Percent::parse(after).map_err(|what| Wrong::new(at, what))?;
        pieces.value(Attribute::of(name), Conversion::Percent(percent));
        rest = after;
    }
    pieces.text.push_str(rest);
    Ok(pieces.done())
}

/// Splits off the name in parentheses, which may contain nested ones.
fn name(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('(')?;
    let mut depth = 1;
    let end = inside.find(|sign| {
        depth += i32::from(sign == '(') - i32::from(sign == ')');
        depth == 0
    })?;
    Some((&inside[..end], &inside[end + 1..])).filter(|_| end > 0)
}

/// A conversion with its flags.
#[derive(Clone, Debug)]
pub(super) struct Percent {
    left: bool,
    zeros: bool,
    alternate: bool,
    /// The character before a number that is not negative.
    plus: Option<u8>,
    width: usize,
    precision: Option<usize>,
    letter: u8,
}

impl Percent {
    /// Parses what follows the name. Returns the rest of the text too.
    fn parse(text: &str) -> Result<(Self, &str), String> {
        let flags = text.bytes().take_while(|byte| b"#0- +".contains(byte)).count();
        let (flags, rest) = text.split_at(flags);
        let (width, rest) = digits(rest);
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (precision, rest) = digits(rest);
                if precision.is_empty() {
                    return Err("expected digits after the point".to_owned());
                }
                (Some(precision), rest)
            }
            None => (None, rest),
        };
        let Some(letter) = rest.chars().next() else { return Err("the conversion is missing".to_owned()) };
        if !"diouxXeEfFgGcrsa".contains(letter) {
            return Err(format!("unknown conversion `{letter}`"));
        }
        let too_large = || "the width or precision exceeds 1000".to_owned();
        let percent = Self {
            left: flags.contains('-'),
            zeros: flags.contains('0'),
            alternate: flags.contains('#'),
            plus: if flags.contains('+') { Some(b'+') } else { flags.contains(' ').then_some(b' ') },
            width: if width.is_empty() { 0 } else { count(width).ok_or_else(too_large)? },
            precision: precision.map(|digits| count(digits).ok_or_else(too_large)).transpose()?,
            letter: letter as u8,
        };
        Ok((percent, &rest[1..]))
    }

    pub(super) fn write(
        &self,
        object: Object<'_>,
        digits: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        match self.letter {
            b's' => self.text(object, How::Str, out),
            b'r' => self.text(object, How::Repr, out),
            b'a' => self.text(object, How::Ascii, out),
            b'c' => return self.char(object, out),
            b'd' | b'i' | b'u' => return self.decimal(object, out),
            b'o' | b'x' | b'X' => return self.of_base(object, out),
            _ => return self.float(object, digits, out),
        }
        Ok(())
    }

    fn text(&self, object: Object<'_>, how: How, out: &mut Vec<u8>) {
        let start = out.len();
        object.write_as(how, out);
        if let Some(precision) = self.precision {
            let end = start + width::start_of(&out[start..], precision);
            out.truncate(end);
        }
        self.fill(start, out);
    }

    fn char(&self, object: Object<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let char = object.char().ok_or("`%c` requires one character or its number")?;
        let start = out.len();
        escape::plain(out, char.encode_utf8(&mut [0; 4]));
        self.fill(start, out);
        Ok(())
    }

    fn decimal(&self, object: Object<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match object {
            Object::Float(value) if value.is_finite() => {
                let whole = value.trunc();
                self.integer(whole < 0.0, "", out, |out| write!(out, "{:.0}", whole.abs()));
            }
            other => {
                let (negative, magnitude) = other.int().ok_or("`%d` requires a finite number")?;
                self.integer(negative, "", out, |out| write!(out, "{magnitude}"));
            }
        }
        Ok(())
    }

    fn of_base(&self, object: Object<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let (negative, magnitude) = object.int().ok_or("`%x` and `%o` require an integer")?;
        match self.letter {
            b'o' => self.integer(negative, "0o", out, |out| write!(out, "{magnitude:o}")),
            b'x' => self.integer(negative, "0x", out, |out| write!(out, "{magnitude:x}")),
            _ => self.integer(negative, "0X", out, |out| write!(out, "{magnitude:X}")),
        }
        Ok(())
    }

    fn integer(
        &self,
        negative: bool,
        prefix: &str,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>,
    ) {
        let start = out.len();
        self.sign(negative, out);
        if self.alternate {
            out.extend_from_slice(prefix.as_bytes());
        }
        let at = out.len();
        // Writing to a vector cannot fail.
        let _ = write(out);
        let missing = self.precision.unwrap_or(0).saturating_sub(out.len() - at);
        width::insert(out, at, missing, b'0');
        self.fill_number(start, at, out);
    }

    fn float(&self, object: Object<'_>, digits: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let value = object.float().ok_or("`%f`, `%e` and `%g` require a number")?;
        let notation = match self.letter.to_ascii_lowercase() {
            b'e' => Notation::Exponent,
            b'f' => Notation::Fixed,
            _ => Notation::General,
        };
        let start = out.len();
        self.sign(float::is_negative(value), out);
        let at = out.len();
        float::write(value.abs(), notation, self.precision.unwrap_or(6), self.alternate, digits, out);
        if self.letter.is_ascii_uppercase() {
            out[at..].make_ascii_uppercase();
        }
        self.fill_number(start, at, out);
        Ok(())
    }

    fn sign(&self, negative: bool, out: &mut Vec<u8>) {
        out.extend(if negative { Some(b'-') } else { self.plus });
    }

    /// Pads a number, with zeros between the sign and the digits, which begin at `at`, if the flag is set.
    fn fill_number(&self, start: usize, at: usize, out: &mut Vec<u8>) {
        if self.zeros && !self.left {
            let missing = self.width.saturating_sub(out.len() - start);
            width::insert(out, at, missing, b'0');
        }
        self.fill(start, out);
    }

    fn fill(&self, start: usize, out: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(width::chars(&out[start..]));
        let at = if self.left { out.len() } else { start };
        width::insert(out, at, missing, b' ');
    }
}

/// Splits `text` into the digits that it begins with and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}
