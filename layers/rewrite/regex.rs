use regex::Regex;

use super::Redact;
use crate::{Error, ErrorKind};

impl Redact {
    /// Also masks every match of this regular expression, in the syntax of the [`regex`] crate.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the regular expression is invalid or too large.
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
    pub fn regex(mut self, expression: &str) -> Result<Self, Error> {
        let invalid = || format!("cannot use the regular expression {expression:?}");
        let regex =
            Regex::new(expression).map_err(|error| Error::new(ErrorKind::Config, invalid()).with_source(error))?;
        // An empty match hides nothing, and the search would never get past it.
        self.searches.add_custom(move |text, from| {
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
