//! Names and values in free text: `password=hunter2`.

use std::ops::Range;

use super::is_escaped;

/// Returns the value after the `=` or `:` at `sign` whose name is that of a secret: see [`Detector::Pair`](super::Detector::Pair).
pub(super) fn at(text: &str, _from: usize, sign: usize) -> Option<Range<usize>> {
    match text[sign..].starts_with("://") {
        true => password_of_url(text, sign + 3),
        false => value_behind(text, sign),
    }
}

/// Whether the name, or the last part of it, is that of a secret: `user.pin`, `user[pin]`.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.trim_end_matches(']').as_bytes();
    let last = name.rsplit(|byte| matches!(byte, b'.' | b':' | b'/' | b'[')).next();
    last.and_then(kind_of).is_some()
}

/// Where a value ends.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Word,
    /// As a word, but a scheme may precede it.
    Credentials,
    Line,
}

fn kind_of(name: &[u8]) -> Option<Kind> {
    if !may_be_known(name) {
        return None;
    }
    let ends = |end: &&(&str, Kind)| ends_with(name, end.0.as_bytes()).is_some();
    let whole = |whole: &&&str| ends_with(name, whole.as_bytes()).is_some_and(|rest| rest.is_empty());
    let by_end = ENDS.iter().find(ends).map(|(_, kind)| *kind);
    by_end.or_else(|| WHOLE.iter().find(whole).map(|_| Kind::Word))
}

/// A quick rejection by the last two letters.
#[inline]
fn may_be_known(name: &[u8]) -> bool {
    let [.., second, last] = name else { return false };
    let pair = [second | 0x20, last | 0x20];
    let of_known = matches!(
        &pair,
        b"rd"
            | b"wd"
            | b"se"
            | b"et"
            | b"en"
            | b"ey"
            | b"al"
            | b"ls"
            | b"on"
            | b"ie"
            | b"ss"
            | b"in"
            | b"tp"
            | b"vv"
            | b"vc"
    );
    of_known || matches!(second, b'_' | b'-') || matches!(last, b'_' | b'-')
}

/// Returns the part of `name` before `end`, ignoring case, `_` and `-`.
fn ends_with<'a>(mut name: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    for wanted in end.iter().rev() {
        while let Some((b'_' | b'-', rest)) = name.split_last() {
            name = rest;
        }
        let (last, rest) = name.split_last()?;
        if !last.eq_ignore_ascii_case(wanted) {
            return None;
        }
        name = rest;
    }
    Some(name)
}

/// Returns the value after the sign at `sign`, if the name before it is that of a secret.
fn value_behind(text: &str, sign: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // A path, or the second sign of `==` and `:=`.
    if bytes.get(sign + 1) == Some(&b':') || (sign > 0 && matches!(bytes[sign - 1], b':' | b'=')) {
        return None;
    }
    let name = name_before(bytes, sign);
    let kind = kind_of(name.unescaped);
    let kind = kind.or_else(|| (name.unescaped.len() < name.whole.len()).then(|| kind_of(name.whole))?)?;
    let signs = bytes[sign..].iter().take(3).take_while(|byte| matches!(byte, b':' | b'=' | b'>')).count();
    let start = sign + signs;
    let start = start + bytes[start..].iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
    let range = inside_quotes(bytes, start).unwrap_or_else(|| start..end_of(bytes, start, kind));
    (!range.is_empty()).then_some(range)
}

/// A name, and the same without the letter of an escape that may precede it.
struct Name<'a> {
    whole: &'a [u8],
    unescaped: &'a [u8],
}

/// Returns the name that ends before the sign: in quotes or not, with or without spaces after it, and before `=` also in brackets.
fn name_before(bytes: &[u8], sign: usize) -> Name<'_> {
    let mut rest = &bytes[sign.saturating_sub(MAX_NAME)..sign];
    let bracket: &[u8] = if bytes[sign] == b'=' { b"]" } else { b"" };
    for close in [b" \t", bracket, b"\"'`", b"\\"] {
        while let Some((_, before)) = rest.split_last().filter(|(last, _)| close.contains(last)) {
            rest = before;
        }
    }
    if !may_be_known(rest) {
        return Name { whole: b"", unescaped: b"" };
    }
    let len = rest.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
    let start = rest.len() - len;
    let escape = usize::from(is_escaped(rest, start + 1) && len > 0);
    Name { whole: &rest[start..], unescaped: &rest[start + escape..] }
}

