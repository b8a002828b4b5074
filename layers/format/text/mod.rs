mod below;
mod keys;
mod pen;
pub(super) mod value;

use self::below::Below;
use self::pen::{Pen, Style};
use super::kept::FormatId;
use super::{Format, LevelNames, Out, SpanTimes, Time};
use crate::Error;
use crate::record::{Record, Severity, Span};

/// Writes lines for people to read.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Format, Out, Text};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::INFO, "shop::stock", "sold")
///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
///     .with_field("pieces", 3_u64)
///     .with_field("name", "two words")
///     .with_span("request", [("method", "GET".into()), ("path", "/".into())])
///     .with_span("query", [("table", "x".into())]);
/// let line = |text: Text| {
///     let mut line = Vec::new();
///     text.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).unwrap();
///     String::from_utf8(line).unwrap()
/// };
/// assert_eq!(
///     line(Text::full()),
///     concat!(
///         "2026-11-21T01:19:03.123456Z  INFO request{method=GET path=/}:query{table=x}: shop::stock: ",
///         r#"sold pieces=3 name="two words""#,
///     ),
/// );
/// assert_eq!(
///     line(Text::compact()),
///     r#"01:19:03.123Z  INFO shop::stock: sold pieces=3 name="two words" method=GET path=/ table=x"#,
/// );
/// assert_eq!(
///     line(Text::pretty()),
///     r#"2026-11-21T01:19:03.123456Z  INFO shop::stock: sold
///     pieces=3 name="two words"
///     in query with table=x
///     in request with method=GET path=/"#,
/// );
/// ```
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`full`](Self::full), [`compact`](Self::compact), [`pretty`](Self::pretty) | full | the layout |
/// | [`time`](Self::time) | [`Time::rfc3339`]; compact [`Time::clock`] with its `Z` | how the time is written |
/// | [`level`](Self::level) | on | the severity's name, right-aligned in 5 columns |
/// | [`level_names`](Self::level_names) | [`LevelNames::Upper`] | the names of severities |
/// | [`target`](Self::target) | on | `shop::stock:` |
/// | [`spans`](Self::spans) | on | the enclosing spans; compact shows only their fields |
/// | [`thread_names`](Self::thread_names) | off | `[main]`; pretty `on main` |
/// | [`thread_ids`](Self::thread_ids) | off | `[#1]`, with the name `[main#1]` |
/// | [`file`](Self::file) | off; pretty on | `src/stock.rs:41:`, if known |
/// | [`errors_below`](Self::errors_below) | off | errors of the event below the line, one line per cause |
/// | [`span_times`](Self::span_times) | [`SpanTimes::Units`] | how the times of closed spans are written |
/// | [`backtrace_below`](Self::backtrace_below) | off | the field `backtrace` below the line |
///
/// **A line cannot lie.** Everything that the program logs is escaped: line ends, terminal sequences, invisible characters and
/// those that change the direction of text are written as `\n`, `\x1b`, `\u{202e}`, also in the lines of `pretty`. Of the invisible ones,
/// only the variation selectors of emoji, U+FE0E and U+FE0F, stay as they are. A backslash outside quotes is not escaped: there `\n`
/// may be a line break or these two characters. Where texts must be restored exactly, use [`Json`](super::Json),
/// [`Logfmt`](super::Logfmt) or [`Csv`](super::Csv).
///
/// **Values.** A string of plain characters is written without quotes, any other in double quotes, so that it cannot be taken for
/// another `key=value`. An error is written like a string, as `outer: inner: root`. The output of `Debug` or `Display` is escaped, but
/// quoted only if it could be taken for other parts of the line. Bytes are hexadecimal.
///
/// **Like `fmt`.** [`full`](Self::full) writes what the default format of `tracing_subscriber::fmt()` writes, in the same order. What
/// differs:
///
/// | | `fmt` | here |
/// |---|---|---|
/// | strings | in quotes | in quotes unless plain |
/// | line breaks, control and invisible characters in messages and in the output of `Debug` and `Display` | raw, except `ESC` and C1 controls in messages | escaped |
/// | output of `Debug` or `Display` that could be taken for other fields; names with spaces or quotes | raw | in quotes |
/// | an error with causes | `error=outer error.sources=[inner, root]` | `error="outer: inner: root"` |
/// | bytes | `[00 ff]` | `00ff` |
/// | a span's field that is recorded again | written again, at the end | replaced |
/// | the message | where the callsite has it | in front of the fields |
/// | a field `message` beside a format string | a second text without a name | `message=…` |
/// | an empty target or message, an event with neither message nor fields | its colon and spaces | omitted |
/// | fields that begin with `log.` | omitted | written; those of the `log` crate's records are the target and the position |
/// | thread | the name aligned, `ThreadId(01)` | `[main#1]` |
/// | a level beyond `ERROR` | – | `FATAL`, by a field [`severity`](crate::Severity) |
///
/// [`compact`](Self::compact) omits the names of spans, which `fmt().compact()` writes, and [`pretty`](Self::pretty) has its own layout.
///
/// **Colors** are written if the sink shows them, see [`Caps::color`](super::Caps::color).
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Text {
    layout: Layout,
    time: Time,
    level: bool,
    level_names: LevelNames,
    target: bool,
    spans: bool,
    thread_names: bool,
    thread_ids: bool,
    file: bool,
    below: Below,
    span_times: SpanTimes,
    /// The rendering of spans depends only on the layout, which never changes.
    id: FormatId,
}

