//! Searches for secrets in texts.
//!
//! One pass finds the bytes at which there may be one ([`window`]); what a detector makes of them is written by hand, and takes linear
//! time in total.

mod card;
mod email;
mod fold;
mod ip;
#[cfg(test)]
mod oracle;
mod pair;
mod scan;
mod token;
mod window;

pub(super) use fold::Folded;
pub(super) use scan::{Detectors, Match};

use std::fmt;
use std::str::FromStr;

use crate::clock::words::one_of;
use crate::{Error, ErrorKind};

/// A kind of secret that [`Redact::detectors`](super::Redact::detectors) finds in texts by its form.
///
/// ```
/// use tracing_handlers::rewrite::{Detector, Redact, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let text = "ada@example.org from 10.0.0.7 paid with 4111 1111 1111 1111, password=hunter2";
/// let mut record = RecordBuf::new(Severity::INFO, "shop", text);
/// Redact::detectors(Detector::ALL).rewrite(&mut record);
/// assert_eq!(record.as_record().message(), "*** from *** paid with ***, password=***");
/// assert_eq!("email".parse::<Detector>()?, Detector::Email);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detector {
    /// Numbers of payment cards: 13 to 19 digits, contiguous or in groups separated by single spaces, tabs, dashes, points or
    /// underscores, or by line breaks, with a correct check digit (Luhn) and a known prefix: Visa 4; Mastercard 51-55, 2221-2720; American Express 34, 37; Diners Club 300-305,
    /// 3095, 36, 38, 39; Discover and RuPay 60, 644-65, 508, 81, 82; JCB 3528-3589; UnionPay 62; Maestro 5018, 5020, 5038, 5893, 6304,
    /// 6759, 6761-6763; Mir 2200-2204; Troy 9792. One in ten other numbers with such a prefix and length is
    /// detected by mistake. Also found in integers and whole floats.
    Card,
    /// E-mail addresses with a domain of at least two labels.
    Email,
    /// Tokens and keys: the credentials after `Bearer` and `Basic`; JSON web tokens (`eyJ….….…`); PEM private keys; keys of Amazon
    /// (`AKIA…`), Anthropic, crates.io, DigitalOcean, GitHub (`ghp_…`), GitLab, Google, Hugging Face, npm, OpenAI, PyPI, SendGrid,
    /// Shopify, Slack, Stripe (`sk_live_…`).
    Token,
    /// The value after a name and `=` or `:` in a text, if the name ends in `password`, `passwd`, `passphrase`, `pwd`,
    /// `secret`, `token`, `apikey`, `accesskey`, `secretkey`, `privatekey`, `credential`, `credentials`, `authorization` or `cookie`,
    /// or is `pass`, `pin`, `otp`, `cvv` or `cvc`, ignoring case, `_` and `-`; and the password in `scheme://user:password@host`.
    ///
    /// Before `=` the name may be in brackets (`user[password]=…`). The value ends at its closing quote or bracket, as in
    /// `Secret { … }`; without them, at a space or one of `,;&"'<>)]}`; that of a cookie, at the end of the line. Fields and members of
    /// nested values with such names are masked as a whole; of `user.pin` and `user[pin]`, the last part counts.
    Pair,
    /// IPv4 and IPv6 addresses. A version of four numbers is indistinguishable from one.
    Ip,
}

impl Detector {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Card, Self::Email, Self::Token, Self::Pair, Self::Ip];

    /// Whether a number with these digits is a secret.
    pub(super) fn is_number(self, digits: u128) -> bool {
        self == Self::Card && card::is_card(digits)
    }

    /// Whether the value of a field with this name is a secret.
    pub(super) fn is_name(self, name: &str) -> bool {
        self == Self::Pair && pair::is_name(name)
    }
}

/// Writes the name in lower case: `card`, `email`, `token`, `pair` or `ip`.
impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Card => "card",
            Self::Email => "email",
            Self::Token => "token",
            Self::Pair => "pair",
            Self::Ip => "ip",
        })
    }
}

/// Parses a name, in any case.
impl FromStr for Detector {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        one_of(Self::ALL, name).ok_or_else(|| {
            let expected = "expected `card`, `email`, `token`, `pair` or `ip`";
            Error::new(ErrorKind::Config, format!("detector: {expected}, found `{name}`"))
        })
    }
}

/// Whether the text at `start` may follow an escape such as `\n`, as written by `{:?}`: the escape's letter is not part of a word.
fn is_escaped(bytes: &[u8], start: usize) -> bool {
    start > 1 && bytes[start - 2] == b'\\' && matches!(bytes[start - 1], b'n' | b'r' | b't')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_displayed_parse_again() {
        for detector in Detector::ALL {
            assert_eq!(detector.to_string().parse::<Detector>().ok(), Some(detector));
        }
        assert!("cards".parse::<Detector>().is_err() && "".parse::<Detector>().is_err());
    }
}
