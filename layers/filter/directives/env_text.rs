//! Reads directives with spans and fields.

use std::str::FromStr;

use super::directive::Directive;
use super::field::FieldMatch;
use super::text::{Piece, find_outside};
use super::{targets_text, words};
use crate::filter::Threshold;
use crate::{Error, ErrorKind};

/// Parses a directive as in [`EnvFilter`](super::EnvFilter#directives); values are regular expressions.
impl FromStr for Directive {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = |error: Error| Error::new(ErrorKind::Config, format!("directive: {error}"));
        match &Piece::new(text).split_at_commas().collect::<Vec<_>>()[..] {
            [piece] => parse(*piece, true).map_err(named),
            pieces => Err(Error::new(ErrorKind::Config, format!("expected one directive, found {}", pieces.len()))),
        }
    }
}

/// Reads `level`, `target`, `target=level` or `target[span{field=value}]=level`.
pub(super) fn parse(piece: Piece<'_>, regex: bool) -> Result<Directive, Error> {
    let text = piece.text();
    match text.find(['[', '=']) {
        Some(open) if text[open..].starts_with('[') => in_spans(piece, open, regex),
        Some(equals) if equals + 1 == text.len() => {
            let target = targets_text::target(piece.part(0, equals))?;
            Ok(Directive { target: Some(target), ..Threshold::ALL.into() })
        }
        _ => {
            let (target, level) = targets_text::directive(piece)?;
            Ok(Directive { target, ..level.into() })
        }
    }
}

fn in_spans(piece: Piece<'_>, open: usize, regex: bool) -> Result<Directive, Error> {
    let (text, start) = (piece.text(), piece.part(0, open));
    let target = if start.is_empty() { None } else { Some(targets_text::target(start)?) };
    let close = find_outside(&text[open + 1..], ']').map(|close| open + 1 + close);
    let close = close.ok_or_else(|| piece.error("`[` is not closed"))?;
    let (span, fields) = span_and_fields(piece.part(open + 1, close), regex)?;
    let level = level_after(piece.part(close + 1, text.len()))?;
    Ok(Directive { target, span, fields, level })
}

fn span_and_fields(inside: Piece<'_>, regex: bool) -> Result<(Option<String>, Vec<FieldMatch>), Error> {
    let text = inside.text();
    let open = text.find('{').unwrap_or(text.len());
    let name = Some(inside.part(0, open)).filter(|name| !name.is_empty()).map(|name| name.text().to_owned());
    if open == text.len() {
        let name = name.ok_or_else(|| inside.error("expected the name of a span, or fields in braces"))?;
        return Ok((Some(name), Vec::new()));
    }
    if find_outside(&text[open + 1..], '}').is_none_or(|close| open + 1 + close + 1 != text.len()) {
        return Err(inside.error("expected fields between `{` and `}` before `]`"));
    }
    let fields = inside.part(open + 1, text.len() - 1);
    if fields.is_empty() {
        return Err(inside.error("expected the name of a field between `{` and `}`"));
    }
    let fields = fields.split_at_commas().map(|field| FieldMatch::parse(field, regex));
    Ok((name, fields.collect::<Result<_, _>>()?))
}

fn level_after(piece: Piece<'_>) -> Result<Threshold, Error> {
    let text = piece.text();
    match text.strip_prefix('=') {
        _ if piece.is_empty() => Ok(Threshold::ALL),
        Some("") => Ok(Threshold::ALL),
        Some(_) => words::parse(piece.part(1, text.len())),
        None => Err(piece.error("expected `=` and a level after `]`")),
    }
}
