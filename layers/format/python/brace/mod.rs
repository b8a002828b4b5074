mod parse;

use std::io::Write;

use super::Count;
use super::float::{self, Notation};
use super::object::{How, Object};
use crate::format::{escape, width};

pub(super) use parse::parse;

/// Python's format specification ("Format Specification Mini-Language"), and the conversion before it.
#[derive(Clone, Debug)]
pub(super) struct Brace {
    /// The conversion `!s`, `!r` or `!a`, whose result is formatted as a string.
    how: Option<How>,
    /// Whether the specification is empty.
    is_plain: bool,
    fill: Option<char>,
    align: Option<Align>,
    sign: Option<u8>,
    alternate: bool,
    zero: bool,
    pub(super) width: Count,
    group: Option<u8>,
    pub(super) precision: Count,
    letter: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Align {
    Left,
    Right,
    Middle,
    /// Pads between the sign and the digits.
    Inside,
}

impl Brace {
    pub(super) fn write(
        &self,
        object: Object<'_>,
        width: Option<usize>,
        precision: Option<usize>,
        digits: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let spec = Spec { brace: self, width: width.unwrap_or(0), precision };
        if self.how.is_none() && self.is_plain {
            object.write(out);
            return Ok(());
        }
        match (self.how, object) {
            (Some(how), object) => spec.text(object, how, out),
            (None, Object::Text(_) | Object::Own(_)) => spec.text(object, How::Str, out),
            (None, Object::Other(_)) => Err("the value takes no format"),
            (None, Object::Float(value)) => spec.float(value, false, digits, out),
            (None, number) => spec.number(number, digits, out),
        }
    }
}

/// A specification whose width and precision are known.
struct Spec<'a> {
    brace: &'a Brace,
    width: usize,
    precision: Option<usize>,
}

