//! Tokens and keys with a known form.

use std::ops::Range;

use super::is_escaped;

/// Looks at the word around `at`, of which the part before `word` is done already: see [`Detector::Token`](super::Detector::Token).
/// Returns the token in it or behind it, if any, and the end of the word. The last match ends at `from`.
pub(super) fn in_word(text: &str, from: usize, word: usize, at: usize) -> (Option<Range<usize>>, usize) {
    let bytes = text.as_bytes();
    let start = bytes[word..at].iter().rposition(|byte| !is_word(*byte)).map_or(word, |before| word + before + 1);
    let end = at + bytes[at..].iter().position(|byte| !is_word(*byte)).unwrap_or(bytes.len() - at);
    let escaped = start > from && is_escaped(bytes, start + 1);
    (token_at(text, start, end).or_else(|| token_at(text, start + 1, end).filter(|_| escaped)), end)
}

/// Whether the digit at `at` is that of `ya29`.
pub(super) fn may_be_google(bytes: &[u8], at: usize) -> bool {
    at > 0 && bytes[at - 1..].starts_with(b"a29")
}

/// Returns the token that begins in the word `start..end`, or after it if that is the name of a scheme.
fn token_at(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let word = &text[start..end];
    match word.len() {
        5 | 6 => credentials(text, word, end),
        2 if word == "SG" => Some(start..sendgrid(text, end)?),
        4 if word == "ya29" => Some(start..google(text, end)?),
        10.. if word.ends_with("-----BEGIN") => private_key(text, end),
        10.. => web_token(text, word, end).or_else(|| key(word, start, end)),
        _ => None,
    }
}

/// `Bearer …`, `Basic …` (RFC 6750, RFC 7617), in any case. The scheme stays visible.
fn credentials(text: &str, scheme: &str, end: usize) -> Option<Range<usize>> {
    let is_fine: fn(&str) -> bool = match () {
        () if scheme.eq_ignore_ascii_case("bearer") => is_bearer,
        () if scheme.eq_ignore_ascii_case("basic") => is_basic,
        () => return None,
    };
    let rest = text[end..].trim_start_matches([' ', '\t']);
    let start = text.len() - rest.len();
    if start == end {
        // Before the run behind it is measured: in a long run with many schemes, that would take quadratic time.
        return None;
    }
    let len = rest.bytes().position(|byte| !is_token68(byte)).unwrap_or(rest.len());
    is_fine(&rest[..len]).then(|| start..start + len)
}

/// Long, or with characters that are not letters: "the bearer of this letter" contains no token.
fn is_bearer(token: &str) -> bool {
    token.len() >= 20 || token.len() >= 6 && token.bytes().any(|byte| !byte.is_ascii_alphabetic())
}

/// Base64 of a text that contains a colon.
fn is_basic(token: &str) -> bool {
    let token = token.trim_end_matches('=').as_bytes();
    let sextets = |at: usize| token.get(at).copied().and_then(sextet).unwrap_or(0);
    let whole = token.len() >= 4 && token.iter().all(|byte| sextet(*byte).is_some());
    let mut bytes = (0..token.len()).filter(|at| at % 4 != 3).map(|at| match at % 4 {
        0 => sextets(at) << 2 | sextets(at + 1) >> 4,
        1 => sextets(at) << 4 | sextets(at + 1) >> 2,
        _ => sextets(at) << 6 | sextets(at + 1),
    });
    whole && bytes.any(|byte| byte == b':')
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Returns a key of a known issuer: the word, or a part of it after a joint.
fn key(word: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let begin = begins(word).find(|at| is_key(&word[*at..]))?;
    Some(start + begin..end)
}

/// Returns where a key may begin: at the start of the word, or after the signs that join words (`id_ghp_…`).
fn begins(word: &str) -> impl Iterator<Item = usize> {
    let joints = word.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'_' | b'-'));
    // Names have no more joints; a limit keeps a long run of them from taking quadratic time.
    std::iter::once(0).chain(joints.take(8).map(|(at, _)| at + 1))
}

fn is_key(word: &str) -> bool {
    let may_be = word.len() >= SHORTEST && word.as_bytes().first().is_some_and(|first| FIRST_LETTERS.contains(first));
    may_be && KEYS.iter().any(|kind| kind.is(word))
}

/// RFC 7515, section 7.1, and RFC 7516: three or five parts of Base64url, the first of which is JSON; the second may be
/// empty.
fn web_token(text: &str, word: &str, end: usize) -> Option<Range<usize>> {
    let rest = &text[end..];
    let second = rest.strip_prefix('.')?;
    let begin = begins(word).find(|at| word[*at..].starts_with("eyJ")).filter(|at| word.len() - at >= 10)?;
    let third = second[end_of_word(second)..].strip_prefix('.')?;
    let is_token = match end_of_word(second) {
        0 => end_of_word(third) >= 10,
        length => length >= 2,
    };
    if !is_token {
        return None;
    }
    let len = rest.bytes().position(|byte| !is_word(byte) && byte != b'.').unwrap_or(rest.len());
    Some(end - word.len() + begin..end + rest[..len].trim_end_matches('.').len())
}

fn end_of_word(text: &str) -> usize {
    text.bytes().position(|byte| !is_word(byte)).unwrap_or(text.len())
}

/// `SG.….…`
fn sendgrid(text: &str, end: usize) -> Option<usize> {
    let rest = text[end..].strip_prefix('.')?;
    let len = rest.bytes().position(|byte| !is_word(byte) && byte != b'.').unwrap_or(rest.len());
    (len >= 40 && rest[..len].contains('.')).then(|| end + 1 + len)
}

