//! What must hold for formatted lines.

use tracing_handlers::Record;
use tracing_handlers::format::{Caps, Format, Out};

/// Formats the record behind other bytes, twice. They stay as they were, what is written is text, and both are equal.
/// `None` if the format refuses the record.
pub fn format(format: &dyn Format, record: &Record<'_>) -> Option<String> {
    let mut buffer = b"before".to_vec();
    let first = format.format(record, &mut Out::new(&mut buffer, Caps::default())).is_ok();
    let end = buffer.len();
    let second = format.format(record, &mut Out::new(&mut buffer, Caps::default())).is_ok();
    assert_eq!(first, second, "the same record is accepted once and refused once");
    assert!(buffer.starts_with(b"before"));
    if !first {
        return None;
    }
    let (one, other) = (&buffer[6..end], &buffer[end..]);
    assert_eq!(one, other, "the same record looks different the second time");
    Some(str::from_utf8(one).expect("formats write UTF-8").to_owned())
}

/// As [`format`]; what is written is a line, which shows no character that could forge another one.
pub fn line(of: &dyn Format, record: &Record<'_>) -> Option<String> {
    let line = format(of, record)?;
    let forging = line.chars().find(|char| char.is_control());
    assert_eq!(forging, None, "{line:?}");
    Some(line)
}

/// The number of control characters in a line.
pub fn controls(line: &str) -> usize {
    line.chars().filter(|char| char.is_control()).count()
}

/// Returns a text of the same length, without control characters.
pub fn harmless(text: &str) -> String {
    // The only ones that are not ASCII have two bytes.
    text.chars().map(|char| if char.is_control() { if char.is_ascii() { 'x' } else { 'é' } } else { char }).collect()
}
