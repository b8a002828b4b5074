use std::fmt;
use std::str::FromStr;

use crate::clock::words::one_of;
use crate::record::Severity;
use crate::{Error, ErrorKind};

/// The names of severities in a format.
///
/// | | `info!` | `warn!` | `severity = "notice"` | `severity = "critical"` |
/// |---|---|---|---|---|
/// | `Upper` | `INFO` | `WARN` | `NOTICE` | `CRITICAL` |
/// | `Lower` | `info` | `warn` | `notice` | `critical` |
/// | `Python` | `INFO` | `WARNING` | `NOTICE` | `CRITICAL` |
/// | `Groups` | `INFO` | `WARN` | `INFO` | `ERROR` |
/// | `Syslog` | `info` | `warning` | `notice` | `crit` |
///
/// A severity without its own name has that of its group. `Python` writes `CRITICAL` for `FATAL`, as Python does, and `Syslog` writes the
/// eight keywords of RFC 5424. `Display` writes the name of a variant in lower case, and `FromStr` parses it in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table describes them")]
pub enum LevelNames {
    #[default]
    Upper,
    Lower,
    Python,
    Groups,
    Syslog,
}

impl LevelNames {
    /// Appends the name of `severity`: ASCII letters, digits, `_` and `-`.
    pub(crate) fn write(self, severity: Severity, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.base(severity).as_bytes());
        if self == Self::Lower {
            out[start..].make_ascii_lowercase();
        }
    }

    /// Returns the same name, in upper case where [`write`](Self::write) writes it in lower case.
    pub(super) fn base(self, severity: Severity) -> &'static str {
        match self {
            Self::Upper | Self::Lower => severity.name(),
            Self::Groups => severity.group(),
            Self::Syslog => SYSLOG[usize::from(severity.syslog())],
            Self::Python => match severity.name() {
                "WARN" => "WARNING",
                "FATAL" => "CRITICAL",
                name => name,
            },
        }
    }
}

impl fmt::Display for LevelNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Python => "python",
            Self::Groups => "groups",
            Self::Syslog => "syslog",
        })
    }
}

impl FromStr for LevelNames {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = [Self::Upper, Self::Lower, Self::Python, Self::Groups, Self::Syslog];
        one_of(known, name).ok_or_else(|| {
            let expected = "expected `upper`, `lower`, `python`, `groups` or `syslog`";
            Error::new(ErrorKind::Config, format!("level names: {expected}, found `{name}`"))
        })
    }
}

/// The severities of RFC 5424, 6.2.1, as spelled in syslog.conf.
const SYSLOG: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_displayed_parse_again() {
        for name in ["upper", "lower", "python", "groups", "syslog"] {
            assert_eq!(name.parse::<LevelNames>().map(|names| names.to_string()).ok().as_deref(), Some(name));
        }
        assert!("uppers".parse::<LevelNames>().is_err());
    }
}
