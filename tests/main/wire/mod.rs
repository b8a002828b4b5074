//! The wire form: records survive the way there and back, and damaged or hostile bytes do no harm.

mod frames;
mod golden;
mod hostile;
mod limits;
mod model;
mod round_trip;

use std::fmt::Write;

pub use round_trip::assert_same;

use tracing_handlers::record::wire::{self, Decoded, Frame, Limits};
use tracing_handlers::record::{Fields, Record};
use tracing_handlers::{RecordBuf, Value};

/// The record as one frame.
fn frame_of(record: &Record<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    wire::encode(record, None, &Limits::new(), &mut out).unwrap();
    out
}

/// The record that one whole frame holds.
#[track_caller]
fn record_of(frame: &[u8]) -> RecordBuf {
    let mut record = RecordBuf::default();
    let decoded = wire::decode(frame, &Limits::new(), &mut record);
    assert!(matches!(decoded, Ok(Decoded::Record(Frame { len, .. })) if len == frame.len()), "{decoded:?}");
    record
}

/// All that a record says, types and bits included.
fn said(record: &Record<'_>) -> String {
    let mut out = String::new();
    let (severity, time) = (record.severity(), record.time());
    writeln!(out, "{:?} {} {} {}", record.kind(), severity.number(), severity.name(), record.level()).unwrap();
    writeln!(out, "at {} s {} ns", time.seconds(), time.nanos()).unwrap();
    writeln!(out, "target {:?} name {:?} message {:?}", record.target(), record.name(), record.message()).unwrap();
    writeln!(out, "in {:?} {:?} {:?}", record.module_path(), record.file(), record.line()).unwrap();
    writeln!(out, "by {:?} {}", record.thread_name(), record.thread_id().unwrap_or(0)).unwrap();
    say_fields(&mut out, record.fields());
    for span in record.spans() {
        writeln!(
            out,
            "span {:?} {:?} id {} severity {}",
            span.name(),
            span.target(),
            span.id(),
            span.severity().number()
        )
        .unwrap();
        writeln!(out, "  follows {:?}", span.follows_from().collect::<Vec<_>>()).unwrap();
        say_fields(&mut out, span.fields());
    }
    out
}

fn say_fields(out: &mut String, fields: Fields<'_>) {
    for field in fields {
        write!(out, "  {:?} ", field.name).unwrap();
        match field.value {
            Value::Bool(value) => writeln!(out, "bool {value}"),
            Value::I64(value) => writeln!(out, "i64 {value}"),
            Value::U64(value) => writeln!(out, "u64 {value}"),
            Value::I128(value) => writeln!(out, "i128 {value}"),
            Value::U128(value) => writeln!(out, "u128 {value}"),
            Value::F64(value) => writeln!(out, "f64 {:016x}", value.to_bits()),
            Value::Str(value) => writeln!(out, "str {value:?}"),
            Value::Text(value) => writeln!(out, "text {value:?}"),
            Value::Bytes(value) => writeln!(out, "bytes {value:?}"),
            Value::Error(value) => writeln!(out, "error {:?}", value.messages().collect::<Vec<_>>()),
            Value::Json(value) => writeln!(out, "json {value:?}"),
            _ => unreachable!("a value that this test does not know"),
        }
        .unwrap();
    }
}
