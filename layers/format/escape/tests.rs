use std::collections::HashSet;
use std::sync::LazyLock;

use super::*;

/// Every character that must never be seen raw.
pub(crate) fn dangerous() -> impl Iterator<Item = char> {
    let ranges = [
        (0x00, 0x1f),
        (0x7f, 0x9f),
        // Unicode's line ends, and the interlinear annotations.
        (0x2028, 0x2029),
        (0xfff9, 0xfffb),
        // The property Default_Ignorable_Code_Point.
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x61c, 0x61c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x202a, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        // Those of emoji, U+FE0E and U+FE0F, stay.
        (0xfe00, 0xfe0d),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfff8),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
    ];
    ranges.into_iter().flat_map(|(from, to)| from..=to).filter_map(char::from_u32)
}

/// Whether one of them stands in `text`.
pub(crate) fn has_dangerous(text: &str) -> bool {
    static SET: LazyLock<HashSet<char>> = LazyLock::new(|| dangerous().collect());
    text.chars().any(|char| !matches!(char, ' '..='~') && SET.contains(&char))
}

fn written(write: fn(&mut Vec<u8>, &str), text: &str) -> String {
    let mut out = Vec::new();
    write(&mut out, text);
    String::from_utf8(out).unwrap()
}

/// `text`, or `None` where it is not bare.
fn written_bare(text: &str) -> Option<String> {
    let mut out = b"before".to_vec();
    let bare = bare(&mut out, text);
    let written = String::from_utf8(out.split_off(6)).unwrap();
    assert!(bare || written.is_empty(), "{text:?} left {written:?}");
    bare.then_some(written)
}

/// The obvious way, to compare with.
fn is_bare_slowly(text: &str) -> bool {
    let parts = |char: char| matches!(char, '"' | '\\' | '=' | '{' | '}') || char.is_whitespace();
    !text.is_empty() && !text.chars().any(parts) && !has_dangerous(text)
}

/// The obvious way, to compare with.
fn slowly(text: &str, quotes: bool, write: fn(&mut Vec<u8>, char)) -> String {
    let mut out = Vec::new();
    for char in text.chars() {
        match has_dangerous(char.encode_utf8(&mut [0; 4])) || quotes && matches!(char, '"' | '\\') {
            true => write(&mut out, char),
            false => out.extend_from_slice(char.to_string().as_bytes()),
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn every_dangerous_character_is_escaped_wherever_it_stands() {
    for char in dangerous() {
        for before in [0, 1, 3, 4, 7, 8, 15, 16, 17, 33] {
            let text =
                format!("{}{char}tail that is longer than a block", "é".repeat(before % 3) + &"x".repeat(before));
            let quoted = [written(quoted, &text), written(logfmt, &text), written(cell, &text)];
            for line in [written(json, &text), written(plain, &text)].into_iter().chain(quoted) {
                assert!(!line.contains(char), "{char:?} after {before}");
            }
            let back: String = serde_json::from_str(&format!("\"{}\"", written(json, &text))).unwrap();
            assert_eq!(back, text);
        }
    }
}

#[test]
fn every_other_character_stays_as_it_is() {
    let dangerous: HashSet<char> = dangerous().chain(['"', '\\']).collect();
    let text: String = ('\0'..=char::MAX).filter(|char| !dangerous.contains(char)).collect();
    assert_eq!(written(json, &text), text);
    assert_eq!(written(plain, &text), text);
    assert_eq!(written(quoted, &text), text);
}

#[test]
fn emoji_stay_as_they_are() {
    for text in ["❤\u{fe0f}", "⚠\u{fe0e} low", "it works ✔\u{fe0f}✔\u{fe0f}", "1\u{fe0f}\u{20e3}"] {
        for write in [json, plain, quoted, logfmt, cell] {
            assert_eq!(written(write, text), text);
        }
    }
    assert_eq!(written_bare("❤\u{fe0f}").as_deref(), Some("❤\u{fe0f}"));
    assert_eq!(written_bare("❤\u{fe0d}"), None);
    assert_eq!(written(plain, "👩\u{200d}👧\u{fe00}"), r"👩\u{200d}👧\u{fe00}");
}

#[test]
fn escapes_look_like_this() {
    let text = "a\"b\\c\n\r\t\u{8}\u{c}\u{1b}[31m\u{7f}\u{85}\u{202e}\u{e0041}é";
    assert_eq!(written(json, text), r#"a\"b\\c\n\r\t\b\f\u001b[31m\u007f\u0085\u202e\udb40\udc41é"#);
    assert_eq!(written(plain, text), r#"a"b\c\n\r\t\x08\x0c\x1b[31m\x7f\u{85}\u{202e}\u{e0041}é"#);
    assert_eq!(written(quoted, text), r#"a\"b\\c\n\r\t\x08\x0c\x1b[31m\x7f\u{85}\u{202e}\u{e0041}é"#);
    assert_eq!(written(logfmt, text), r#"a\"b\\c\n\r\t\u0008\u000c\u001b[31m\u007f\u0085\u202e\udb40\udc41é"#);
    assert_eq!(written(cell, text), r#"a""b\\c\n\r\t\u0008\u000c\u001b[31m\u007f\u0085\u202e\udb40\udc41é"#);
    let lines = "a\"\"b\\\\c\n\r\\t\\u0008\\u000c\\u001b[31m\\u007f\\u0085\\u202e\\udb40\\udc41é";
    assert_eq!(written(cell_of_lines, text), lines);
    assert_eq!(written(made_cell, text), lines.replace(r"\\", r"\"));
}

#[test]
fn only_what_cannot_be_misread_is_bare() {
    for text in ["a", "GET", "/path/x?y", "naïve", "日本", "1.5", "a:b,c", "<x>"] {
        assert_eq!(written_bare(text).as_deref(), Some(text));
    }
    for text in ["", "a b", "a=b", "\"", "a\\", "{x}", "a\u{a0}b", "a\u{3000}b", "a\u{202e}", "\n", "\u{1b}", "\u{7f}"]
    {
        assert_eq!(written_bare(text), None, "{text:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    #[test]
    fn the_fast_way_is_the_obvious_way(text in "([ -~]{0,20}|[\u{80}-\u{2100}]{0,9}|.{0,9}|[\"\\\\\u{0}-\u{20}]){0,5}") {
        proptest::prop_assert_eq!(written(json, &text), slowly(&text, true, json_char));
        proptest::prop_assert_eq!(written(plain, &text), slowly(&text, false, text_char));
        proptest::prop_assert_eq!(written(quoted, &text), slowly(&text, true, text_char));
        proptest::prop_assert_eq!(written_bare(&text), is_bare_slowly(&text).then(|| text.clone()));
    }

    #[test]
    fn what_is_bare_is_found_fast_and_slowly_alike(text in "[!-~]{0,40}|[!#-<>-z|~]{0,40}.?[!#-<>-z|~]{0,20}|[a-zé日\u{a0}\u{202e}]{0,20}") {
        proptest::prop_assert_eq!(written_bare(&text), is_bare_slowly(&text).then(|| text.clone()));
        proptest::prop_assert_eq!(has_sign(text.as_bytes()), text.contains(['=', '{', '}']));
    }
}

#[test]
fn white_space_between_nested_values_stays_white_space() {
    let mut out = Vec::new();
    nested_json(&mut out, "{\t\"a\\tb\u{7f}\":\r\n[\t1, 2]}");
    let text = str::from_utf8(&out).unwrap();
    assert_eq!(text, "{ \"a\\tb\\u007f\":  [ 1, 2]}");
    assert!(serde_json::from_str::<serde_json::Value>(text).is_ok());
}