/// `ya29.…`
fn google(text: &str, end: usize) -> Option<usize> {
    let rest = text[end..].strip_prefix('.')?;
    let len = end_of_word(rest);
    (len >= 20).then(|| end + 1 + len)
}

/// RFC 7468: from the word that ends at `begin` to the end line, or to the end of the text if that is missing.
fn private_key(text: &str, begin: usize) -> Option<Range<usize>> {
    let start = begin - "-----BEGIN".len();
    let rest = &text[begin..];
    let title = rest.split_once("-----")?.0;
    if title.len() > 40 || !title.ends_with("PRIVATE KEY") {
        return None;
    }
    let Some(end) = rest.find("-----END ") else { return Some(start..text.len()) };
    let behind = end + "-----END ".len();
    Some(start..begin + rest[behind..].find("-----").map_or(rest.len(), |close| behind + close + 5))
}

/// A kind of key: its prefix, and the least number of characters that must follow.
struct Kind {
    prefix: &'static str,
    least: usize,
    letters: fn(u8) -> bool,
}

impl Kind {
    fn is(&self, word: &str) -> bool {
        let Some(rest) = word.strip_prefix(self.prefix) else { return false };
        rest.len() >= self.least && rest.bytes().take(self.least).all(self.letters)
    }
}

const fn kind(prefix: &'static str, least: usize, letters: fn(u8) -> bool) -> Kind {
    Kind { prefix, least, letters }
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// The characters of Base64url.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// RFC 9110, section 11.2.
fn is_token68(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=')
}

/// The first letters of all [`KEYS`].
const FIRST_LETTERS: &[u8] = b"Acdghnprswx";
const SHORTEST: usize = 15;

const KEYS: &[Kind] = &[
    // Amazon Web Services: identifiers of access keys
    kind("AKIA", 16, upper),
    kind("ASIA", 16, upper),
    kind("AROA", 16, upper),
    kind("AIDA", 16, upper),
    kind("ABIA", 16, upper),
    kind("ACCA", 16, upper),
    // GitHub, GitLab
    kind("ghp_", 20, alphanumeric),
    kind("gho_", 20, alphanumeric),
    kind("ghu_", 20, alphanumeric),
    kind("ghs_", 20, alphanumeric),
    kind("ghr_", 20, alphanumeric),
    kind("github_pat_", 20, is_word),
    kind("glpat-", 16, is_word),
    // Stripe
    kind("sk_live_", 10, alphanumeric),
    kind("sk_test_", 10, alphanumeric),
    kind("rk_live_", 10, alphanumeric),
    kind("rk_test_", 10, alphanumeric),
    kind("whsec_", 20, alphanumeric),
    // OpenAI, Anthropic, Hugging Face
    kind("sk-proj-", 20, is_word),
    kind("sk-ant-", 20, is_word),
    kind("sk-", 32, alphanumeric),
    kind("hf_", 30, alphanumeric),
    // Slack
    kind("xoxb-", 10, is_word),
    kind("xoxp-", 10, is_word),
    kind("xoxa-", 10, is_word),
    kind("xoxr-", 10, is_word),
    kind("xoxs-", 10, is_word),
    kind("xapp-", 10, is_word),
    // Google, DigitalOcean, Shopify
    kind("AIza", 35, is_word),
    kind("dop_v1_", 40, alphanumeric),
    kind("shpat_", 20, alphanumeric),
    // npm, PyPI, crates.io
    kind("npm_", 30, alphanumeric),
    kind("pypi-", 40, is_word),
    kind("cio", 32, alphanumeric),
];

#[cfg(test)]
mod tests {
    use super::super::{Detector, oracle::found_by};
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        found_by(Detector::Token, text)
    }

    /// Assembled here, so that scanners of repositories do not mistake them for real keys.
    fn with(prefix: &str, len: usize) -> String {
        format!("{prefix}{}", &"A1B2C3D4E5F6G7H8I9J0".repeat(4)[..len])
    }

    #[test]
    fn keys_of_known_issuers_are_found() {
        for kind in KEYS {
            let key = with(kind.prefix, kind.least);
            assert!(is_key(&key), "{key}");
            for text in [format!("key <{key}>"), format!("«{key}»"), format!("(\\n{key}\\n)"), format!("my_{key}.")] {
                let all = found(&text);
                assert!(all.len() == 1 && all[0].starts_with(&key), "{text}: {all:?}");
            }
        }
        assert_eq!(found(&format!("x {} y", with("SG.a.", 40))), [with("SG.a.", 40)]);
        assert_eq!(found(&format!("x {} y", with("ya29.", 40))), [with("ya29.", 40)]);
    }

    #[test]
    fn credentials_lose_what_follows_the_scheme() {
        assert_eq!(found("Authorization: Bearer abc.def-123, next"), ["abc.def-123"]);
        assert_eq!(found("got BEARER  mF_9.B5f-4.1JqM\r\n"), ["mF_9.B5f-4.1JqM"]);
        assert_eq!(found("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), ["QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    }

    #[test]
    fn web_tokens_and_private_keys_are_found_whole() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(found(&format!("token {token}.")), [token]);
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----";
        assert_eq!(found(&format!("read {key}, fine")), [key]);
        assert_eq!(found("-----BEGIN PRIVATE KEY-----\nMIIE"), ["-----BEGIN PRIVATE KEY-----\nMIIE"]);
    }

    #[test]
    fn words_are_left() {
        for text in [
            "the bearer of this letter",
            "basic functionality",
            "Basic training",
            "sk-learn",
            "ghp_short",
            "eyJust.a.word",
            "-----BEGIN CERTIFICATE-----",
            "AKIA is a prefix",
            "550e8400-e29b-41d4-a716-446655440000",
            "SG.1",
            "task-list",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }
}
