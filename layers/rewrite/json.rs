//! Changes nested values in their text, without parsing them into a tree.

use std::ops::Range;

pub(super) use crate::record::json::NotJson;
use crate::record::json::{Grammar, PLAIN, TEXT, end_of_plain, end_of_string, is_literal, is_number};

/// Decides what to hide in a JSON text.
pub(super) trait Hide {
    /// Whether to hide the whole value of the member with this name.
    fn hides(&self, name: &str) -> bool;

    /// Appends the replacement of a hidden member's value; `raw` is its JSON.
    fn write_hidden(&mut self, raw: &str, out: &mut String);

    /// Appends the replacement of a string or of a member's name. Returns `false`, without appending anything, if it stays.
    fn write_text(&mut self, text: &str, out: &mut String) -> bool;

    /// The same for a number.
    fn write_number(&mut self, number: &str, out: &mut String) -> bool;
}

/// Appends the changed text and returns `true`, or returns `false` if nothing changes. Every replacement is a JSON string.
///
/// # Errors
///
/// [`NotJson`] if the text is not valid JSON.
pub(super) fn rewrite(
    json: &str,
    hide: &mut impl Hide,
    memory: &mut JsonBuffers,
    out: &mut String,
) -> Result<bool, NotJson> {
    let bytes = json.as_bytes();
    let JsonBuffers { decoded, shown, open, replaced } = memory;
    replaced.clear();
    let mut grammar = Grammar::new(open);
    let (mut at, mut done) = (0, 0);
    let mut put = |range: Range<usize>, text: &str, out: &mut String| {
        out.push_str(&json[done..range.start]);
        let start = out.len();
        quote(text, out);
        replaced.push(start..out.len());
        done = range.end;
    };
    while let Some(byte) = bytes.get(at) {
        shown.clear();
        let token = at;
        match byte {
            b'"' => {
                grammar.take(TEXT)?;
                at = end_of_string(bytes, token)?;
                let text = decode(&json[token + 1..at - 1], decoded)?;
                let value = value_of_member(bytes, at);
                if hide.write_text(text, shown) {
                    put(token..at, shown, out);
                }
                let Some(value) = value.filter(|_| hide.hides(text)) else { continue };
                grammar.take(b':')?;
                grammar.take(PLAIN)?;
                at = end_of_value(bytes, value)?;
                shown.clear();
                hide.write_hidden(&json[value..at], shown);
                put(value..at, shown, out);
            }
            b'-' | b'0'..=b'9' => {
                grammar.take(PLAIN)?;
                at = end_of_plain(bytes, token);
                if !is_number(&bytes[token..at]) {
                    return Err(NotJson);
                }
                if hide.write_number(&json[token..at], shown) {
                    put(token..at, shown, out);
                }
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => {
                grammar.take(*byte)?;
                at += 1;
            }
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            _ => {
                grammar.take(PLAIN)?;
                at = end_of_plain(bytes, token);
                if !is_literal(&bytes[token..at]) {
                    return Err(NotJson);
                }
            }
        }
    }
    grammar.end()?;
    if done > 0 {
        out.push_str(&json[done..]);
    }
    Ok(done > 0)
}

/// Buffers that are reused for the next text.
#[derive(Default)]
pub(super) struct JsonBuffers {
    decoded: String,
    shown: String,
    open: Vec<u8>,
    /// Where the replacements are, in ascending order.
    replaced: Vec<Range<usize>>,
}

impl JsonBuffers {
    pub(super) fn capacity(&self) -> usize {
        let replaced = self.replaced.capacity() * size_of::<Range<usize>>();
        self.decoded.capacity() + self.shown.capacity() + self.open.capacity() + replaced
    }

    /// Returns where the replacements of the last [`rewrite`] are in what it appended to, in ascending order.
    pub(super) fn replaced(&self) -> &[Range<usize>] {
        &self.replaced
    }
}

/// Returns the text of a string, or the JSON of any other value: the same as if the value were a field.
pub(super) fn text_of<'a>(raw: &'a str, memory: &'a mut String) -> &'a str {
    let inside = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    match inside {
        Some(inside) => decode(inside, memory).unwrap_or(raw),
        None => raw,
    }
}

/// Returns where the value begins, if the string that ends at `end` is a member's name.
fn value_of_member(bytes: &[u8], end: usize) -> Option<usize> {
    let colon = skip_space(bytes, end);
    (bytes.get(colon) == Some(&b':')).then(|| skip_space(bytes, colon + 1))
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

fn end_of_value(bytes: &[u8], start: usize) -> Result<usize, NotJson> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match bytes.get(at).ok_or(NotJson)? {
            b'"' => at = end_of_string(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1).ok_or(NotJson)?;
                at += 1;
            }
            _ if depth > 0 => at += 1,
            _ => return Some(end_of_plain(bytes, at)).filter(|end| *end > at).ok_or(NotJson),
        }
        if depth == 0 {
            return Ok(at);
        }
    }
}

