use crate::clock::words::keyword;
use crate::clock::{Strftime, Timestamp, Zone};
use crate::format::text::value;
use crate::format::{LevelNames, Time, escape, spans};
use crate::record::{Part, Record, Value};
use crate::{Error, ErrorKind};

/// The source of a piece's value.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Time(Time),
    Calendar(Strftime, Zone),
    Level(LevelNames),
    Part(Part),
    LineBreak,
}

impl Source {
    /// Returns the source with this name: a pattern's own name, or the text of a [`Part`].
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if there is no such source, or if the name of a field is empty.
    pub(super) fn of(name: &str) -> Result<Self, Error> {
        Ok(Self::Part(match keyword(name).as_str() {
            "time" => return Ok(Self::Time(Time::rfc3339())),
            "level" => return Ok(Self::Level(LevelNames::Upper)),
            "n" => return Ok(Self::LineBreak),
            "module" => Part::ModulePath,
            "pid" => Part::ProcessId,
            "span" => Part::SpanName,
            "thread" => Part::ThreadName,
            _ => match name.parse()? {
                Part::Field(field) | Part::SpanField(field) | Part::AnyField(field) | Part::FieldOf { field, .. }
                    if field.is_empty() =>
                {
                    return Err(Error::new(ErrorKind::Config, format!("expected a name after `{name}`")));
                }
                part => part,
            },
        }))
    }

    /// Appends the value, or nothing if there is none.
    pub(super) fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Time(time) => time.write(record.time(), out),
            Self::Calendar(format, zone) => write_calendar(format, zone, record.time(), out),
            Self::Level(names) => names.write(record.severity(), out),
            Self::Part(part) => write_part(part, record, out),
            Self::LineBreak => out.push(b'\n'),
        }
    }
}

#[inline(never)]
fn write_calendar(format: &Strftime, zone: &Zone, time: Timestamp, out: &mut Vec<u8>) {
    format.write(time, zone, out);
}

fn write_part(part: &Part, record: &Record<'_>, out: &mut Vec<u8>) {
    match part {
        Part::Fields => spans::write_fields(record.fields(), out),
        Part::SpanFields => spans::write_fields(record.spans().rev().flat_map(|span| span.fields()), out),
        Part::SpanNames => {
            for (index, span) in record.spans().enumerate() {
                if index > 0 {
                    out.push(b':');
                }
                escape::plain(out, span.name());
            }
        }
        Part::Span | Part::Spans => spans::write(part, record, out),
        single => write_bare(single.value(record), out),
    }
}

/// Appends a value without quotes, which it does not need alone in its place.
fn write_bare(value: Option<Value<'_>>, out: &mut Vec<u8>) {
    match value {
        None => {}
        Some(Value::Str(text) | Value::Text(text) | Value::Json(text)) => escape::plain(out, text),
        Some(Value::Error(chain)) => {
            for (index, message) in chain.messages().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b": ");
                }
                escape::plain(out, message);
            }
        }
        Some(other) => value::write(out, other),
    }
}
