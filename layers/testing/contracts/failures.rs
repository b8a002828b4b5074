use std::fmt;

/// The contracts that an implementation breaks. `check_…(…).unwrap()` in a test shows them all.
#[derive(Clone, PartialEq, Eq)]
pub struct Failures {
    failures: Vec<Failure>,
}

/// A contract that is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The contract's name, as in the tables of [`check_sink`](super::check_sink), [`check_format`](super::check_format) and
    /// [`check_handler`](super::check_handler).
    pub contract: &'static str,
    /// What happened.
    pub detail: String,
}

impl Failures {
    /// Returns `Ok` if there are no failures.
    pub(super) fn result(failures: Vec<Failure>) -> Result<(), Self> {
        if failures.is_empty() { Ok(()) } else { Err(Self { failures }) }
    }

    /// Returns the names of the broken contracts, each once.
    pub fn contracts(&self) -> Vec<&'static str> {
        self.failures.iter().map(|failure| failure.contract).collect()
    }

    /// Iterates over the broken contracts, with what happened.
    pub fn iter(&self) -> impl Iterator<Item = &Failure> {
        self.failures.iter()
    }
}

/// A line for each failure: `ordered: it delivered "two\none\n"`.
impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Failure { contract, detail }) in self.failures.iter().enumerate() {
            write!(f, "{}{contract}: {detail}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// The same as `Display`, so that `unwrap` shows it.
impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken contracts: {}\n{self}", self.failures.len())
    }
}

impl std::error::Error for Failures {}
