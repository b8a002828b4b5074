use std::fmt;
use std::ops::Range;

/// Names of fields: ASCII case is ignored, and `*` matches any number of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Vec<Pattern>);

#[derive(Clone)]
struct Pattern {
    text: String,
    /// The number of parts that it consists of.
    parts: usize,
}

impl Names {
    pub(super) fn extend<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.0.extend(names.into_iter().map(|name| {
            let text = name.into();
            Pattern { parts: parts(&text).count(), text }
        }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pattern matches the whole name.
    pub(super) fn match_whole(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether a pattern matches the whole name, or consecutive parts of it.
    ///
    /// `user.password` names what `password` names in a nested value `user`, and is to be hidden like it.
    pub(super) fn match_any(&self, name: &str) -> bool {
        self.match_whole(name)
            || name.bytes().any(is_between_parts) && self.0.iter().any(|pattern| pattern.matches_parts(name))
    }
}

impl Pattern {
    fn matches(&self, name: &str) -> bool {
        matches(self.text.as_bytes(), name.as_bytes())
    }

    fn matches_parts(&self, name: &str) -> bool {
        let starts = parts(name).map(|part| part.start);
        let ends = parts(name).map(|part| part.end).skip(self.parts.saturating_sub(1));
        starts.zip(ends).any(|(start, end)| self.matches(&name[start..end]))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// Returns where the parts of a path such as `user.password`, `user/password`, `user::password` or `user[password]` are.
fn parts(name: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    name.split(|char| u8::try_from(char).is_ok_and(is_between_parts)).filter_map(move |part| {
        let start = at;
        at += part.len() + 1;
        (!part.is_empty()).then_some(start..start + part.len())
    })
}

fn is_between_parts(byte: u8) -> bool {
    matches!(byte, b'.' | b':' | b'/' | b'[' | b']')
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
    #[test]
    fn a_name_matches_by_its_parts() {
        let names = |pattern: &str| {
            let mut names = Names::default();
            names.extend([pattern]);
            names
        };
        for (pattern, name) in [
            ("password", "user.password"),
            ("password", "a.user.PassWord"),
            ("password", "password.value"),
            ("password", "user::password"),
            ("password", "user/password"),
            ("password", "user[password]"),
            ("password", "user[password][0]"),
            ("*_token", "user.access_token.text"),
            ("api_*", "user.api_key"),
            ("user.password", "request.user.password"),
            ("user.password", "request.user.password.hash"),
            ("user.*", "request.user.name"),
        ] {
            assert!(names(pattern).match_any(name), "{pattern} {name}");
            assert!(!names(pattern).match_whole(name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("password", "user.passwords"),
            ("password", "user_password"),
            ("password", "userPassword"),
            ("password", "pass.word"),
            ("user.password", "user.name.password"),
            ("user.password", "password"),
            ("user.password", "user"),
            ("", "."),
            ("a", ".."),
        ] {
            assert!(!names(pattern).match_any(name), "{pattern} {name}");
        }
    }

    #[test]
    fn names_of_many_parts_take_linear_time() {
        let mut names = Names::default();
        names.extend(["a.a.a.a.b", "*a*b", "password"]);
        assert!(!names.match_any(&"a.".repeat(1 << 16)));
    }
}
