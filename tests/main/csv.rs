//! CSV: read back by a reader of RFC 4180 that knows nothing of the writer, and by Python's.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use tracing::{info, info_span};
use tracing_handlers::format::csv::{FieldsAs, LineBreaks, Quoting, Separator};
use tracing_handlers::format::{Caps, Csv, Format, LevelNames, Out, Time};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{File, Memory};
use tracing_handlers::{Handler, Output, Part, RecordBuf, Severity, Value};

use crate::collect::dispatch;
use crate::skip::{installed, needs};

fn row(csv: &Csv, record: &RecordBuf) -> String {
    let mut out = b"before".to_vec();
    csv.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out.split_off(6)).unwrap()
}

fn header(csv: &Csv) -> String {
    let mut out = Vec::new();
    csv.preamble(&mut Out::new(&mut out, Caps::default()));
    String::from_utf8(out).unwrap()
}

fn messages() -> Csv {
    Csv::new().columns([Part::Message])
}

fn said(message: &str) -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop", message)
}

fn sold() -> RecordBuf {
    said("sold")
        .with_location("shop::till", "src/till.rs", 7)
        .with_thread("till", 3)
        .with_field("pieces", 3_u64)
        .with_field("by", "ada b")
        .with_span("request", [("id", 1_u64.into()), ("method", "GET".into())])
        .with_span("query", [("id", 2_u64.into())])
}

#[test]
fn each_column_has_its_title_and_its_cell() {
    use Part::*;
    let all = [
        Level, Severity, Target, Name, ModulePath, File, Line, ThreadName, ThreadId, Message, SpanNames, Fields,
        SpanFields, Level,
    ];
    let csv = Csv::new().columns(all).level_names(LevelNames::Syslog).rename(Target, "logger");
    assert_eq!(
        header(&csv),
        "level,severity,logger,name,module_path,file,line,thread_name,thread_id,message,spans,fields,span_fields\n"
    );
    assert_eq!(
        row(&csv, &sold()),
        concat!(
            r#"info,9,shop,,shop::till,src/till.rs,7,till,3,sold,request:query,"pieces=3 by=""ada b""","#,
            "id=2 id_2=1 method=GET",
        )
    );
    assert_eq!(row(&csv, &said("")), "info,9,shop,,,,,,,,,,");
}

