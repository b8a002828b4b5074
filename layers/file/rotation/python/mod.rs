//! The rules of Python's rotating handlers, to the letter: when they roll, what the old file is called, which ones go.
//!
//! They are those of Python 3.13. What is different on purpose is listed with each.

mod rotating;
mod timed;
#[cfg(feature = "time-zone")]
mod zoned;

pub use rotating::Rotating;
pub use timed::TimedRotating;

use super::{Naming, Rotation, Schedule};

/// A file turned by these rules. Where Python neither renames nor empties the file (one of the two is 0), it is turned only when
/// it is [asked for](crate::sink::Control), and with a `backup_count` of 0 all old files stay.
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
            // Below the limit, and not up to it.
            (Some(bytes), files @ 1..) => Self::size(bytes).keep(files),
            (_, 0) => Self::on_request().keep(usize::MAX),
            (_, files) => Self::on_request().keep(files),
        }
    }
}

/// A file turned by these rules.
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
/// Different on purpose: where the name is taken a number follows it, where Python 3.13 stops rolling and 3.11 overwrites what is
/// there; an empty file is not rolled; and a clock that is put back begins a new interval.
impl From<TimedRotating> for Rotation {
    fn from(rule: TimedRotating) -> Self {
        let naming = Naming::of_pattern(rule.pattern());
        let files = rule.kept().unwrap_or(usize::MAX);
        Self::on_request().or_schedule(Schedule::python(rule)).naming(naming).keep(files)
    }
}

#[cfg(test)]
mod tests;