impl Text {
    /// Creates the same format as [`full`](Self::full).
    pub fn new() -> Self {
        Self::full()
    }

    /// Creates a format with everything on one line: `time level spans: target: message fields`.
    pub fn full() -> Self {
        Self {
            layout: Layout::Full,
            time: Time::rfc3339(),
            level: true,
            level_names: LevelNames::Upper,
            target: true,
            spans: true,
            thread_names: false,
            thread_ids: false,
            file: false,
            below: Below::default(),
            span_times: SpanTimes::Units,
            id: FormatId::default(),
        }
    }

    /// Creates a format for shorter lines: with the time of day, and the spans' fields, dimmed, at the end instead of the spans.
    ///
    /// The time is in UTC, and says so: `01:19:03.123Z`. For local time, with the feature `time-zone`, set
    /// `Time::clock().in_local()`; with `.offset(true)`, it shows its offset.
    pub fn compact() -> Self {
        Self { layout: Layout::Compact, time: Time::clock().offset(true), ..Self::full() }
    }

    /// Creates a format with several lines per record: the message, the fields, the position in the source, and a line for each
    /// span, innermost first.
    pub fn pretty() -> Self {
        Self { layout: Layout::Pretty, file: true, ..Self::full() }
    }

    /// Sets how the time is written; [`Time::none`] omits it.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self
    }

    /// Sets whether the severity is shown.
    pub fn level(mut self, shown: bool) -> Self {
        self.level = shown;
        self
    }

    /// Sets the names of severities.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self
    }

    /// Sets whether the target is shown.
    pub fn target(mut self, shown: bool) -> Self {
        self.target = shown;
        self
    }

    /// Sets whether the enclosing spans are shown.
    pub fn spans(mut self, shown: bool) -> Self {
        self.spans = shown;
        self
    }

    /// Sets whether the thread's name is shown, if it has one.
    pub fn thread_names(mut self, shown: bool) -> Self {
        self.thread_names = shown;
        self
    }

    /// Sets whether the thread's number is shown, if known.
    pub fn thread_ids(mut self, shown: bool) -> Self {
        self.thread_ids = shown;
        self
    }

    /// Sets whether the source file and line are shown, if known.
    pub fn file(mut self, shown: bool) -> Self {
        self.file = shown;
        self
    }

    /// Sets whether errors among the event's fields are written below the line: one line for each error, and one for each of its
    /// causes. If not, and always for fields of spans, an error is one text, `outer: inner: root`.
    ///
    /// The lines are indented and their content is escaped, so that none can be taken for a record. Python's `logging.exception`,
    /// log4j2's `%xEx`.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Format, Out, Text, Time};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::ERROR, "shop", "not sold")
    ///     .with_error("error", &["no order", "the database is down", "connection refused"])
    ///     .with_field("pieces", 3_u64);
    /// let lines = |below| {
    ///     let text = Text::new().time(Time::none()).errors_below(below);
    ///     let mut lines = Vec::new();
    ///     text.format(&record.as_record(), &mut Out::new(&mut lines, Caps::default())).unwrap();
    ///     String::from_utf8(lines).unwrap()
    /// };
    /// assert_eq!(
    ///     lines(true),
    ///     "ERROR shop: not sold pieces=3
    ///     error: no order
    ///     caused by: the database is down
    ///     caused by: connection refused",
    /// );
    /// assert_eq!(
    ///     lines(false),
    ///     r#"ERROR shop: not sold error="no order: the database is down: connection refused" pieces=3"#,
    /// );
    /// ```
    pub fn errors_below(mut self, below: bool) -> Self {
        self.below.errors = below;
        self
    }

    /// Sets whether the event's field `backtrace`, if it is a text such as [`process::log_panics`](crate::process::log_panics) logs, is
    /// written below the line, its lines indented by eight spaces. If not, it is one text with its line breaks escaped.
    pub fn backtrace_below(mut self, below: bool) -> Self {
        self.below.backtrace = below;
        self
    }

    /// Sets how the times of closed spans are written: `time.busy=1.23µs time.idle=45.6µs` unless set.
    pub fn span_times(mut self, times: SpanTimes) -> Self {
        self.span_times = times;
        self
    }

    /// Instantiated twice, so that the usual case, in which nothing is written below the line, needs no checks for it.
    #[inline]
    fn write<const BELOW: bool>(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        match self.layout {
            Layout::Full => self.write_full::<BELOW>(record, pen),
            Layout::Compact => self.write_compact::<BELOW>(record, pen),
            Layout::Pretty => self.write_pretty::<BELOW>(record, pen),
        }
    }

    #[inline(never)]
    fn write_with_below(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        self.write::<true>(record, pen);
        self.below.write(record, pen);
    }

    fn write_full<const BELOW: bool>(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        self.write_start(record, pen);
        self.write_thread(record, pen);
        self.write_spans(record, pen, write_span_chain);
        self.write_target(record, pen);
        self.write_file(record, pen);
        write_message(record, pen);
        self.write_fields::<BELOW>(record, pen);
    }

    fn write_compact<const BELOW: bool>(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        self.write_start(record, pen);
        self.write_thread(record, pen);
        self.write_target(record, pen);
        self.write_file(record, pen);
        write_message(record, pen);
        self.write_fields::<BELOW>(record, pen);
        self.write_spans(record, pen, write_span_fields);
    }

    fn write_pretty<const BELOW: bool>(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        self.write_start(record, pen);
        self.write_target(record, pen);
        write_message(record, pen);
        if self.has_fields::<BELOW>(record) {
            pen.new_line();
            self.write_fields::<BELOW>(record, pen);
        }
        self.write_whereabouts(record, pen);
        self.write_spans(record, pen, write_span_lines);
    }

    #[inline(always)]
    fn write_fields<const BELOW: bool>(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        match BELOW {
            true => pen.each(self.below.others(record)),
            false => pen.fields(record),
        }
    }

    #[inline(always)]
    fn has_fields<const BELOW: bool>(&self, record: &Record<'_>) -> bool {
        match BELOW {
            true => self.below.others(record).next().is_some(),
            false => record.fields().next().is_some(),
        }
    }

    /// Appends the time and the level.
    #[inline]
    fn write_start(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        if !self.time.is_none() {
            pen.styled(Style::DIM, |pen| self.time.write(record.time(), pen.out()));
        }
        if self.level {
            pen.gap();
            let level = Level::of(record.severity());
            pen.styled(level.style, |pen| {
                match self.level_names == LevelNames::Upper && !record.severity().is_named() {
                    true => pen.piece(level.name),
                    false => write_named(self.level_names, record.severity(), pen),
                }
            });
        }
    }

    #[inline]
    fn write_thread(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        if self.thread_names || self.thread_ids {
            self.write_known_thread(record, pen);
        }
    }

    fn write_known_thread(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        let (name, id) = self.thread(record);
        if name.is_some() || id.is_some() {
            pen.gap();
            pen.styled(Style::DIM, |pen| {
                pen.raw("[");
                pen.thread(name, id);
                pen.raw("]");
            });
        }
    }

    #[inline]
    fn thread<'a>(&self, record: &Record<'a>) -> (Option<&'a str>, Option<u64>) {
        let name = if self.thread_names { record.thread_name() } else { None };
        (name, record.thread_id().filter(|_| self.thread_ids))
    }

    /// Appends the spans, from the cache or by `write`.
    #[inline]
    fn write_spans(&self, record: &Record<'_>, pen: &mut Pen<'_>, write: fn(&Record<'_>, &mut Pen<'_>)) {
        if self.spans && record.has_spans() {
            pen.kept(record, self.id, |pen| write(record, pen));
        }
    }

    #[inline(always)]
    fn write_target(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        if self.target && !pen.prepared_target(record) {
            write_any_target(record, pen);
        }
    }

    #[inline]
    fn write_file(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        if self.file {
            write_known_file(record, pen);
        }
    }

    /// Appends `at src/stock.rs:41 on main`.
    fn write_whereabouts(&self, record: &Record<'_>, pen: &mut Pen<'_>) {
        let file = record.file().filter(|_| self.file);
        let (name, id) = self.thread(record);
        if file.is_some() || name.is_some() || id.is_some() {
            pen.new_line();
        }
        if let Some(file) = file {
            pen.dim("at ");
            pen.place(file, record.line());
        }
        if name.is_some() || id.is_some() {
            pen.dim(if file.is_some() { " on " } else { "on " });
            pen.thread(name, id);
        }
    }
}

