//! The seal at the end of a line: appends and removes it.

use data_encoding::HEXLOWER;

/// The first 128 bits of a message authentication code.
pub(super) type Code = [u8; 16];

/// Appends `text`, a line without its line end, and the seal `code`.
pub(super) fn put(text: &[u8], code: &Code, out: &mut Vec<u8>) {
    if !is_object(text) {
        out.extend_from_slice(text);
        out.extend_from_slice(TEXT);
        push_hex(code, out);
        return;
    }
    let (members, brace) = text.split_at(text.len() - 1);
    out.extend_from_slice(members);
    out.extend_from_slice(if members == b"{" { &JSON[1..] } else { JSON });
    push_hex(code, out);
    out.push(b'"');
    out.extend_from_slice(brace);
}

/// Returns the text before the seal, the text after it, and the seal. `None` if there is no seal, or not in its only valid
/// spelling.
pub(super) fn take(sealed: &[u8]) -> Option<(&[u8], &[u8], Code)> {
    match sealed.strip_suffix(b"\"}").filter(|_| sealed.starts_with(b"{")) {
        Some(rest) => take_from_object(rest, sealed),
        None => take_from_text(sealed),
    }
}

fn take_from_object<'a>(rest: &'a [u8], sealed: &'a [u8]) -> Option<(&'a [u8], &'a [u8], Code)> {
    let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let members = match rest.strip_suffix(JSON) {
        // An object with no other member has no comma before the seal.
        Some(members) => Some(members).filter(|members| *members != b"{")?,
        None => rest.strip_suffix(&JSON[1..]).filter(|members| *members == b"{")?,
    };
    let brace = &sealed[sealed.len() - 1..];
    // It must have been an object before: `{,"seal":…}` was not.
    may_go_on(members).then_some(())?;
    Some((members, brace, from_hex(digits)?))
}

fn take_from_text(sealed: &[u8]) -> Option<(&[u8], &[u8], Code)> {
    let (rest, digits) = sealed.split_at_checked(sealed.len().checked_sub(DIGITS)?)?;
    let text = rest.strip_suffix(TEXT)?;
    (!is_object(text)).then_some((text, &[][..], from_hex(digits)?))
}

/// Whether a member can be inserted before the last brace.
pub(super) fn is_object(text: &[u8]) -> bool {
    text.starts_with(b"{") && text.strip_suffix(b"}").is_some_and(may_go_on)
}

/// Whether `members`, an object without its last brace, is empty or ends with a member.
fn may_go_on(members: &[u8]) -> bool {
    match members {
        b"{" => true,
        [b'{', .., last] => !matches!(last, b'{' | b',' | b' ' | b'\t' | b'\r'),
        _ => false,
    }
}

/// In lower case only, so that there is one spelling.
pub(super) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + HEXLOWER.encode_len(bytes.len()), 0);
    HEXLOWER.encode_mut(bytes, &mut out[start..]);
}

pub(super) fn from_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != HEXLOWER.encode_len(N) {
        return None;
    }
    HEXLOWER.decode_mut(digits, &mut bytes).ok()?;
    Some(bytes)
}

/// How many bytes a seal adds to a line, at most.
pub(super) const LONGEST: usize = JSON.len() + DIGITS + 1;

const JSON: &[u8] = b",\"seal\":\"";
const TEXT: &[u8] = b" seal=";
const DIGITS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: Code = [0xab; 16];

    fn sealed(text: &str) -> String {
        let mut out = Vec::new();
        put(text.as_bytes(), &CODE, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn objects_get_a_member_and_other_lines_a_word() {
        let code = "ab".repeat(16);
        assert_eq!(sealed(r#"{"a":1}"#), format!(r#"{{"a":1,"seal":"{code}"}}"#));
        assert_eq!(sealed("{}"), format!(r#"{{"seal":"{code}"}}"#));
        for text in ["", "a", "{", "}", "{ }", "{,}", "[{}]", "{}{", "{{}"] {
            assert_eq!(sealed(text), format!("{text} seal={code}"));
        }
    }

    #[test]
    fn what_was_put_is_taken_off_again() {
        for text in ["", "a", "{}", "{ }", r#"{"a":1}"#, "{a}", "{{}}", "{", "{\"}", "{\"seal\":\"\"}", "a seal="] {
            let sealed = sealed(text);
            let (before, behind, code) = take(sealed.as_bytes()).expect("sealed");
            assert_eq!(([before, behind].concat(), code), (text.as_bytes().to_vec(), CODE));
        }
    }

    #[test]
    fn there_is_one_spelling() {
        let code = "ab".repeat(16);
        for text in [
            format!("a seal={}", code.to_uppercase()),
            format!("{{}} seal={code}"),
            format!("{{,\"seal\":\"{code}\"}}"),
            format!("{{ ,\"seal\":\"{code}\"}}"),
            format!("{{\"a\":1 ,\"seal\":\"{code}\"}}"),
            format!("x{{\"seal\":\"{code}\"}}"),
            format!("\"seal\":\"{code}\"}}"),
            "seal".to_owned(),
            String::new(),
        ] {
            assert!(take(text.as_bytes()).is_none(), "{text}");
        }
    }
}
