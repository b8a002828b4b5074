//! Python's formats in their three styles, and of dates.

#![no_main]

use fuzz::{errors, lines, parts};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Python;
use tracing_handlers::{RecordBuf, Severity, Value};

// The format, that of dates, then the message and the text of fields.
fuzz_target!(|input: &[u8]| {
    let Some([text, date, message]) = parts(input) else { return };
    for style in ['%', '{', '$'] {
        let Some(format) = errors::checked(Python::new(style, text), text) else { continue };
        let format = format.datefmt(date).started(Timestamp::EPOCH);
        let line = |message: &str| lines::format(&format, &record(message).as_record());
        let Some(shown) = line(message) else { continue };
        assert!(shown.len() <= 200 * (10 + text.len()) * (1_000 + message.len() + 1_000 * date.len()));
        // The control characters are those of the format and of its dates.
        let harmless = line(&lines::harmless(message)).map(|line| lines::controls(&line));
        assert_eq!(Some(lines::controls(&shown)), harmless, "{style}: {text:?}: {shown:?}");
    }
});

fn record(message: &str) -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop.stock", message)
        .with_time(Timestamp::new(1_700_000_000 - message.len() as i64 * 86_400_001, 999_999_999))
        .with_location("shop", message, 7)
        .with_field("left", Value::I64(-2))
        .with_field("price", Value::F64(0.125))
        .with_field("user", Value::Str(message))
        .with_field("big", Value::U128(u128::MAX))
        .with_span("request", [("ok", Value::Bool(true)), ("raw", Value::Bytes(message.as_bytes()))])
}
