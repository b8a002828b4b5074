//! Text from elsewhere, made safe for JSON and for lines that people read.
//!
//! What is escaped: control characters (C0, DEL, C1), the characters that turn the direction of text, and those that
//! are not seen at all. None of them may reach a reader raw: they can forge a line, move a terminal's cursor, or make a
//! line look like another one. All other text stays as it is, in whatever script.

/// Appends `text` as the inside of a JSON string (RFC 8259 section 7).
#[inline]
pub(crate) fn json(out: &mut Vec<u8>, text: &str) {
    escape::<true>(out, text, json_char);
}

/// Appends `text` for people, outside quotes: quotes and backslashes stay as they are.
#[inline]
pub(crate) fn plain(out: &mut Vec<u8>, text: &str) {
    escape::<false>(out, text, text_char);
}

/// Appends `text` for people, as the inside of double quotes.
#[inline]
pub(crate) fn quoted(out: &mut Vec<u8>, text: &str) {
    escape::<true>(out, text, text_char);
}

/// Whether `text` can stand without quotes in `key=value`: it can be taken neither for two pairs nor for the end of one.
pub(crate) fn is_bare(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(|&byte| BARE[byte as usize]) {
        return false;
    }
    text.is_ascii() || !text.chars().any(|char| char.is_whitespace() || is_hidden(char))
}

/// The one loop: copies what is clean in one piece, and hands each character that is not to `write`.
#[inline]
fn escape<const QUOTES: bool>(out: &mut Vec<u8>, text: &str, write: fn(&mut Vec<u8>, char)) {
    match find::<QUOTES>(text, 0) {
        None => out.extend_from_slice(text.as_bytes()),
        Some((at, char)) => escape_from::<QUOTES>(out, text, write, at, char),
    }
}

#[cold]
fn escape_from<const QUOTES: bool>(
    out: &mut Vec<u8>,
    text: &str,
    write: fn(&mut Vec<u8>, char),
    mut at: usize,
    mut char: char,
) {
    let mut done = 0;
    loop {
        out.extend_from_slice(&text.as_bytes()[done..at]);
        write(out, char);
        done = at + char.len_utf8();
        match find::<QUOTES>(text, done) {
            Some(next) => (at, char) = next,
            None => break,
        }
    }
    out.extend_from_slice(&text.as_bytes()[done..]);
}

/// The first character at or after `from` that must be escaped, and where it starts.
#[inline]
fn find<const QUOTES: bool>(text: &str, mut from: usize) -> Option<(usize, char)> {
    loop {
        from = find_suspect::<QUOTES>(text.as_bytes(), from)?;
        // Suspects are ASCII or lead bytes, so this is a character's start.
        let char = text.get(from..)?.chars().next()?;
        if char.is_ascii() || is_hidden(char) {
            return Some((from, char));
        }
        from += char.len_utf8();
    }
}

/// The first byte at or after `from` that must be escaped, or that may begin a character that must be.
#[inline]
fn find_suspect<const QUOTES: bool>(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = &bytes[from..];
    let (blocks, tail) = rest.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if any_suspect::<QUOTES>(block) {
            return position::<QUOTES>(bytes, from + index * BLOCK);
        }
    }
    match rest.last_chunk::<BLOCK>() {
        // Looking twice at a few bytes is cheaper than looking at the last ones singly.
        Some(block) if tail.is_empty() || !any_suspect::<QUOTES>(block) => None,
        _ => position::<QUOTES>(bytes, bytes.len() - tail.len()),
    }
}

/// Without a branch, so that the compiler makes it a few vector instructions: half the time of eight bytes in a `u64`.
#[inline]
fn any_suspect<const QUOTES: bool>(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(false, |any, &byte| any | is_suspect::<QUOTES>(byte))
}

#[inline]
fn position<const QUOTES: bool>(bytes: &[u8], from: usize) -> Option<usize> {
    let table = if QUOTES { &SUSPECT_IN_QUOTES } else { &SUSPECT };
    bytes[from..].iter().position(|&byte| table[byte as usize]).map(|at| from + at)
}

/// `write!` would cost more than the rest of the line, hence the hand-made digits below.
fn json_char(out: &mut Vec<u8>, char: char) {
    match char {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        _ => {
            for unit in char.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(b"\\u");
                hex_digits(out, u32::from(*unit), 4);
            }
        }
    }
}

fn text_char(out: &mut Vec<u8>, char: char) {
    match char {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..='\x7f' => {
            out.extend_from_slice(b"\\x");
            hex_digits(out, u32::from(char), 2);
        }
        _ => {
            out.extend_from_slice(b"\\u{");
            let digits = (32 - u32::from(char).leading_zeros()).div_ceil(4);
            hex_digits(out, u32::from(char), digits);
            out.push(b'}');
        }
    }
}

fn hex_digits(out: &mut Vec<u8>, number: u32, digits: u32) {
    for digit in (0..digits).rev() {
        out.push(HEX[(number >> (digit * 4)) as usize % 16]);
    }
}

/// Appends bytes as lower-case hexadecimal.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() * 2);
    for &byte in bytes {
        out.extend_from_slice(&[HEX[byte as usize >> 4], HEX[byte as usize % 16]]);
    }
}

/// Beyond ASCII: C1 controls, what turns the direction of text, what is not seen, and Unicode's line ends.
const fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// In ASCII: what must be escaped. Beyond: the lead bytes of the characters of [`is_hidden`].
const fn is_suspect<const QUOTES: bool>(byte: u8) -> bool {
    (byte < 0x20)
        | (byte == 0x7f)
        | (QUOTES & ((byte == b'"') | (byte == b'\\')))
        | (byte == 0xc2)
        | (byte == 0xd8)
        | (byte == 0xe1)
        | (byte == 0xe2)
        | (byte == 0xef)
        | (byte == 0xf3)
}

const fn is_bare_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && !matches!(byte, b'"' | b'\\' | b'=' | b'{' | b'}')
}

const fn suspects<const QUOTES: bool>() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_suspect::<QUOTES>(byte as u8);
        byte += 1;
    }
    table
}

static SUSPECT: [bool; 256] = suspects::<false>();
static SUSPECT_IN_QUOTES: [bool; 256] = suspects::<true>();
static BARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_bare_byte(byte as u8);
        byte += 1;
    }
    table
};

const BLOCK: usize = 16;
const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests;
