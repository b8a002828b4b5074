use std::fmt::Display;

/// Returns `text` as keywords are compared: without the whitespace around it, in lower case.
pub(crate) fn keyword(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

/// Finds the value whose `Display` is this keyword.
pub(crate) fn one_of<T: Display>(all: impl IntoIterator<Item = T>, text: &str) -> Option<T> {
    all.into_iter().find(|one| text.trim().eq_ignore_ascii_case(&one.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_surrounding_whitespace_do_not_matter() {
        assert_eq!(keyword(" Drop Newest\n"), "drop newest");
        assert_eq!(one_of(["on", "off"], "\tOFF "), Some("off"));
        assert_eq!(one_of(["on", "off"], "o n"), None);
    }
}
