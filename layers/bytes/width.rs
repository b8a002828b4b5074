//! Columns: the width of texts and padding, counted in characters (Unicode scalar values), as in Python.

/// Returns the number of characters of `text`, which is UTF-8.
pub(crate) fn chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| !is_inside(**byte)).count()
}

/// Inserts `count` bytes at `at`.
pub(crate) fn insert(out: &mut Vec<u8>, at: usize, count: usize, fill: u8) {
    if count == 0 {
        return;
    }
    let end = out.len();
    out.resize(end + count, fill);
    out.copy_within(at..end, at + count);
    out[at..at + count].fill(fill);
}

/// Inserts a character `count` times at `at`.
pub(crate) fn insert_char(out: &mut Vec<u8>, at: usize, count: usize, fill: char) {
    let mut bytes = [0; 4];
    let bytes = fill.encode_utf8(&mut bytes).as_bytes();
    insert(out, at, count * bytes.len(), bytes[0]);
    if bytes.len() > 1 {
        out[at..at + count * bytes.len()].chunks_exact_mut(bytes.len()).for_each(|chunk| chunk.copy_from_slice(bytes));
    }
}

/// Returns the position of the character with this index; the end of the text if it has fewer.
pub(crate) fn start_of(text: &[u8], number: usize) -> usize {
    let mut starts = text.iter().enumerate().filter(|(_, byte)| !is_inside(**byte));
    starts.nth(number).map_or(text.len(), |(at, _)| at)
}

/// Whether a byte is not the first one of a character.
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
