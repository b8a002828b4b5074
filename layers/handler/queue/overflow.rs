use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::words::duration;
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

/// A duration is shown in whole seconds or milliseconds, rounded down.
impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block => f.write_str("block"),
            Self::BlockFor(time) if time.subsec_millis() == 0 => write!(f, "block for {} s", time.as_secs()),
            Self::BlockFor(time) => write!(f, "block for {} ms", time.as_millis()),
            Self::DropNewest => f.write_str("drop newest"),
            Self::DropOldest => f.write_str("drop oldest"),
            Self::DropBelow(severity) => write!(f, "drop below {severity}"),
        }
    }
}

impl FromStr for Overflow {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let lower = text.to_ascii_lowercase();
        let words: Vec<_> = lower.split_whitespace().collect();
        let known = match &words[..] {
            ["block"] => Some(Self::Block),
            ["block", "for", time @ ..] => duration(&time.join(" ")).ok().map(Self::BlockFor),
            ["drop", "newest"] => Some(Self::DropNewest),
            ["drop", "oldest"] => Some(Self::DropOldest),
            ["drop", "below", severity] => severity.parse().ok().map(Self::DropBelow),
            _ => None,
        };
        known.ok_or_else(|| {
            let expected = "expected `block`, `block for TIME`, `drop newest`, `drop oldest` or `drop below SEVERITY`";
            Error::new(ErrorKind::Config, format!("unknown overflow policy `{text}`: {expected}"))
        })
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
            assert!(error.to_string().starts_with(&format!("unknown overflow policy `{text}`: ")), "{error}");
        }
    }
}
