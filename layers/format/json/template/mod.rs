//! [`JsonTemplate`]: JSON after a template of the user's.

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

/// One JSON object per record, after a template: log4j2's `JsonTemplateLayout`. Needs feature `serde`.
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
/// What is an object with a `$resolver` is replaced for each record; all else is copied, in its order. An object in which
/// nothing is left is missing as a whole.
///
/// | `$resolver` | its settings (the first is the default) | value |
/// |---|---|---|
/// | `timestamp` | none: RFC 3339 in UTC; `precision`: 6, 0 to 9 | text |
/// | `timestamp` | `epoch`: `{"unit": "secs" \| "millis" \| "nanos", "rounded": true \| false}` | number; not rounded, `secs` has a fraction |
/// | `level` | `field`: `name`; `severity` with `severity`: `{"field": "keyword" \| "code"}`; `number` | text; syslog's keyword or 0 to 7; 1 to 24 |
/// | `logger` | `field`: `name` | the target |
/// | `message` | | text |
/// | `thread` | `field`: `name`, `id` | text, number |
/// | `source` | `field`: `fileName`, `lineNumber`, `className` (the module) | text, number, text |
/// | `mdc` | `key`; without: all, as an object, or with `flatten`: `true` or `{"prefix": "mdc."}`; `stringified`: `false` | the span's field, innermost span first |
/// | `field` | `key`, `stringified`: `false` | the event's field, else the span's |
/// | `fields` | `flatten`, `stringified` as for `mdc` | the event's fields |
/// | `span` | | the innermost span's name |
/// | `spans` | | the spans as a list of objects, root first |
/// | `exception` | `field`: `message`, `chain` | the first error's message; `outer: inner: root` |
/// | `exceptionRootCause` | `field`: `message` | the message of its root |
/// | `name` | | the event's name |
/// | `pid` | | the process's number |
///
/// `stringified` makes texts of all values. Flattened fields stand in the object that the template has them in, under their own names
/// after those of the template; a name that is there already is treated as [`Duplicates::Suffix`] says.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`nulls`](Self::nulls) | off | what a record lacks is `null`, not left out |
/// | [`max_string`](Self::max_string) | no limit | where texts are cut |
/// | [`marker`](Self::marker) | `…` | what stands behind a text that was cut |
///
/// Not there: log4j2's `pattern`, `ndc`, `counter`, `map`, `main`, `marker`, `caseConverter`, stack traces, `${…}` and `eventTemplateUri`.
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
    /// Reads a template, which is one JSON object.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the template is not JSON (with line and column) or not an object, if an object has a
    /// duplicate key, or if a resolver is unknown, lacks a setting or has an unknown one.
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

    /// Whether what a record lacks is written as `null`; otherwise it is left out.
    pub fn nulls(mut self, on: bool) -> Self {
        self.nulls = on;
        self.tree = Tree::new(self.root.clone().branch(), Claims::default(), Duplicates::Suffix, on);
        self
    }

    /// Sets the longest string of a record in bytes; longer ones are cut: log4j2's `maxStringLength`.
    pub fn max_string(mut self, bytes: usize) -> Self {
        self.max_string = bytes;
        self
    }

    /// Sets what is appended to a string that was cut: log4j2's `truncatedStringSuffix`.
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
        // Without a limit there is no line that is too long.
        self.tree.write(record, out.buffer(), limit, usize::MAX);
        Ok(())
    }
}

/// `path`: where the object stands, with a dot behind it.
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

/// What a resolver is replaced by.
enum Resolved {
    Node(Node),
    /// Members of the object in which it stands.
    Here(Rest),
    /// Members of an object of their own.
    Within(Rest),
}

fn constant(json: &str) -> Node {
    let mut safe = Vec::new();
    escape::nested_json(&mut safe, json);
    Node::Constant(Block::new(&safe))
}
