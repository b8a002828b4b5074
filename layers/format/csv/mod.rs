//! [`Csv`]: a table with a row per record, and what can be chosen about it.

mod column;
mod options;
mod row;

pub use self::column::Column;
pub use self::options::{LineBreaks, Nested, Quoting, Separator};

use std::cell::Cell;

use self::row::{Row, Style};
use super::json::{Duplicates, write_object};
use super::logfmt::pairs::Pairs;
use super::{Format, LevelNames, Out, Time};
use crate::Error;
use crate::record::{Field, Record};

/// A row of comma-separated values per record (RFC 4180), with a header at the top of each file.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::format::{Caps, Csv, Format, Out, csv::Column};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let csv = Csv::new().columns([Column::Time, Column::Level, Column::Message, Column::field("pieces"), Column::Fields]);
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
/// | [`columns`](Self::columns) | time, level, target, message, fields, span fields | which columns there are, in which order |
/// | [`rename`](Self::rename) | titles of [`Column`] | what stands above a column |
/// | [`header`](Self::header) | on | the line of titles at the top of each new file |
/// | [`time`](Self::time) | [`Time::rfc3339`] | how the time is written; [`Time::none`] leaves the cell empty |
/// | [`level_names`](Self::level_names) | [`LevelNames::Upper`] | `INFO`, `info` … |
/// | [`separator`](Self::separator) | [`Separator::Comma`] | what stands between cells |
/// | [`quoting`](Self::quoting) | [`Quoting::Minimal`] | which cells stand in quotes |
/// | [`line_breaks`](Self::line_breaks) | [`LineBreaks::Escaped`] | what becomes of a line break in a value |
/// | [`nested`](Self::nested) | [`Nested::Pairs`] | fields that share a column, as `key=value` or JSON |
/// | [`guard_formulas`](Self::guard_formulas) | on | `'` in front of what a spreadsheet would compute |
/// | [`crlf`](Self::crlf) | off | ends lines with CR LF, as RFC 4180 has it, instead of LF |
///
/// **Cells** of what a record does not have are empty. Numbers and booleans are bare, floats may be `NaN`, `inf` and `-inf`;
/// bytes are hexadecimal, an error is `outer: inner: root`, a nested value is its JSON.
///
/// **A line cannot lie.** Control characters, invisible ones and those that turn the direction of text are written as `\t`,
/// `\n`, `\r`, `\uXXXX`, and a backslash as `\\`, so that a reader who undoes the quotes and then these has what was logged.
/// A nested value, and what is in a shared column, is not escaped twice: a reader undoes the quotes and has JSON, or logfmt.
///
/// **Formulas.** A text that begins with `=`, `+`, `-`, `@` (also the full-width ones), a tab or a line break gets a `'`
/// in front, because spreadsheets compute such cells, and what they compute can send the table elsewhere; so does one that
/// has `'`s of its own in front of that. Numbers are left alone.
#[derive(Clone, Debug)]
pub struct Csv {
    columns: Vec<Column>,
    renamed: Vec<(Column, String)>,
    header: bool,
    time: Time,
    level_names: LevelNames,
    nested: Nested,
    crlf: bool,
    style: Style,
}

impl Csv {
    /// With the defaults of the table.
    pub fn new() -> Self {
        use Column::{Fields, Level, Message, SpanFields, Target, Time as When};
        Self {
            columns: vec![When, Level, Target, Message, Fields, SpanFields],
            renamed: Vec::new(),
            header: true,
            time: Time::default(),
            level_names: LevelNames::default(),
            nested: Nested::default(),
            crlf: false,
            style: Style {
                separator: Separator::default(),
                quoting: Quoting::default(),
                line_breaks: LineBreaks::default(),
                guard: true,
            },
        }
    }

