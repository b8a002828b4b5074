//! Escapes text of the program for JSON and for lines that people read.
//!
//! Control characters (C0, DEL, C1), characters that change the direction of text, and invisible ones are escaped, since they can
//! forge a line, move a terminal's cursor, or make a line look like another one. All other text is unchanged, in any script.

use crate::bytes::hidden::{is_hidden, is_lead};

/// Appends `text` as the inside of a JSON string (RFC 8259 section 7).
#[inline]
pub(crate) fn json(out: &mut Vec<u8>, text: &str) {
    escape::<QUOTED>(out, text, json_char);
}

/// Appends valid JSON, and escapes the characters that JSON allows in strings but that must not reach a terminal.
pub(crate) fn nested_json(out: &mut Vec<u8>, json: &str) {
    escape::<PLAIN>(out, json, |out, char| match char {
        // Between values, where an escape would be invalid. Strings have none of them.
        '\t' | '\n' | '\r' => out.push(b' '),
        _ => json_char(out, char),
    });
}

/// Appends `text` for lines, outside quotes: quotes and backslashes are not escaped.
#[inline]
pub(crate) fn plain(out: &mut Vec<u8>, text: &str) {
    escape::<PLAIN>(out, text, text_char);
}

/// Appends `text` for lines, as the inside of double quotes.
#[inline]
pub(crate) fn quoted(out: &mut Vec<u8>, text: &str) {
    escape::<QUOTED>(out, text, text_char);
}

/// Appends `text` as the inside of double quotes in which `\"`, `\\`, `\n`, `\r`, `\t` and `\uXXXX` are the only escapes.
#[inline]
pub(crate) fn logfmt(out: &mut Vec<u8>, text: &str) {
    escape::<QUOTED>(out, text, unicode_char);
}

/// Appends `text` as the inside of a CSV cell: quotes are doubled, the rest is escaped as by [`logfmt`].
#[inline]
pub(crate) fn cell(out: &mut Vec<u8>, text: &str) {
    escape::<QUOTED>(out, text, |out, char| match char {
        '"' => out.extend_from_slice(b"\"\""),
        _ => unicode_char(out, char),
    });
}

/// Like [`cell`], but line breaks are not escaped.
pub(crate) fn cell_of_lines(out: &mut Vec<u8>, text: &str) {
    escape::<QUOTED>(out, text, |out, char| match char {
        '"' => out.extend_from_slice(b"\"\""),
        '\n' | '\r' => out.push(char as u8),
        _ => unicode_char(out, char),
    });
}

/// Like [`cell`], for text that is escaped already: line breaks and backslashes are not escaped.
pub(crate) fn made_cell(out: &mut Vec<u8>, text: &str) {
    escape::<QUOTED>(out, text, |out, char| match char {
        '"' => out.extend_from_slice(b"\"\""),
        '\\' | '\n' | '\r' => out.push(char as u8),
        _ => unicode_char(out, char),
    });
}

/// Appends `text` if it needs no quotes in `key=value`, where it must not be taken for two pairs or the end of one. Otherwise appends
/// nothing and returns `false`.
#[inline(always)]
pub(crate) fn bare(out: &mut Vec<u8>, text: &str) -> bool {
    bare_ascii(out, text) || (!is_ascii(text.as_bytes()) && bare_beyond_ascii(out, text))
}

/// Like [`bare`], but appends only ASCII texts.
#[inline]
pub(crate) fn bare_ascii(out: &mut Vec<u8>, text: &str) -> bool {
    let start = out.len();
    let bare = copy_clean::<BARE>(out, text.as_bytes()) && !text.is_empty();
    if !bare {
        out.truncate(start);
    }
    bare
}

/// Works in blocks: `str::is_ascii` reads short texts byte by byte.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    no_block(bytes, |block| u128::from_ne_bytes(*block) & (u128::MAX / 255 * 0x80) != 0)
}

/// Whether `bytes` contains any of the delimiters of fields and spans.
#[inline]
pub(crate) fn has_sign(bytes: &[u8]) -> bool {
    !no_block(bytes, |block| any(block, |byte| (byte == b'=') | (byte == b'{') | (byte == b'}')))
}

#[cold]
fn bare_beyond_ascii(out: &mut Vec<u8>, text: &str) -> bool {
    let bare = is_bare_beyond_ascii(text);
    if bare {
        out.extend_from_slice(text.as_bytes());
    }
    bare
}

fn is_bare_beyond_ascii(text: &str) -> bool {
    text.chars().all(|char| match u8::try_from(char) {
        Ok(byte @ ..0x80) => !is_not_plain_ascii::<BARE>(byte),
        _ => !char.is_whitespace() && !is_hidden(char),
    })
}

