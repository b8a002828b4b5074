//! Characters beyond ASCII that a reader does not see, or that change what is seen of others.

/// Whether a character beyond ASCII must be escaped: C1 controls, Unicode's line ends, characters that change the direction of text,
/// and invisible ones. These are the default-ignorable code points of Unicode 17 (`DerivedCoreProperties.txt`), assigned or not, and
/// the interlinear annotations; but not U+FE0E and U+FE0F, which follow emoji in ordinary text.
pub(crate) const fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{80}'..='\u{9f}'
        // The soft hyphen.
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        // Fillers of Hangul and, half as wide, below.
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        // Variation selectors, by which any bytes can be hidden behind a character, except for the two of emoji.
        | '\u{fe00}'..='\u{fe0d}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // Tags, and more variation selectors.
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the UTF-8 of a character that is [hidden](is_hidden) may begin with this byte.
pub(crate) const fn is_lead(byte: u8) -> bool {
    (byte == 0xc2)
        | (byte == 0xcd)
        | (byte == 0xd8)
        | ((byte >= 0xe1) & (byte <= 0xe3))
        | ((byte >= 0xef) & (byte <= 0xf0))
        | (byte == 0xf3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_them_begins_with_a_lead_and_each_lead_begins_one() {
        let lead = |char: char| char.encode_utf8(&mut [0; 4]).as_bytes()[0];
        let mut leads: Vec<_> = ('\u{80}'..=char::MAX).filter(|char| is_hidden(*char)).map(lead).collect();
        leads.dedup();
        assert_eq!(leads, (0x80..=0xff).filter(|byte| is_lead(*byte)).collect::<Vec<_>>());
    }
}
