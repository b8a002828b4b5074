use std::fmt;
use std::str::FromStr;

use super::Part;
use crate::{Error, ErrorKind};

/// The parts whose text is one word.
const PLAIN: [Part; 19] = [
    Part::Time,
    Part::Level,
    Part::Severity,
    Part::Target,
    Part::Name,
    Part::ModulePath,
    Part::File,
    Part::Line,
    Part::ThreadName,
    Part::ThreadId,
    Part::ProcessId,
    Part::Message,
    Part::Error,
    Part::Fields,
    Part::Span,
    Part::SpanName,
    Part::SpanNames,
    Part::Spans,
    Part::SpanFields,
];

impl Part {
    /// The text up to the first dot or bracket.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Level => "level",
            Self::Severity => "severity",
            Self::Target => "target",
            Self::Name => "name",
            Self::ModulePath => "module_path",
            Self::File => "file",
            Self::Line => "line",
            Self::ThreadName => "thread_name",
            Self::ThreadId => "thread_id",
            Self::ProcessId => "process_id",
            Self::Message => "message",
            Self::Error => "error",
            Self::Fields => "fields",
            Self::Field(_) => "field",
            Self::Span | Self::SpanField(_) | Self::FieldOf { .. } => "span",
            Self::SpanName => "span_name",
            Self::SpanNames => "span_names",
            Self::Spans => "spans",
            Self::SpanFields => "span_fields",
            Self::AnyField(_) => "any",
        }
    }
}

/// Writes the text in the table of [`Part`], which [`FromStr`] reads back.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) | Self::SpanField(name) | Self::AnyField(name) => {
                f.pad(&format!("{}.{name}", self.word()))
            }
            Self::FieldOf { span, field } => {
                let span = span.replace('\\', r"\\").replace(']', r"\]");
                f.pad(&format!("span[{span}].{field}"))
            }
            plain => f.pad(plain.word()),
        }
    }
}

/// Reads the text in the table of [`Part`], in any case up to the name of a field or span. Whitespace around it is ignored, but
/// that at the end of a name belongs to the name.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) if there is no such part; the message proposes what may have been meant.
///
/// ```
/// use tracing_handlers::Part;
///
/// assert_eq!("field.http.method".parse::<Part>()?, Part::field("http.method"));
/// assert_eq!("span[request].user".parse::<Part>()?, Part::field_of("request", "user"));
/// let error = "massage".parse::<Part>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown part `massage`: did you mean `message`, or `field.massage` for the field?");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
impl FromStr for Part {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim_start();
        if let Some(plain) = PLAIN.into_iter().find(|part| text.trim_end().eq_ignore_ascii_case(part.word())) {
            return Ok(plain);
        }
        if let Some(rest) = after_span_bracket(text) {
            return of_named_span(rest).ok_or_else(|| {
                let form = "expected `span[SPAN].NAME`, with `\\]` and `\\\\` for `]` and `\\` in the span's name";
                Error::new(ErrorKind::Config, format!("part `{text}`: {form}"))
            });
        }
        let Some((word, name)) = text.split_once('.') else { return Err(unknown(text.trim_end())) };
        match word.to_ascii_lowercase().as_str() {
            "field" => Ok(Self::field(name)),
            "span" => Ok(Self::span_field(name)),
            "any" => Ok(Self::any_field(name)),
            _ => Err(unknown(text)),
        }
    }
}

/// Returns what follows `span[`, with which the text of a [`Part::FieldOf`] begins.
fn after_span_bracket(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once('[')?;
    head.eq_ignore_ascii_case("span").then_some(rest)
}

/// Reads what follows `span[`.
fn of_named_span(text: &str) -> Option<Part> {
    let mut span = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            ']' => break,
            '\\' => span.push(chars.next().filter(|char| matches!(char, ']' | '\\'))?),
            char => span.push(char),
        }
    }
    chars.as_str().strip_prefix('.').map(|field| Part::field_of(span, field))
}

#[cold]
fn unknown(text: &str) -> Error {
    let proposal = match closest(text) {
        Some(known) => format!("did you mean `{known}`, or `field.{text}` for the field?"),
        None => format!("did you mean `field.{text}`?"),
    };
    Error::new(ErrorKind::Config, format!("unknown part `{text}`: {proposal}"))
}

/// The known text most similar to this one, if any is similar.
fn closest(text: &str) -> Option<String> {
    let (head, name) = text.split_once('.').map_or((text, None), |(head, name)| (head, Some(name)));
    let known: Vec<&str> = match name {
        Some(_) => vec!["field", "span", "any"],
        None => PLAIN.iter().map(Part::word).collect(),
    };
    let head = head.to_ascii_lowercase();
    let (distance, word) = known.into_iter().map(|word| (distance(&head, word), word)).min_by_key(|(far, _)| *far)?;
    let is_close = distance <= head.chars().count() / 2;
    is_close.then(|| name.map_or_else(|| word.to_owned(), |name| format!("{word}.{name}")))
}

/// How many characters differ (the Levenshtein distance); a word that continues the other one counts as one difference.
fn distance(one: &str, other: &str) -> usize {
    if !one.is_empty() && (one.starts_with(other) || other.starts_with(one)) {
        return 1;
    }
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, char) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in other.chars().enumerate() {
            let change = diagonal + usize::from(char != other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.pop().unwrap_or_default()
}
