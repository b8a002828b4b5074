//! Rotations by the rules of Python's handlers.

use super::python::{Rotating, TimedRotating};
use super::{Naming, Rotation, Schedule};

/// Rotates a file by these rules. Where Python neither renames nor empties the file (`max_bytes` or `backup_count` is 0), it is
/// rotated only on [request](crate::sink::Control), and with a `backup_count` of 0 all old files are kept.
///
/// ```
/// use tracing_handlers::rotation::{Rotation, python::Rotating};
/// use tracing_handlers::sink::File;
/// use std::io::Write as _;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("app.log");
/// let mut file = File::open(&path)?.rotation(Rotation::from(Rotating::new(10, 2)));
/// for line in ["aaaa\n", "bbb\n", "c\n"] {
///     file.write_all(line.as_bytes())?;
/// }
/// assert_eq!(std::fs::read_to_string(&path)?, "c\n");
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.log.1"))?, "aaaa\nbbb\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl From<Rotating> for Rotation {
    fn from(rule: Rotating) -> Self {
        match (rule.max_bytes().checked_sub(1), rule.backup_count()) {
            // A file stays below the limit and does not reach it.
            (Some(bytes), files @ 1..) => Self::size(bytes).keep(files),
            (_, 0) => Self::on_request().keep(usize::MAX),
            (_, files) => Self::on_request().keep(files),
        }
    }
}

/// Rotates a file by these rules.
///
/// ```
/// use std::io::Write as _;
/// use std::sync::Arc;
/// use std::time::Duration;
/// use tracing_handlers::clock::{Manual, Timestamp};
/// use tracing_handlers::rotation::{Rotation, python::TimedRotating};
/// use tracing_handlers::sink::File;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("app.log");
/// let clock = Arc::new(Manual::new(Timestamp::new(1_700_000_000, 0))); // 2023-11-14T22:13:20Z
/// let rule = TimedRotating::new("midnight")?.backup_count(7);
/// let mut file = File::open(&path)?.rotation(Rotation::from(rule).clock(clock.clone()));
/// file.write_all(b"one\n")?;
/// clock.advance(Duration::from_secs(7_200));
/// file.write_all(b"two\n")?;
/// assert_eq!(std::fs::read_to_string(&path)?, "two\n");
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.log.2023-11-14"))?, "one\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Deliberately different: a name that is taken gets a number, where Python 3.13 stops rolling and 3.11 overwrites the file; an
/// empty file is not rolled; and a clock that is set back begins a new interval.
impl From<TimedRotating> for Rotation {
    fn from(rule: TimedRotating) -> Self {
        let naming = Naming::of_pattern(rule.pattern());
        let files = rule.kept().unwrap_or(usize::MAX);
        Self::on_request().or_schedule(Schedule::python(rule)).naming(naming).keep(files)
    }
}
