//! Naughty strings through tables, which the `csv` crate reads back.

use tracing_handlers::format::csv::{LineBreaks, Quoting, Separator};
use tracing_handlers::format::{Caps, Csv, Format, Out};
use tracing_handlers::{Part, RecordBuf, Severity, Value};

use super::line;
use super::strings::naughty;
use crate::csv::{unescaped, unguarded};

#[test]
fn the_csv_crate_reads_every_cell_back_in_every_style() {
    let texts = naughty();
    for separator in [Separator::Comma, Separator::Semicolon, Separator::Tab, Separator::Pipe] {
        for quoting in [Quoting::Minimal, Quoting::NonNumeric, Quoting::All] {
            for line_breaks in [LineBreaks::Escaped, LineBreaks::Kept] {
                for crlf in [false, true] {
                    let columns = [Part::Message, Part::field("str"), Part::field("text"), Part::span_field("id")];
                    let csv =
                        Csv::new().columns(columns).separator(separator).quoting(quoting).line_breaks(line_breaks);
                    read_back(&csv.crlf(crlf), separator, &texts);
                }
            }
        }
    }
}

#[track_caller]
fn read_back(csv: &Csv, separator: Separator, texts: &[String]) {
    let mut table = Vec::new();
    csv.preamble(&mut Out::new(&mut table, Caps::default()));
    for text in texts {
        let record = RecordBuf::new(Severity::INFO, "", text)
            .with_field("str", &**text)
            .with_field("text", Value::Text(text))
            .with_span("span", [("id", (&**text).into())]);
        table.extend_from_slice((line(csv, &record) + "\n").as_bytes());
    }
    let delimiter = match separator {
        Separator::Semicolon => b';',
        Separator::Tab => b'\t',
        Separator::Pipe => b'|',
        _ => b',',
    };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(&table[..]);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), texts.len());
    for (row, text) in rows.iter().zip(texts) {
        assert_eq!(row.len(), 4);
        assert!(row.iter().all(|cell| unguarded(&unescaped(cell)) == *text), "{text:?} in {row:?}");
    }
}
