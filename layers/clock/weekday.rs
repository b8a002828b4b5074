use std::fmt;
use std::str::FromStr;

use super::words::keyword;
use crate::{Error, ErrorKind};

/// A day of the week.
///
/// `Display` writes the English name in lower case. `FromStr` parses the name or its first three letters, in any case.
///
/// ```
/// use tracing_handlers::clock::Weekday;
///
/// let day: Weekday = "Mon".parse()?;
/// assert_eq!((day, day.to_string()), (Weekday::Monday, "monday".to_owned()));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are days")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Monday to Friday.
    pub const WORKING: [Self; 5] = [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday];

    /// All days, in the order of ISO 8601.
    pub(crate) const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// Returns the days since Sunday, as C and cron count them.
    pub(crate) fn days_since_sunday(self) -> u32 {
        (self as u32 + 1) % 7
    }

    fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Weekday {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let word = keyword(text);
        let is_named = |day: &&Self| word == day.name() || word == day.name()[..3];
        Self::ALL
            .iter()
            .find(is_named)
            .copied()
            .ok_or_else(|| Error::new(ErrorKind::Config, format!("expected a day of the week, found `{text}`")))
    }
}

const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_by_name_and_by_three_letters() {
        for day in Weekday::ALL {
            let name = day.to_string();
            for text in [name.as_str(), &name[..3], &name.to_uppercase()] {
                assert_eq!(text.parse::<Weekday>().unwrap(), day, "{text}");
            }
        }
        for text in ["", "mo", "mond", "mondays", "mon day", "someday"] {
            let error = text.parse::<Weekday>().unwrap_err();
            assert_eq!(error.to_string(), format!("expected a day of the week, found `{text}`"));
        }
    }
}
