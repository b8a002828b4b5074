use std::io::Write;

use super::object::Object;
use super::{Python, cannot};
use crate::Error;
use crate::clock::Timestamp;
use crate::format::{escape, number};
use crate::record::{ErrorChain, Record, Value};

/// An attribute of Python's `LogRecord`, or a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attribute {
    Name,
    Message,
    Args,
    LevelName,
    LevelNo,
    PathName,
    FileName,
    Module,
    LineNo,
    FuncName,
    Error,
    StackInfo,
    Created,
    Msecs,
    RelativeCreated,
    AscTime,
    Thread,
    ThreadName,
    Process,
    ProcessName,
    TaskName,
    Field(Box<str>),
}

impl Attribute {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "msg" => Self::Message,
            "exc_info" => Self::Error,
            _ => NAMES
                .iter()
                .find(|(known, _)| *known == name)
                .map_or_else(|| Self::Field(name.into()), |(_, attribute)| attribute.clone()),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Field(name) => name,
            known => NAMES.iter().find(|(_, attribute)| attribute == known).map_or("", |(name, _)| name),
        }
    }
}

impl Python {
    /// What a record has there; texts that must be put together first go to `text`.
    pub(super) fn value<'a>(
        &self,
        attribute: &'a Attribute,
        record: &Record<'a>,
        text: &'a mut Vec<u8>,
    ) -> Result<Object<'a>, Error> {
        Ok(match attribute {
            Attribute::Name => Object::Text(record.target()),
            Attribute::Message => Object::Text(record.message()),
            Attribute::Args => Object::Other("()"),
            Attribute::LevelName => put(text, |text| self.level_names.write(record.severity(), text)),
            Attribute::LevelNo => Object::from(u64::from(record.severity().python())),
            Attribute::PathName => record.file().map_or(Object::Own(UNKNOWN_FILE), Object::Text),
            Attribute::FileName => {
                record.file().map_or(Object::Own(UNKNOWN_FILE), |path| Object::Text(file_name(path)))
            }
            Attribute::Module => {
                record.file().map_or(Object::Own(UNKNOWN_FILE), |path| Object::Text(stem(file_name(path))))
            }
            Attribute::LineNo => Object::from(u64::from(record.line().unwrap_or(0))),
            Attribute::FuncName => text_field(record, "funcName").unwrap_or(Object::Own("(unknown function)")),
            Attribute::Error => error(record).map_or(Object::NONE, |chain| object(Value::Error(chain), text)),
            Attribute::StackInfo => text_field(record, "stack_info").unwrap_or(Object::NONE),
            Attribute::Created => Object::Float(nanos(record.time()) as f64 / 1e9),
            Attribute::Msecs => Object::Float(f64::from(record.time().nanos() / 1_000_000)),
            Attribute::RelativeCreated => Object::Float((nanos(record.time()) - nanos(self.started)) as f64 / 1e6),
            Attribute::AscTime => put(text, |text| self.put_time(record.time(), text)),
            Attribute::Thread => match record.thread_id() {
                0 => Object::NONE,
                id => Object::from(id),
            },
            Attribute::ThreadName => match (record.thread_name(), record.thread_id()) {
                (Some(name), _) => Object::Text(name),
                (None, 0) => Object::NONE,
                (None, id) => put(text, |text| {
                    text.extend_from_slice(b"Thread-");
                    number::unsigned(text, id);
                }),
            },
            // Asked for each time: after a fork it is another.
            Attribute::Process => Object::from(u64::from(std::process::id())),
            Attribute::ProcessName => text_field(record, "processName").unwrap_or(Object::Own("MainProcess")),
            Attribute::TaskName => text_field(record, "taskName").unwrap_or(Object::NONE),
            Attribute::Field(name) => self.field(name, attribute, record, text)?,
        })
    }

    fn field<'a>(
        &self,
        name: &str,
        attribute: &Attribute,
        record: &Record<'a>,
        text: &'a mut Vec<u8>,
    ) -> Result<Object<'a>, Error> {
        // Spans can only be walked from the root: the last one that has the field is the innermost.
        let of_span = || record.spans().filter_map(|span| span.field(name)).last();
        if let Some(value) = record.field(name).or_else(of_span) {
            return Ok(object(value, text));
        }
        match self.defaults.as_record().field(name) {
            // Its text is copied: it does not live as long as the record's.
            Some(Value::Str(own) | Value::Text(own) | Value::Json(own)) => {
                Ok(put(text, |text| text.extend_from_slice(own.as_bytes())))
            }
            Some(Value::Bytes(own)) => Ok(put(text, |text| escape::hex(text, own))),
            Some(Value::Error(own)) => Ok(put(text, |text| drop(write!(text, "{own}")))),
            Some(value) => Ok(Object::of_number(value)),
            None => Err(cannot(attribute, "the record has none, and there is no default")),
        }
    }

    fn put_time(&self, time: Timestamp, out: &mut Vec<u8>) {
        self.time.write(time, &self.zone, out);
        if self.millis {
            let [.., a, b, c] = number::zero_padded(u64::from(time.nanos() / 1_000_000));
            out.extend_from_slice(&[b',', a, b, c]);
        }
    }
}

