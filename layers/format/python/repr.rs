use std::io::Write;

use crate::bytes::hidden::is_hidden;

/// Appends `text` as Python's `repr` or `ascii` does: in single quotes, or in double quotes if it contains single but no double
/// quotes.
pub(super) fn write(text: &str, ascii: bool, out: &mut Vec<u8>) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote as u8);
    for char in text.chars() {
        write_char(char, quote, ascii, out);
    }
    out.push(quote as u8);
}

fn write_char(char: char, quote: char, ascii: bool, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = match char {
        '\\' => out.write_all(b"\\\\"),
        '\n' => out.write_all(b"\\n"),
        '\r' => out.write_all(b"\\r"),
        '\t' => out.write_all(b"\\t"),
        _ if char == quote => write!(out, "\\{char}"),
        ' '..='~' => write!(out, "{char}"),
        _ if !ascii && is_printable(char) => write!(out, "{char}"),
        '\0'..='\u{ff}' => write!(out, "\\x{:02x}", u32::from(char)),
        '\0'..='\u{ffff}' => write!(out, "\\u{:04x}", u32::from(char)),
        _ => write!(out, "\\U{:08x}", u32::from(char)),
    };
}

/// Python's `str.isprintable`, without the characters that are invisible nevertheless: the characters that `Debug` of the standard
/// library does not escape, and combining characters, which it escapes at the start of a text.
fn is_printable(char: char) -> bool {
    if is_hidden(char) {
        return false;
    }
    let mut bytes = [b'a'; 5];
    let end = 1 + char.encode_utf8(&mut bytes[1..]).len();
    str::from_utf8(&bytes[..end]).is_ok_and(|text| text.escape_debug().nth(1) == Some(char))
}
