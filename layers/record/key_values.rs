//! The key-values of a record of the `log` crate.
//!
//! They are encoded before the event is dispatched, and [wait](super::waiting) until it is captured.

use std::error::Error;

use log::kv::{self, Key, Source, VisitSource, VisitValue};
use tracing::Metadata;

use super::capture::{put_chain, write_guarded};
use super::encoding::{self, Entry, Name, Reader};
use super::waiting::{Waiting, wait};
use super::{Severity, Value, pool};

/// Runs `dispatch`, which sends an event with this metadata. The event is captured with these key-values as its last fields; without
/// them if there is no `depth`, since values may log themselves, without end.
pub(crate) fn beside<Depth>(
    metadata: &'static Metadata<'static>,
    source: &dyn Source,
    depth: Option<Depth>,
    dispatch: impl FnOnce(),
) {
    if source.count() == 0 || depth.is_none() {
        drop(depth);
        return wait(Waiting::default(), dispatch);
    }
    let mut pairs = Pairs { fields: pool::take(), least: Severity::from(*metadata.level()), severity: None };
    // Sources of this crate's kind never fail. What another one has passed before it fails is kept.
    let _ = source.visit(&mut pairs);
    drop(depth);
    wait(Waiting::new(metadata, pairs.fields, pairs.severity), dispatch);
}

/// Appends pairs as fields.
struct Pairs {
    fields: pool::Buffer,
    /// That of the record's level.
    least: Severity,
    /// The one that the last pair called `severity` names, unless it is below the record's level.
    severity: Option<Severity>,
}

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let start = self.fields.len();
        value.visit(Pair { out: &mut self.fields, name: Name::Inline(key.as_str()) })?;
        if key.as_str() == "severity" {
            let named = severity_of(&self.fields[start..]).filter(|named| named.is_at_least(self.least));
            self.severity = named.or(self.severity);
        }
        Ok(())
    }
}

/// Returns the severity that a field names, which only a text does.
fn severity_of(field: &[u8]) -> Option<Severity> {
    match Reader(field).entry()? {
        Entry::Field(_, Value::Str(name) | Value::Text(name)) => Severity::named(name),
        _ => None,
    }
}

/// Appends one value.
struct Pair<'p> {
    out: &'p mut Vec<u8>,
    name: Name<'p>,
}

impl Pair<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "what the visitor returns")]
    fn put(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        encoding::put_field(self.out, self.name, value);
        Ok(())
    }
}

impl VisitValue<'_> for Pair<'_> {
    /// An error, a nested value, or what has only a `Debug` or a `Display`.
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        if let Some(error) = value.to_borrowed_error() {
            encoding::put_error(self.out, self.name, |out| put_chain(out, error));
        } else if !Serialized(&value).put(self.out, self.name) {
            let write = |out: &mut Vec<u8>| write_guarded(out, format_args!("{value}"));
            encoding::put_written(self.out, self.name, write, |_| false);
        }
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.put(Value::Json("null"))
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.put(Value::U64(value))
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.put(Value::I64(value))
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), kv::Error> {
        self.put(Value::U128(value))
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), kv::Error> {
        self.put(Value::I128(value))
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.put(Value::F64(value))
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.put(Value::Bool(value))
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.put(Value::Str(value))
    }
}

/// A value to be serialized, which is possible with log's feature `kv_serde`. This crate cannot know whether the program turns on
/// log's features: where it does, the methods that exist with them take precedence over those of the traits, which do nothing.
#[allow(dead_code, reason = "not read without `kv_serde`")]
struct Serialized<'v, T>(&'v T);

#[cfg(feature = "serde")]
#[allow(dead_code, reason = "not called without `kv_serde`")]
impl<T: serde::Serialize + std::fmt::Display> Serialized<'_, T> {
    /// Appends a list or an object as a nested value, and anything else as a text. Returns whether it has.
    fn put(&self, out: &mut Vec<u8>, name: Name<'_>) -> bool {
        let mut json = pool::take();
        super::noted::clear();
        write_guarded(&mut json, format_args!("{}", super::nested(self.0)));
        let is_json = super::noted::is_all_of(&json);
        match json.first() {
            Some(b'{' | b'[') if is_json => {
                let write = |out: &mut Vec<u8>| out.extend_from_slice(&json);
                encoding::put_written(out, name, write, |written| written.len() == json.len());
            }
            // What has only a `Debug` or a `Display` is formatted once, since that may have effects.
            _ => {
                let text = serde_json::from_slice::<String>(&json).ok().filter(|_| is_json);
                let text = text.as_ref().map_or(&json[..], String::as_bytes);
                encoding::put_written(out, name, |out| out.extend_from_slice(text), |_| false);
            }
        }
        pool::give(json);
        true
    }
}

#[allow(dead_code, reason = "not called with `kv_serde`")]
trait WithoutSerde {
    fn put(&self, _: &mut Vec<u8>, _: Name<'_>) -> bool {
        false
    }
}

impl<T> WithoutSerde for Serialized<'_, T> {}

/// The same for errors and log's feature `kv_std`.
#[allow(dead_code, reason = "not called with `kv_std`")]
trait WithoutErrors {
    fn to_borrowed_error(&self) -> Option<&(dyn Error + 'static)> {
        None
    }
}

impl WithoutErrors for kv::Value<'_> {}
