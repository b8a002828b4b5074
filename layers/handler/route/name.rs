use std::fmt::Write as _;

use super::digest::sha256;

/// Returns a name that is safe to use as a file name, made from an untrusted one.
///
/// It has no separators and no control characters, does not begin with `.` or `-` or end with `.`, is not a name that Windows
/// reserves (`con`, `nul.txt`), and has at most 128 bytes: whatever `name` is, `folder/{safe}.log` lies in `folder`.
///
/// Different names stay different, even on file systems that equate `A` with `a`, or the two encodings of `é`. ASCII letters,
/// digits, `_`, `-` and `.` are kept; every other byte becomes `%` and two hexadecimal digits. A `~` introduces what would
/// otherwise be lost: which letters are upper case, as a hexadecimal number with a bit for each letter (`Acme` becomes `Acme~1`);
/// `h` and half a SHA-256 of the name, if it was cut; `r` if the name equals `default`.
///
/// An empty name becomes `default`, made safe as well; an empty default becomes `_`.
///
/// ```
/// use tracing_handlers::handler::safe_name;
///
/// assert_eq!(safe_name("acme", "none"), "acme");
/// assert_eq!(safe_name("", "none"), "none");
/// assert_eq!(safe_name("none", "none"), "none~r");
/// assert_eq!(safe_name("../../etc/passwd", "none"), "%2e.%2f..%2fetc%2fpasswd");
/// assert_eq!(safe_name("CON", "none"), "%43ON~3");
/// assert!(safe_name(&"x".repeat(1_000), "none").len() <= 128);
/// ```
pub fn safe_name(name: &str, default: &str) -> String {
    let default = encoded(if default.is_empty() { "_" } else { default });
    if name.is_empty() {
        return default;
    }
    let name = encoded(name);
    // A name that equals the default must differ from a missing name.
    if name == default { name + "~r" } else { name }
}

