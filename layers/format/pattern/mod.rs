mod layout;
mod parse;
mod source;
mod style;

use std::str::FromStr;

use self::layout::Layout;
use self::source::Source;
use self::style::{Around, Style};
use super::{Format, Out};
use crate::Error;
use crate::record::Record;

/// A line according to a pattern, which is parsed once: log4j2's PatternLayout, as one string that fits a configuration file.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Format, Out, Pattern};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::WARN, "shop::stock", "running out")
///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
///     .with_span("request", [("request_id", "r-17".into())])
///     .with_field("left", 2_u64)
///     .with_field("name", "two words");
/// let line = |pattern: &str| {
///     let mut line = Vec::new();
///     Pattern::new(pattern).unwrap().format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).unwrap();
///     String::from_utf8(line).unwrap()
/// };
/// assert_eq!(
///     line("{time:%H:%M:%S%.3f} {level:<5} {target} {span.request_id} {message} {fields}"),
///     r#"01:19:03.123 WARN  shop::stock r-17 running out left=2 name="two words""#,
/// );
/// assert_eq!(line("{level:lower}: {message}{?span.request_id: [{span.request_id}]}"), "warn: running out [r-17]");
/// assert_eq!(line("{field.user|guest} has {field.left:>3} {{pieces}}"), "guest has   2 {pieces}");
/// assert_eq!(line("{target:.-5}|{target:>8.4}|{style ^9:{level}}|"), "stock|    shop|  WARN   |");
/// ```
///
/// | piece | writes |
/// |---|---|
/// | `{time}`, `{time:%H:%M:%S}`, `{time@Europe/Berlin:%c}` | the time; see below |
/// | `{level}`, `{level:lower}`, `{level:number}` | the severity's name as in [`LevelNames`](super::LevelNames) (`upper`, `lower`, `python`, `groups`, `syslog`), or its number, 1 to 24 |
/// | `{target}` | the target |
/// | `{name}` | the event's name |
/// | `{message}` | the message |
/// | `{fields}` | all fields of the event, `a=1 b="two words"` as [`Text`](super::Text) writes them |
/// | `{field.NAME}` | the event's field of this name, bare |
/// | `{span}` | the name of the nearest span |
/// | `{span.NAME}`, `{span[SPAN].NAME}` | the field of this name of the nearest span that has one; of those called `SPAN` |
/// | `{any.NAME}` | the event's field of this name, otherwise the nearest span's |
/// | `{spans}` | the enclosing spans, root first: `request{method=GET}:query{table=x}` |
/// | `{error}` | the first field that is an error, with its causes: `outer: inner: root` |
/// | `{module}`, `{file}`, `{line}` | the place in the source |
/// | `{thread}`, `{thread_id}` | the thread's name; its number |
/// | `{pid}` | the number of this process |
/// | `{thread_name}` … | any other [part of a record](crate::Part), by its text |
/// | `{n}` | a line break |
/// | `{NAME\|DEFAULT}` | `DEFAULT` if there is no such value or an empty one; it cannot contain braces |
/// | `{?NAME:PATTERN}` | `PATTERN` if there is such a value |
/// | `{!NAME:PATTERN}` | `PATTERN` if there is none |
/// | `{style OPTIONS:PATTERN}` | `PATTERN`, with these options as a whole |
/// | `{{`, `}}` | a brace; the closing one only outside of sections and styles, which it would end |
///
/// **Names** are read as a [`Part`](crate::Part) reads its text. In the name of a field, `\:`, `\|`, `\{`, `\}` and `\\` stand for
/// the signs after the backslash. `SPAN` is everything up to its bracket; in it, only `\]` and `\\` stand for `]` and `\`:
/// `{span[GET /users/:id].user}`, `{field.http\:status}`. A name may not be empty.
///
/// **Options** follow a colon, separated by spaces: `{level:<5 bold}`.
///
/// | option | effect |
/// |---|---|
/// | `<12`, `12` | at least 12 characters wide, aligned left |
/// | `>12`, `^12` | aligned right, centered |
/// | `*<12`, `0>4` | filled with a character other than a space |
/// | `.10` | only the first 10 characters |
/// | `.-10` | only the last 10 characters |
/// | `>12.-12` | both |
/// | `color` | in the color of the record's level |
/// | `black`, `red`, `green`, `yellow`, `blue`, `magenta`, `cyan`, `white`, `grey` | in that color |
/// | `bold`, `dim`, `italic`, `underline`, `reverse` | in that style |
///
/// Case matters only in the names of fields and spans, in formats of `strftime`, and in what is written unchanged.
///
/// Characters are Unicode scalar values, regardless of how wide a terminal shows them. A column is at most 10,000 characters wide.
/// Colors and styles are written if the sink shows them, see [`Caps::color`](super::Caps::color), and do not count.
///
/// **Times** are in UTC, or in the zone after `@`: `local` or an IANA name (feature `time-zone`). The colon is followed by
/// either a format of `strftime` (C's directives in the C locale, glibc's flags `_-0^#` and widths; and `%f` for 6 digits of
/// the second's fraction, `%3f` for 3, `%.3f` for 3 with the point), or one of [`Time`](super::Time)'s: `rfc3339` (the default),
/// `clock`, `unix_seconds`, `unix_millis`, `unix_nanos`, and with digits `rfc3339.3`. It extends to the brace: options for
/// the time go around it, `{style dim:{time:%T}}`.
///
/// **A line cannot lie.** Whatever comes from the program is escaped as in [`Text`](super::Text): control characters, line ends,
/// terminal sequences and invisible characters become `\n`, `\x1b`, `\u{202e}`, and each counts as the characters that are written. The pattern's own text
/// is written unchanged.
///
/// **Not supported**, unlike in log4j2's patterns: the caller's class and method, the nested diagnostic context, scripts, lookups
/// (`${env:…}`) and replacement by regular expressions.
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Pattern(Box<[Piece]>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the pattern is not valid; the message says what is wrong and at which character.
    ///
    /// ```
    /// let error = tracing_handlers::format::Pattern::new("{level} {mesage}").unwrap_err();
    /// let message = "unknown part `mesage`: did you mean `message`, or `field.mesage` for the field?";
    /// assert_eq!(error.to_string(), format!("pattern \"{{level}} {{mesage}}\": at character 10: {message}"));
    /// ```
    pub fn new(pattern: &str) -> Result<Self, Error> {
        parse::pattern(pattern).map(Self)
    }
}

