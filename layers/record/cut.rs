//! Shortens values that are too long, so that it shows.

use std::fmt::Write;

use super::json::{Grammar, NotJson, PLAIN, TEXT, end_of_plain, end_of_string, is_literal, is_number};
use crate::bytes::floor_char_boundary;

/// The room for a mark, and for what joins it to a nested value.
pub(super) const MARK: usize = 64;

/// Writes the start of `text`, at most `max` bytes, and `…[123 bytes cut]`.
pub(crate) fn cut_text(text: &str, max: usize, out: &mut String) {
    out.clear();
    let end = floor_char_boundary(text, max);
    out.push_str(&text[..end]);
    put_mark(text.len() - end, out);
}

/// Writes the start of a nested value, at most `max` bytes with the brackets that close it, and in it the same mark. The result is
/// JSON: what a rewrite hides by the names of members is hidden in it too. `open` is scratch memory.
///
/// A string is cut like a text. A list gets the mark as its last item, and an object as a member with the name `…`. Only the mark
/// remains of what is not JSON.
pub(crate) fn cut_json(json: &str, max: usize, open: &mut Vec<u8>, out: &mut String) {
    if !cut_inside(json, max, open, out) {
        out.push('"');
        put_mark(json.len(), out);
        out.push('"');
    }
}

/// Writes the start of the output of `Debug` or `Display` and the mark: like a nested value if it may be one, since rewrites find the
/// members in such a text too, and otherwise like any text.
pub(crate) fn cut_written(text: &str, max: usize, open: &mut Vec<u8>, out: &mut String) {
    if !text.starts_with(['{', '[']) || !cut_inside(text, max, open, out) {
        cut_text(text, max, out);
    }
}

/// Cuts within a list, an object or a string. Returns `false` and leaves `out` empty if nothing would be left, or if this is not JSON.
fn cut_inside(json: &str, max: usize, open: &mut Vec<u8>, out: &mut String) -> bool {
    out.clear();
    let mut grammar = Grammar::new(open);
    let Ok(Some(cut)) = find_cut(json, max, &mut grammar) else { return false };
    match cut {
        Cut::Text(end) => {
            out.push_str(&json[..end]);
            put_mark(json.len() - end, out);
            out.push('"');
        }
        Cut::Between(end, is_first) => {
            out.push_str(&json[..end]);
            out.push_str(if is_first { "\"…" } else { ",\"…" });
            out.push_str(if grammar.open().last() == Some(&b'}') { "\":\"" } else { "" });
            put_count(json.len() - end, out);
            out.push('"');
        }
    }
    out.extend(grammar.open().iter().rev().map(|close| char::from(*close)));
    true
}

/// Where a nested value is cut.
enum Cut {
    /// Within a string.
    Text(usize),
    /// After a value, or after the bracket that opens an empty list or object.
    Between(usize, bool),
}

/// Reads the JSON up to the token that does not fit. Returns `None` if no part fits. The brackets that are open then are those that are open at the cut.
fn find_cut(json: &str, max: usize, grammar: &mut Grammar<'_>) -> Result<Option<Cut>, NotJson> {
    let bytes = json.as_bytes();
    let (mut at, mut cut) = (0, None);
    loop {
        at += bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        let (token, end) = match *bytes.get(at).ok_or(NotJson)? {
            b'"' => (TEXT, end_of_string(bytes, at)?),
            sign @ (b'{' | b'}' | b'[' | b']' | b',' | b':') => (sign, at + 1),
            _ => (PLAIN, end_of_plain(bytes, at)),
        };
        if token == PLAIN && !is_number(&bytes[at..end]) && !is_literal(&bytes[at..end]) {
            return Err(NotJson);
        }
        let max = max.saturating_sub(grammar.open().len() + 1);
        if end > max {
            let in_text = token == TEXT && grammar.is_before_value();
            let place = if in_text { end_in_string(json, at + 1, max)? } else { None };
            return Ok(place.map(Cut::Text).or(cut));
        }
        grammar.take(token)?;
        at = end;
        if (grammar.is_after_value() || grammar.is_in_empty()) && !grammar.open().is_empty() {
            cut = Some(Cut::Between(end, grammar.is_in_empty()));
        }
    }
}