fn encoded(name: &str) -> String {
    let mut out = String::new();
    let mut capitals = Capitals::default();
    for (at, byte) in name.bytes().enumerate() {
        if out.len() > LONGEST {
            break;
        }
        if stands_for_itself(name, at, byte) {
            capitals.see(byte);
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    capitals.append_to(&mut out);
    if out.len() > LONGEST { cut(name, &out) } else { out }
}

fn stands_for_itself(name: &str, at: usize, byte: u8) -> bool {
    match byte {
        b'.' => at > 0 && at + 1 < name.len(),
        b'-' => at > 0,
        b'_' => true,
        // Escaping the first letter is enough to make a reserved name harmless.
        _ => byte.is_ascii_alphanumeric() && (at > 0 || !is_reserved(name)),
    }
}

/// Whether Windows takes the name for a device, with any extension: `con`, `con.txt`, `com1`.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let is = |known: &&str| stem.eq_ignore_ascii_case(known);
    let numbered = |known: &&str| {
        let split = stem.split_at_checked(known.len());
        split.is_some_and(|(word, digit)| {
            word.eq_ignore_ascii_case(known) && digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit()
        })
    };
    ["con", "prn", "aux", "nul"].iter().any(is) || ["com", "lpt"].iter().any(numbered)
}

/// A bit for each letter that is upper case, the first one lowest.
#[derive(Default)]
struct Capitals {
    letters: u32,
    bits: u128,
}

impl Capitals {
    fn see(&mut self, byte: u8) {
        if byte.is_ascii_alphabetic() {
            // A name with more letters is cut, and needs no bits.
            self.bits |= u128::from(byte.is_ascii_uppercase()).checked_shl(self.letters).unwrap_or(0);
            self.letters += 1;
        }
    }

    fn append_to(&self, out: &mut String) {
        if self.bits != 0 {
            let _ = write!(out, "~{:x}", self.bits);
        }
    }
}

/// Returns the start of the name, and a digest of the whole.
fn cut(name: &str, encoded: &str) -> String {
    let mut end = START;
    // Do not cut within an escape. Everything is ASCII.
    while encoded.as_bytes()[end - 1] == b'%' || encoded.as_bytes()[end - 2] == b'%' {
        end -= 1;
    }
    let mut out = encoded[..end].to_owned();
    out.push_str("~h");
    for byte in &sha256(name.as_bytes())[..16] {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A longer name is cut, so that there is room for an extension within 255 bytes.
const LONGEST: usize = 120;
const START: usize = 80;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Whether it is a single path component, on Windows as elsewhere.
    fn is_safe(name: &str) -> bool {
        let path = std::path::Path::new(name);
        let parts: Vec<_> = path.components().collect();
        matches!(parts[..], [std::path::Component::Normal(part)] if part == name)
            && name.len() <= 128
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.%~".contains(&byte))
            && !name.starts_with(['.', '-'])
            && !name.ends_with('.')
            && !is_reserved(name)
    }

    #[test]
    fn malicious_names_become_plain_names() {
        let long = "long".repeat(100);
        let tricks = [
            "..",
            ".",
            "/",
            "\\",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "c:\\x",
            "a\0b",
            "\u{202e}gnp",
            "con",
            "Con.txt",
            "LPT9",
            "com0.log",
            "a.",
            ".hidden",
            "-rf",
            "a b",
            "%2e",
            "~",
            "é",
            "e\u{301}",
            "\n",
            &long,
            &"/".repeat(200),
            &"é".repeat(41),
        ];
        let mut names = HashMap::new();
        for trick in tricks {
            let name = safe_name(trick, "none");
            assert!(is_safe(&name), "{trick:?} is {name:?}");
            assert_eq!(names.insert(name.to_lowercase(), trick), None, "{trick:?}");
        }
    }

    #[test]
    fn defaults_are_made_safe_and_stay_distinct() {
        assert_eq!(
            (safe_name("", ""), safe_name("_", ""), safe_name("", "a/b")),
            ("_".into(), "_~r".into(), "a%2fb".into())
        );
        assert_eq!(safe_name("a/b", "a/b"), "a%2fb~r");
    }

    /// Made of few characters, so that similar names are common.
    fn names() -> impl Strategy<Value = String> {
        let few = prop::collection::vec(
            prop::sample::select(vec!["a", "A", "b", ".", "/", "~", "%", "1", "h", "r", "é"]),
            0..6,
        );
        let long = (100_usize..140, few.clone()).prop_map(|(len, end)| "a".repeat(len) + &end.concat());
        prop_oneof![few.prop_map(|parts| parts.concat()), long, any::<String>()]
    }

    /// A name similar to `name`: with other capitals, or with one character more or less.
    fn relative(name: &str, which: u64) -> String {
        let flip = |(at, letter): (usize, char)| match which >> (at % 60) & 1 {
            0 => letter.to_ascii_lowercase(),
            _ => letter.to_ascii_uppercase(),
        };
        match which % 3 {
            0 => name.to_owned() + ["~", "~1", "~r", ".", "%"][which as usize / 3 % 5],
            1 => name.chars().skip(1).collect(),
            _ => name.chars().enumerate().map(flip).collect(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_name_is_safe_and_two_names_give_two_files(one in names(), other in names(), default in names()) {
            let (first, second) = (safe_name(&one, &default), safe_name(&other, &default));
            prop_assert!(is_safe(&first), "{:?} is {:?}", one, first);
            // Some file systems equate `A` and `a`.
            prop_assert_eq!(first.eq_ignore_ascii_case(&second), one == other, "{:?} and {:?}", one, other);
        }

        #[test]
        fn similar_names_give_two_files(one in names(), which: u64, default in names()) {
            let other = relative(&one, which);
            let (first, second) = (safe_name(&one, &default), safe_name(&other, &default));
            prop_assert!(is_safe(&second), "{:?} is {:?}", other, second);
            prop_assert_eq!(first.eq_ignore_ascii_case(&second), one == other, "{:?} and {:?}", one, other);
        }
    }
}
