/// Where fields are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldLayout {
    /// Into the record's own object: `{…,"pieces":3}`.
    #[default]
    Flat,
    /// Into an object of their own: `{…,"fields":{"pieces":3}}`, which is left out if it would be empty.
    Nested,
}

/// How the enclosing spans are written; nothing is written for a record outside of all spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanLayout {
    /// A list, root first: `"spans":[{"name":"request","method":"GET"},{"name":"query","table":"x"}]`.
    #[default]
    List,
    /// An object by name, root first: `"spans":{"request":{"method":"GET"},"query":{"table":"x"}}`.
    Nested,
    /// Their fields in the record's own object, innermost span first, their names not at all: `"table":"x","method":"GET"`.
    Flat,
    /// Not at all.
    Off,
}

/// What happens to a name that an object already has; no object has duplicate keys.
///
/// The parts of [`Json::keys`](super::Json::keys) keep their names under every policy, also in a record that lacks the
/// part; the same holds for `name` in a span. Within an object the event's fields and the spans' come in the order in
/// which they are written.
///
/// ```
/// use tracing_handlers::format::{Caps, Format, Json, Out, json::Duplicates};
/// use tracing_handlers::{Part, RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::INFO, "", "").with_field("a", 1_u64).with_field("level", 2_u64).with_field("a", 3_u64);
/// let line = |duplicates| {
///     let mut line = Vec::new();
///     let json = Json::new().keys([Part::Level, Part::Fields]).duplicates(duplicates);
///     json.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).unwrap();
///     String::from_utf8(line).unwrap()
/// };
/// assert_eq!(line(Duplicates::Suffix), r#"{"level":"INFO","a":1,"level_2":2,"a_2":3}"#);
/// assert_eq!(line(Duplicates::First), r#"{"level":"INFO","a":1}"#);
/// assert_eq!(line(Duplicates::Last), r#"{"level":"INFO","a":3}"#);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicates {
    /// The later one gets the next free number: `a`, `a_2`, `a_3`. Nothing is lost.
    #[default]
    Suffix,
    /// The first one is kept, later ones are left out.
    First,
    /// The last one is kept, in its own place; earlier ones are left out.
    Last,
}

/// How `NaN` and the infinities are written, which JSON does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinite {
    /// `null`.
    #[default]
    Null,
    /// `"NaN"`, `"Infinity"`, `"-Infinity"`, as in the JSON mapping of Protocol Buffers.
    Text,
}