impl Default for Text {
    /// Creates the same format as [`full`](Self::full).
    fn default() -> Self {
        Self::full()
    }
}

impl Format for Text {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        if self.span_times.changes(record) {
            return self.span_times.apply(record, |record| self.format(record, out));
        }
        let color = out.caps().color;
        out.buffer().reserve(2 * record.raw().len() + RESERVE);
        let mut pen = Pen::new(out.buffer(), color, record);
        match self.below.is_none() {
            true => self.write::<false>(record, &mut pen),
            false => self.write_with_below(record, &mut pen),
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Layout {
    Full,
    Compact,
    Pretty,
}

/// A severity's name in a column, and its style.
struct Level {
    name: &'static [u8; 5],
    style: Style,
}

impl Level {
    #[inline]
    fn of(severity: Severity) -> Self {
        let (name, style) = match severity.number() {
            0..=4 => (b"TRACE", Style::MAGENTA),
            5..=8 => (b"DEBUG", Style::BLUE),
            9..=12 => (b" INFO", Style::GREEN),
            13..=16 => (b" WARN", Style::YELLOW),
            17..=20 => (b"ERROR", Style::RED),
            _ => (b"FATAL", Style::BOLD_RED),
        };
        Self { name, style }
    }
}

#[cold]
fn write_named(names: LevelNames, severity: Severity, pen: &mut Pen<'_>) {
    for _ in names.base(severity).len()..5 {
        pen.raw(" ");
    }
    names.write(severity, pen.out());
}

#[inline(always)]
fn write_message(record: &Record<'_>, pen: &mut Pen<'_>) {
    let message = record.message();
    if !message.is_empty() {
        pen.gap();
        pen.plain(message);
    }
}

fn write_known_file(record: &Record<'_>, pen: &mut Pen<'_>) {
    if let Some(file) = record.file() {
        pen.gap();
        pen.styled(Style::DIM, |pen| {
            pen.place(file, record.line());
            pen.raw(":");
        });
    }
}

fn write_any_target(record: &Record<'_>, pen: &mut Pen<'_>) {
    if !record.target().is_empty() {
        pen.gap();
        pen.styled(Style::DIM, |pen| {
            pen.plain(record.target());
            pen.raw(":");
        });
    }
}

/// Appends `request{method=GET}:query{table=x}:`.
fn write_span_chain(record: &Record<'_>, pen: &mut Pen<'_>) {
    for (index, span) in record.spans().enumerate() {
        if index == 0 {
            pen.gap();
        }
        pen.styled(Style::BOLD, |pen| pen.plain(span.name()));
        if has_fields(&span) {
            pen.open("{");
            pen.span_fields(&span);
            pen.raw("}");
        }
        pen.raw(":");
    }
}

/// Appends ` method=GET path=/ table=x`.
fn write_span_fields(record: &Record<'_>, pen: &mut Pen<'_>) {
    if record.spans().any(|span| has_fields(&span)) {
        pen.styled(Style::DIM, |pen| record.spans().for_each(|span| pen.span_fields(&span)));
    }
}

/// Appends lines such as `in request with method=GET path=/`, the nearest span first.
fn write_span_lines(record: &Record<'_>, pen: &mut Pen<'_>) {
    for span in record.spans().rev() {
        pen.new_line();
        pen.dim("in ");
        pen.styled(Style::BOLD, |pen| pen.plain(span.name()));
        if has_fields(&span) {
            pen.dim(" with");
            pen.span_fields(&span);
        }
    }
}

#[inline]
fn has_fields(span: &Span<'_>) -> bool {
    span.fields().next().is_some()
}

const RESERVE: usize = 512;

#[cfg(test)]
mod tests;
