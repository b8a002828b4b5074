//! Patterns of lines, with formats of `strftime` in them.

#![no_main]

use fuzz::{errors, lines, parts};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Pattern;
use tracing_handlers::{RecordBuf, Severity, Value};

// The pattern, then the message and the text of fields.
fuzz_target!(|input: &[u8]| {
    let Some([pattern, text]) = parts(input) else { return };
    let Some(format) = errors::checked(Pattern::new(pattern), pattern) else { return };
    for record in [hostile(text), RecordBuf::default().with_time(Timestamp::new(1_795_223_943, 123_456_789))] {
        let line = lines::format(&format, &record.as_record()).expect("a pattern refuses no record");
        assert!(line.len() <= 40 * 10_000 * (1 + pattern.len() / 4) + 200 * text.len() * (1 + pattern.len()));
    }
    // The control characters are the pattern's own.
    let controls = |text: &str| lines::format(&format, &hostile(text).as_record()).map(|line| lines::controls(&line));
    assert_eq!(controls(text), controls(&lines::harmless(text)), "{pattern:?}");
});

fn hostile(text: &str) -> RecordBuf {
    RecordBuf::new(Severity::ERROR, text, text)
        .with_time(Timestamp::new(text.len() as i64 * -86_400_001, 999_999_999))
        .with_location(text, text, 7)
        .with_thread(text, 7)
        .with_span(text, [("user", Value::Str(text)), ("a", Value::F64(f64::NAN))])
        .with_field("left", Value::Text(text))
        .with_error("error", &[text, "inner"])
}
