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

/// A line by a pattern, which is read once: log4j2's PatternLayout, as one string that fits a configuration file.
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
/// assert_eq!(line("{field.user|nobody} has {field.left:>3} {{pieces}}"), "nobody has   2 {pieces}");
/// assert_eq!(line("{target:.-5}|{target:>8.4}|{style ^9:{level}}|"), "stock|    shop|  WARN   |");
/// ```
///
/// | part | writes |
/// |---|---|
/// | `{time}`, `{time:%H:%M:%S}`, `{time@Europe/Berlin:%c}` | the time; see below |
/// | `{level}`, `{level:lower}`, `{level:number}` | the severity's name, as [`LevelNames`](super::LevelNames) has it (`upper`, `lower`, `python`, `groups`, `syslog`), or its number, 1 to 24 |
/// | `{target}` | the target |
/// | `{name}` | the event's name |
/// | `{message}` | the message |
/// | `{fields}` | all fields of the event, `a=1 b="two words"` as [`Text`](super::Text) writes them |
/// | `{field.NAME}` | the event's field of this name, bare |
/// | `{span}` | the name of the innermost span |
/// | `{span.NAME}` | the field of this name, of the innermost span that has one |
/// | `{spans}` | the enclosing spans, root first: `request{method=GET}:query{table=x}` |
/// | `{error}` | the first field that is an error, with its causes: `outer: inner: root` |
/// | `{module}`, `{file}`, `{line}` | the place in the source |
/// | `{thread}`, `{thread_id}` | the thread's name; its number |
/// | `{pid}` | the number of this process |
/// | `{n}` | a line break |
/// | `{NAME\|DEFAULT}` | `DEFAULT`, where there is no such value or an empty one; it has no braces |
/// | `{?NAME:PATTERN}` | `PATTERN`, where there is that value |
/// | `{!NAME:PATTERN}` | `PATTERN`, where there is not |
/// | `{style OPTIONS:PATTERN}` | `PATTERN`, with these options as a whole |
/// | `{{`, `}}` | a brace; the closing one not inside of a section or style, whose end it would be |
///
/// **Options** stand behind a colon, with spaces between them: `{level:<5 bold}`.
///
/// | option | effect |
/// |---|---|
/// | `<12`, `12` | as wide as 12 characters, the value on the left |
/// | `>12`, `^12` | on the right, in the middle |
/// | `*<12`, `0>4` | filled up with another character than a space |
/// | `.10` | the first 10 characters are left, the rest is cut off |
/// | `.-10` | the last 10 characters are left |
/// | `>12.-12` | both |
/// | `color`, `color` | in the color of the record's level |
/// | `black`, `red`, `green`, `yellow`, `blue`, `magenta`, `cyan`, `white`, `grey` | in that color |
/// | `bold`, `dim`, `italic`, `underline`, `reverse` | in that style |
///
/// Characters are Unicode's scalar values; how wide a terminal shows them does not count. A column is 10,000 characters wide at
/// most. Colors and styles are written where the sink shows them, see [`Caps::color`](super::Caps::color), and are not counted.
///
/// **Times** are in UTC, or in the zone behind `@`, `local` or a name of IANA's (feature `time-zone`). Behind the colon there is
/// either a format of `strftime` (C's directives in the C locale, glibc's flags `_-0^#` and widths; and `%f` for 6 digits of
/// the second's fraction, `%3f` for 3, `%.3f` for 3 with the point), or one of [`Time`](super::Time)'s: `rfc3339` (the default),
/// `clock`, `unix_seconds`, `unix_millis`, `unix_nanos`, and with digits `rfc3339.3`. It is read up to the brace: options for
/// the time go around it, `{style dim:{time:%T}}`.
///
/// **A line cannot lie.** Whatever comes from the program is escaped as in [`Text`](super::Text): control characters, line ends,
/// terminal sequences and invisible characters show as `\n`, `\x1b`, `\u{202e}`, and are counted so. What the pattern itself says
/// is written as it is.
///
/// **Not supported**: caller's class and method, nested diagnostic context, scripts, look-ups (`${env:…}`) and replacement by regular
/// expressions, all of which log4j2's patterns have.
#[derive(Clone, Debug)]
pub struct Pattern(Box<[Part]>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config): the pattern cannot be read; the message says what is wrong and at which character.
    ///
    /// ```
    /// let error = tracing_handlers::format::Pattern::new("{level} {massage}").unwrap_err();
    /// assert_eq!(error.to_string(), "pattern \"{level} {massage}\": at character 10: there is no part `massage`");
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
enum Part {
    /// What the pattern itself says.
    Text(Box<str>),
    Value {
        source: Source,
        options: Options,
        default: Box<str>,
    },
    Group {
        options: Options,
        parts: Box<[Part]>,
    },
    /// Written if there is a value, or if there is none.
    Section {
        source: Source,
        wanted: bool,
        parts: Box<[Part]>,
    },
}

#[derive(Clone, Debug, Default)]
struct Options {
    layout: Layout,
    style: Style,
}

/// Writes the parts of a pattern for one record.
#[derive(Clone, Copy)]
struct Writer<'a> {
    record: &'a Record<'a>,
    color: bool,
    around: Option<&'a Around<'a>>,
}

impl Writer<'_> {
    fn write(self, parts: &[Part], out: &mut Vec<u8>) {
        for part in parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Value { source, options, default } => self.with_options(options, out, |_, out| {
                    let start = out.len();
                    source.write(self.record, out);
                    if out.len() == start {
                        out.extend_from_slice(default.as_bytes());
                    }
                }),
                Part::Group { options, parts } => self.with_options(options, out, |inner, out| inner.write(parts, out)),
                Part::Section { source, wanted, parts } => {
                    if self.has(source, out) == *wanted {
                        self.write(parts, out);
                    }
                }
            }
        }
    }

    fn with_options(self, options: &Options, out: &mut Vec<u8>, write: impl FnOnce(Writer<'_>, &mut Vec<u8>)) {
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

    /// What is written tells: so there is only one opinion on what a missing value is.
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
