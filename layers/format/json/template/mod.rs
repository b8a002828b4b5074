//! [`JsonTemplate`]: JSON in the layout of a user's template.

mod document;
mod resolver;

use std::str::FromStr;

use self::document::Document;
use super::Duplicates;
use super::claims::Claims;
use super::draft::Draft;
use super::form::Form;
use super::limit::Limit;
use super::node::Node;
use super::rest::{Keys, Of, Rest};
use super::shape::Shape;
use super::tree::Tree;
use crate::bytes::Block;
use crate::format::{Format, Out, escape};
use crate::record::{Record, Value};
use crate::{Error, ErrorKind};

/// One JSON object per record, in the layout of a template, like log4j2's `JsonTemplateLayout`. Requires the feature `serde`.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Format, JsonTemplate, Out};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let template = JsonTemplate::new(r#"{
///     "time": {"$resolver": "timestamp", "epoch": {"unit": "millis"}},
///     "host": "web-1",
///     "log": {"level": {"$resolver": "level", "field": "name"}, "by": {"$resolver": "logger"}},
///     "text": {"$resolver": "message"},
///     "user": {"$resolver": "field", "key": "user"},
///     "order": {"$resolver": "field", "key": "order"},
///     "fields": {"$resolver": "fields"}
/// }"#)?;
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold")
///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
///     .with_field("pieces", 3_u64)
///     .with_span("request", [("user", "ada".into())]);
/// let mut line = Vec::new();
/// template.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     concat!(
///         r#"{"time":1795223943123,"host":"web-1","log":{"level":"INFO","by":"shop"},"text":"sold","#,
///         r#""user":"ada","fields":{"pieces":3}}"#,
///     ),
/// );
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// Each object with a `$resolver` is replaced by a value of the record. Everything else is copied, in the order of the template.
/// An object whose members are all missing is omitted.
///
/// | `$resolver` | settings (the first value is the default) | value |
/// |---|---|---|
/// | `timestamp` | none: RFC 3339 in UTC; `precision`: 6, 0 to 9 | string |
/// | `timestamp` | `epoch`: `{"unit": "secs" \| "millis" \| "nanos", "rounded": true \| false}` | number; not rounded, `secs` has a fraction |
/// | `level` | `field`: `name`; `severity` with `severity`: `{"field": "keyword" \| "code"}`; `number` | string; syslog's keyword or 0 to 7; 1 to 24 |
/// | `logger` | `field`: `name` | the target |
/// | `message` | | string |
/// | `thread` | `field`: `name`, `id` | string, number |
/// | `source` | `field`: `fileName`, `lineNumber`, `className` (the module) | string, number, string |
/// | `mdc` | `key`; without it all fields, as an object, or with `flatten`: `true` or `{"prefix": "mdc."}`; `stringified`: `false` | the span's field, innermost span first |
/// | `field` | `key`, `stringified`: `false` | the event's field, or else the span's |
/// | `fields` | `flatten`, `stringified` as for `mdc` | the event's fields |
/// | `span` | | the innermost span's name |
/// | `spans` | | the spans as a list of objects, root first |
/// | `exception` | `field`: `message`, `chain` | the first error's message; `outer: inner: root` |
/// | `exceptionRootCause` | `field`: `message` | the message of the first error's root cause |
/// | `name` | | the event's name |
/// | `pid` | | the process id |
///
/// `stringified` writes all values as strings. Flattened fields are members of the object that contains the resolver, after the
/// members of the template and under their own names. A name that is already present is treated as in [`Duplicates::Suffix`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`nulls`](Self::nulls) | off | writes `null` for values that a record lacks, instead of omitting them |
/// | [`max_string`](Self::max_string) | no limit | the longest string, in bytes |
/// | [`marker`](Self::marker) | `…` | the suffix of a string that was cut |
///
/// Not supported: log4j2's `pattern`, `ndc`, `counter`, `map`, `main`, `marker`, `caseConverter`, stack traces, `${…}` and `eventTemplateUri`.
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct JsonTemplate {
    root: Draft,
    nulls: bool,
    max_string: usize,
    marker: String,
    tree: Tree,
}

