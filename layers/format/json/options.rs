/// Whether fields are members of the record's own object or of a separate one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldLayout {
    /// Writes the fields into the record's own object (the default): `{…,"pieces":3}`.
    #[default]
    Flat,
    /// Writes the fields into a separate object, which is omitted if it would be empty: `{…,"fields":{"pieces":3}}`.
    Nested,
}

/// How the enclosing spans are written. For a record outside of all spans, nothing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanLayout {
    /// Writes a list, root first (the default): `"spans":[{"name":"request","method":"GET"},{"name":"query","table":"x"}]`.
    #[default]
    List,
    /// Writes an object with a member for each span, root first: `"spans":{"request":{"method":"GET"},"query":{"table":"x"}}`.
    Nested,
    /// Writes the fields of the spans into the record's own object, innermost span first, and omits the spans' names:
    /// `"table":"x","method":"GET"`.
    Flat,
    /// Omits the spans.
    Off,
}

/// How a name that is already present in an object is treated. No object ever has duplicate keys.
///
/// The names of the parts in [`Json::keys`](super::Json::keys) are reserved under every policy, even in a record that lacks the
/// part. The same applies to `name` in a span. Fields of the event and of spans are considered in the order in which they are
/// written.
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
    /// Appends the next free number to the later name (the default): `a`, `a_2`, `a_3`. Nothing is lost.
    #[default]
    Suffix,
    /// Keeps the first member and omits later ones.
    First,
    /// Keeps the last member, at its own position, and omits earlier ones.
    Last,
}

/// How `NaN` and the infinities, which JSON cannot represent, are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinite {
    /// Writes `null` (the default).
    #[default]
    Null,
    /// Writes `"NaN"`, `"Infinity"` or `"-Infinity"`, as in the JSON mapping of Protocol Buffers.
    Text,
}
