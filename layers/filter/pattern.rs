use regex::Regex;

use super::condition::{Condition, Test, TextTest};
use super::{OnTarget, Place, field, message};
use crate::{Error, ErrorKind};

/// Passes records whose message contains a match of a regular expression (feature `regex`), in the syntax of the
/// [`regex`](https://docs.rs/regex) crate. log4j2's `RegexFilter` only passes a message that matches as a whole: `^(?:…)$`.
///
/// The time taken is linear in the length of the text, for any expression.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let slow = filter::matches(r"took \d{4,} ms")?;
/// assert!(slow.passes(&RecordBuf::new(Severity::INFO, "", "GET / took 1250 ms").as_record()));
/// assert!(!slow.passes(&RecordBuf::new(Severity::INFO, "", "GET / took 12 ms").as_record()));
/// assert_eq!(filter::matches("(").unwrap_err().kind(), tracing_handlers::ErrorKind::Config);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) if the regular expression is invalid or too large.
pub fn matches(expression: &str) -> Result<Condition, Error> {
    message().matches(expression)
}

/// Passes records with a field of the event that contains a match of a regular expression (feature `regex`).
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let orders = filter::field_matches("path", r"^/orders/\d+$")?;
/// let record = |path: &str| RecordBuf::new(Severity::INFO, "http", "").with_field("path", path);
/// assert!(orders.passes(&record("/orders/17").as_record()) && !orders.passes(&record("/orders").as_record()));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// As [`matches()`].
pub fn field_matches(name: &str, expression: &str) -> Result<Condition, Error> {
    field(name).matches(expression)
}

/// Passes records whose target contains a match of a regular expression (feature `regex`). The answer is cached per callsite.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let noisy = filter::target_matches("^(hyper|h2)(::|$)")?;
/// assert!(noisy.passes(&RecordBuf::new(Severity::DEBUG, "h2::frame", "").as_record()));
/// assert!(!noisy.passes(&RecordBuf::new(Severity::DEBUG, "h2o", "").as_record()));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// As [`matches()`].
pub fn target_matches(expression: &str) -> Result<OnTarget, Error> {
    Ok(OnTarget(text_test(expression)?))
}

impl Place {
    /// Its text contains a match of a regular expression (feature `regex`).
    ///
    /// # Errors
    ///
    /// As [`matches()`].
    pub fn matches(self, expression: &str) -> Result<Condition, Error> {
        Ok(Condition::new(self.0, Test::Text(text_test(expression)?)))
    }
}

fn text_test(expression: &str) -> Result<TextTest, Error> {
    let regex = Regex::new(expression).map_err(|error| {
        Error::new(ErrorKind::Config, format!("cannot use the regular expression {expression:?}")).with_source(error)
    })?;
    Ok(TextTest::new(format!("matches {expression:?}"), move |text| regex.is_match(text)))
}
