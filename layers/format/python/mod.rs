mod attribute;
mod brace;
mod dollar;
mod float;
mod object;
mod percent;
mod repr;
#[cfg(feature = "time-zone")]
mod zone;

use std::sync::OnceLock;

use self::attribute::Attribute;
use self::brace::Brace;
use self::object::Object;
use self::percent::Percent;
use super::{Format, LevelNames, Out, escape};
use crate::clock::{Strftime, Timestamp, Zone};
use crate::record::{Part, Record, RecordBuf, Severity, Value, pool};
use crate::{Error, ErrorKind};

/// Writes lines by a format of Python's `logging.Formatter`, in any of its three styles. The format is parsed once.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Format, Out, Python};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::WARN, "shop.stock", "running out")
///     .with_time(Timestamp::new(1_700_000_000, 999_900_000))
///     .with_span("request", [("user", "ada".into())])
///     .with_field("left", 2_u64);
/// let line = |format: Python| {
///     let mut line = Vec::new();
///     format.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).unwrap();
///     String::from_utf8(line).unwrap()
/// };
/// assert_eq!(
///     line(Python::percent("%(asctime)s %(levelname)-8s %(name)s: %(message)s (%(left)03d)")?),
///     "2023-11-14 22:13:20,999 WARNING  shop.stock: running out (002)",
/// );
/// assert_eq!(
///     line(Python::brace("{asctime} {levelno} {user!r:>8} {message:.7}")?.datefmt("%d %b %H:%M")),
///     "14 Nov 22:13 30    'ada' running",
/// );
/// assert_eq!(
///     line(Python::dollar("$levelname $message ${color}")?.defaults([("color", "blue".into())])),
///     "WARNING running out blue",
/// );
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`datefmt`](Self::datefmt) | `%Y-%m-%d %H:%M:%S`, then `,` and milliseconds | the format of `asctime` |
/// | [`defaults`](Self::defaults) | none | values for fields that a record lacks |
/// | [`level_names`](Self::level_names) | [`LevelNames::Python`] | the names in `levelname` |
/// | [`error`](Self::error) | on | an error's chain, and a `stack_info`, after the line |
/// | [`indent`](Self::indent) | on | the lines after the first begin with four spaces |
/// | [`started`](Self::started) | the creation of the first such format | the start of `relativeCreated` |
/// | `local`, `zone` (feature `time-zone`) | UTC | the zone of `asctime` |
///
/// | attribute | value |
/// |---|---|
/// | `name` | the target |
/// | `msg`, `message` | the message; `args` is `()` |
/// | `levelname`, `levelno` | [`Severity::python`] is the number |
/// | `pathname`, `filename`, `module`, `lineno` | from the source file's path; `(unknown file)` and 0 if it is not known |
/// | `created`, `msecs`, `relativeCreated` | seconds as a float; whole milliseconds as a float; milliseconds as a float |
/// | `asctime` | the time as text |
/// | `thread`, `threadName` | Rust's number of the thread; its name or `Thread-7`; `None` if they are not known |
/// | `process`, `processName` | the number of this process; the field `processName`, or `MainProcess` |
/// | `funcName`, `taskName`, `stack_info` | the field of that name, or `(unknown function)`, `None`, `None`: tracing does not know them |
/// | `exc_info`, `exc_text` | the first field that is an error, `outer: inner: root`, or `None` |
/// | any other name | the event's field, otherwise that of the innermost span that has it, otherwise the default: Python's `extra` |
///
/// Numbers, floats and booleans keep their type: `%(left)03d`, `{price:,.2f}`, `True`.
///
/// **Deliberate differences** from Python:
///
/// - Everything that the program logs is escaped as in [`Text`](super::Text): a line break is written as `\n`, so that no message can
///   forge a line; widths count the escaped characters. An error after the line is [indented](Self::indent), so that it cannot be taken
///   for a record. The output of `%r`, `!r` and `%a` is escaped as in Python, with the printable characters of the Rust release's
///   version of Unicode; invisible ones that Python prints, such as U+3164 and U+FE00, are escaped too.
/// - The default time zone is UTC, for which `%Z` writes `UTC`. A time before the year 0 or after 9999 is written as the nearest one
///   inside; offsets have no seconds.
/// - A format that would fail for every record is rejected when it is created: an unknown conversion, `%s` without a name, `{}`, `{0}`, a
///   lone `%`. Every field is checked as Python's validation checks the first one: no lengths (`%(left)ld`), no point without digits.
/// - `{a.b}` and `%(a.b)s` are the field `a.b`, as tracing names it, not an attribute of `a`; indexes are rejected. A nested
///   width or precision (`{message:{width}}`) must be a whole number.
/// - Widths and precisions are at most 1,000; larger ones in a `datefmt` are reduced to that. `%*d` is rejected: there are no
///   positional arguments.
/// - `exc_text` is also available to the first format of a record, and is not a traceback. Bytes are hexadecimal; nested values are JSON.
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Python {
    pieces: Box<[Piece]>,
    time: Strftime,
    /// Whether `,mmm` follows the time.
    millis: bool,
    zone: Zone,
    /// The defaults, as the fields of a record: names and typed values.
    defaults: RecordBuf,
    level_names: LevelNames,
    error: bool,
    indent: bool,
    started: Timestamp,
}

