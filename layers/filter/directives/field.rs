//! The fields that a directive names.

use std::fmt;

use super::text::Piece;
use super::value::ValueMatch;
use crate::Error;
use crate::record::Span;

/// A field, and what its value must be, if that matters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldMatch {
    pub(super) name: String,
    pub(super) value: Option<ValueMatch>,
}

impl FieldMatch {
    /// Reads `name`, `name=` or `name=value`.
    pub(super) fn parse(piece: Piece<'_>, regex: bool) -> Result<Self, Error> {
        let len = piece.text().len();
        let (name, value) = piece.split_once('=').unwrap_or((piece, piece.part(len, len)));
        let name = name.text().strip_prefix("r#").unwrap_or(name.text());
        if name.is_empty() {
            return Err(piece.error("expected the name of a field"));
        }
        let read = |text| ValueMatch::parse(text, regex);
        let wrong = |error: regex::Error| value.error("not a regular expression").with_source(error);
        let value = if value.is_empty() { None } else { Some(read(value.text()).map_err(wrong)?) };
        Ok(Self { name: name.to_owned(), value })
    }

    pub(super) fn is_of(&self, span: &Span<'_>) -> bool {
        match span.callsite() {
            Some(callsite) => callsite.names().contains(&self.name.as_str()),
            None => span.field(&self.name).is_some(),
        }
    }
}

impl fmt::Display for FieldMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.value.iter().try_for_each(|value| write!(f, "={value}"))
    }
}
