//! What must hold for the errors of parsers.

use tracing_handlers::{Error, ErrorKind};

/// The message is a line, is not much longer than `input`, and so is the whole chain; the kind is `Config`.
pub fn check(error: &Error, input: &str) {
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    check_text(&error.to_string(), input);
    check_text(&format!("{error:#}"), input);
}

/// As for [`check`], for a message of any kind.
pub fn check_text(message: &str, input: &str) {
    assert!(!message.is_empty());
    assert!(!message.chars().any(char::is_control), "not one line: {message:?}");
    // An escaped character has at most ten bytes (`\u{10ffff}`), and a chain may name the input a few times.
    assert!(message.len() <= 500 + 40 * input.len(), "{} bytes for {}", message.len(), input.len());
}

/// Returns what was parsed. Checks the error otherwise.
pub fn checked<T>(parsed: Result<T, Error>, input: &str) -> Option<T> {
    parsed.inspect_err(|error| check(error, input)).ok()
}