impl Spec<'_> {
    fn text(&self, object: Object<'_>, how: How, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let Brace { align, sign, alternate, group, letter, .. } = *self.brace;
        if sign.is_some() || alternate || group.is_some() || align == Some(Align::Inside) {
            return Err("a string takes no sign, `#`, `=`, `,` or `_`");
        }
        if letter.is_some_and(|letter| letter != b's') {
            return Err("a string takes only the format `s`");
        }
        let start = out.len();
        object.write_as(how, out);
        if let Some(precision) = self.precision {
            let end = start + width::start_of(&out[start..], precision);
            out.truncate(end);
        }
        self.pad(start, start, Align::Left, out);
        Ok(())
    }

    fn number(&self, object: Object<'_>, digits: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let letter = self.brace.letter.unwrap_or(b'd');
        match letter {
            b'b' | b'o' | b'x' | b'X' | b'd' | b'n' | b'c' => self.integer(object, letter, out),
            b's' => Err("a number does not take the format `s`"),
            _ => object.float().map_or(Err("the value is not a number"), |value| self.float(value, true, digits, out)),
        }
    }

    fn integer(&self, object: Object<'_>, letter: u8, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let (negative, magnitude) = object.int().ok_or("the value is not an integer")?;
        if self.precision.is_some() {
            return Err("an integer takes no precision");
        }
        let of_two = matches!(letter, b'b' | b'o' | b'x' | b'X');
        if self.brace.group.is_some_and(|sign| matches!(letter, b'c' | b'n') || (of_two && sign == b',')) {
            return Err("the format takes no grouping");
        }
        let start = out.len();
        if letter == b'c' {
            return self.char(object, out);
        }
        self.sign(negative, out);
        let prefix = match letter {
            b'b' => "0b",
            b'o' => "0o",
            b'x' => "0x",
            b'X' => "0X",
            _ => "",
        };
        if self.brace.alternate {
            out.extend_from_slice(prefix.as_bytes());
        }
        let at = out.len();
        // Writing to a vector cannot fail.
        let _ = match letter {
            b'b' => write!(out, "{magnitude:b}"),
            b'o' => write!(out, "{magnitude:o}"),
            b'x' => write!(out, "{magnitude:x}"),
            b'X' => write!(out, "{magnitude:X}"),
            _ => write!(out, "{magnitude}"),
        };
        let all = out.len() - at;
        self.group(start, at, all, if of_two { 4 } else { 3 }, out);
        self.pad(start, at, Align::Right, out);
        Ok(())
    }

    fn char(&self, object: Object<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if self.brace.sign.is_some() || self.brace.alternate {
            return Err("a character takes no sign or `#`");
        }
        let char = object.char().ok_or("the value is not the number of a character")?;
        let start = out.len();
        escape::plain(out, char.encode_utf8(&mut [0; 4]));
        self.pad(start, start, Align::Right, out);
        Ok(())
    }

    /// `was_integer` implies that a letter is given: without one, integers have formats of their own.
    fn float(
        &self,
        value: f64,
        was_integer: bool,
        digits: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let letter = self.brace.letter;
        debug_assert!(!was_integer || letter.is_some());
        let percent = letter == Some(b'%');
        let notation = match letter.map(|letter| letter.to_ascii_lowercase()) {
            Some(b'e') => Notation::Exponent,
            Some(b'f' | b'%') => Notation::Fixed,
            Some(b'g' | b'n') => Notation::General,
            None => Notation::Pointed,
            Some(_) => return Err("a float takes the formats `e`, `f`, `g`, `n` and `%`"),
        };
        if letter == Some(b'n') && self.brace.group.is_some() {
            return Err("the format takes no grouping");
        }
        let start = out.len();
        self.sign(float::is_negative(value), out);
        let at = out.len();
        let amount = if percent { value.abs() * 100.0 } else { value.abs() };
        match (notation, self.precision) {
            (Notation::Pointed, None) => float::shortest(amount, self.brace.alternate, out),
            (_, precision) => {
                float::write(amount, notation, precision.unwrap_or(6), self.brace.alternate, digits, out);
            }
        }
        if letter.is_some_and(|letter| letter.is_ascii_uppercase()) {
            out[at..].make_ascii_uppercase();
        }
        if percent {
            out.push(b'%');
        }
        let whole = out[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.group(start, at, whole, 3, out);
        self.pad(start, at, Align::Right, out);
        Ok(())
    }

    fn sign(&self, negative: bool, out: &mut Vec<u8>) {
        let plus = self.brace.sign.filter(|sign| *sign != b'-');
        out.extend(if negative { Some(b'-') } else { plus });
    }

    /// Inserts separators between groups of `each` digits, for the `digits` digits at `at`. Padding zeros are grouped too.
    fn group(&self, start: usize, at: usize, mut digits: usize, each: usize, out: &mut Vec<u8>) {
        let Some(sign) = self.brace.group.filter(|_| digits > 0) else { return };
        if self.fill() == '0' && self.align(Align::Right) == Align::Inside {
            let least = self.width.saturating_sub(out.len() - start - digits);
            let mut all = digits;
            while all + (all - 1) / each < least {
                all += 1;
            }
            width::insert(out, at, all - digits, b'0');
            digits = all;
        }
        for index in 1..=(digits - 1) / each {
            width::insert(out, at + digits - index * each, 1, sign);
        }
    }

    /// Pads the text that begins at `start`, and whose digits begin at `at`.
    fn pad(&self, start: usize, at: usize, usual: Align, out: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(width::chars(&out[start..]));
        let before = match self.align(usual) {
            Align::Left => 0,
            Align::Right => missing,
            Align::Middle => missing / 2,
            Align::Inside => return width::insert_char(out, at, missing, self.fill()),
        };
        width::insert_char(out, start, before, self.fill());
        let end = out.len();
        width::insert_char(out, end, missing - before, self.fill());
    }

    fn fill(&self) -> char {
        self.brace.fill.unwrap_or(if self.brace.zero { '0' } else { ' ' })
    }

    /// Returns the alignment. A zero before the width pads numbers between the sign and the digits.
    fn align(&self, usual: Align) -> Align {
        let usual = if self.brace.zero && usual == Align::Right { Align::Inside } else { usual };
        self.brace.align.unwrap_or(usual)
    }
}
