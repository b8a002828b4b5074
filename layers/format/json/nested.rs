//! Reads the parts of nested values, which are JSON text, without building a tree.

/// A JSON value, classified by its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Piece<'j> {
    Null,
    Bool(bool),
    /// The number as written.
    Number(&'j str),
    /// The string, including its quotes and escapes.
    Text(&'j str),
    List(Items<'j>),
    Object(Members<'j>),
}

/// An iterator over the items of a list, each as JSON text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Items<'j>(&'j str);

/// An iterator over the members of an object: the key without quotes but with its escapes, and the value as JSON text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Members<'j>(&'j str);

impl<'j> Piece<'j> {
    /// Classifies `json`, which should be one valid JSON text (RFC 8259). Parts of an invalid text may be missed.
    pub(super) fn of(json: &'j str) -> Self {
        let json = trimmed(json);
        match json.as_bytes().first() {
            Some(b'{') => Self::Object(Members(&json[1..])),
            Some(b'[') => Self::List(Items(&json[1..])),
            Some(b'"') => Self::Text(json),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'-' | b'0'..=b'9') => Self::Number(json),
            _ => Self::Null,
        }
    }
}

impl<'j> Iterator for Items<'j> {
    type Item = &'j str;

    fn next(&mut self) -> Option<&'j str> {
        let rest = self.0.trim_start_matches(is_between);
        let (item, rest) = rest.split_at_checked(end_of_value(rest)).filter(|(item, _)| !item.is_empty())?;
        self.0 = rest;
        Some(item)
    }
}

impl<'j> Iterator for Members<'j> {
    type Item = (&'j str, &'j str);

    fn next(&mut self) -> Option<(&'j str, &'j str)> {
        let rest = self.0.trim_start_matches(is_between);
        let (key, rest) = rest.split_at_checked(end_of_text(rest)).filter(|(key, _)| key.len() >= 2)?;
        let rest = rest.trim_start_matches(|char| is_space(char) || char == ':');
        let (value, rest) = rest.split_at_checked(end_of_value(rest)).filter(|(value, _)| !value.is_empty())?;
        self.0 = rest;
        Some((&key[1..key.len() - 1], value))
    }
}

fn trimmed(json: &str) -> &str {
    json.trim_matches(is_space)
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

fn is_between(char: char) -> bool {
    is_space(char) || char == ','
}

/// Returns the length of the value at the start of `json`, or 0 if it does not start with one.
fn end_of_value(json: &str) -> usize {
    match json.as_bytes().first() {
        Some(b'"') => end_of_text(json),
        Some(b'{' | b'[') => end_of_brackets(json),
        _ => json.find(|char| is_between(char) || matches!(char, '}' | ']')).unwrap_or(json.len()),
    }
}

/// Returns the length of the string at the start of `json`, including its quotes, or 0 if it does not start with one.
fn end_of_text(json: &str) -> usize {
    let mut bytes = json.bytes().enumerate();
    if bytes.next().is_none_or(|(_, byte)| byte != b'"') {
        return 0;
    }
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    0
}

/// Returns the length of the list or object at the start of `json`. Counts brackets instead of recursing, because the
/// input determines the depth.
fn end_of_brackets(json: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = json.as_bytes().get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => match end_of_text(&json[at..]) {
                0 => return 0,
                length => at += length - 1,
            },
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reading_any_text_terminates(text in "[\\[\\]{}\",:\\\\a1é \n]{0,24}") {
            let pieces = match Piece::of(&text) {
                Piece::Object(members) => members.count(),
                Piece::List(items) => items.count(),
                _ => 0,
            };
            prop_assert!(pieces <= text.len());
        }

        #[test]
        fn a_valid_text_is_read_as_serde_json_reads_it(keys in prop::collection::btree_map(".{0,8}", ".{0,8}", 0..5)) {
            let json = serde_json::to_string_pretty(&keys).expect("JSON");
            let Piece::Object(members) = Piece::of(&json) else { panic!("no object") };
            let read = |json: &str| serde_json::from_str::<String>(json).expect("a text");
            let found: Vec<_> = members.map(|(key, value)| (read(&format!("\"{key}\"")), read(value))).collect();
            prop_assert_eq!(found, keys.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_object_is_split_into_its_members() {
        let json = r#" { "a" : 1 , "b\"{" : { "c" : [ "}" , null ] } ,"d":"x\\","e":[]} "#;
        let Piece::Object(members) = Piece::of(json) else { panic!("no object") };
        let members: Vec<_> = members.collect();
        assert_eq!(members, [("a", "1"), ("b\\\"{", r#"{ "c" : [ "}" , null ] }"#), ("d", r#""x\\""#), ("e", "[]")]);
    }

    #[test]
    fn a_list_is_split_into_its_items() {
        let Piece::List(items) = Piece::of(r#"[1,"a,b",[2,[3]],{"c":4},true,null]"#) else { panic!("no list") };
        let items: Vec<_> = items.collect();
        assert_eq!(items, ["1", r#""a,b""#, "[2,[3]]", r#"{"c":4}"#, "true", "null"]);
        assert_eq!(Piece::of("[]"), Piece::List(Items("]")));
        assert_eq!(Items("]").next(), None);
        assert_eq!(Members(" }").next(), None);
    }

    #[test]
    fn reading_invalid_json_terminates() {
        for broken in
            ["{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":{", "[", "[\"", "[[", "[,", "{]", "{\"a\":]}", "é"]
        {
            match Piece::of(broken) {
                Piece::Object(members) => assert!(members.count() < 3, "{broken}"),
                Piece::List(items) => assert!(items.count() < 3, "{broken}"),
                other => assert_eq!(other, Piece::Null),
            }
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let Piece::List(mut items) = Piece::of(&deep) else { panic!("no list") };
        assert_eq!(items.next().map(str::len), Some(199_998));
    }
}
