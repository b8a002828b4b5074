//! What must hold for each record that bytes give.

use tracing_handlers::format::{Caps, Format, Json, Out, Text};
use tracing_handlers::record::wire::{self, Decoded, Limits};
use tracing_handlers::record::{Fields, Record, Span};
use tracing_handlers::{RecordBuf, Value};

/// Reads the frame at the front of `bytes`. A record that it gives can be formatted, and is the same after it has been written
/// and read again.
pub fn check(bytes: &[u8]) {
    let limits = Limits::new().severity_names(0);
    let mut record = RecordBuf::default();
    let Ok(Decoded::Record(frame)) = wire::decode(bytes, &limits, &mut record) else { return };
    assert!(record.__bytes().len() <= frame.len + frame.len / 4 + 200);
    let record = record.as_record();
    let mut out = Vec::new();
    for format in [&Json::new() as &dyn Format, &Text::full()] {
        // A format may refuse a record, but not panic.
        let _ = format.format(&record, &mut Out::new(&mut out, Caps::default()));
    }
    assert!(str::from_utf8(&out).is_ok());

    let (mut written, mut again) = (Vec::new(), RecordBuf::default());
    wire::encode(&record, frame.id, &limits, &mut written).expect("what was read is within the limits");
    let read = wire::decode(&written, &limits, &mut again).expect("what was written is read");
    assert!(matches!(read, Decoded::Record(again) if again.len == written.len() && again.id == frame.id));
    assert_same(&record, &again.as_record());
}

fn assert_same(one: &Record<'_>, other: &Record<'_>) {
    assert_eq!((one.kind(), one.severity(), one.time()), (other.kind(), other.severity(), other.time()));
    assert_eq!(one.severity().name(), other.severity().name());
    assert_eq!((one.target(), one.name(), one.message()), (other.target(), other.name(), other.message()));
    assert_eq!((one.module_path(), one.file(), one.line()), (other.module_path(), other.file(), other.line()));
    assert_eq!((one.thread_name(), one.thread_id()), (other.thread_name(), other.thread_id()));
    assert!(named(one.fields()).eq(named(other.fields())));
    assert_eq!(one.spans().count(), other.spans().count());
    one.spans().zip(other.spans()).for_each(|(one, other)| assert_same_span(&one, &other));
}

fn assert_same_span(one: &Span<'_>, other: &Span<'_>) {
    assert_eq!((one.name(), one.target(), one.id()), (other.name(), other.target(), other.id()));
    assert_eq!(one.severity(), other.severity());
    assert!(one.follows_from().eq(other.follows_from()));
    assert!(named(one.fields()).eq(named(other.fields())));
}

fn named(fields: Fields<'_>) -> impl Iterator<Item = (&str, Bits<'_>)> {
    fields.map(|field| (field.name, Bits(field.value)))
}

/// Compares floats by their bits.
struct Bits<'a>(Value<'a>);

impl PartialEq for Bits<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Value::F64(one), Value::F64(other)) => one.to_bits() == other.to_bits(),
            (one, other) => one == other,
        }
    }
}