fn end_of(bytes: &[u8], start: usize, kind: Kind) -> usize {
    let end = match kind {
        Kind::Word => return end_of_word(bytes, start),
        Kind::Line => return end_of_line(bytes, start),
        Kind::Credentials => end_of_word(bytes, start),
    };
    let is = |scheme: &&&str| bytes[start..end].eq_ignore_ascii_case(scheme.as_bytes());
    match SCHEMES.iter().find(is) {
        // Its parameters are separated by commas (RFC 9110, section 11.4).
        Some(&("digest" | "aws4-hmac-sha256")) => end_of_line(bytes, end),
        Some(_) => {
            let spaces = bytes[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if spaces == 0 { end } else { end_of_word(bytes, end + spaces) }
        }
        None => end,
    }
}

/// Returns the contents of the quotes that open at `start`; `\"` is closed by `\"`. Without a closing quote, to the end of the text.
fn inside_quotes(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let escapes = bytes[start..].iter().take(8).take_while(|byte| **byte == b'\\').count();
    let quote = *bytes.get(start + escapes).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let start = start + escapes + 1;
    let mut before = 0;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        // As many backslashes as before the opening quote. If there are none, each pair is an escaped backslash before the quote.
        let closes = before <= escapes || (escapes == 0 && before % 2 == 0);
        match byte {
            b'\\' => before += 1,
            _ if *byte == quote && closes => return Some(start..at - before.min(escapes)),
            _ => before = 0,
        }
    }
    Some(start..bytes.len())
}

/// Returns the position after the quote that opens at `start`.
fn end_of_quoted(bytes: &[u8], start: usize) -> usize {
    inside_quotes(bytes, start).map_or(start, |inside| inside.end).saturating_add(1).min(bytes.len())
}

/// Returns the end of a value without quotes; one with brackets, such as `Some("…")`, ends with them.
fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'(' | b'[' | b'{' => return end_of_brackets(bytes, at),
            // `b"…"`, `r"…"`
            b'"' if matches!(&bytes[start..at], b"b" | b"r" | b"c" | b"br") => {
                return end_of_quoted(bytes, at);
            }
            b',' | b';' | b'&' | b'"' | b'\'' | b'<' | b'>' | b')' | b']' | b'}' => break,
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'n' | b'r' | b't')) => break,
            // `Secret { inner: "…" }`
            b' ' if bytes.get(at + 1) == Some(&b'{') && is_type(&bytes[start..at]) => {
                return end_of_brackets(bytes, at + 1);
            }
            _ if byte.is_ascii_whitespace() => break,
            _ => at += 1,
        }
    }
    at
}

fn is_type(word: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    word.first().is_some_and(u8::is_ascii_uppercase) && word.iter().all(is_name)
}

