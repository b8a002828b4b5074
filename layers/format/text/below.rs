use super::pen::Pen;
use crate::Value;
use crate::record::{ErrorChain, Field, Record};

/// Selects the fields that are written below the line instead of in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Below {
    pub(super) errors: bool,
    pub(super) backtrace: bool,
}

impl Below {
    #[inline]
    pub(super) fn is_none(self) -> bool {
        !self.errors && !self.backtrace
    }

    /// Iterates over the fields that stay in the line.
    pub(super) fn others<'a>(self, record: &Record<'a>) -> impl Iterator<Item = Field<'a>> {
        record.fields().filter(move |field| !self.takes(field))
    }

    /// Appends the lines of the other fields.
    pub(super) fn write(self, record: &Record<'_>, pen: &mut Pen<'_>) {
        for field in record.fields().filter(|field| self.takes(field)) {
            pen.new_line();
            pen.key(field.name);
            match field.value {
                Value::Error(chain) => write_error(chain, pen),
                value => write_lines(value.as_str().unwrap_or(""), pen),
            }
        }
    }

    /// Whether the field is written below the line. A backtrace is a text, as [`log_panics`](crate::process::log_panics) logs it.
    fn takes(self, field: &Field<'_>) -> bool {
        match field.value {
            Value::Error(_) => self.errors,
            Value::Str(_) | Value::Text(_) => self.backtrace && field.name == "backtrace",
            _ => false,
        }
    }
}

/// Appends each message as one line, with its line breaks escaped.
fn write_error(chain: ErrorChain<'_>, pen: &mut Pen<'_>) {
    for (index, message) in chain.messages().enumerate() {
        if index > 0 {
            pen.new_line();
            pen.dim("caused by:");
        }
        pen.gap();
        pen.plain(message);
    }
}

/// Appends lines that are indented deeper than the others, so that they cannot be taken for those.
fn write_lines(text: &str, pen: &mut Pen<'_>) {
    for line in text.lines() {
        pen.new_line();
        pen.raw("    ");
        pen.plain(line);
    }
}