#[inline]
fn escape<const CLASS: u8>(out: &mut Vec<u8>, text: &str, write: fn(&mut Vec<u8>, char)) {
    let start = out.len();
    if !copy_clean::<CLASS>(out, text.as_bytes()) {
        out.truncate(start);
        escape_some::<CLASS>(out, text, write);
    }
}

/// Appends `bytes` if none of them must be escaped. Otherwise returns `false`, with some of them possibly appended.
#[inline]
fn copy_clean<const CLASS: u8>(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<BLOCK>() else { return copy_few_clean::<CLASS>(out, bytes) };
    for block in bytes.as_chunks::<BLOCK>().0 {
        if any_in_block::<CLASS>(block) {
            return false;
        }
    }
    // The last block overlaps the previous one, which is cheaper than single bytes.
    if any_in_block::<CLASS>(last) {
        return false;
    }
    out.extend_from_slice(bytes);
    true
}

/// The same for fewer bytes than a block (names, levels, short values), as two overlapping halves.
#[inline]
fn copy_few_clean<const CLASS: u8>(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let end = out.len() + bytes.len();
    let plain = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        out.extend_from_slice(first);
        out.truncate(end - 8);
        out.extend_from_slice(last);
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        is_plain_block::<CLASS>(&(u128::from(last) << 64 | u128::from(first)).to_le_bytes())
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        out.extend_from_slice(first);
        out.truncate(end - 4);
        out.extend_from_slice(last);
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        is_plain_word::<CLASS>(u64::from(first) << 32 | u64::from(last))
    } else {
        bytes.iter().for_each(|byte| out.push(*byte));
        bytes.iter().all(|byte| !is_not_plain_ascii::<CLASS>(*byte))
    };
    plain || (CLASS != BARE && !any(&block_of_few(bytes), is_suspect::<CLASS>))
}

/// Copies runs of clean text in one piece, and passes each other character to `write`.
#[cold]
fn escape_some<const CLASS: u8>(out: &mut Vec<u8>, text: &str, write: fn(&mut Vec<u8>, char)) {
    let mut done = 0;
    while let Some((at, char)) = find::<CLASS>(text, done) {
        out.extend_from_slice(&text.as_bytes()[done..at]);
        write(out, char);
        done = at + char.len_utf8();
    }
    out.extend_from_slice(&text.as_bytes()[done..]);
}

/// Whether none of eight bytes is [`is_not_plain_ascii`], without a loop ("Bit Twiddling Hacks", `hasless`, `hasvalue`).
#[inline]
fn is_plain_word<const CLASS: u8>(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    let is = |byte: u8| {
        let word = word ^ (ONES * u64::from(byte));
        word.wrapping_sub(ONES) & !word
    };
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let mut found = word | below_space | is(0x7f);
    if CLASS != PLAIN {
        found |= is(b'"') | is(b'\\');
    }
    if CLASS == BARE {
        found |= is(b' ') | is(b'=') | is(b'{') | is(b'}');
    }
    found & HIGH == 0
}

/// Whether `test` finds nothing in any block of `bytes`. The last block overlaps the previous one: testing a few bytes twice is
/// cheaper than testing the last ones singly.
#[inline]
fn no_block(bytes: &[u8], test: impl Fn(&[u8; BLOCK]) -> bool) -> bool {
    match bytes.last_chunk::<BLOCK>() {
        Some(last) => {
            for block in bytes.as_chunks::<BLOCK>().0 {
                if test(block) {
                    return false;
                }
            }
            !test(last)
        }
        None => !test(&block_of_few(bytes)),
    }
}

/// The same for fewer bytes than a block (names, levels, short values): their overlapping halves fill one, whatever the length.
#[inline]
fn block_of_few(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [b'_'; BLOCK];
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        block[..8].copy_from_slice(first);
        block[8..].copy_from_slice(last);
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        block[..4].copy_from_slice(first);
        block[4..8].copy_from_slice(last);
    } else {
        block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
    block
}

/// Returns the first character at or after `from` that must be escaped, and its position.
fn find<const CLASS: u8>(text: &str, mut from: usize) -> Option<(usize, char)> {
    loop {
        from = find_suspect::<CLASS>(text.as_bytes(), from)?;
        // Suspects are ASCII or lead bytes, so a character starts here.
        let char = text.get(from..)?.chars().next()?;
        if char.is_ascii() || is_hidden(char) {
            return Some((from, char));
        }
        from += char.len_utf8();
    }
}