#[test]
fn a_field_with_a_column_of_its_own_is_not_in_the_shared_one() {
    let columns = [Part::field("pieces"), Part::span_field("id"), Part::Fields, Part::SpanFields];
    let csv = Csv::new().columns(columns);
    assert_eq!(header(&csv), "pieces,id,fields,span_fields\n");
    // The nearest span's `id` has the column; the other one is not lost.
    assert_eq!(row(&csv, &sold()), r#"3,2,"by=""ada b""",id=1 method=GET"#);
    let twice = said("").with_field("pieces", 1_u64).with_field("pieces", 2_u64);
    assert_eq!(row(&csv, &twice), "1,,pieces=2,");
    assert_eq!(
        row(&csv.fields_as(FieldsAs::Json), &sold()),
        r#"3,2,"{""by"":""ada b""}","{""id"":1,""method"":""GET""}""#
    );
}

#[test]
fn no_two_columns_have_the_same_title() {
    let columns = [Part::Level, Part::field("level"), Part::span_field("level"), Part::field("level_2")];
    assert_eq!(header(&Csv::new().columns(columns)), "level,level_2,level_3,level_2_2\n");
    let odd = Csv::new().columns([Part::field("a,b"), Part::field("=x\n")]);
    assert_eq!(header(&odd), "\"a,b\",\"'=x\\n\"\n");
}

#[test]
fn quotes_stand_where_they_are_wanted() {
    let record = said("a;b").with_field("n", -5_i64).with_field("yes", true).with_field("text", "x");
    let columns = ["n", "yes", "none", "text"].map(Part::field);
    let csv = Csv::new().columns([Part::Message].into_iter().chain(columns));
    assert_eq!(row(&csv, &record), "a;b,-5,true,,x");
    assert_eq!(row(&csv.clone().separator(Separator::Semicolon), &record), "\"a;b\";-5;true;;x");
    assert_eq!(row(&csv.clone().separator(Separator::Pipe), &record), "a;b|-5|true||x");
    assert_eq!(row(&csv.clone().separator(Separator::Tab), &record), "a;b\t-5\ttrue\t\tx");
    assert_eq!(row(&csv.clone().quoting(Quoting::NonNumeric), &record), r#""a;b",-5,"true","","x""#);
    assert_eq!(row(&csv.quoting(Quoting::All), &record), r#""a;b","-5","true","","x""#);
    for (text, cell) in [(" x", "\" x\""), ("x ", "\"x \""), ("x\"y", "\"x\"\"y\""), ("x,y", "\"x,y\""), ("", "\"\"")] {
        assert_eq!(row(&messages(), &said(text)), cell);
    }
}

#[test]
fn a_row_of_one_empty_cell_is_no_empty_line() {
    assert_eq!(row(&Csv::new().columns([Part::field("none")]), &said("")), "\"\"");
    assert_eq!(row(&Csv::new().columns([Part::Time]).time(Time::none()), &said("")), "\"\"");
}

#[test]
fn line_breaks_are_escaped_or_kept_in_quotes() {
    let text = "one\r\ntwo\\n\u{1b}\tx";
    assert_eq!(row(&messages(), &said(text)), "\"one\\r\\ntwo\\\\n\\u001b\\tx\"");
    assert_eq!(row(&messages().line_breaks(LineBreaks::Kept), &said(text)), "\"one\r\ntwo\\\\n\\u001b\\tx\"");
}

#[test]
fn a_backslash_in_a_path_is_not_taken_for_an_escape() {
    let csv = messages().line_breaks(LineBreaks::Kept);
    assert_eq!(row(&csv, &said("C:\\temp")), "C:\\\\temp");
    assert_eq!(row(&csv, &said("C:\temp")), "C:\\temp");
    let record = said("").with_field("path", "C:\\temp").with_error("error", &["in C:\\temp", "\t"]);
    let csv =
        Csv::new().columns([Part::field("path"), Part::field("error"), Part::Fields]).line_breaks(LineBreaks::Kept);
    assert_eq!(row(&csv, &record), r"C:\\temp,in C:\\temp: \t,");
    // What is escaped in its own notation is not escaped twice.
    let csv = csv.columns([Part::Fields]);
    assert_eq!(row(&csv, &record), r#""path=""C:\\temp"" error=""in C:\\temp: \t""""#);
}

#[test]
fn what_a_spreadsheet_would_compute_has_a_guard() {
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\u{ff1d}1", "'=1", "''-1", "-inf"] {
        assert_eq!(row(&messages(), &said(text)), format!("'{text}"));
        assert_eq!(row(&messages().guard_formulas(false), &said(text)), text);
    }
    for text in ["1=1", "'tis", "a-b", "1", "'"] {
        assert_eq!(row(&messages(), &said(text)), text);
    }
    assert_eq!(row(&messages().line_breaks(LineBreaks::Kept), &said("\n=1")), "\"'\n=1\"");
    let cells = said("")
        .with_field("error", Value::Str("=x"))
        .with_field("low", f64::NEG_INFINITY)
        .with_field("-x", 1_u64)
        .with_error("chain", &["=a", "b"]);
    let columns = [Part::field("error"), Part::field("low"), Part::field("chain"), Part::Fields];
    assert_eq!(row(&Csv::new().columns(columns), &cells), "'=x,-inf,'=a: b,'-x=1");
    assert_eq!(row(&messages().quoting(Quoting::All), &said("=1")), "\"'=1\"");
}

#[test]
fn types_are_written_like_this() {
    let record = said("")
        .with_field("wide", u128::MAX)
        .with_field("whole", 1.0)
        .with_field("bytes", &b"\x01\xfe"[..])
        .with_field("json", Value::Json(r#"{"a":"x\ny"}"#))
        .with_error("error", &["no order", "a\\b"]);
    let columns = ["wide", "whole", "bytes", "json", "error"].map(Part::field);
    assert_eq!(
        row(&Csv::new().columns(columns), &record),
        r#"340282366920938463463374607431768211455,1.0,01fe,"{""a"":""x\ny""}",no order: a\\b"#
    );
}

#[test]
fn lines_end_with_cr_lf_where_that_is_asked_for() {
    let memory = Memory::new();
    let csv = messages().crlf(true);
    assert_eq!(header(&csv), "message\r\n");
    Output::new(csv, memory.clone()).handle(&said("sold").as_record()).unwrap();
    assert_eq!(memory.text(), "sold\r\n");
    assert_eq!(header(&messages().header(false)), "");
}

#[test]
fn each_file_begins_with_the_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sales.csv");
    let file = || File::open(&path).unwrap().rotation(Rotation::size(16).keep(5));
    for message in ["one", "two", "three"] {
        // Opened anew each time: a file that has a header gets no second one.
        Output::new(messages(), file()).handle(&said(message).as_record()).unwrap();
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("sales.csv.1"), "message\none\ntwo\n");
    assert_eq!(read("sales.csv"), "message\nthree\n");
}

#[test]
fn events_of_tracing_are_rows() {
    let memory = Memory::new();
    let columns = [Part::Level, Part::Message, Part::field("user"), Part::Fields, Part::span_field("id")];
    let output = Output::new(Csv::new().columns(columns), memory.clone());
    tracing::dispatcher::with_default(&dispatch(output), || {
        let _request = info_span!("request", id = 7).entered();
        info!(user = %"ada, b", pieces = 3, "sold {}", "out");
    });
    assert_eq!(memory.text(), "INFO,sold out,\"ada, b\",pieces=3,7\n");
}

/// Records with these texts in all places that texts can have, in rows that have them all.
fn record_of(texts: &[String]) -> RecordBuf {
    let text = |index: usize| texts.get(index).map_or("", String::as_str);
    RecordBuf::new(Severity::INFO, text(0), text(1))
        .with_location(text(2), text(3), 1)
        .with_thread(text(4), 1)
        .with_field("str", text(5))
        .with_field("text", Value::Text(text(6)))
        .with_error("error", &[text(7)])
        .with_span(text(8), [("id", text(9).into())])
}

fn columns() -> impl Iterator<Item = Part> {
    use Part::*;
    let parts = [Target, Message, ModulePath, File, ThreadName];
    let fields = ["str", "text", "error"].map(Part::field);
    parts.into_iter().chain(fields).chain([SpanNames, Part::span_field("id")])
}

fn styles() -> Vec<(Separator, Quoting)> {
    let separators = [Separator::Comma, Separator::Semicolon, Separator::Tab, Separator::Pipe];
    let quotings = [Quoting::Minimal, Quoting::NonNumeric, Quoting::All];
    separators.into_iter().flat_map(|separator| quotings.map(|quoting| (separator, quoting))).collect()
}

fn character(separator: Separator) -> char {
    match separator {
        Separator::Semicolon => ';',
        Separator::Tab => '\t',
        Separator::Pipe => '|',
        _ => ',',
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_logged_is_read_back(texts in prop::collection::vec(any_text(), 10)) {
        for (separator, quoting) in styles() {
            let csv = Csv::new().columns(columns()).separator(separator).quoting(quoting);
            let line = row(&csv, &record_of(&texts));
            prop_assert!(!line.contains(['\n', '\r']));
            let rows = read(&(header(&csv) + &line + "\n"), character(separator));
            prop_assert_eq!(rows.len(), 2);
            let back: Vec<_> = rows[1].iter().map(|cell| unguarded(&unescaped(cell))).collect();
            prop_assert_eq!(&back, &texts, "{}", line);
        }
    }

    #[test]
    fn with_line_breaks_kept_the_texts_are_read_back_too(texts in prop::collection::vec(any_text(), 10)) {
        let csv = Csv::new().columns(columns()).line_breaks(LineBreaks::Kept).crlf(true);
        let table = header(&csv) + &row(&csv, &record_of(&texts)) + "\n" + &row(&csv, &record_of(&[])) + "\n";
        let rows = read(&table, ',');
        prop_assert_eq!(rows.len(), 3);
        let back: Vec<_> = rows[1].iter().map(|cell| unguarded(&unescaped(cell))).collect();
        prop_assert_eq!(&back, &texts);
    }

    #[test]
    fn fields_in_a_shared_column_read_back_as_json(fields in prop::collection::vec((any_text(), any_text()), 1..5)) {
        let record = fields.iter().fold(said(""), |record, (name, value)| record.with_field(name, value));
        let csv = Csv::new().columns([Part::Fields]).fields_as(FieldsAs::Json);
        let rows = read(&(row(&csv, &record) + "\n"), ',');
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&rows[0][0]).unwrap();
        let mut values: Vec<_> = object.values().map(|value| value.as_str().unwrap().to_owned()).collect();
        let mut wanted: Vec<_> = fields.into_iter().map(|(_, value)| value).collect();
        values.sort();
        wanted.sort();
        prop_assert_eq!(values, wanted);
    }
}

#[test]
fn python_reads_the_same_cells() {
    needs!(installed("python3", Command::new("python3").arg("--version").output()));
    let texts = nasty_texts();
    for (separator, quoting) in styles() {
        for line_breaks in [LineBreaks::Escaped, LineBreaks::Kept] {
            let csv = Csv::new().columns(columns()).separator(separator).quoting(quoting).line_breaks(line_breaks);
            let rows = texts.chunks(10).map(|texts| row(&csv, &record_of(texts)) + "\r\n");
            let table: String = [header(&csv)].into_iter().chain(rows).collect();
            assert_eq!(read_by_python(&table, character(separator)), read(&table, character(separator)));
        }
    }
}

/// Every character below U+0100 alone, at the start, at the end, doubled; and combinations.
fn nasty_texts() -> Vec<String> {
    let chars = ('\0'..='\u{ff}').chain(['\u{2028}', '\u{202e}', '\u{feff}', '\u{1f600}']);
    let each =
        chars.flat_map(|char| [format!("{char}"), format!("{char}x"), format!("x{char}"), format!("{char}{char}")]);
    let more = ["", " ", "\"\"", "\",\"", "a\nb,\"c\"\r\n", "'=1", "\"=1\"", "\\\"", "\\\n"].map(str::to_owned);
    each.chain(more).collect()
}

fn read_by_python(table: &str, separator: char) -> Vec<Vec<String>> {
    let program = "import csv, io, json, sys\n\
        table = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')\n\
        json.dump(list(csv.reader(table, delimiter=sys.argv[1], strict=True)), sys.stdout)";
    let mut python = Command::new("python3")
        .args(["-c", program, &separator.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(table.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The cells of a table, by RFC 4180, with lines that may end with LF alone. Quotes inside a bare cell are an error.
fn read(table: &str, separator: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = table.chars().peekable();
    let mut fresh = true;
    while let Some(char) = chars.next() {
        match char {
            '"' if fresh => {
                while let Some(char) = chars.next() {
                    match char {
                        '"' if chars.peek() == Some(&'"') => cell.extend(chars.next()),
                        '"' => break,
                        _ => cell.push(char),
                    }
                }
                let after = chars.peek();
                assert!(after.is_some_and(|after| [separator, '\r', '\n'].contains(after)), "{after:?} behind quotes");
                fresh = false;
            }
            '"' => panic!("quotes in a bare cell of {table:?}"),
            '\r' => assert_eq!(chars.peek(), Some(&'\n'), "a bare CR in {table:?}"),
            '\n' => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
                fresh = true;
            }
            _ if char == separator => {
                row.push(std::mem::take(&mut cell));
                fresh = true;
            }
            _ => {
                cell.push(char);
                fresh = false;
            }
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "no end of {table:?}");
    rows
}

/// Without our escapes; any other is an error.
pub(crate) fn unescaped(cell: &str) -> String {
    let mut units = Vec::new();
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            units.extend_from_slice(char.encode_utf16(&mut [0; 2]));
            continue;
        }
        match chars.next().unwrap() {
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&digits, 16).unwrap());
            }
            'n' => units.push(b'\n'.into()),
            'r' => units.push(b'\r'.into()),
            't' => units.push(b'\t'.into()),
            '\\' => units.push(b'\\'.into()),
            other => panic!("\\{other} in {cell:?}"),
        }
    }
    String::from_utf16(&units).unwrap()
}

/// Without the guard that a text has which could be a formula.
pub(crate) fn unguarded(text: &str) -> String {
    let formula =
        text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    text.strip_prefix('\'').filter(|_| formula).unwrap_or(text).to_owned()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => "'{0,2}[=+@\t\r\n＝-]?[ -~]{0,6}",
        2 => "[ -~]{0,12}",
        1 => "[\",;|\\\\ \n\r\t\u{0}-\u{20}]{0,6}",
        1 => "[\u{7f}-\u{a0}\u{2000}-\u{2070}\u{feff}\u{e0001}-\u{e0010}]{0,4}",
        1 => ".{0,8}",
    ]
}

#[test]
fn every_part_of_a_record_can_be_a_column() {
    let columns =
        ["error", "span_name", "span", "spans", "any.user", "span[request].user", "process_id", "span_fields"];
    let csv = Csv::new().columns(columns.map(|column| column.parse::<Part>().unwrap()));
    assert_eq!(header(&csv), "error,span_name,span,spans,user,user_2,process_id,span_fields\n");
    let record = RecordBuf::new(Severity::WARN, "shop", "")
        .with_error("cause", &["no stock", "refused"])
        .with_span("request", [("user", "ada b".into()), ("id", 1_u64.into())])
        .with_span("query", [("id", 2_u64.into())]);
    let pid = std::process::id();
    assert_eq!(
        row(&csv, &record),
        format!(
            "no stock: refused,query,query{{id=2}},\"request{{user=\"\"ada b\"\" id=1}}:query{{id=2}}\",ada b,ada b,{pid},id=2 id_2=1"
        )
    );
    assert_eq!(row(&csv, &RecordBuf::new(Severity::WARN, "", "")), format!(",,,,,,{pid},"));
}