    /// Which columns there are, in this order; of a column named twice the second mention does not count.
    pub fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.columns.clear();
        for column in columns {
            if !self.columns.contains(&column) {
                self.columns.push(column);
            }
        }
        self
    }

    /// Puts `title` above a column. Where an earlier column has that title already, this one gets `_2` behind it.
    pub fn rename(mut self, column: Column, title: impl Into<String>) -> Self {
        self.renamed.retain(|(renamed, _)| *renamed != column);
        self.renamed.push((column, title.into()));
        self
    }

    /// Whether each new file begins with the titles. Sinks other than files have no beginning, and no header.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// How the time is written.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self
    }

    /// How levels are written.
    pub fn level_names(mut self, names: LevelNames) -> Self {
        self.level_names = names;
        self
    }

    /// What stands between cells.
    pub fn separator(mut self, separator: Separator) -> Self {
        self.style.separator = separator;
        self
    }

    /// Which cells stand in quotes.
    pub fn quoting(mut self, quoting: Quoting) -> Self {
        self.style.quoting = quoting;
        self
    }

    /// What becomes of a line break in a value.
    pub fn line_breaks(mut self, line_breaks: LineBreaks) -> Self {
        self.style.line_breaks = line_breaks;
        self
    }

    /// How fields are written that share a column.
    pub fn nested(mut self, nested: Nested) -> Self {
        self.nested = nested;
        self
    }

    /// Whether what a spreadsheet would compute gets a `'` in front.
    ///
    /// ```
    /// use tracing_handlers::format::{Caps, Csv, Format, Out, csv::Column};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let record = RecordBuf::new(Severity::INFO, "", "=1+1").with_field("left", -5_i64);
    /// let row = |guarded| {
    ///     let csv = Csv::new().columns([Column::Message, Column::field("left")]).guard_formulas(guarded);
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

    /// Whether lines end with CR LF: for [`Framing::Newline`](crate::Framing::Newline), which adds the LF.
    pub fn crlf(mut self, crlf: bool) -> Self {
        self.crlf = crlf;
        self
    }

    /// Each another one.
    fn titles(&self) -> Vec<String> {
        let mut titles: Vec<String> = Vec::new();
        for column in &self.columns {
            let renamed = self.renamed.iter().find(|(renamed, _)| renamed == column);
            let title = renamed.map_or(column.title(), |(_, title)| title);
            let mut numbers = (2..).map(|number| format!("{title}_{number}"));
            let mut free = title.to_owned();
            while titles.contains(&free) {
                free = numbers.next().unwrap_or_default();
            }
            titles.push(free);
        }
        titles
    }

    fn write_cell(&self, column: &Column, record: &Record<'_>, row: &mut Row<'_>, scratch: &mut Vec<u8>) {
        match column {
            Column::Time if self.time.is_number() => row.number(|out| self.time.write(record.time(), out)),
            Column::Time => row.literal(|out| self.time.write(record.time(), out)),
            Column::Level => row.made(scratch, |out| self.level_names.write(record.severity(), out)),
            Column::SpanNames if record.spans().next().is_some() => {
                row.joined(scratch, ":", record.spans().map(|span| span.name()));
            }
            Column::Fields => self.write_fields(record.fields(), is_field, row, scratch),
            Column::SpanFields => {
                // Spans can only be walked from the root, so each is looked up anew.
                let spans = (0..record.spans().count()).rev().filter_map(|index| record.spans().nth(index));
                self.write_fields(spans.flat_map(|span| span.fields()), is_span_field, row, scratch);
            }
            column => row.value(column.value(record), scratch),
        }
    }

    /// Those of `fields` that no column shows. A column shows the first field of its name.
    fn write_fields<'a>(
        &self,
        fields: impl Iterator<Item = Field<'a>>,
        is_of: fn(&Column, &str) -> bool,
        row: &mut Row<'_>,
        scratch: &mut Vec<u8>,
    ) {
        let mut shown = 0_u64;
        let mut is_shown = |field: &Field<'_>| {
            let column = self.columns.iter().position(|column| is_of(column, field.name)).map_or(0, bit);
            let first = shown & column == 0;
            shown |= column;
            first && column != 0
        };
        let mut fields = fields.filter(|field| !is_shown(field)).peekable();
        if fields.peek().is_none() {
            return row.value(None, scratch);
        }
        row.made(scratch, |out| match self.nested {
            Nested::Pairs => {
                let mut pairs = Pairs::new(out, &[], Duplicates::default());
                fields.for_each(|field| pairs.field(None, &field));
            }
            Nested::Json => write_object(out, fields),
        });
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
        // Kept between records, so that it is allocated once per thread; a thread that is ending keeps nothing.
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

/// None of the columns that there is no bit for: their fields are shown twice.
fn bit(column: usize) -> u64 {
    1_u64.checked_shl(column as u32).unwrap_or(0)
}

fn is_field(column: &Column, name: &str) -> bool {
    matches!(column, Column::Field(field) if field == name)
}

fn is_span_field(column: &Column, name: &str) -> bool {
    matches!(column, Column::SpanField(field) if field == name)
}

const RESERVE: usize = 512;
/// The longest shared column whose buffer is kept.
const KEEP: usize = 64 << 10;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}
