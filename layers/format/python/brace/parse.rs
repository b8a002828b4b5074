use super::{Align, Brace};
use crate::format::python::attribute::Attribute;
use crate::format::python::object::How;
use crate::format::python::{Conversion, Count, Piece, Pieces, Wrong, count};

/// Parses a format of Python's `str.format`: `{name!r:>8}`, `{{`, `}}`.
pub(in crate::format::python) fn parse(format: &str) -> Result<Vec<Piece>, Wrong> {
    let mut pieces = Pieces::default();
    let mut rest = format;
    while let Some(plain) = rest.find(['{', '}']) {
        pieces.text.push_str(&rest[..plain]);
        let at = format.len() - rest.len() + plain;
        let (brace, after) = rest[plain..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            pieces.text.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(Wrong::new(at, "unmatched `}`; write `}}` for the character"));
        }
        let end = end(after).ok_or_else(|| Wrong::new(at, "unmatched `{`; write `{{` for the character"))?;
        let (attribute, brace) = field(&after[..end]).map_err(|what| Wrong::new(at, what))?;
        pieces.value(attribute, Conversion::Brace(brace));
        rest = &after[end + 1..];
    }
    pieces.text.push_str(rest);
    Ok(pieces.done())
}

/// Returns the position of the brace that ends the field, which may contain others.
fn end(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.find(|sign| {
        depth += i32::from(sign == '{') - i32::from(sign == '}');
        depth == 0
    })
}

fn field(text: &str) -> Result<(Attribute, Brace), String> {
    let name = text.find(['!', ':']).map_or(text, |end| &text[..end]);
    let rest = &text[name.len()..];
    let attribute = attribute(name)?;
    let (how, rest) = match rest.strip_prefix('!') {
        Some(rest) => {
            let (how, rest) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
            (Some(conversion(how)?), rest)
        }
        None => (None, rest),
    };
    let spec = rest.strip_prefix(':').unwrap_or("");
    let brace = brace(how, spec).ok_or_else(|| format!("bad specifier `{spec}`"))?;
    Ok((attribute, brace))
}

fn attribute(name: &str) -> Result<Attribute, String> {
    if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the field has no name: there are no positional values".to_owned());
    }
    let is_plain = name.chars().all(|char| char.is_alphanumeric() || char == '_' || char == '.');
    match is_plain && !name.starts_with('.') && !name.ends_with('.') {
        true => Ok(Attribute::of(name)),
        false => Err(format!("invalid field name `{name}`")),
    }
}

fn conversion(how: &str) -> Result<How, String> {
    match how {
        "s" => Ok(How::Str),
        "r" => Ok(How::Repr),
        "a" => Ok(How::Ascii),
        _ => Err(format!("invalid conversion `{how}`")),
    }
}

/// Parses `[[fill]align][sign][#][0][width][group][.precision][letter]`.
fn brace(how: Option<How>, spec: &str) -> Option<Brace> {
    let mut reader = Reader(spec);
    let (fill, align) = reader.align();
    let brace = Brace {
        how,
        is_plain: spec.is_empty(),
        fill,
        align,
        sign: reader.one_of(b"+ -"),
        alternate: reader.one_of(b"#").is_some(),
        zero: reader.one_of(b"0").is_some(),
        width: reader.count()?,
        group: reader.one_of(b",_"),
        precision: match reader.one_of(b".") {
            Some(_) => reader.count().filter(|count| !matches!(count, Count::None))?,
            None => Count::None,
        },
        letter: reader.one_of(b"bcdeEfFgGnosxX%"),
    };
    Some(brace).filter(|_| reader.0.is_empty())
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn align(&mut self) -> (Option<char>, Option<Align>) {
        let mut chars = self.0.chars();
        let (first, second) = (chars.next(), chars.next());
        if let Some(align) = second.and_then(align_of) {
            self.0 = chars.as_str();
            return (first, Some(align));
        }
        let align = first.and_then(align_of);
        if align.is_some() {
            self.0 = &self.0[1..];
        }
        (None, align)
    }

    fn one_of(&mut self, signs: &[u8]) -> Option<u8> {
        let sign = self.0.bytes().next().filter(|byte| signs.contains(byte))?;
        self.0 = &self.0[1..];
        Some(sign)
    }

    /// Reads digits, a field in braces, or nothing. Returns `None` if the text is not valid.
    fn count(&mut self) -> Option<Count> {
        if let Some(rest) = self.0.strip_prefix('{') {
            let (name, rest) = rest.split_once('}')?;
            self.0 = rest;
            return attribute(name).ok().map(|attribute| Count::Of(attribute.into()));
        }
        let (digits, rest) = self.0.split_at(self.0.bytes().take_while(u8::is_ascii_digit).count());
        self.0 = rest;
        match digits {
            "" => Some(Count::None),
            digits => count(digits).map(Count::Fixed),
        }
    }
}

fn align_of(sign: char) -> Option<Align> {
    Some(match sign {
        '<' => Align::Left,
        '>' => Align::Right,
        '^' => Align::Middle,
        '=' => Align::Inside,
        _ => return None,
    })
}
