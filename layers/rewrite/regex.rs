use regex::Regex;

use super::Redact;
use crate::{Error, ErrorKind};

impl Redact {
    /// Masks all that this regular expression matches as well; the syntax is that of the [`regex`] crate.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): it is no regular expression, or grows too large.
    ///
    /// ```
    /// use tracing_handlers::rewrite::{Redact, Rewrite};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let redact = Redact::fields(["password"]).regex(r"\bEMP-\d{6}\b")?;
    /// let mut record = RecordBuf::new(Severity::INFO, "shop", "EMP-123456 let EMP-1234567 in");
    /// redact.rewrite(&mut record);
    /// assert_eq!(record.as_record().message(), "*** let EMP-1234567 in");
    /// assert!(Redact::fields(["password"]).regex("(").is_err());
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn regex(mut self, pattern: &str) -> Result<Self, Error> {
        let regex = Regex::new(pattern)
            .map_err(|error| Error::new(ErrorKind::Config, format!("pattern {pattern:?}")).with_source(error))?;
        // What is empty hides nothing, and would be found for ever.
        self.searches.add_own(move |text, from| {
            let mut from = from;
            loop {
                let found = regex.find_at(text, from)?.range();
                if !found.is_empty() {
                    return Some(found);
                }
                from = found.end + text[found.end..].chars().next()?.len_utf8();
            }
        });
        Ok(self)
    }
}
