//! The names that `tracing_appender::rolling` gives to its files.

use super::date_pattern::{DatePattern, Unit};
use super::ends::Ends;
use super::{Naming, Rotation, Schedule};
use crate::Error;

impl Rotation {
    /// Takes over the files of tracing-appender: those of a `RollingFileAppender` with this prefix and suffix, of which either may be
    /// empty, belong to this log, and new ones are named like them. The path of the file is the symbolic link to the file in use, as
    /// with [`live`](Naming::live) names.
    ///
    /// | tracing-appender | here | schedule | names |
    /// |---|---|---|---|
    /// | `rolling::minutely("logs", "app.log")` | `logs/app.log`, `"app.log"`, `""` | `Schedule::every(Duration::from_secs(60)).aligned()` | `app.log.2026-11-30-21-05` |
    /// | `rolling::hourly("logs", "app.log")` | the same | [`Schedule::hourly`] | `app.log.2026-11-30-21` |
    /// | `rolling::daily("logs", "app.log")` | the same | [`Schedule::daily`] | `app.log.2026-11-30` |
    /// | `rolling::weekly("logs", "app.log")` | the same | [`Schedule::weekly`]`(Weekday::Sunday, "00:00")` | `app.log.2026-11-29` |
    /// | `filename_prefix("app")`, `filename_suffix("log")` | any path in the directory, `"app"`, `"log"` | as its rotation | `app.2026-11-30.log` |
    /// | `latest_symlink("latest")` | `logs/latest` | | |
    /// | `max_log_files(7)` | [`keep(6)`](Self::keep): the file in use is not counted | | |
    ///
    /// As there, all files are kept until [`keep`](Self::keep) or another limit is set, and dates are in UTC unless the schedule has a
    /// zone. The file of the current period is continued. If [`or_size`](Self::or_size) begins another one in the same period, a
    /// number follows the date: `app.log.2026-11-30.1`.
    ///
    /// What differs: files are counted by the dates in their names, not by when they were created; a file belongs to the log only if
    /// its whole name fits, so that `app` does not remove files of `app-errors`; a restart does not remove one file too many
    /// (tokio-rs/tracing#3496); and the link leads to the file beside it if the directory was given by a relative path
    /// (tokio-rs/tracing#3573). A link that leads nowhere for that reason is replaced, if the rotation is set before the file is opened, in
    /// [`File::options`](crate::sink::File::options). Files beyond the count are removed when the file is next rotated.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::rotation::{Rotation, Schedule};
    /// use tracing_handlers::sink::File;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// let mut old = tracing_appender::rolling::daily(dir.path(), "app.log");
    /// old.write_all(b"one\n")?;
    ///
    /// let path = dir.path().join("app.log");
    /// let rotation = Rotation::tracing_appender(Schedule::daily(), "app.log", "")?.keep(6);
    /// let mut new = File::options().rotation(rotation).open(&path)?;
    /// new.write_all(b"two\n")?;
    /// # #[cfg(unix)]
    /// assert_eq!(std::fs::read_to_string(&path)?, "one\ntwo\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the prefix or the suffix contains a path separator.
    pub fn tracing_appender(schedule: Schedule, prefix: &str, suffix: &str) -> Result<Self, Error> {
        let pattern = pattern(schedule.finest())?;
        let naming = Naming::of_pattern(pattern).live(true).within(Ends::new(prefix, suffix)?);
        Ok(Self::on_request().or_schedule(schedule).naming(naming).keep(usize::MAX))
    }
}

fn pattern(finest: Unit) -> Result<DatePattern, Error> {
    DatePattern::new(match finest {
        Unit::Year | Unit::Month | Unit::Day => "%Y-%m-%d",
        Unit::Hour => "%Y-%m-%d-%H",
        Unit::Minute => "%Y-%m-%d-%H-%M",
        Unit::Second => "%Y-%m-%d-%H-%M-%S",
    })
}