/// Returns the position after the bracket that closes the one at `start`, or the end of the text.
fn end_of_brackets(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth <= 1 => return at + 1,
            b')' | b']' | b'}' => depth -= 1,
            b'"' => {
                at = end_of_quoted(bytes, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    at
}

fn end_of_line(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    let escaped = |at: usize| rest[at] == b'\\' && matches!(rest.get(at + 1), Some(b'n' | b'r'));
    start + (0..rest.len()).find(|at| matches!(rest[*at], b'\n' | b'\r') || escaped(*at)).unwrap_or(rest.len())
}

/// RFC 3986, section 3.2.1: the part between the first colon and the `@` after `start`, where `://` ends.
fn password_of_url(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text.as_bytes()[start..];
    let rest = &rest[..rest.len().min(MAX_URL)];
    let authority = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"/?#\"'<>".contains(byte));
    let authority = &rest[..authority.unwrap_or(rest.len())];
    let sign = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority[..sign].iter().position(|byte| *byte == b':')?;
    (colon + 1 < sign).then(|| start + colon + 1..start + sign)
}

const ENDS: &[(&str, Kind)] = &[
    ("password", Kind::Word),
    ("passwd", Kind::Word),
    ("passphrase", Kind::Word),
    ("pwd", Kind::Word),
    ("secret", Kind::Word),
    ("token", Kind::Credentials),
    ("apikey", Kind::Credentials),
    ("accesskey", Kind::Word),
    ("secretkey", Kind::Word),
    ("privatekey", Kind::Word),
    ("credential", Kind::Credentials),
    ("credentials", Kind::Credentials),
    ("authorization", Kind::Credentials),
    ("cookie", Kind::Line),
];
const WHOLE: &[&str] = &["pass", "pin", "otp", "cvv", "cvc"];
const SCHEMES: &[&str] = &["bearer", "basic", "token", "apikey", "negotiate", "digest", "aws4-hmac-sha256"];
const MAX_NAME: usize = 72;
/// The length up to which a URL is searched for its `@`.
const MAX_URL: usize = 512;

#[cfg(test)]
mod tests {
    use super::super::{Detector, oracle::ranges_by};
    use super::{ENDS, WHOLE, is_name};

    fn masked(text: &str) -> String {
        let (mut at, mut all) = (0, String::new());
        for range in ranges_by(Detector::Pair, text) {
            all.push_str(&text[at..range.start]);
            all.push('*');
            at = range.end;
        }
        all + &text[at..]
    }

    #[test]
    fn values_are_found_up_to_their_ends() {
        for (text, shown) in [
            ("password=hunter2 next", "password=* next"),
            ("login: db_password : hunter2, host: x", "login: db_password : *, host: x"),
            ("?token=abc&user=ada", "?token=*&user=ada"),
            (r#"{"accessToken":"a\"b","n":1}"#, r#"{"accessToken":"*","n":1}"#),
            (r#""{\"password\":\"a b\",\"n\":1}""#, r#""{\"password\":\"*\",\"n\":1}""#),
            (r#"Login { password: Some("hun) ter2"), user: "ada" }"#, r#"Login { password: *, user: "ada" }"#),
            (r#"Key { secret: b"abc", api_key: ["a", "b"] }"#, r#"Key { secret: *, api_key: * }"#),
            ("Authorization: Bearer abc.def, next", "Authorization: *, next"),
            ("Authorization: Digest user=\"a\", response=\"b\"\r\nHost: x", "Authorization: *\r\nHost: x"),
            ("Set-Cookie: id=1; Path=/\nHost: x", "Set-Cookie: *\nHost: x"),
            ("X-Api-Key=>'a b' pin=1234", "X-Api-Key=>'*' pin=*"),
            ("postgres://ada:s3cr:et@db/x?y=1", "postgres://ada:*@db/x?y=1"),
            ("«пароль» password=тайна конец", "«пароль» password=* конец"),
            (r"a\npin=12345", r"a\npin=*"),
            (r"password=abc\nnext", r"password=*\nnext"),
            ("secret == \"abc", "secret == \"*"),
            (r#"Login { password: Secret { inner: "a } b" }, n: 1 }"#, "Login { password: *, n: 1 }"),
            ("token: Token {\n    inner: 7,\n}, x", "token: *, x"),
            ("?user[password]=abc&n=1", "?user[password]=*&n=1"),
            (r#"config["password"] = 'abc'"#, r#"config["password"] = '*'"#),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn the_quick_rejection_knows_all_names() {
        for name in ENDS.iter().map(|(name, _)| name).chain(WHOLE) {
            for joint in ["", "_", "-", "__"] {
                let (start, end) = name.split_at(name.len() - 1);
                for name in [format!("{start}{joint}{end}"), format!("{name}{joint}"), name.to_uppercase()] {
                    assert!(is_name(&name), "{name}");
                }
            }
        }
    }

    #[test]
    fn other_names_are_left() {
        for text in [
            "tokens: 5",
            "Token::new",
            "user=ada",
            "password:",
            "password= ",
            "spin=1",
            "http://host:80/",
            "passport: 7",
            "secretary=bob",
            "a=b",
            "::",
            "=",
            "https://host/a:b@c",
            "[token]: refreshed",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