/// Returns the position of the first byte at or after `from` that must be escaped, or may begin a character that must be.
fn find_suspect<const CLASS: u8>(bytes: &[u8], mut from: usize) -> Option<usize> {
    while bytes.get(from..)?.first_chunk::<BLOCK>().is_some_and(|block| !any_in_block::<CLASS>(block)) {
        from += BLOCK;
    }
    let table = if CLASS == PLAIN { &SUSPECT } else { &SUSPECT_IN_QUOTES };
    bytes[from..].iter().position(|&byte| table[byte as usize]).map(|at| from + at)
}

/// Plain ASCII, the usual case, is tested first, with fewer comparisons. In [`BARE`] nothing else is clean.
#[inline(always)]
fn any_in_block<const CLASS: u8>(block: &[u8; BLOCK]) -> bool {
    !is_plain_block::<CLASS>(block) && (CLASS == BARE || has_suspect::<CLASS>(block))
}

#[inline(never)]
fn has_suspect<const CLASS: u8>(block: &[u8; BLOCK]) -> bool {
    any(block, is_suspect::<CLASS>)
}

/// Whether no byte is [`is_not_plain_ascii`]. The compiler's own vector code takes twice as many instructions.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn is_plain_block<const CLASS: u8>(block: &[u8; BLOCK]) -> bool {
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};

    // SAFETY: both types are 16 bytes without padding, and any bits are valid for both. All processors of this architecture have the
    // instructions (SSE2).
    let found = unsafe {
        let bytes = std::mem::transmute::<[u8; BLOCK], __m128i>(*block);
        let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
        // Bytes beyond ASCII are negative.
        let least = if CLASS == BARE { 0x21 } else { 0x20 };
        let mut found = _mm_or_si128(_mm_cmpgt_epi8(_mm_set1_epi8(least), bytes), is(0x7f));
        if CLASS != PLAIN {
            found = _mm_or_si128(found, _mm_or_si128(is(b'"'), is(b'\\')));
        }
        if CLASS == BARE {
            found = _mm_or_si128(found, _mm_or_si128(is(b'='), _mm_or_si128(is(b'{'), is(b'}'))));
        }
        _mm_movemask_epi8(found)
    };
    found == 0
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn is_plain_block<const CLASS: u8>(block: &[u8; BLOCK]) -> bool {
    !any(block, is_not_plain_ascii::<CLASS>)
}

/// Collects the bytes into a mask, so that the compiler generates a few vector instructions, which take half the time of eight bytes
/// in a `u64`.
#[inline(always)]
fn any(block: &[u8; BLOCK], test: impl Fn(u8) -> bool) -> bool {
    let mut mask = [0; BLOCK];
    for (mask, &byte) in mask.iter_mut().zip(block) {
        *mask = u8::from(test(byte));
    }
    u128::from_ne_bytes(mask) != 0
}

/// Writes digits by hand, since `write!` would cost more than the rest of the line.
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

/// Appends the escapes that JSON shares with other notations.
fn unicode_char(out: &mut Vec<u8>, char: char) {
    match char {
        '\u{8}' => out.extend_from_slice(b"\\u0008"),
        '\u{c}' => out.extend_from_slice(b"\\u000c"),
        _ => json_char(out, char),
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

/// Appends bytes in lower-case hexadecimal.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() * 2);
    for &byte in bytes {
        out.extend_from_slice(&[HEX[byte as usize >> 4], HEX[byte as usize % 16]]);
    }
}

/// Whether a byte of ASCII must be escaped, or another byte may begin a hidden character.
const fn is_suspect<const CLASS: u8>(byte: u8) -> bool {
    (byte < 0x20) | (byte == 0x7f) | ((CLASS != PLAIN) & ((byte == b'"') | (byte == b'\\'))) | is_lead(byte)
}

/// Whether a byte [is suspect](is_suspect) or not ASCII; in [`BARE`] also whether it needs quotes.
const fn is_not_plain_ascii<const CLASS: u8>(byte: u8) -> bool {
    // One comparison for both ends: bytes beyond ASCII are negative.
    ((byte as i8) < 0x20)
        | (byte == 0x7f)
        | ((CLASS != PLAIN) & ((byte == b'"') | (byte == b'\\')))
        | ((CLASS == BARE) & ((byte == b' ') | (byte == b'=') | (byte == b'{') | (byte == b'}')))
}

const fn suspects<const CLASS: u8>() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_suspect::<CLASS>(byte as u8);
        byte += 1;
    }
    table
}

// The classes of clean characters: outside quotes, inside quotes, and of texts that need no quotes. In the last one, all characters
// beyond ASCII need a closer look.
const PLAIN: u8 = 0;
const QUOTED: u8 = 1;
const BARE: u8 = 2;

static SUSPECT: [bool; 256] = suspects::<PLAIN>();
static SUSPECT_IN_QUOTES: [bool; 256] = suspects::<QUOTED>();
const BLOCK: usize = 16;
const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
pub(crate) mod tests;
