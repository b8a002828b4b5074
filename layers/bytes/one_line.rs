//! Keeps messages on one line.

use std::borrow::Cow;

use super::hidden::is_hidden;

/// Escapes control characters, line breaks, invisible characters, and those that change the direction of text.
pub(crate) fn escaped(message: &str) -> Cow<'_, str> {
    let Some(first) = message.find(must_be_escaped) else { return message.into() };
    let mut escaped = message[..first].to_owned();
    for char in message[first..].chars() {
        match must_be_escaped(char) {
            true => escaped.extend(char.escape_default()),
            false => escaped.push(char),
        }
    }
    escaped.into()
}

fn must_be_escaped(char: char) -> bool {
    char.is_control() || is_hidden(char)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_cannot_forge_a_line_or_move_the_cursor() {
        for (message, shown) in [
            ("a\nb", r"a\nb"),
            ("a\r\n\tb\n", r"a\r\n\tb\n"),
            ("\0\x1b[2J\x7f", r"\u{0}\u{1b}[2J\u{7f}"),
            ("\u{85}\u{9b}\u{2028}\u{2029}", r"\u{85}\u{9b}\u{2028}\u{2029}"),
            ("é\u{202e}é", r"é\u{202e}é"),
            ("a\u{ad}b\u{3164}\u{fe0d}\u{e0041}", r"a\u{ad}b\u{3164}\u{fe0d}\u{e0041}"),
        ] {
            assert_eq!(escaped(message), shown);
        }
    }

    #[test]
    fn a_clean_message_is_not_copied() {
        for message in ["", "file C:\\log: \"größer\" 🦀", "❤\u{fe0f}", "`x`: 'y'"] {
            assert!(matches!(escaped(message), Cow::Borrowed(same) if same == message));
        }
    }

    proptest! {
        #[test]
        fn only_what_is_escaped_changes(message in r"(\PC|[\x00-\x1f\x7f-\xa0\u{2028}\u{2029}a]){0,40}") {
            let escaped = escaped(&message);
            prop_assert!(!escaped.contains(must_be_escaped));
            prop_assert_eq!(&escaped, &message.chars().map(|char| {
                if must_be_escaped(char) { char.escape_default().to_string() } else { char.to_string() }
            }).collect::<String>());
        }
    }
}
