use super::pen::Pen;
use crate::Value;
use crate::record::{ErrorChain, Field, Record};

/// The fields that stand below the line, not in it.
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

    /// The fields that stay in the line.
    pub(super) fn others<'a>(self, record: &Record<'a>) -> impl Iterator<Item = Field<'a>> {
        record.fields().filter(move |field| !self.takes(field))
    }

    /// The lines of those that do not.
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

    /// A backtrace is a text, as [`log_panics`](crate::process::log_panics) writes it.
    fn takes(self, field: &Field<'_>) -> bool {
        match field.value {
            Value::Error(_) => self.errors,
            Value::Str(_) | Value::Text(_) => self.backtrace && field.name == "backtrace",
            _ => false,
        }
    }
}

/// Each message is a line, whatever is in it.
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

/// Deeper than the other lines, so that none of these can pass for one of them.
fn write_lines(text: &str, pen: &mut Pen<'_>) {
    for line in text.lines() {
        pen.new_line();
        pen.raw("    ");
        pen.plain(line);
    }
}