/// The first field that is an error.
pub(super) fn error<'a>(record: &Record<'a>) -> Option<ErrorChain<'a>> {
    record.fields().find_map(|field| match field.value {
        Value::Error(chain) => Some(chain),
        _ => None,
    })
}

fn text_field<'a>(record: &Record<'a>, name: &str) -> Option<Object<'a>> {
    record.field(name).and_then(|value| value.as_str()).map(Object::Text)
}

/// A field's value as Python has it.
fn object<'a>(value: Value<'a>, text: &'a mut Vec<u8>) -> Object<'a> {
    match value {
        Value::Str(value) | Value::Text(value) | Value::Json(value) => Object::Text(value),
        Value::Bytes(bytes) => put(text, |text| escape::hex(text, bytes)),
        Value::Error(chain) => match put(text, |text| drop(write!(text, "{chain}"))) {
            Object::Own(text) => Object::Text(text),
            other => other,
        },
        number => Object::of_number(number),
    }
}

/// What `write` writes, as text of our own.
fn put<'a>(text: &'a mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Object<'a> {
    text.clear();
    write(text);
    Object::Own(str::from_utf8(text).unwrap_or(""))
}

/// Since the epoch.
fn nanos(time: Timestamp) -> i128 {
    i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanos())
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Without the ending, as Python's `splitext`: a point in front is none of an ending.
fn stem(name: &str) -> &str {
    match name.rfind('.') {
        Some(point) if name[..point].bytes().any(|byte| byte != b'.') => &name[..point],
        _ => name,
    }
}

const UNKNOWN_FILE: &str = "(unknown file)";

const NAMES: [(&str, Attribute); 21] = [
    ("name", Attribute::Name),
    ("message", Attribute::Message),
    ("args", Attribute::Args),
    ("levelname", Attribute::LevelName),
    ("levelno", Attribute::LevelNo),
    ("pathname", Attribute::PathName),
    ("filename", Attribute::FileName),
    ("module", Attribute::Module),
    ("lineno", Attribute::LineNo),
    ("funcName", Attribute::FuncName),
    ("exc_text", Attribute::Error),
    ("stack_info", Attribute::StackInfo),
    ("created", Attribute::Created),
    ("msecs", Attribute::Msecs),
    ("relativeCreated", Attribute::RelativeCreated),
    ("asctime", Attribute::AscTime),
    ("thread", Attribute::Thread),
    ("threadName", Attribute::ThreadName),
    ("process", Attribute::Process),
    ("processName", Attribute::ProcessName),
    ("taskName", Attribute::TaskName),
];