impl Python {
    /// Parses `format` in the style `%`, `{` or `$`: Python's `logging.Formatter(format, style="{")`.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if there is no such style, or if the format is not valid in it or contains no field; the message says
    /// what is wrong and at which character.
    ///
    /// ```
    /// use tracing_handlers::format::Python;
    ///
    /// assert!(Python::new('{', "{levelname}:{name}:{message}").is_ok());
    /// let error = Python::new('%', "%(message)s %(left)y").unwrap_err();
    /// assert_eq!(error.to_string(), r#"format "%(message)s %(left)y": at character 13: unknown conversion `y`"#);
    /// ```
    pub fn new(style: char, format: &str) -> Result<Self, Error> {
        let pieces = match style {
            '%' => percent::parse(format),
            '{' => brace::parse(format),
            '$' => dollar::parse(format),
            _ => {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("style must be one of `%`, `{{` and `$`, got {style:?}"),
                ));
            }
        };
        let pieces = pieces.and_then(|pieces| match pieces.iter().any(|piece| matches!(piece, Piece::Value { .. })) {
            true => Ok(pieces),
            false => Err(Wrong::new(0, "the format contains no field")),
        });
        pieces.map(Self::of).map_err(|Wrong { at, what }| {
            let place = format.get(..at).unwrap_or(format).chars().count() + 1;
            Error::new(ErrorKind::Config, format!("format {format:?}: at character {place}: {what}"))
        })
    }

    /// Parses a format in the style of printf: `%(asctime)s %(levelname)-8s %(message)s`.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn percent(format: &str) -> Result<Self, Error> {
        Self::new('%', format)
    }

    /// Parses a format in the style of `str.format`: `{asctime} {levelname:8} {message}`.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn brace(format: &str) -> Result<Self, Error> {
        Self::new('{', format)
    }

    /// Parses a format in the style of `string.Template`: `$asctime ${levelname} $message`.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn dollar(format: &str) -> Result<Self, Error> {
        Self::new('$', format)
    }

    fn of(pieces: Vec<Piece>) -> Self {
        Self {
            pieces: pieces.into(),
            time: Strftime::c(DEFAULT_TIME),
            millis: true,
            zone: Zone::UTC,
            defaults: RecordBuf::new(Severity::INFO, "", "").with_time(Timestamp::EPOCH),
            level_names: LevelNames::Python,
            error: true,
            indent: true,
            started: *STARTED.get_or_init(Timestamp::now),
        }
    }

    /// Sets the format of `asctime`: one of C's `strftime`, in the C locale. Unlike the default, it has no milliseconds.
    ///
    /// As in Python, a directive that C does not know, such as `%f`, is written unchanged, and an empty format means the default.
    pub fn datefmt(mut self, format: &str) -> Self {
        self.millis = format.is_empty();
        self.time = Strftime::c(if self.millis { DEFAULT_TIME } else { format });
        self
    }

    /// Sets the values of fields that a record lacks; texts are not escaped. Without a default, formatting such a record is an error:
    /// [`Format`](ErrorKind::Format).
    pub fn defaults<'v>(mut self, defaults: impl IntoIterator<Item = (&'v str, Value<'v>)>) -> Self {
        for (name, value) in defaults {
            self.defaults.push_field(name, value);
        }
        self
    }

    /// Sets the names in `levelname`.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self
    }

    /// Sets whether an error (`exc_text`) and the field `stack_info` are appended, each on its own line, if a record has them.
    pub fn error(mut self, shown: bool) -> Self {
        self.error = shown;
        self
    }

    /// Sets whether the appended lines begin with four spaces. Without them, as in Python, an error whose text comes from outside can be
    /// taken for a record.
    pub fn indent(mut self, indent: bool) -> Self {
        self.indent = indent;
        self
    }

    /// Sets the start of `relativeCreated`.
    pub fn started(mut self, time: Timestamp) -> Self {
        self.started = time;
        self
    }

    fn write(&self, record: &Record<'_>, scratch: &mut Scratch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Value { attribute, conversion } => {
                    let object = self.value(attribute, record, scratch.text)?;
                    let written = match conversion {
                        Conversion::Percent(percent) => percent.write(object, scratch.digits, out),
                        Conversion::Brace(brace) => self.write_brace(brace, object, record, scratch.digits, out)?,
                        Conversion::Plain => {
                            object.write(out);
                            Ok(())
                        }
                    };
                    written.map_err(|why| cannot(attribute, why))?;
                }
            }
        }
        Ok(())
    }

    fn write_brace(
        &self,
        brace: &Brace,
        object: Object<'_>,
        record: &Record<'_>,
        digits: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Result<(), &'static str>, Error> {
        let width = self.count(&brace.width, record)?;
        let precision = self.count(&brace.precision, record)?;
        Ok(brace.write(object, width, precision, digits, out))
    }

    /// Returns a width or precision, which may itself be a field's value.
    fn count(&self, count: &Count, record: &Record<'_>) -> Result<Option<usize>, Error> {
        let Count::Of(attribute) = count else { return Ok(count.fixed()) };
        let mut text = pool::take();
        let found = self.value(attribute, record, &mut text).map(Object::count);
        pool::give(text);
        found?.map(Some).ok_or_else(|| cannot(attribute, "the value is not a whole number from 0 to 1000"))
    }

    fn new_line(&self, start: usize, out: &mut Vec<u8>) {
        if !out[start..].ends_with(b"\n") {
            out.push(b'\n');
        }
        if self.indent {
            out.extend_from_slice(b"    ");
        }
    }

    /// Appends the error and the `stack_info`, each on its own line, as Python does.
    fn write_error(&self, record: &Record<'_>, start: usize, out: &mut Vec<u8>) {
        if let Some(Value::Error(chain)) = Part::Error.value(record) {
            self.new_line(start, out);
            for (index, message) in chain.messages().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b": ");
                }
                escape::plain(out, message);
            }
        }
        if let Some(stack) = record.field("stack_info").and_then(|value| value.as_str()).filter(|text| !text.is_empty())
        {
            self.new_line(start, out);
            escape::plain(out, stack);
        }
    }
}

