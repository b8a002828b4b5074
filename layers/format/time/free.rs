//! Times as texts of the user's choice, which each format escapes as it does other texts.

use std::fmt;
use std::sync::Arc;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use super::{Style, Time};
use crate::bytes::{number, width};
use crate::clock::civil::put_fraction;
use crate::clock::{Strftime, Timestamp, Zone};
use crate::format::{Caps, Out};
use crate::record::pool;
use crate::{Error, ErrorKind};

/// What writes the text.
#[derive(Clone)]
pub(super) enum Free {
    Calendar(Strftime),
    /// The time since this one.
    Since(Timestamp),
    Custom(Custom),
}

type Custom = Arc<dyn Fn(Timestamp, &mut Out<'_>) + Send + Sync>;

impl Time {
    /// Writes the time by a format of C's `strftime`, in UTC unless a time zone is set: `in_local`, `in_zone` (feature `time-zone`).
    ///
    /// In addition to C's directives, `%f` is the fraction of the second with 6 digits, `%3f` with 3, and `%.3f` the same after a point,
    /// as in chrono's formats. Names of days and months are English.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::Time;
    ///
    /// let time = Time::strftime("%Y-%m-%d %H:%M:%S%.3f")?;
    /// assert_eq!(time.text(Timestamp::new(1_795_223_943, 123_456_789)), "2026-11-21 01:19:03.123");
    ///
    /// let error = Time::strftime("%H:%Q").unwrap_err();
    /// assert_eq!(error.to_string(), "time format \"%H:%Q\": at character 4: `%Q` is not a time directive");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the format contains an unknown directive; the message says which, and at which character.
    pub fn strftime(format: &str) -> Result<Self, Error> {
        let calendar = Strftime::strict(format).map_err(|(at, what)| {
            let column = format.get(..at).map_or(at, |before| before.chars().count()) + 1;
            Error::new(ErrorKind::Config, format!("time format {format:?}: at character {column}: {what}"))
        })?;
        Ok(Self::free(Free::Calendar(calendar)))
    }

    /// Writes the seconds since the creation of this format, as tracing-subscriber's `uptime()` does: `   0.000412907s`.
    ///
    /// It is [`since`](Self::since) now. [`precision`](Self::precision) sets the digits of the fraction, 9 by default.
    pub fn uptime() -> Self {
        Self::since(Timestamp::now())
    }

    /// Writes the seconds since `start`, right-aligned in 4 columns before the point. A time before `start` is written as `start`.
    ///
    /// Records have the time of the wall clock, so that the seconds are too few or too many if it is set meanwhile.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::Time;
    ///
    /// let time = Time::since(Timestamp::new(1_795_223_900, 0));
    /// assert_eq!(time.text(Timestamp::new(1_795_223_943, 5_000)), "  43.000005000s");
    /// assert_eq!(time.precision(1).text(Timestamp::new(1_795_223_800, 0)), "   0.0s");
    /// ```
    pub fn since(start: Timestamp) -> Self {
        Self::free(Free::Since(start)).precision(9)
    }

    /// Writes what `write` appends for the time of the record.
    ///
    /// It is a text, which formats escape and quote as they do those of fields.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::Time;
    ///
    /// // Days since the Unix epoch.
    /// let time = Time::from_fn(|time, out| out.push_str(&format!("day {}", time.seconds().div_euclid(86_400))));
    /// assert_eq!(time.text(Timestamp::new(1_795_223_943, 0)), "day 20778");
    /// ```
    pub fn from_fn(write: impl Fn(Timestamp, &mut Out<'_>) + Send + Sync + 'static) -> Self {
        Self::free(Free::Custom(Arc::new(write)))
    }

    /// Writes the time by a timer of tracing-subscriber: a [`FormatTime`], such as `ChronoLocal` or a custom one.
    ///
    /// A timer takes no time: it writes the moment of the call, which is when the record is formatted. Behind a
    /// [`Queue`](crate::Queue) or a buffer, that is later than the event. Where it matters, use the other constructors, which write the
    /// time of the record. If the timer fails, `<unknown time>` is written.
    ///
    /// ```
    /// use std::fmt;
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::Time;
    /// use tracing_subscriber::fmt::{format::Writer, time::FormatTime};
    ///
    /// struct Tea;
    ///
    /// impl FormatTime for Tea {
    ///     fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
    ///         write!(writer, "five o'clock")
    ///     }
    /// }
    ///
    /// assert_eq!(Time::format_time(Tea).text(Timestamp::EPOCH), "five o'clock");
    /// ```
    pub fn format_time(timer: impl FormatTime + Send + Sync + 'static) -> Self {
        Self::from_fn(move |_, out| {
            let start = out.buffer().len();
            if timer.format_time(&mut Writer::new(out)).is_err() {
                out.buffer().truncate(start);
                out.push_str("<unknown time>");
            }
        })
    }

    fn free(free: Free) -> Self {
        Self { style: Style::Free, precision: 0, zone: Zone::UTC, offset: None, free: Some(free) }
    }

    /// Calls `take` with the text of `time`, if it is one that needs escaping.
    pub(in crate::format) fn with_free<R>(&self, time: Timestamp, take: impl FnOnce(&str) -> R) -> Option<R> {
        let free = self.free.as_ref()?;
        let mut text = pool::take();
        match free {
            Free::Calendar(calendar) => calendar.write(time, &self.zone, &mut text),
            Free::Since(start) => write_since(time, *start, self.precision, &mut text),
            Free::Custom(write) => write(time, &mut Out::new(&mut text, Caps::default())),
        }
        let taken = take(&String::from_utf8_lossy(&text));
        pool::give(text);
        Some(taken)
    }
}

/// Appends `   0.000412907s`, as tracing-subscriber's `Uptime` does.
fn write_since(time: Timestamp, start: Timestamp, precision: u8, out: &mut Vec<u8>) {
    let since = time.since(start);
    let begin = out.len();
    number::int(out, since.as_secs());
    let digits = out.len() - begin;
    width::insert(out, begin, COLUMNS.saturating_sub(digits), b' ');
    put_fraction(out, since.subsec_nanos(), precision);
    out.push(b's');
}

impl fmt::Debug for Free {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar(format) => f.debug_tuple("Calendar").field(format).finish(),
            Self::Since(start) => f.debug_tuple("Since").field(start).finish(),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

/// In front of the point.
const COLUMNS: usize = 4;
