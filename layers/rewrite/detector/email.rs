//! E-mail addresses (RFC 5321, RFC 6531), in the forms in common use.

use std::ops::Range;

/// Returns the address around the `@` at `sign`, which begins at `from` or after it.
///
/// Before the `@`: up to 64 letters and digits of any script and `.!#$%&*+-^_~`. After it: a domain of at least two labels, the last
/// of which is letters, or an IPv4 address in brackets.
pub(super) fn at(text: &str, from: usize, sign: usize) -> Option<Range<usize>> {
    let local = text[from..sign].chars().rev().take(LOCAL).take_while(is_local);
    let start = sign - local.map(char::len_utf8).sum::<usize>();
    end_of_domain(text, sign + 1).filter(|_| start < sign).map(|end| start..end)
}

fn is_local(char: &char) -> bool {
    char.is_alphanumeric() || ".!#$%&*+-^_~".contains(*char)
}

fn end_of_domain(text: &str, start: usize) -> Option<usize> {
    if let Some(literal) = text[start..].strip_prefix('[') {
        let (address, _) =
            literal.split_at_checked(literal.bytes().take(MAX_LITERAL).position(|byte| byte == b']')?)?;
        address.parse::<std::net::Ipv4Addr>().ok()?;
        return Some(start + address.len() + 2);
    }
    let (mut at, mut found) = (start, None);
    // No domain name is longer (RFC 1035, section 2.3.4).
    while at - start < 255 {
        let label = text[at..].chars().take(LABEL).take_while(|char| char.is_alphanumeric() || *char == '-');
        let end = at + label.map(char::len_utf8).sum::<usize>();
        if end == at {
            break;
        }
        if at > start && is_top_level(&text[at..end]) {
            found = Some(end);
        }
        if !text[end..].starts_with('.') {
            break;
        }
        at = end + 1;
    }
    found
}

/// Two or more letters, or `xn--`: not the last part of a version.
fn is_top_level(label: &str) -> bool {
    let letters = label.chars().all(char::is_alphabetic) && label.chars().nth(1).is_some();
    letters || label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
}

const LOCAL: usize = 64;
const LABEL: usize = 63;
const MAX_LITERAL: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::{Detector, oracle::found_by};

    fn found(text: &str) -> Option<&str> {
        found_by(Detector::Email, text).pop()
    }

    #[test]
    fn addresses_are_found_up_to_their_ends() {
        for address in [
            "ada@example.org",
            "ada.lovelace+log@mail.example.co.uk",
            "jürgen@bücher.example",
            "x@[10.0.0.1]",
            "a@xn--bcher-kva.xn--p1ai",
        ] {
            for text in
                [format!("<{address}>"), format!("to: {address}."), format!("({address}, who)"), format!("'{address}'")]
            {
                assert_eq!(found(&text), Some(address), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_left() {
        for text in ["@ada", "user@localhost", "serde@1.0.229", "a @ b.com", "@media.screen", "x@", "5 @ 3.99"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
