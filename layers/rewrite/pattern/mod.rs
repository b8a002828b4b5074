//! What secrets look like in texts.
//!
//! Written by hand, each in linear time, each with a first look that is over quickly where there is nothing to find.

mod card;
mod email;
mod ip;
mod pair;
mod token;

use std::ops::Range;

/// A kind of secret that [`Redact::patterns`](super::Redact::patterns) finds by what it looks like.
///
/// ```
/// use tracing_handlers::rewrite::{Pattern, Redact, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let text = "ada@example.org from 10.0.0.7 paid with 4111 1111 1111 1111, password=hunter2";
/// let mut record = RecordBuf::new(Severity::INFO, "shop", text);
/// Redact::patterns(Pattern::ALL).rewrite(&mut record);
/// assert_eq!(record.as_record().message(), "*** from *** paid with ***, password=***");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pattern {
    /// Numbers of payment cards: 13 to 19 digits, in one piece or in groups with single spaces or dashes between, with a right
    /// check digit (Luhn) and a known beginning: Visa 4; Mastercard 51-55, 2221-2720; American Express 34, 37; Diners Club 300-305,
    /// 3095, 36, 38, 39; Discover and RuPay 60, 644-65, 508, 81, 82; JCB 3528-3589; UnionPay 62; Maestro 5018, 5020, 5038, 5893, 6304,
    /// 6759, 6761-6763; Mir 2200-2204; Troy 9792. One in ten of all other numbers that begin so and are as long is taken
    /// for one. Also found in integers and whole floats.
    Card,
    /// E-mail addresses with a domain of at least two labels.
    Email,
    /// Tokens and keys: what follows `Bearer` and `Basic`; JSON web tokens (`eyJ….….…`); PEM private keys; keys of Amazon
    /// (`AKIA…`), Anthropic, crates.io, DigitalOcean, GitHub (`ghp_…`), GitLab, Google, Hugging Face, npm, OpenAI, PyPI, SendGrid,
    /// Shopify, Slack, Stripe (`sk_live_…`).
    Token,
    /// What follows a name and `=` or `:` in a text, where the name ends in `password`, `passwd`, `passphrase`, `pwd`,
    /// `secret`, `token`, `apikey`, `accesskey`, `secretkey`, `privatekey`, `credential`, `credentials`, `authorization` or `cookie`,
    /// or is `pass`, `pin`, `otp`, `cvv` or `cvc`, in any case, `_` and `-` not counted; and the password in `scheme://user:password@host`.
    ///
    /// Before `=` the name may stand in brackets (`user[password]=…`). The value ends with its closing quote or bracket, as
    /// `Secret { … }` does; one without them ends at a space or one of `,;&"'<>)]}`, that of
    /// a cookie with its line. Fields, and members of nested values, with such names are masked whole.
    Pair,
    /// IPv4 and IPv6 addresses; a version of four numbers looks the same.
    Ip,
}

impl Pattern {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Card, Self::Email, Self::Token, Self::Pair, Self::Ip];

    /// The next place at `from` or behind it.
    pub(super) fn find(self, text: &str, from: usize) -> Option<Range<usize>> {
        match self {
            Self::Card => card::find(text, from),
            Self::Email => email::find(text, from),
            Self::Token => token::find(text, from),
            Self::Pair => pair::find(text, from),
            Self::Ip => ip::find(text, from),
        }
    }

    /// Whether a number of these digits is a secret.
    pub(super) fn is_number(self, digits: u128) -> bool {
        self == Self::Card && card::is_card(digits)
    }

    /// Whether what has this name is a secret.
    pub(super) fn is_name(self, name: &str) -> bool {
        self == Self::Pair && pair::is_name(name)
    }
}

/// Whether what stands at `start` may be preceded by an escape, as `{:?}` writes line breaks and tabs: its letter is no part of
/// a word.
fn is_escaped(bytes: &[u8], start: usize) -> bool {
    start > 1 && bytes[start - 2] == b'\\' && matches!(bytes[start - 1], b'n' | b'r' | b't')
}