impl JsonTemplate {
    /// Creates the format from a template, which is one JSON object.
    ///
    /// # Errors
    ///
    /// Returns [`Config`](crate::ErrorKind::Config) if the template is not JSON (with line and column) or not an object, if an
    /// object has a duplicate key, or if a resolver is unknown, lacks a setting or has an unknown one.
    ///
    /// ```
    /// use tracing_handlers::format::JsonTemplate;
    ///
    /// let error = JsonTemplate::new(r#"{"a": {"b": {"$resolver": "levle"}}}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "json template: a.b: unknown resolver \"levle\"");
    /// ```
    pub fn new(template: &str) -> Result<Self, Error> {
        let refused = |why: String| Error::new(ErrorKind::Config, format!("json template: {why}"));
        let document = serde_json::from_str(template).map_err(|error| refused(error.to_string()))?;
        let Document::Object(members) = document else { return Err(refused("expected an object".to_owned())) };
        if resolver::is_resolver(&members) {
            return Err(refused("expected an object of resolvers, found a resolver".to_owned()));
        }
        let root = object(members, "").map_err(refused)?;
        let tree = Tree::new(root.clone().branch(), Claims::default(), Duplicates::Suffix, false);
        Ok(Self { root, nulls: false, max_string: usize::MAX, marker: "…".to_owned(), tree })
    }

    /// Sets whether values that a record lacks are written as `null` instead of being omitted. Default: `false`.
    pub fn nulls(mut self, on: bool) -> Self {
        self.nulls = on;
        self.tree = Tree::new(self.root.clone().branch(), Claims::default(), Duplicates::Suffix, on);
        self
    }

    /// Sets the longest string of a record in bytes. Longer ones are cut. Default: no limit. Corresponds to log4j2's
    /// `maxStringLength`.
    pub fn max_string(mut self, bytes: usize) -> Self {
        self.max_string = bytes;
        self
    }

    /// Sets the suffix of a string that was cut. Default: `…`. Corresponds to log4j2's `truncatedStringSuffix`.
    pub fn marker(mut self, marker: impl Into<String>) -> Self {
        self.marker = marker.into();
        self
    }
}

impl FromStr for JsonTemplate {
    type Err = Error;

    fn from_str(template: &str) -> Result<Self, Error> {
        Self::new(template)
    }
}

impl Format for JsonTemplate {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        let limit = Limit { bytes: self.max_string, marker: &self.marker };
        // Every line fits, because its length is not limited.
        self.tree.write(record, out.buffer(), limit, usize::MAX);
        Ok(())
    }
}

/// Plans an object. `path` is the object's path in the template, followed by a dot, for error messages.
fn object(members: Vec<(String, Document)>, path: &str) -> Result<Draft, String> {
    let mut draft = Draft::new(Shape::Object);
    for (name, value) in members {
        let path = format!("{path}{name}");
        let at = |why: String| format!("{path}: {why}");
        draft = match value {
            Document::Object(members) if resolver::is_resolver(&members) => {
                match resolver::resolve(members).map_err(at)? {
                    Resolved::Node(node) => draft.put(&name, node),
                    Resolved::Here(rest) => draft.rest(rest),
                    Resolved::Within(rest) => draft.draft(&name, Draft::new(Shape::Object).rest(rest)),
                }
            }
            Document::Object(members) if !members.is_empty() => {
                draft.draft(&name, object(members, &format!("{path}."))?)
            }
            value => draft.put(&name, node(value, &path)?),
        };
    }
    Ok(draft)
}

fn node(value: Document, path: &str) -> Result<Node, String> {
    Ok(match value {
        Document::Json(json) => constant(&json),
        Document::Object(members) if members.is_empty() => constant("{}"),
        Document::Text(text) => Node::constant(Value::Str(&text), &Form::Plain),
        Document::Object(members) if resolver::is_resolver(&members) => {
            match resolver::resolve(members).map_err(|why| format!("{path}: {why}"))? {
                Resolved::Node(node) => node,
                Resolved::Here(_) => return Err(format!("{path}: fields cannot be flattened into a list")),
                Resolved::Within(rest) => Node::Branch(Draft::new(Shape::Object).rest(rest).branch()),
            }
        }
        Document::Object(members) => Node::Branch(object(members, &format!("{path}."))?.branch()),
        Document::List(items) => {
            let items = items.into_iter().enumerate();
            Node::List(items.map(|(index, item)| node(item, &format!("{path}[{index}]"))).collect::<Result<_, _>>()?)
        }
    })
}

/// The replacement of a resolver.
enum Resolved {
    Node(Node),
    /// Members of the object that contains the resolver.
    Here(Rest),
    /// Members of a separate object.
    Within(Rest),
}

fn constant(json: &str) -> Node {
    let mut safe = Vec::new();
    escape::nested_json(&mut safe, json);
    Node::Constant(Block::new(&safe))
}