/// RFC 8259, section 7; an unpaired surrogate becomes U+FFFD.
fn decode<'a>(raw: &'a str, memory: &'a mut String) -> Result<&'a str, NotJson> {
    if !raw.contains('\\') {
        return Ok(raw);
    }
    memory.clear();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        memory.push_str(before);
        let letter = after.chars().next().ok_or(NotJson)?;
        rest = &after[letter.len_utf8()..];
        memory.push(match letter {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '"' | '\\' | '/' => letter,
            'u' => take_unicode(&mut rest)?,
            _ => return Err(NotJson),
        });
    }
    memory.push_str(rest);
    Ok(memory)
}

fn take_unicode(rest: &mut &str) -> Result<char, NotJson> {
    let first = take_hex(rest)?;
    let Some(mut behind) = rest.strip_prefix("\\u").filter(|_| (0xd800..0xdc00).contains(&first)) else {
        return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    };
    let second = take_hex(&mut behind)?;
    if !(0xdc00..0xe000).contains(&second) {
        return Ok(char::REPLACEMENT_CHARACTER);
    }
    *rest = behind;
    let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn take_hex(rest: &mut &str) -> Result<u32, NotJson> {
    let (digits, behind) = rest.split_at_checked(4).ok_or(NotJson)?;
    *rest = behind;
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| plain).ok_or(NotJson)
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => {
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                out.push_str("\\u00");
                out.extend([digit(char as u32 >> 4), digit(char as u32 & 15)]);
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hides members called `k"`, the text `s`, and sevens.
    struct Some7;

    impl Hide for Some7 {
        fn hides(&self, name: &str) -> bool {
            name == "k\""
        }

        fn write_hidden(&mut self, _raw: &str, out: &mut String) {
            out.push('*');
        }

        fn write_text(&mut self, text: &str, out: &mut String) -> bool {
            let hides = text.contains('s');
            out.push_str(&if hides { text.replace('s', "\"\n\u{1}") } else { String::new() });
            hides
        }

        fn write_number(&mut self, number: &str, out: &mut String) -> bool {
            out.push_str(if number == "7" { "seven" } else { "" });
            number == "7"
        }
    }

    fn rewritten(json: &str) -> Option<String> {
        let mut out = String::new();
        let changed = rewrite(json, &mut Some7, &mut JsonBuffers::default(), &mut out).ok()?;
        assert_eq!(changed, !out.is_empty());
        Some(if changed { out } else { json.to_owned() })
    }

    #[test]
    fn members_texts_and_numbers_are_replaced_in_place() {
        for (json, shown) in [
            (
                r#"{"a": [1, 7, -7.5e3, true, null], "k\"": {"x": ["}"]}, "b": 2}"#,
                r#"{"a": [1, "seven", -7.5e3, true, null], "k\"": "*", "b": 2}"#,
            ),
            (r#"{"k\u0022" : 1}"#, r#"{"k\u0022" : "*"}"#),
            (r#"["a\u0073b\ud83d\ude00"]"#, r#"["a\"\n\u0001b😀"]"#),
            (r#"{"s":7}"#, r#"{"\"\n\u0001":"seven"}"#),
            (r#""k\"""#, r#""k\"""#),
            ("7", "\"seven\""),
            ("[]", "[]"),
        ] {
            assert_eq!(rewritten(json).as_deref(), Some(shown));
            assert!(serde_json::from_str::<serde_json::Value>(shown).is_ok());
        }
    }

    #[test]
    fn invalid_json_is_refused() {
        for json in ["{\"k\\\"\":", "\"open", "\"\\q\"", "?", "{\"k\\\"\":]}", "\"\\u12\"", "{\"k\\\"\":{"] {
            assert_eq!(rewritten(json), None, "{json}");
        }
    }
}
