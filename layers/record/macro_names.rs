//! The names of severities as this crate's macros log them.

/// Contains each of the names once. A text within it comes from a macro: no other text has an address in this static, except one
/// that the compiler merged with all of it.
static NAMES: [u8; 40] = *b"verbosenoticecriticalalertfatalemergency";

pub const VERBOSE: &str = name(0, 7);
pub const NOTICE: &str = name(7, 13);
pub const CRITICAL: &str = name(13, 21);
pub const ALERT: &str = name(21, 26);
pub const FATAL: &str = name(26, 31);
pub const EMERGENCY: &str = name(31, 40);

const fn name(start: usize, end: usize) -> &'static str {
    let (name, _) = NAMES.split_at(start).1.split_at(end - start);
    match str::from_utf8(name) {
        Ok(name) => name,
        Err(_) => panic!("the names are ASCII"),
    }
}

/// Whether `name` is the very text that a macro logs, rather than one with the same letters.
pub(super) fn is_of_macro(name: &str) -> bool {
    NAMES.as_ptr_range().contains(&name.as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    #[test]
    fn only_the_constants_are_recognized_not_texts_with_the_same_letters() {
        let constants = [VERBOSE, NOTICE, CRITICAL, ALERT, FATAL, EMERGENCY];
        let severities = ["VERBOSE", "NOTICE", "CRITICAL", "ALERT", "FATAL", "EMERGENCY"];
        assert_eq!(constants.map(|name| Severity::named(name).map(Severity::name)), severities.map(Some));
        let literals = ["verbose", "notice", "critical", "alert", "fatal", "emergency"];
        assert_eq!(constants, literals);
        assert_eq!(constants.map(is_of_macro), [true; 6]);
        assert_eq!(literals.map(is_of_macro), [false; 6]);
        assert_eq!(constants.map(|name| is_of_macro(&String::from(name))), [false; 6]);
    }
}
