use std::io::Write;

use super::object::Object;
use super::{Python, cannot};
use crate::Error;
use crate::clock::Timestamp;
use crate::format::{escape, number};
use crate::record::{Part, Record, Value};

/// An attribute of Python's `LogRecord`, or a field.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) name: Box<str>,
    source: Source,
}

/// The source of an attribute's value.
#[derive(Clone, Debug)]
enum Source {
    /// A part of the record, or this default if the record does not have it.
    Part(Part, Object<'static>),
    /// The event's field of this name if it is a text, or this default.
    TextField(&'static str, Object<'static>),
    /// A field, with the default set in the format, if any: Python's `extra`.
    Extra(Part),
    Args,
    LevelName,
    LevelNo,
    FileName,
    Module,
    Created,
    Msecs,
    RelativeCreated,
    AscTime,
    ThreadName,
}

impl Attribute {
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.into(), source: Source::of(name) }
    }
}

impl Source {
    fn of(name: &str) -> Self {
        match name {
            "name" => Self::Part(Part::Target, Object::EMPTY),
            "msg" | "message" => Self::Part(Part::Message, Object::EMPTY),
            "pathname" => Self::Part(Part::File, UNKNOWN_FILE),
            "lineno" => Self::Part(Part::Line, Object::ZERO),
            "exc_info" | "exc_text" => Self::Part(Part::Error, Object::NONE),
            "thread" => Self::Part(Part::ThreadId, Object::NONE),
            "process" => Self::Part(Part::ProcessId, Object::NONE),
            "funcName" => Self::TextField("funcName", Object::Own("(unknown function)")),
            "stack_info" => Self::TextField("stack_info", Object::NONE),
            "processName" => Self::TextField("processName", Object::Own("MainProcess")),
            "taskName" => Self::TextField("taskName", Object::NONE),
            "args" => Self::Args,
            "levelname" => Self::LevelName,
            "levelno" => Self::LevelNo,
            "filename" => Self::FileName,
            "module" => Self::Module,
            "created" => Self::Created,
            "msecs" => Self::Msecs,
            "relativeCreated" => Self::RelativeCreated,
            "asctime" => Self::AscTime,
            "threadName" => Self::ThreadName,
            field => Self::Extra(Part::any_field(field)),
        }
    }
}

impl Python {
    /// Returns the attribute's value for a record. Texts that must be composed are written to `text`.
    pub(super) fn value<'a>(
        &self,
        attribute: &'a Attribute,
        record: &Record<'a>,
        text: &'a mut Vec<u8>,
    ) -> Result<Object<'a>, Error> {
        Ok(match &attribute.source {
            Source::Part(part, otherwise) => match part.value(record) {
                Some(value) => object(value, text),
                None => *otherwise,
            },
            Source::TextField(name, otherwise) => {
                let value = record.field(name).and_then(|value| value.as_str());
                value.map_or(*otherwise, Object::Text)
            }
            Source::Extra(field) => match field.value(record) {
                Some(value) => object(value, text),
                None => self.default_of(attribute, text)?,
            },
            Source::Args => Object::Other("()"),
            Source::LevelName => put(text, |text| self.level_names.write(record.severity(), text)),
            Source::LevelNo => Object::from(u64::from(record.severity().python())),
            Source::FileName => record.file().map_or(UNKNOWN_FILE, |path| Object::Text(file_name(path))),
            Source::Module => record.file().map_or(UNKNOWN_FILE, |path| Object::Text(stem(file_name(path)))),
            Source::Created => Object::Float(nanos(record.time()) as f64 / 1e9),
            Source::Msecs => Object::Float(f64::from(record.time().nanos() / 1_000_000)),
            Source::RelativeCreated => Object::Float((nanos(record.time()) - nanos(self.started)) as f64 / 1e6),
            Source::AscTime => put(text, |text| self.put_time(record.time(), text)),
            Source::ThreadName => match (record.thread_name(), record.thread_id()) {
                (Some(name), _) => Object::Text(name),
                (None, None) => Object::NONE,
                (None, Some(id)) => put(text, |text| {
                    text.extend_from_slice(b"Thread-");
                    number::unsigned(text, id);
                }),
            },
        })
    }

    fn default_of<'a>(&self, attribute: &Attribute, text: &'a mut Vec<u8>) -> Result<Object<'a>, Error> {
        match self.defaults.as_record().field(&attribute.name) {
            // Copied, since the default does not live as long as the record.
            Some(Value::Str(own) | Value::Text(own) | Value::Json(own)) => {
                Ok(put(text, |text| text.extend_from_slice(own.as_bytes())))
            }
            Some(Value::Bytes(own)) => Ok(put(text, |text| escape::hex(text, own))),
            Some(Value::Error(own)) => Ok(put(text, |text| drop(write!(text, "{own}")))),
            Some(value) => Ok(Object::of_number(value)),
            None => Err(cannot(attribute, "the record does not have it, and it has no default")),
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

/// Converts a field's value.
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

/// Returns what `write` writes, as text that needs no escaping.
fn put<'a>(text: &'a mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Object<'a> {
    text.clear();
    write(text);
    Object::Own(str::from_utf8(text).unwrap_or(""))
}

/// Returns the nanoseconds since the Unix epoch.
fn nanos(time: Timestamp) -> i128 {
    i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanos())
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Returns the name without its extension, as Python's `splitext`: leading dots do not begin an extension.
fn stem(name: &str) -> &str {
    match name.rfind('.') {
        Some(dot) if name[..dot].bytes().any(|byte| byte != b'.') => &name[..dot],
        _ => name,
    }
}

const UNKNOWN_FILE: Object<'static> = Object::Own("(unknown file)");
