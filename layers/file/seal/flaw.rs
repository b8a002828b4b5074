use std::fmt;
use std::path::PathBuf;

use crate::file::key::KeyId;

/// A place at which a sealed log is not what was written. Displayed as `FILE:LINE: FLAW`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// The number of the line in that file, from 1; checkpoints count.
    pub line: u64,
    /// What is wrong there.
    pub flaw: Flaw,
}

impl Broken {
    /// Describes a flaw at line `line` of `file`.
    pub fn new(file: impl Into<PathBuf>, line: u64, flaw: Flaw) -> Self {
        Self { file: file.into(), line, flaw }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.flaw)
    }
}

/// What is wrong with a line of a sealed log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The line was changed, or does not belong here. Lines after it whose seals cannot be checked are not listed.
    Changed,
    /// The line has no seal: it was inserted, or its seal was changed.
    NoSeal,
    /// The file does not begin with a genuine checkpoint.
    NoBegin,
    /// The file is sealed with another key.
    WrongKey {
        /// The key named by the file's first line.
        of_file: KeyId,
        /// The key the log is verified with.
        given: KeyId,
    },
    /// The checkpoint does not follow what is before it: lines or files are missing, or were moved.
    Gap {
        /// How many lines there are up to the last genuine one.
        before: u64,
        /// How many lines there should be.
        after: u64,
    },
    /// The file belongs to another log.
    OtherChain,
    /// The file ends within a line, but is not the last one.
    Torn,
    /// The [expected](super::Verifier::expect) head is not in the log: the end of the log was removed or rewritten.
    NoHead,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("the line was changed, or does not belong here"),
            Self::NoSeal => f.write_str("the line has no seal"),
            Self::NoBegin => f.write_str("the file does not begin with a genuine checkpoint"),
            Self::WrongKey { of_file, given } => write!(f, "sealed with the key {of_file}, not with {given}"),
            Self::Gap { before, after } => {
                write!(
                    f,
                    "continues after line {after} of the log, but what is before it is genuine up to line {before}"
                )
            }
            Self::OtherChain => f.write_str("the file belongs to another log"),
            Self::Torn => f.write_str("the file ends within a line, and others follow it"),
            Self::NoHead => f.write_str("the expected head is not in the log"),
        }
    }
}
