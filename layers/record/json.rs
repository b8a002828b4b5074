//! The tokens and the grammar of nested values.

/// Checks the grammar (RFC 8259): in a text that is not JSON, names cannot be told from other strings.
pub(crate) struct Grammar<'m> {
    next: Next,
    /// The closing brackets of all that are open.
    open: &'m mut Vec<u8>,
}

#[derive(Clone, Copy)]
enum Next {
    Value,
    /// The first value, or the end of the list.
    Item,
    Name,
    /// The first name, or the end of the object.
    Member,
    Colon,
    End,
}

#[derive(Debug)]
pub(crate) struct NotJson;

impl<'m> Grammar<'m> {
    pub(crate) fn new(open: &'m mut Vec<u8>) -> Self {
        open.clear();
        Self { next: Next::Value, open }
    }

    /// Accepts one of the signs, [`TEXT`] or [`PLAIN`].
    pub(crate) fn take(&mut self, token: u8) -> Result<(), NotJson> {
        self.next = match (self.next, token) {
            (Next::Value | Next::Item, TEXT | PLAIN) => Next::End,
            (Next::Value | Next::Item, b'{') => {
                self.open.push(b'}');
                Next::Member
            }
            (Next::Value | Next::Item, b'[') => {
                self.open.push(b']');
                Next::Item
            }
            (Next::Name | Next::Member, TEXT) => Next::Colon,
            (Next::Colon, b':') => Next::Value,
            (Next::End, b',') => match self.open.last() {
                Some(b'}') => Next::Name,
                Some(_) => Next::Value,
                None => return Err(NotJson),
            },
            (Next::End | Next::Item | Next::Member, b'}' | b']') if self.open.pop() == Some(token) => Next::End,
            _ => return Err(NotJson),
        };
        Ok(())
    }

    pub(crate) fn end(&self) -> Result<(), NotJson> {
        let is_whole = self.is_after_value() && self.open.is_empty();
        is_whole.then_some(()).ok_or(NotJson)
    }

    pub(super) fn is_before_value(&self) -> bool {
        matches!(self.next, Next::Value | Next::Item)
    }

    pub(super) fn is_after_value(&self) -> bool {
        matches!(self.next, Next::End)
    }

    /// Whether a list or an object has begun and nothing is in it yet.
    pub(super) fn is_in_empty(&self) -> bool {
        matches!(self.next, Next::Item | Next::Member)
    }

    pub(super) fn open(&self) -> &[u8] {
        self.open
    }
}

/// A string.
pub(crate) const TEXT: u8 = b'"';
/// Any other scalar value.
pub(crate) const PLAIN: u8 = b'0';

/// Returns the end of a number, `true`, `false` or `null`.
pub(crate) fn end_of_plain(bytes: &[u8], start: usize) -> usize {
    let is_plain = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    start + bytes[start..].iter().take_while(is_plain).count()
}

/// RFC 8259, section 6.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, mut rest) = text.split_at(digits(text));
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return false;
    }
    if let Some(behind) = rest.strip_prefix(b".") {
        rest = &behind[digits(behind)..];
        if rest.len() == behind.len() {
            return false;
        }
    }
    let [b'e' | b'E', exponent @ ..] = rest else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

pub(crate) fn is_literal(text: &[u8]) -> bool {
    matches!(text, b"true" | b"false" | b"null")
}

/// Returns the position after the closing quote.
pub(crate) fn end_of_string(bytes: &[u8], start: usize) -> Result<usize, NotJson> {
    let mut at = start + 1;
    loop {
        match bytes.get(at).ok_or(NotJson)? {
            b'"' => return Ok(at + 1),
            b'\\' => at += 2,
            b'\0'..b' ' => return Err(NotJson),
            _ => at += 1,
        }
    }
}
