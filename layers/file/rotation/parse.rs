//! Parses rotations, such as `daily at 02:30 or 100 MB, keep 7`.

use std::ops::Range;
use std::str::FromStr;

use super::{Rotation, Schedule};
use crate::clock::words;
use crate::{Error, ErrorKind};

/// Parses a rotation from phrases, separated by commas or `or`, in any order and in upper or lower case.
///
/// | words | meaning |
/// |---|---|
/// | `100 MB`, `1.5 GiB` | [`or_size`](Rotation::or_size); an `MB` is 10⁶ bytes, an `MiB` 2²⁰ |
/// | [those of a `Schedule`](Schedule#impl-FromStr-for-Schedule): `daily at 02:30`, `monday at 00:00`, `every 15 minutes` | [`or_schedule`](Rotation::or_schedule), with dated names |
/// | `cron 0 0 1,15 * *` | the same; in such a phrase, only a comma before whitespace separates it from the next one |
/// | `on startup` | [`on_startup`](Rotation::on_startup) |
/// | `copytruncate` | [`copy_truncate`](Rotation::copy_truncate) |
/// | `keep 7`, `keep all` | [`keep`](Rotation::keep) |
/// | `max age 30 days` | [`max_age`](Rotation::max_age) |
/// | `max total 10 GB` | [`max_total`](Rotation::max_total) |
/// | `min free 1 GB` | [`min_free`](Rotation::min_free) |
///
/// ```
/// use tracing_handlers::rotation::Rotation;
///
/// let rotation: Rotation = "daily at 02:30 or 100 MB, keep 30, max total 2 GB".parse()?;
/// let error = "100 MB, kepe 7".parse::<Rotation>().unwrap_err();
/// assert!(error.to_string().contains("kepe 7"), "{error}");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) if a phrase is not valid; the message contains it.
impl FromStr for Rotation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.to_ascii_lowercase();
        let mut rotation: Option<Self> = None;
        for phrase in phrases(&text) {
            // The first schedule also determines how names are dated.
            rotation = Some(match (rotation, phrase.parse()) {
                (None, Ok(schedule)) => Self::schedule(schedule),
                (Some(rotation), Ok(schedule)) => rotation.or_dated(schedule),
                (rotation, Err(error)) => rotation.unwrap_or_else(Self::on_request).with(phrase, error)?,
            });
        }
        rotation.ok_or_else(|| unreadable(&text))
    }
}

impl Rotation {
    fn or_dated(self, schedule: Schedule) -> Self {
        match self.trigger.schedules.is_empty() {
            true => Self { naming: Self::schedule(schedule.clone()).naming, ..self }.or_schedule(schedule),
            false => self.or_schedule(schedule),
        }
    }

    /// Applies a phrase; `no_schedule` is the error of parsing it as a schedule.
    fn with(self, phrase: &str, no_schedule: Error) -> Result<Self, Error> {
        if phrase == "on startup" {
            return Ok(self.on_startup(true));
        }
        if phrase == "copytruncate" {
            return Ok(self.copy_truncate(true));
        }
        if let Some(count) = phrase.strip_prefix("keep ") {
            return match count.trim() {
                "all" => Ok(self.keep(usize::MAX)),
                // Unlike `parse`, this refuses a sign.
                count if count.bytes().all(|digit| digit.is_ascii_digit()) => {
                    count.parse().map(|count| self.keep(count)).map_err(|_| unreadable(phrase))
                }
                _ => Err(unreadable(phrase)),
            };
        }
        if let Some(age) = phrase.strip_prefix("max age ") {
            return Ok(self.max_age(words::duration(age)?));
        }
        if let Some(size) = phrase.strip_prefix("max total ") {
            return Ok(self.max_total(words::size(size)?));
        }
        if let Some(size) = phrase.strip_prefix("min free ") {
            return Ok(self.min_free(words::size(size)?));
        }
        match phrase.starts_with(|first: char| first.is_ascii_digit()) {
            true => words::size(phrase).map(|size| self.or_size(size)),
            false => Err(unreadable(phrase).with_source(no_schedule)),
        }
    }
}

/// Splits a text in lower case into phrases.
fn phrases(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let separator = separator(text);
        rest = separator.clone().map(|separator| &text[separator.end..]);
        Some(text[..separator.map_or(text.len(), |separator| separator.start)].trim())
    })
}

/// Returns the range of the comma or `or` after the first phrase.
fn separator(text: &str) -> Option<Range<usize>> {
    let is_cron = text.trim_start().starts_with("cron ");
    // A comma between values of a field, as in `1,15`, is part of the phrase.
    let separates = |(at, _): &(usize, &str)| !is_cron || text[at + 1..].trim_start().len() != text[at + 1..].len();
    let comma = text.match_indices(',').find(separates).map(|(at, comma)| at..at + comma.len());
    let or = text.find(" or ").map(|at| at..at + " or ".len());
    comma.into_iter().chain(or).min_by_key(|separator| separator.start)
}

fn unreadable(phrase: &str) -> Error {
    Error::new(ErrorKind::Config, format!("cannot read rotation \"{phrase}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_setting_has_its_words() {
        let words = "10 MB OR Daily at 02:30 or 5 MiB, keep 7, max age 30 days, max total 1 GB, min free 2 GB, on startup, copytruncate";
        let rotation: Rotation = words.parse().unwrap();
        assert_eq!(rotation.trigger.size, Some(5 << 20));
        assert_eq!(rotation.trigger.schedules.len(), 1);
        assert!(rotation.trigger.startup && rotation.naming.is_dated() && rotation.copies);
        assert_eq!(rotation.retention.count, 7);
        assert_eq!(rotation.retention.age, Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(rotation.retention.total, Some(1_000_000_000));
        assert_eq!(rotation.retention.free, Some(2_000_000_000));
        assert_eq!("hourly, keep all".parse::<Rotation>().unwrap().retention.count, usize::MAX);
    }

    #[test]
    fn the_commas_of_a_cron_phrase_belong_to_its_fields() {
        let schedules = |text: &str| text.parse::<Rotation>().unwrap().trigger.schedules;
        let cron = |line: &str| format!("{:?}", [Schedule::cron(line).unwrap()]);
        assert_eq!(format!("{:?}", schedules("cron 0 0 1,15 * *")), cron("0 0 1,15 * *"));
        assert_eq!(format!("{:?}", schedules("CRON 0 0 * * MON,FRI, keep 7")), cron("0 0 * * mon,fri"));
        assert_eq!(schedules("10 MB, cron 30 0 0 * * 1,5 or cron 0 0 1,2 * * , hourly").len(), 3);
        let rotation: Rotation = "keep 7, cron 0 0 1,15 * * or 100 MB, max age 3 days".parse().unwrap();
        assert_eq!((rotation.trigger.size, rotation.retention.count), (Some(100_000_000), 7));
        let error = "cron 0 0 1,15 * *,keep 7".parse::<Rotation>().unwrap_err();
        assert!(error.to_string().contains("cron 0 0 1,15 * *,keep 7"), "{error}");
    }

    #[test]
    fn an_error_names_what_cannot_be_read() {
        for text in [
            "",
            "10 MB,",
            "keep",
            "keep many",
            "keep -1",
            "keep +5",
            "keep ",
            "max age",
            "max age 3",
            "weeekly",
            "10 MB or",
            "at 02:30",
        ] {
            let error = text.parse::<Rotation>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        }
    }
}
