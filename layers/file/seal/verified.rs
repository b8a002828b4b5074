use std::fmt;
use std::io;

use super::flaw::Broken;
use super::head::Head;
use crate::{Error, ErrorKind};

/// What is known of a sealed log all of whose lines are genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The number of files.
    pub files: usize,
    /// The number of lines, not counting checkpoints.
    pub lines: u64,
    /// How many lines of the chain were in older files that no longer exist.
    pub first: u64,
    /// Where the log ends; `None` if nothing was ever written.
    pub head: Option<Head>,
    /// Whether the log was closed: then nothing is missing at its end, unless everything back to an earlier close is. `false` for a
    /// log that is still written to, that ended in a crash, or whose end was removed.
    pub closed: bool,
    /// The length of an unfinished line at the end, in bytes: it was left by a crash, or is being written.
    pub torn: u64,
}

/// Why a log could not be verified.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unverified {
    /// A file could not be read.
    Unreadable(Error),
    /// The log is not what was written. Lists the first 1,000 flaws; never empty.
    Broken(Vec<Broken>),
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Broken(broken) => {
                let places: Vec<_> = broken.iter().take(SHOWN).map(Broken::to_string).collect();
                let more = if broken.len() > SHOWN { "; …" } else { "" };
                write!(f, "{}{more}", places.join("; "))
            }
        }
    }
}

impl std::error::Error for Unverified {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(error) => error.source(),
            Self::Broken(_) => None,
        }
    }
}

impl From<Error> for Unverified {
    fn from(error: Error) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Unverified> for Error {
    fn from(unverified: Unverified) -> Self {
        match unverified {
            Unverified::Unreadable(error) => error,
            broken => {
                let source = io::Error::new(io::ErrorKind::InvalidData, broken.to_string());
                Error::new(ErrorKind::Io, "the log is not what was written").with_source(source)
            }
        }
    }
}

/// The number of flaws in a message.
const SHOWN: usize = 3;
