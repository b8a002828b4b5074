/// Names of fields: ASCII case is ignored, and `*` matches any number of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn extend<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.0.extend(names.into_iter().map(Into::into));
    }

    pub(super) fn match_any(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern.as_bytes(), name.as_bytes()))
    }
}

/// Backtracks to the last `*` only: another choice for an earlier one cannot change the result.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_pattern, mut star) = (0, 0, None);
    while at < name.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                in_pattern += 1;
                star = Some((in_pattern, at));
            }
            Some(letter) if letter.eq_ignore_ascii_case(&name[at]) => {
                in_pattern += 1;
                at += 1;
            }
            _ => {
                let Some((behind, taken)) = star else { return false };
                in_pattern = behind;
                at = taken + 1;
                star = Some((behind, at));
            }
        }
    }
    pattern[in_pattern..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_number_of_characters() {
        for (pattern, name) in [
            ("token", "TOKEN"),
            ("*_token", "access_token"),
            ("api_*", "API_key"),
            ("*secret*", "my_secret_1"),
            ("*", "x"),
            ("*", ""),
            ("a*b*c", "aXbXbXc"),
            ("*a*a", "aa"),
            ("größe", "größe"),
        ] {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("token", "tokens"), ("*_token", "token"), ("a*b*c", "acb"), ("", "x"), ("*a*a", "a")] {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }
}
