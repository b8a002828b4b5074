use crate::record::Severity;

/// Returns the severity that a line begins with, and the rest of the line: `WARN: hot`, `[warn] hot`, `<warn> hot`, `Warning: hot`.
///
/// Accepts any name that parses as a [`Severity`], including custom ones, in upper or lower case. For
/// [`Lines::severity_of`](super::Lines::severity_of).
///
/// ```
/// use tracing_handlers::{Severity, receive::prefix};
///
/// assert_eq!(prefix("WARN: hot"), Some((Severity::WARN, "hot")));
/// assert_eq!(prefix("[notice]  warm"), Some((Severity::NOTICE, "warm")));
/// assert_eq!(prefix("Info on this page"), None);
/// assert_eq!(prefix("error::Kind is a type"), None);
/// assert_eq!(prefix("12: a line of a listing"), None);
/// ```
pub fn prefix(line: &str) -> Option<(Severity, &str)> {
    let (inside, end) = match line.chars().next()? {
        '[' => (&line[1..], ']'),
        '<' => (&line[1..], '>'),
        _ => (line, ':'),
    };
    let (name, rest) = inside.split_once(end)?;
    // A number is a severity too, but not here: lines of listings begin with numbers.
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return None;
    }
    let severity = Severity::named(name.trim_end())?;
    let rest = match (end, rest.strip_prefix(':')) {
        // A path, as in `error::Kind`.
        (':', Some(_)) => return None,
        (_, after) => after.unwrap_or(rest),
    };
    Some((severity, rest.trim_start()))
}
