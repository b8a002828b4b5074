//! Checks that a text from outside is valid as a nested value.

/// Whether `text` is one text of JSON (RFC 8259) without line breaks, nested at most 128 levels deep.
///
/// Lone surrogates (`"\ud800"`), which the grammar allows, are refused, since many parsers reject them.
pub(super) fn is_one_line(text: &str) -> bool {
    let mut checker = Checker { bytes: text.as_bytes(), at: 0, objects: 0, depth: 0 };
    checker.check().is_some() && checker.at == text.len()
}

/// Keeps its stack in an integer instead of recursing.
struct Checker<'j> {
    bytes: &'j [u8],
    at: usize,
    /// One bit per open list or object, the innermost lowest; set for objects.
    objects: u128,
    depth: u32,
}

impl Checker<'_> {
    /// Returns `None` if the text is invalid.
    fn check(&mut self) -> Option<()> {
        loop {
            self.skip_spaces();
            match self.next()? {
                b'{' => {
                    self.open(true)?;
                    self.skip_spaces();
                    match self.next()? {
                        b'}' => self.close(),
                        b'"' => {
                            self.key()?;
                            continue;
                        }
                        _ => return None,
                    }
                }
                b'[' => {
                    self.open(false)?;
                    self.skip_spaces();
                    match self.peek()? {
                        b']' => {
                            self.at += 1;
                            self.close();
                        }
                        _ => continue,
                    }
                }
                first => self.scalar(first)?,
            }
            if self.end_of_value()? {
                return Some(());
            }
        }
    }

    /// Moves from the end of a value to the start of the next one. Returns `true` if there is none.
    fn end_of_value(&mut self) -> Option<bool> {
        loop {
            self.skip_spaces();
            if self.depth == 0 {
                return Some(true);
            }
            let is_object = self.objects & 1 == 1;
            match (self.next()?, is_object) {
                (b',', false) => return Some(false),
                (b',', true) => {
                    self.skip_spaces();
                    self.expect(b'"')?;
                    self.key()?;
                    return Some(false);
                }
                (b']', false) | (b'}', true) => self.close(),
                _ => return None,
            }
        }
    }

    fn open(&mut self, is_object: bool) -> Option<()> {
        if self.depth == u128::BITS {
            return None;
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(is_object);
        Some(())
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    /// Reads the rest of a key, and its colon.
    fn key(&mut self) -> Option<()> {
        self.string()?;
        self.skip_spaces();
        self.expect(b':')
    }

    fn scalar(&mut self, first: u8) -> Option<()> {
        match first {
            b'"' => self.string(),
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'n' => self.word(b"ull"),
            b'-' => {
                let first = self.next()?;
                self.number(first)
            }
            _ => self.number(first),
        }
    }

    /// Reads the rest of a string.
    fn string(&mut self) -> Option<()> {
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                ..b' ' => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => match self.hex()? {
                0xd800..=0xdbff => {
                    self.word(b"\\u")?;
                    matches!(self.hex()?, 0xdc00..=0xdfff).then_some(())
                }
                0xdc00..=0xdfff => None,
                _ => Some(()),
            },
            _ => None,
        }
    }

    fn hex(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |number, _| Some(number << 4 | char::from(self.next()?).to_digit(16)?))
    }

    /// Reads the rest of a number whose first digit is `first`.
    fn number(&mut self, first: u8) -> Option<()> {
        match first {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// Reads one or more digits.
    fn digits(&mut self) -> Option<()> {
        self.next()?.is_ascii_digit().then_some(())?;
        self.skip_digits();
        Some(())
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn skip_spaces(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        rest.iter().try_for_each(|byte| self.expect(*byte))
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn serde_takes(text: &str) -> bool {
        !text.contains(['\n', '\r']) && serde_json::from_str::<serde_json::Value>(text).is_ok()
    }

    /// serde_json refuses what exceeds a double, which is valid JSON all the same.
    fn may_be_huge(text: &str) -> bool {
        text.as_bytes()
            .windows(4)
            .any(|four| matches!(four[0], b'e' | b'E') && four[2..].iter().all(u8::is_ascii_digit))
    }

    #[test]
    fn valid_json_is_accepted_and_nothing_else() {
        let good = [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "12",
            "-1.5e+10",
            "1E2",
            "0.0",
            "\"\"",
            "\"a\\\"\\u00e4\\ud83d\\ude00é\"",
            "[]",
            "{}",
            " [ 1 , [ ] , { } ] ",
            "{\"a\":{\"b\":[true]},\"a\":1}",
            "\t1",
        ];
        let bad = [
            "",
            " ",
            "nul",
            "truee",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\u12g4\"",
            "\"a\u{1}\"",
            "[",
            "[1",
            "[1,]",
            "[,1]",
            "[1}",
            "{",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "1 2",
            "[] []",
            "\n1",
            "[1,\n2]",
            "\"a\nb\"",
            "1\r",
            "\u{feff}1",
            "NaN",
            "]",
            "}",
        ];
        for text in good {
            assert!(is_one_line(text), "{text}");
        }
        for text in bad {
            assert!(!is_one_line(text), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_one_line(&deep(128)));
        assert!(!is_one_line(&deep(129)));
        assert!(!is_one_line(&"[".repeat(1 << 20)));
        assert!(is_one_line(&("{\"a\":".repeat(128) + "1" + &"}".repeat(128))));
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde_json(text in "[\\[\\]{}\",: \\\\u0eE.+\\-1dn\\n]{0,12}|(\\[|\\]|,|1|\\{\"a\":|\\}|\"\\\\u0041\"|true| ){0,9}") {
            prop_assume!(!may_be_huge(&text));
            prop_assert_eq!(is_one_line(&text), serde_takes(&text), "{}", text);
        }
    }
}
