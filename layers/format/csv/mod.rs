//! [`Csv`]: a table with one row per record, and its options.

mod options;
mod row;

pub use self::options::{FieldsAs, LineBreaks, Quoting, Separator};

use std::cell::Cell;

use self::row::{CellStyle, Row};
use super::json::{Duplicates, write_object};
use super::logfmt::pairs::Pairs;
use super::shown::FieldParts;
use super::{Format, LevelNames, Out, Time, spans};
use crate::Error;
use crate::record::{Field, Part, Record};

/// A row of comma-separated values per record (RFC 4180), with a header at the top of each file.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Csv, Format, Out};
/// use tracing_handlers::{Part, RecordBuf, Severity};
///
/// let csv = Csv::new().columns([Part::Time, Part::Level, Part::Message, Part::field("pieces"), Part::Fields]);
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold, paid")
///     .with_time(Timestamp::new(1_795_223_943, 123_456_000))
///     .with_field("pieces", 3_u64)
///     .with_field("by", "ada");
/// let mut table = Vec::new();
/// csv.preamble(&mut Out::new(&mut table, Caps::default()));
/// csv.format(&record.as_record(), &mut Out::new(&mut table, Caps::default()))?;
/// assert_eq!(
///     String::from_utf8_lossy(&table),
///     "time,level,message,pieces,fields\n2026-11-21T01:19:03.123456Z,INFO,\"sold, paid\",3,by=ada",
/// );
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`columns`](Self::columns) | time, level, target, message, fields, span fields | the columns and their order |
/// | [`rename`](Self::rename) | see below | the title of a column |
/// | [`header`](Self::header) | on | the line of titles at the top of each new file |
/// | [`time`](Self::time) | [`Time::rfc3339`] | how the time is written; [`Time::none`] leaves the cell empty |
/// | [`level_names`](Self::level_names) | [`LevelNames::Upper`] | `INFO`, `info` … |
/// | [`separator`](Self::separator) | [`Separator::Comma`] | the character between cells |
/// | [`quoting`](Self::quoting) | [`Quoting::Minimal`] | which cells are in quotes |
/// | [`line_breaks`](Self::line_breaks) | [`LineBreaks::Escaped`] | how a line break in a value is written |
/// | [`fields_as`](Self::fields_as) | [`FieldsAs::Pairs`] | fields that share a column, as `key=value` or JSON |
/// | [`guard_formulas`](Self::guard_formulas) | on | `'` in front of what a spreadsheet would compute |
/// | [`crlf`](Self::crlf) | off | ends lines with CR LF, as in RFC 4180, instead of LF |
///
/// **Columns** can be all [parts of a record](Part). The title of a field's column is its name, that of `SpanNames` is `spans`, and
/// that of any other part is its text. `SpanNames` is written as `request:query`, and `Span` and `Spans` as
/// `request{method=GET}:query{table=x}`. `Fields` and `SpanFields` contain the fields that no other column shows, those of the
/// nearest span first.
///
/// **Cells** of what a record does not have are empty. Numbers and booleans are bare, floats may be `NaN`, `inf` and `-inf`;
/// bytes are hexadecimal, an error is `outer: inner: root`, a nested value is its JSON.
///
/// **A line cannot lie.** Control characters, invisible ones and those that change the direction of text are written as `\t`,
/// `\n`, `\r`, `\uXXXX`, and a backslash as `\\`, so that a reader that undoes the quotes and then the escapes gets what was logged.
/// A nested value and the content of a shared column are not escaped twice: a reader undoes the quotes and gets JSON or logfmt.
///
/// **Formulas.** A text that begins with `=`, `+`, `-`, `@` (also the full-width ones), a tab or a line break gets a `'`
/// in front, because spreadsheets compute such cells, and a formula can send the table elsewhere; so does one that
/// has its own `'`s in front of that. Numbers are left alone.
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone, Debug)]
pub struct Csv {
    columns: Vec<Part>,
    /// Those of the columns that are single fields.
    field_parts: FieldParts,
    renamed: Vec<(Part, String)>,
    header: bool,
    time: Time,
    level_names: LevelNames,
    fields_as: FieldsAs,
    crlf: bool,
    style: CellStyle,
}

impl Csv {
    /// Creates the format with the defaults of the table.
    pub fn new() -> Self {
        let columns = [Part::Time, Part::Level, Part::Target, Part::Message, Part::Fields, Part::SpanFields];
        Self {
            columns: columns.into(),
            field_parts: FieldParts::default(),
            renamed: Vec::new(),
            header: true,
            time: Time::default(),
            level_names: LevelNames::default(),
            fields_as: FieldsAs::default(),
            crlf: false,
            style: CellStyle {
                separator: Separator::default(),
                quoting: Quoting::default(),
                line_breaks: LineBreaks::default(),
                guard: true,
            },
        }
    }

    /// Sets the columns and their order. If a part is named twice, only the first one counts.
    pub fn columns(mut self, columns: impl IntoIterator<Item = Part>) -> Self {
        self.columns.clear();
        for column in columns {
            if !self.columns.contains(&column) {
                self.columns.push(column);
            }
        }
        self.field_parts = FieldParts::of(&self.columns);
        self
    }

    /// Sets the title of a column. If an earlier column has the same title, `_2` is appended to this one.
    pub fn rename(mut self, column: Part, title: impl Into<String>) -> Self {
        self.renamed.retain(|(renamed, _)| *renamed != column);
        self.renamed.push((column, title.into()));
        self
    }

