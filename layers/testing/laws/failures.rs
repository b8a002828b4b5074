use std::fmt;

/// The laws that an implementation breaks. `check_…(…).unwrap()` in a test shows them all.
#[derive(Clone, PartialEq, Eq)]
pub struct Failures {
    failures: Vec<Failure>,
}

/// A law that is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The law's name, as in the tables of [`check_sink`](super::check_sink), [`check_format`](super::check_format) and
    /// [`check_handler`](super::check_handler).
    pub law: &'static str,
    /// What happened.
    pub detail: String,
}

impl Failures {
    /// Returns `Ok` if there are no failures.
    pub(super) fn result(failures: Vec<Failure>) -> Result<(), Self> {
        if failures.is_empty() { Ok(()) } else { Err(Self { failures }) }
    }

    /// Returns the names of the broken laws, each once.
    pub fn laws(&self) -> Vec<&'static str> {
        self.failures.iter().map(|failure| failure.law).collect()
    }

    /// Iterates over the broken laws, with what happened.
    pub fn iter(&self) -> impl Iterator<Item = &Failure> {
        self.failures.iter()
    }
}

/// A line for each failure: `ordered: it delivered "two\none\n"`.
impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Failure { law, detail }) in self.failures.iter().enumerate() {
            write!(f, "{}{law}: {detail}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// The same as `Display`, so that `unwrap` shows it.
impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken laws: {}\n{self}", self.failures.len())
    }
}

impl std::error::Error for Failures {}
