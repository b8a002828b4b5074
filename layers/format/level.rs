use crate::record::Severity;

/// How levels are written: what a [`Severity`] is called.
///
/// | | `info!` | `warn!` | `severity = "notice"` | `severity = "critical"` |
/// |---|---|---|---|---|
/// | `Upper` | `INFO` | `WARN` | `NOTICE` | `CRITICAL` |
/// | `Lower` | `info` | `warn` | `notice` | `critical` |
/// | `Python` | `INFO` | `WARNING` | `NOTICE` | `CRITICAL` |
/// | `Groups` | `INFO` | `WARN` | `INFO` | `ERROR` |
/// | `Syslog` | `info` | `warning` | `notice` | `crit` |
///
/// A severity without a name of its own is called like its group; `Python` calls `FATAL` `CRITICAL`, as Python does, and
/// `Syslog` has the eight keywords of RFC 5424.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table says it all")]
pub enum LevelNames {
    #[default]
    Upper,
    Lower,
    Python,
    Groups,
    Syslog,
}

impl LevelNames {
    /// Appends what `severity` is called: ASCII letters, digits, `_` and `-`.
    pub(crate) fn write(self, severity: Severity, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.base(severity).as_bytes());
        if self == Self::Lower {
            out[start..].make_ascii_lowercase();
        }
    }

    /// The same, in upper case where [`write`](Self::write) makes it lower.
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

/// RFC 5424, 6.2.1, as syslog.conf spells them.
const SYSLOG: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
