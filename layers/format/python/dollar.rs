use super::attribute::Attribute;
use super::{Conversion, Piece, Pieces, Wrong};

/// Parses a format of Python's `string.Template`: `$name`, `${name}`, `$$`.
pub(super) fn parse(format: &str) -> Result<Vec<Piece>, Wrong> {
    let mut pieces = Pieces::default();
    let mut rest = format;
    while let Some(plain) = rest.find('$') {
        pieces.text.push_str(&rest[..plain]);
        let at = format.len() - rest.len() + plain;
        rest = &rest[plain + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            pieces.text.push('$');
            rest = after;
            continue;
        }
        let braced = rest.strip_prefix('{');
        let (name, after) = name(braced.unwrap_or(rest));
        rest = match braced {
            None => after,
            Some(_) => after.strip_prefix('}').unwrap_or_default(),
        };
        if name.is_empty() || (braced.is_some() && !after.starts_with('}')) {
            return Err(Wrong::new(at, "`$` must be followed by a name; write `$$` for the character"));
        }
        pieces.value(Attribute::of(name), Conversion::Plain);
    }
    pieces.text.push_str(rest);
    Ok(pieces.done())
}

/// Splits `text` into the identifier that it begins with and the rest.
fn name(text: &str) -> (&str, &str) {
    let is_part = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    match text.bytes().next() {
        Some(first) if !first.is_ascii_digit() => text.split_at(text.bytes().take_while(|byte| is_part(*byte)).count()),
        _ => ("", text),
    }
}