impl Format for Python {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        let out = out.buffer();
        let start = out.len();
        let (mut text, mut digits) = (pool::take(), pool::take());
        let written = self.write(record, &mut Scratch { text: &mut text, digits: &mut digits }, out);
        pool::give(text);
        pool::give(digits);
        if self.error && written.is_ok() {
            self.write_error(record, start, out);
        }
        written
    }
}

/// Buffers for intermediate results.
struct Scratch<'s> {
    text: &'s mut Vec<u8>,
    digits: &'s mut Vec<u8>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Box<str>),
    Value { attribute: Attribute, conversion: Conversion },
}

/// The conversion of a value to text.
#[derive(Clone, Debug)]
enum Conversion {
    Percent(Percent),
    Brace(Brace),
    /// `str()`.
    Plain,
}

/// A width or a precision.
#[derive(Clone, Debug)]
enum Count {
    None,
    Fixed(usize),
    /// The value of another field, in nested braces.
    Of(Box<Attribute>),
}

impl Count {
    fn fixed(&self) -> Option<usize> {
        match self {
            Self::Fixed(count) => Some(*count),
            _ => None,
        }
    }
}

/// An error in a format, and the byte where it is.
struct Wrong {
    at: usize,
    what: String,
}

impl Wrong {
    fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

/// Collects the pieces of a format, joining the text between fields.
#[derive(Default)]
struct Pieces {
    pieces: Vec<Piece>,
    text: String,
}

impl Pieces {
    fn value(&mut self, attribute: Attribute, conversion: Conversion) {
        self.end_text();
        self.pieces.push(Piece::Value { attribute, conversion });
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn done(mut self) -> Vec<Piece> {
        self.end_text();
        self.pieces
    }
}

#[cold]
fn cannot(attribute: &Attribute, why: &str) -> Error {
    Error::new(ErrorKind::Format, format!("field `{}`: {why}", attribute.name))
}

/// Parses a number of digits only, at most [`MAX_COUNT`].
fn count(digits: &str) -> Option<usize> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|count| plain && *count <= MAX_COUNT)
}

/// Python's default format of `asctime`, which milliseconds follow.
const DEFAULT_TIME: &str = "%Y-%m-%d %H:%M:%S";

/// Larger widths and precisions are typing errors, or attacks.
const MAX_COUNT: usize = 1_000;

/// The default start of `relativeCreated`. Python counts from the import of its module.
static STARTED: OnceLock<Timestamp> = OnceLock::new();

#[cfg(test)]
mod tests;