    /// Sets whether each new file begins with the titles. Sinks other than files have no beginning, and so no header.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// Sets how the time is written.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self
    }

    /// Sets how levels are written.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self
    }

    /// Sets the character between cells.
    pub fn separator(mut self, separator: Separator) -> Self {
        self.style.separator = separator;
        self
    }

    /// Sets which cells are in quotes.
    pub fn quoting(mut self, quoting: Quoting) -> Self {
        self.style.quoting = quoting;
        self
    }

    /// Sets how a line break in a value is written.
    pub fn line_breaks(mut self, line_breaks: LineBreaks) -> Self {
        self.style.line_breaks = line_breaks;
        self
    }

    /// Sets how the fields that share a column are written.
    pub fn fields_as(mut self, fields_as: FieldsAs) -> Self {
        self.fields_as = fields_as;
        self
    }

    /// Sets whether a cell that a spreadsheet would compute gets a `'` in front.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Csv, Format, Out};
    /// use tracing_handlers::{Part, RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "", "=1+1").with_field("left", -5_i64);
    /// let row = |guarded| {
    ///     let csv = Csv::new().columns([Part::Message, Part::field("left")]).guard_formulas(guarded);
    ///     let mut row = Vec::new();
    ///     csv.format(&record.as_record(), &mut Out::new(&mut row, Caps::default())).unwrap();
    ///     String::from_utf8(row).unwrap()
    /// };
    /// assert_eq!((row(true), row(false)), ("'=1+1,-5".to_owned(), "=1+1,-5".to_owned()));
    /// ```
    pub fn guard_formulas(mut self, guarded: bool) -> Self {
        self.style.guard = guarded;
        self
    }

    /// Sets whether lines end with CR LF: for [`Framing::Newline`](crate::Framing::Newline), which adds the LF.
    pub fn crlf(mut self, crlf: bool) -> Self {
        self.crlf = crlf;
        self
    }

    /// The titles of all columns, no two of which are equal.
    fn titles(&self) -> Vec<String> {
        let mut titles: Vec<String> = Vec::new();
        for column in &self.columns {
            let renamed = self.renamed.iter().find(|(renamed, _)| renamed == column);
            let title = renamed.map_or(title(column), |(_, title)| title);
            let mut numbers = (2..).map(|number| format!("{title}_{number}"));
            let mut free = title.to_owned();
            while titles.contains(&free) {
                free = numbers.next().unwrap_or_default();
            }
            titles.push(free);
        }
        titles
    }

    fn write_cell(&self, column: &Part, record: &Record<'_>, row: &mut Row<'_>, scratch: &mut Vec<u8>) {
        let has_spans = || record.spans().next().is_some();
        match column {
            Part::Time if self.time.is_number() => row.number(|out| self.time.write(record.time(), out)),
            Part::Time if self.time.with_free(record.time(), |text| row.text(text)).is_some() => {}
            Part::Time => row.literal(|out| self.time.write(record.time(), out)),
            Part::Level => row.made(scratch, |out| self.level_names.write(record.severity(), out)),
            Part::SpanNames if has_spans() => row.joined(scratch, ":", record.spans().map(|span| span.name())),
            Part::Span | Part::Spans if has_spans() => row.made(scratch, |out| spans::write(column, record, out)),
            Part::Fields => {
                let mut shown = self.field_parts.walk(record);
                self.write_fields(record.fields().filter(|field| !shown.has(field)), row, scratch);
            }
            Part::SpanFields => {
                let mut shown = self.field_parts.walk(record);
                let fields = record.spans().rev().flat_map(|span| span.fields().map(move |field| (span, field)));
                let others = fields.filter(|(span, field)| !shown.has_of_span(span, field));
                self.write_fields(others.map(|(_, field)| field), row, scratch);
            }
            column => row.value(column.value(record), scratch),
        }
    }

    fn write_fields<'a>(&self, fields: impl Iterator<Item = Field<'a>>, row: &mut Row<'_>, scratch: &mut Vec<u8>) {
        let mut fields = fields.peekable();
        if fields.peek().is_none() {
            return row.value(None, scratch);
        }
        row.made(scratch, |out| match self.fields_as {
            FieldsAs::Pairs => {
                let mut pairs = Pairs::new(out, &[], Duplicates::default());
                fields.for_each(|field| pairs.field(None, &field));
            }
            FieldsAs::Json => write_object(out, fields),
        });
    }
}

/// The title of a column that is not renamed.
fn title(column: &Part) -> &str {
    match column {
        Part::SpanNames => "spans",
        column => column.label(),
    }
}

impl Default for Csv {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Csv {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        let out = out.buffer();
        out.reserve(2 * record.raw().len() + RESERVE);
        // Kept between records, so that it is allocated once per thread. A thread that is ending keeps nothing.
        let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
        let mut row = Row::new(out, self.style);
        for column in &self.columns {
            self.write_cell(column, record, &mut row, &mut scratch);
        }
        row.end();
        if self.crlf {
            out.push(b'\r');
        }
        if scratch.capacity() <= KEEP {
            let _ = SCRATCH.try_with(|kept| kept.set(scratch));
        }
        Ok(())
    }

    fn preamble(&self, out: &mut Out<'_>) {
        if !self.header {
            return;
        }
        let mut row = Row::new(out.buffer(), self.style);
        self.titles().iter().for_each(|title| row.text(title));
        row.end();
        out.push_str(if self.crlf { "\r\n" } else { "\n" });
    }
}

const RESERVE: usize = 512;
/// The longest shared column whose buffer is kept.
const KEEP: usize = 64 << 10;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}