/// Returns the last place up to `max` at which a string can be cut; `None` if nothing would be left of it.
fn end_in_string(json: &str, start: usize, max: usize) -> Result<Option<usize>, NotJson> {
    let mut at = start;
    loop {
        let end = at + json.get(at..).and_then(len_in_string).ok_or(NotJson)?;
        if end > max {
            return Ok((at > start).then_some(at));
        }
        at = end;
    }
}

/// Returns the length of the next character, which may be escaped: two escapes if they are a pair of surrogates. `None` if it is not
/// an escape of JSON, or at the end.
fn len_in_string(rest: &str) -> Option<usize> {
    let Some(escape) = rest.strip_prefix('\\') else { return rest.chars().next().map(char::len_utf8) };
    if escape.starts_with(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']) {
        return Some(2);
    }
    let first = unit(rest)?;
    let is_pair = (0xd800..0xdc00).contains(&first) && rest.get(6..).is_some_and(|second| unit(second).is_some());
    Some(if is_pair { 12 } else { 6 })
}

/// Returns the number in an escape such as `\u00e9`.
fn unit(escape: &str) -> Option<u32> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| plain)
}

fn put_mark(bytes: usize, out: &mut String) {
    out.push('…');
    put_count(bytes, out);
}

fn put_count(bytes: usize, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "[{bytes} bytes cut]");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(json: &str, max: usize) -> String {
        let mut out = String::new();
        cut_json(json, max, &mut Vec::new(), &mut out);
        out
    }

    #[test]
    fn a_nested_value_that_is_cut_stays_json() {
        for (json, max, shown) in [
            (r#"{"ssn":"123","a":[1,2,3],"b":4}"#, 22, r#"{"ssn":"123","a":[1,"…[12 bytes cut]"]}"#),
            (r#"{"ssn":"123","a":4}"#, 16, r#"{"ssn":"123","…":"[7 bytes cut]"}"#),
            (r#"{"ssn":"123-45-678"}"#, 14, r#"{"ssn":"123-…[8 bytes cut]"}"#),
            (r#"{"a":1}"#, 3, r#"{"…":"[6 bytes cut]"}"#),
            (r#"[[],1]"#, 6, r#"[[],"…[3 bytes cut]"]"#),
            ("[12345]", 5, r#"["…[6 bytes cut]"]"#),
            ("12345", 3, r#""…[5 bytes cut]""#),
            (r#""größe""#, 5, r#""gr…[6 bytes cut]""#),
            (r#""ab\ud83d\ude00c""#, 14, r#""ab…[14 bytes cut]""#),
            (r#""ab\ud83d\ude00c""#, 16, r#""ab\ud83d\ude00…[2 bytes cut]""#),
            ("{ssn:1}", 9, r#""…[7 bytes cut]""#),
            ("[1", 9, r#""…[2 bytes cut]""#),
            ("[1,see,2,3,4]", 10, r#""…[13 bytes cut]""#),
        ] {
            assert_eq!(cut(json, max), shown, "{json}");
        }
    }

    #[test]
    fn what_is_no_escape_makes_it_no_json() {
        for (json, max) in [
            ("\"\\éaaaaaaaaaaa\"", 5),
            ("\"\\uaéééaaaaaaaaaaa\"", 14),
            (r#""\ud83d\uéaaaaaaaaaaaa""#, 16),
            (r#"["\qaaaaaaaaaaaaa"]"#, 10),
            (r#""\u12g4aaaaaaaaaaa""#, 12),
        ] {
            assert_eq!(cut(json, max), format!("\"…[{} bytes cut]\"", json.len()), "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in r#"[\[{"]{0,2}("|\\|\\u|\\ud8|[0-9a-f]{1,4}|é|🦀|[\]\[{},: ]|\PC){0,24}"#,
            max in 0_usize..40,
        ) {
            let out = cut(&text, max);
            prop_assert!(out.contains("bytes cut"));
        }

        #[test]
        fn what_is_left_of_json_is_json_of_bounded_length(
            text in r#"(\{("k":(1|true|"(é|\\n|\\ud83d\\ude00|x){0,5}"|\[(1,){0,3}\{\}\]),){0,4}"z":null\}|\[(\[\],|"ab",){0,5}7\])"#,
            max in 0_usize..80,
        ) {
            prop_assume!(text.len() > max);
            let out = cut(&text, max);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{}", out);
            prop_assert!(out.len() <= max + MARK && out.contains("bytes cut"), "{}", out);
        }
    }
}
