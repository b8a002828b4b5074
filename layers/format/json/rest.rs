//! The fields that have no position of their own.

use super::form::Form;
use super::keys::JsonKeys;
use super::nested::{Members, Piece};
use super::object::{Object, Writer};
use super::subject::Subject;
use crate::Value;
use crate::bytes::Block;
use crate::format::escape;
use crate::record::{Callsite, Field};

/// The remaining fields, as members of the enclosing object.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    pub(super) of: Of,
    pub(super) keys: Keys,
    pub(super) form: Form,
    /// Whether the members of nested objects become members of their own: `a: {"b": 1}` becomes `a_b`.
    pub(super) flat: bool,
}

/// The owner of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Event,
    Spans,
    Both,
}

/// How names are written.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "some are for templates alone"))]
pub(super) enum Keys {
    Plain,
    /// After this prefix.
    Prefixed(Box<str>),
    /// As ECS labels: `_` replaces `.`, `*` and `\`.
    Labels,
    /// As in GELF: after the prefix `_`, and `_` replaces everything but ASCII letters, digits, `_`, `.` and `-`.
    Gelf,
}

impl Rest {
    /// Writes the event's fields and then those of the spans, nearest span first, so that the nearest field keeps its name.
    pub(super) fn write<'t>(&self, subject: &Subject<'t, '_>, object: &mut Object<'t>, to: &mut Writer<'_>) {
        if self.of != Of::Spans {
            let keys = self.keys.prepared(subject.record.fields().callsite());
            let mut error_is_taken = false;
            for field in subject.record.fields() {
                if !error_is_taken && subject.claims.take_error(subject.taken, &field) {
                    error_is_taken = true;
                    continue;
                }
                self.field(subject, field, keys, object, to);
            }
        }
        if self.of != Of::Event {
            for span in subject.record.spans().rev() {
                let keys = self.keys.prepared(span.fields().callsite());
                span.fields().for_each(|field| self.field(subject, field, keys, object, to));
            }
        }
    }

    fn field<'t>(
        &self,
        subject: &Subject<'t, '_>,
        field: Field<'_>,
        keys: Option<&JsonKeys>,
        object: &mut Object<'t>,
        to: &mut Writer<'_>,
    ) {
        if subject.claims.take(subject.taken, &field) {
            return;
        }
        if let (true, Value::Json(json)) = (self.flat, field.value)
            && let Piece::Object(members) = Piece::of(json)
        {
            let path = Path { parent: None, name: field.name };
            if path.may_be_flattened() {
                return self.flatten(&path, members, object, to);
            }
        }
        let name = |out: &mut Vec<u8>| self.keys.write(out, &Path { parent: None, name: field.name });
        let key = keys.and_then(|keys| keys.field(&field));
        self.member(key, name, field.value, object, to);
    }

    /// Writes the members of a nested object as members of their own. Recurses into objects, down to [`DEEPEST`] levels and as long as
    /// their paths are not longer than [`LONGEST`].
    fn flatten(&self, path: &Path<'_>, members: Members<'_>, object: &mut Object<'_>, to: &mut Writer<'_>) {
        for (name, json) in members {
            let path = Path { parent: Some(path), name };
            match Piece::of(json) {
                Piece::Object(members) if path.may_be_flattened() => self.flatten(&path, members, object, to),
                _ => self.member(None, |out| self.keys.write(out, &path), Value::Json(json), object, to),
            }
        }
    }

    fn member(
        &self,
        key: Option<&Block>,
        name: impl FnOnce(&mut Vec<u8>),
        value: Value<'_>,
        object: &mut Object<'_>,
        to: &mut Writer<'_>,
    ) {
        to.member(object, key, name, |to| {
            if !self.form.write(to.out, value, to.limit) {
                to.raw(b"null");
            }
        });
    }
}

impl Keys {
    /// Returns the prepared keys of a callsite, if they are the same as the keys that would be written.
    fn prepared(&self, callsite: Option<&'static Callsite>) -> Option<&'static JsonKeys> {
        matches!(self, Self::Plain).then(|| JsonKeys::of(callsite))?
    }

    fn write(&self, out: &mut Vec<u8>, path: &Path<'_>) {
        let start = out.len();
        match self {
            Self::Plain => path.write(out, escape::json),
            Self::Prefixed(prefix) => {
                escape::json(out, prefix);
                path.write(out, escape::json);
            }
            Self::Labels => path.write(out, label),
            Self::Gelf => {
                out.push(b'_');
                path.write(out, |out, name| out.extend(name.chars().map(word)));
                // Graylog uses `_id` itself (GELF 1.1: "Libraries SHOULD not allow to send id as additional field").
                if &out[start..] == b"_id" {
                    out.push(b'_');
                }
            }
        }
    }

    /// Returns `name` as it is written.
    pub(super) fn name(&self, name: &str) -> String {
        let mut out = Vec::new();
        match self {
            Self::Plain | Self::Prefixed(_) => out.extend_from_slice(name.as_bytes()),
            Self::Labels | Self::Gelf => self.write(&mut out, &Path { parent: None, name }),
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// The path of a member in nested objects.
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    name: &'p str,
}

impl Path<'_> {
    fn write(&self, out: &mut Vec<u8>, name: impl Fn(&mut Vec<u8>, &str) + Copy) {
        if let Some(parent) = self.parent {
            parent.write(out, name);
            out.push(b'_');
        }
        name(out, self.name);
    }

    fn may_be_flattened(&self) -> bool {
        self.depth() < DEEPEST && self.len() <= LONGEST
    }

    fn depth(&self) -> usize {
        self.parent.map_or(0, |parent| parent.depth() + 1)
    }

    fn len(&self) -> usize {
        self.parent.map_or(0, |parent| parent.len() + 1) + self.name.len()
    }
}

fn label(out: &mut Vec<u8>, name: &str) {
    for (index, part) in name.split(['.', '*', '\\']).enumerate() {
        if index > 0 {
            out.push(b'_');
        }
        escape::json(out, part);
    }
}

fn word(char: char) -> u8 {
    match u8::try_from(char) {
        Ok(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-') => byte,
        _ => b'_',
    }
}

/// The deepest level that is flattened. Deeper objects are written as strings.
const DEEPEST: usize = 16;
/// The longest path of an object that is flattened, in bytes. Objects with longer ones are written as strings: each member repeats the
/// path, so that a long one would make a line many times as long as the record.
const LONGEST: usize = 256;
