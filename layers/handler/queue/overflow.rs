use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::words::{duration, keyword, millis};
use crate::record::Severity;
use crate::{Error, ErrorKind};

/// What happens to a record when the queue is full.
///
/// As text: `block`, `block for 500 ms`, `drop newest`, `drop oldest`, `drop below WARN`, in upper or lower case when parsed.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::handler::Overflow;
///
/// assert_eq!("block for 2 s".parse::<Overflow>()?, Overflow::BlockFor(Duration::from_secs(2)));
/// assert_eq!(Overflow::DropOldest.to_string(), "drop oldest");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The logging thread waits for room without limit; while the process ends, at most for the
    /// [exit timeout](crate::process::set_exit_timeout).
    Block,
    /// The logging thread waits at most this long; then the record is dropped.
    ///
    /// When nothing has been delivered for this long while threads wait, the queue is *stalled*: a record for which there is no room
    /// is dropped at once, and counted by the same reason, until a quarter of the capacity has been delivered or is free. So a sink
    /// that hangs holds up the program once, and not with each record.
    BlockFor(Duration),
    /// The record is dropped.
    DropNewest,
    /// The oldest records that are not being written yet are dropped.
    DropOldest,
    /// Records less important than this are dropped; the others wait as with [`BlockFor`](Self::BlockFor) one second.
    DropBelow(Severity),
}

impl Overflow {
    /// The default: 1 second.
    pub(super) const PATIENCE: Duration = Duration::from_secs(1);
}

/// A duration is shown in whole seconds, or else in milliseconds with a fraction: `block for 0.5 ms`.
impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block => f.pad("block"),
            Self::BlockFor(time) if time.subsec_nanos() == 0 => f.pad(&format!("block for {} s", time.as_secs())),
            Self::BlockFor(time) => f.pad(&format!("block for {}", millis(*time))),
            Self::DropNewest => f.pad("drop newest"),
            Self::DropOldest => f.pad("drop oldest"),
            Self::DropBelow(severity) => f.pad(&format!("drop below {severity}")),
        }
    }
}

impl FromStr for Overflow {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = |why: &str| Error::new(ErrorKind::Config, format!("overflow policy `{text}`: {why}"));
        let lower = keyword(text);
        let words: Vec<_> = lower.split_whitespace().collect();
        match &words[..] {
            ["block"] => Ok(Self::Block),
            ["block", "for", time @ ..] if !time.is_empty() => match duration(&time.join(" ")) {
                Ok(time) => Ok(Self::BlockFor(time)),
                Err(error) => Err(refused(&format!("{error:#}"))),
            },
            ["drop", "newest"] => Ok(Self::DropNewest),
            ["drop", "oldest"] => Ok(Self::DropOldest),
            ["drop", "below", severity] => match severity.parse() {
                Ok(severity) => Ok(Self::DropBelow(severity)),
                Err(error) => Err(refused(&format!("{error:#}"))),
            },
            _ => Err(refused(
                "expected `block`, `block for TIME`, `drop newest`, `drop oldest` or `drop below SEVERITY`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_parsed_from_what_it_shows() {
        let policies = [
            Overflow::Block,
            Overflow::BlockFor(Duration::from_secs(2)),
            Overflow::BlockFor(Duration::from_millis(1_500)),
            Overflow::BlockFor(Duration::from_micros(500)),
            Overflow::BlockFor(Duration::MAX),
            Overflow::DropNewest,
            Overflow::DropOldest,
            Overflow::DropBelow(Severity::WARN),
        ];
        for policy in policies {
            assert_eq!(policy.to_string().to_uppercase().parse::<Overflow>().unwrap(), policy);
        }
        assert_eq!("block for 20ms".parse::<Overflow>().unwrap(), Overflow::BlockFor(Duration::from_millis(20)));
    }

    #[test]
    fn an_unknown_policy_is_an_error() {
        for text in ["", "drop", "block for", "block for 2", "block for 2 fortnights", "drop below nothing"] {
            let error = text.parse::<Overflow>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("overflow policy `{text}`: ")), "{error}");
        }
    }

    #[test]
    fn an_error_says_what_is_wrong_with_the_time_or_the_severity() {
        for (text, why) in [
            ("block for 2 months", "invalid duration \"2 months\": months differ in length"),
            ("block for 2", "invalid duration \"2\": the unit is missing: ms, s, m, h, d, w"),
            ("drop below nothing", "\"nothing\" is not a severity"),
        ] {
            let error = text.parse::<Overflow>().unwrap_err();
            assert_eq!(error.to_string(), format!("overflow policy `{text}`: {why}"));
        }
    }
}
