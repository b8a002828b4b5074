use crate::Value;
use crate::clock::{Strftime, Timestamp, Zone};
use crate::format::text::value;
use crate::format::{LevelNames, Time, escape, number};
use crate::record::{ErrorChain, Fields, Record, Span};

/// Where a part takes its value from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Time(Time),
    Calendar(Strftime, Zone),
    Level(LevelNames),
    LevelNumber,
    Target,
    Name,
    Message,
    Fields,
    Field(Box<str>),
    Span,
    SpanField(Box<str>),
    Spans,
    Error,
    Module,
    File,
    Line,
    Thread,
    ThreadId,
    Pid,
    LineBreak,
}

impl Source {
    /// What stands for itself in a pattern; the others have something behind their name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "level" => Self::Level(LevelNames::Upper),
            "target" => Self::Target,
            "name" => Self::Name,
            "message" => Self::Message,
            "fields" => Self::Fields,
            "span" => Self::Span,
            "spans" => Self::Spans,
            "error" => Self::Error,
            "module" => Self::Module,
            "file" => Self::File,
            "line" => Self::Line,
            "thread" => Self::Thread,
            "thread_id" => Self::ThreadId,
            "pid" => Self::Pid,
            "n" => Self::LineBreak,
            _ => match name.split_once('.')? {
                ("field", name) if !name.is_empty() => Self::Field(name.into()),
                ("span", name) if !name.is_empty() => Self::SpanField(name.into()),
                _ => return None,
            },
        })
    }

    /// Appends the value; nothing, where there is none.
    pub(super) fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Time(time) => time.write(record.time(), out),
            Self::Calendar(format, zone) => write_calendar(format, zone, record.time(), out),
            Self::Level(names) => names.write(record.severity(), out),
            Self::LevelNumber => number::int(out, record.severity().number()),
            Self::Target => escape::plain(out, record.target()),
            Self::Name => escape::plain(out, record.name()),
            Self::Message => escape::plain(out, record.message()),
            Self::Fields => write_fields(record.fields(), out),
            Self::Field(name) => write_bare(record.field(name), out),
            Self::Span => escape::plain(out, record.spans().last().map_or("", |span| span.name())),
            // Spans can only be walked from the root: the last one that has the field is the innermost.
            Self::SpanField(name) => write_bare(record.spans().filter_map(|span| span.field(name)).last(), out),
            Self::Spans => write_spans(record, out),
            Self::Error => write_bare(error(record).map(Value::Error), out),
            Self::Module => escape::plain(out, record.module_path().unwrap_or("")),
            Self::File => escape::plain(out, record.file().unwrap_or("")),
            Self::Line => write_some(record.line().map(u64::from), out),
            Self::Thread => escape::plain(out, record.thread_name().unwrap_or("")),
            Self::ThreadId => write_some(Some(record.thread_id()).filter(|id| *id > 0), out),
            // Asked for each time: after a fork it is another.
            Self::Pid => number::int(out, std::process::id()),
            Self::LineBreak => out.push(b'\n'),
        }
    }
}

#[inline(never)]
fn write_calendar(format: &Strftime, zone: &Zone, time: Timestamp, out: &mut Vec<u8>) {
    format.write(time, zone, out);
}

fn write_some(number: Option<u64>, out: &mut Vec<u8>) {
    if let Some(number) = number {
        number::unsigned(out, number);
    }
}

/// Alone on its place, a value cannot be taken for two: no quotes.
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

fn error<'a>(record: &Record<'a>) -> Option<ErrorChain<'a>> {
    record.fields().find_map(|field| match field.value {
        Value::Error(chain) => Some(chain),
        _ => None,
    })
}

/// `a=1 b="two words"`
fn write_fields(fields: Fields<'_>, out: &mut Vec<u8>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        value::name(out, field.name);
        out.push(b'=');
        value::write(out, field.value);
    }
}

/// `request{method=GET}:query{table=x}`
fn write_spans(record: &Record<'_>, out: &mut Vec<u8>) {
    for (index, span) in record.spans().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        write_span(&span, out);
    }
}

fn write_span(span: &Span<'_>, out: &mut Vec<u8>) {
    escape::plain(out, span.name());
    if span.fields().next().is_some() {
        out.push(b'{');
        write_fields(span.fields(), out);
        out.push(b'}');
    }
}
