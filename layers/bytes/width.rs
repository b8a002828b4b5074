//! Columns: how wide a text is, and what fills it up. Counted in characters (Unicode scalar values), as Python does.

/// How many characters `text`, which is UTF-8, has.
pub(crate) fn chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| !is_inside(**byte)).count()
}

/// Puts `count` bytes at `at`, before all that stands there.
pub(crate) fn insert(out: &mut Vec<u8>, at: usize, count: usize, fill: u8) {
    if count == 0 {
        return;
    }
    let end = out.len();
    out.resize(end + count, fill);
    out.copy_within(at..end, at + count);
    out[at..at + count].fill(fill);
}

/// The same with any character.
pub(crate) fn insert_char(out: &mut Vec<u8>, at: usize, count: usize, fill: char) {
    let mut bytes = [0; 4];
    let bytes = fill.encode_utf8(&mut bytes).as_bytes();
    insert(out, at, count * bytes.len(), bytes[0]);
    if bytes.len() > 1 {
        out[at..at + count * bytes.len()].chunks_exact_mut(bytes.len()).for_each(|chunk| chunk.copy_from_slice(bytes));
    }
}

/// Where the character with this number (from 0) begins; the end, if there are not so many.
pub(crate) fn start_of(text: &[u8], number: usize) -> usize {
    let mut starts = text.iter().enumerate().filter(|(_, byte)| !is_inside(**byte));
    starts.nth(number).map_or(text.len(), |(at, _)| at)
}

/// Whether a byte continues a character.
fn is_inside(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!((chars("añb".as_bytes()), start_of("añb".as_bytes(), 2), start_of(b"ab", 5)), (3, 3, 2));
    }

    #[test]
    fn any_character_fills_a_column() {
        let mut out = b"<x".to_vec();
        insert_char(&mut out, 1, 2, '─');
        insert(&mut out, 0, 1, b' ');
        assert_eq!(String::from_utf8(out).unwrap(), " <──x");
    }
}