impl Format for Pattern {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        let color = out.caps().color;
        Writer { record, color, around: None }.write(&self.0, out.buffer());
        Ok(())
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(pattern: &str) -> Result<Self, Error> {
        Self::new(pattern)
    }
}

/// A piece of a pattern.
#[derive(Clone, Debug)]
enum Piece {
    /// Literal text.
    Text(Box<str>),
    Value {
        source: Source,
        options: PieceOptions,
        default: Box<str>,
    },
    Group {
        options: PieceOptions,
        pieces: Box<[Piece]>,
    },
    /// Written if there is a value (`wanted`), or if there is none.
    Section {
        source: Source,
        wanted: bool,
        pieces: Box<[Piece]>,
    },
}

#[derive(Clone, Debug, Default)]
struct PieceOptions {
    layout: Layout,
    style: Style,
}

/// Writes the pieces of a pattern for one record.
#[derive(Clone, Copy)]
struct Writer<'a> {
    record: &'a Record<'a>,
    color: bool,
    around: Option<&'a Around<'a>>,
}

impl Writer<'_> {
    fn write(self, pieces: &[Piece], out: &mut Vec<u8>) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Value { source, options, default } => self.with_options(options, out, |_, out| {
                    let start = out.len();
                    source.write(self.record, out);
                    if out.len() == start {
                        out.extend_from_slice(default.as_bytes());
                    }
                }),
                Piece::Group { options, pieces } => {
                    self.with_options(options, out, |inner, out| inner.write(pieces, out))
                }
                Piece::Section { source, wanted, pieces } => {
                    if self.has(source, out) == *wanted {
                        self.write(pieces, out);
                    }
                }
            }
        }
    }

    fn with_options(self, options: &PieceOptions, out: &mut Vec<u8>, write: impl FnOnce(Writer<'_>, &mut Vec<u8>)) {
        if !self.color || options.style.is_none() {
            let start = out.len();
            write(self, out);
            return options.layout.apply(out, start);
        }
        let around = Around { style: &options.style, around: self.around };
        let severity = self.record.severity();
        options.style.begin(severity, out);
        let start = out.len();
        write(Writer { around: Some(&around), ..self }, out);
        options.layout.apply(out, start);
        style::end(self.around, severity, out);
    }

    /// Whether the source writes anything, so that there is one definition of a missing value.
    fn has(self, source: &Source, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        source.write(self.record, out);
        let has = out.len() > start;
        out.truncate(start);
        has
    }
}

#[cfg(test)]
mod tests;
