use std::cmp::{Ordering, Reverse};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The parsed name of a file of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) place: Place,
    pub(super) packed: bool,
    /// `app.1.log` instead of `app.log.1`.
    inner: bool,
}

/// The place of a file in its family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `app.log.2026-11-21` (number 0), and `app.log.2026-11-21.1` after it.
    Dated(String, u64),
    /// `app.log.1`.
    Numbered(u64),
    /// `app.log`.
    Current,
}

/// The direction in which numbered files are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Count {
    /// Number 1 is the newest.
    Down,
    /// Number 1 is the oldest.
    Up,
}

impl Name {
    /// Returns `None` if `name` does not belong to the family of `base`.
    pub(super) fn parse(base: &OsStr, name: &OsStr) -> Option<Self> {
        if base == name {
            return Some(Self { place: Place::Current, packed: false, inner: false });
        }
        let name = name.as_encoded_bytes();
        let unpacked = || {
            crate::file::rotation::packed_extensions()
                .find_map(|extension| name.strip_suffix(extension.as_bytes())?.strip_suffix(b"."))
        };
        // The log itself may be called `app.gz`, and its archive `app.1.gz`.
        Self::parse_unpacked(base, name, false).or_else(|| Self::parse_unpacked(base, unpacked()?, true))
    }

    fn parse_unpacked(base: &OsStr, name: &[u8], packed: bool) -> Option<Self> {
        [false, true].into_iter().find_map(|inner| {
            let (before, after) = around(base, inner)?;
            let middle = name.strip_prefix(before.as_encoded_bytes())?.strip_prefix(b".")?;
            let middle = std::str::from_utf8(middle.strip_suffix(after.as_encoded_bytes())?).ok()?;
            Some(Self { place: Place::parse(middle)?, packed, inner })
        })
    }

    /// The name of an uncompressed file at `place`.
    pub(super) fn at(&self, place: &Place, base: &OsStr) -> OsString {
        let (mut name, after) = around(base, self.inner).unwrap_or_default();
        name.push(match place {
            Place::Dated(date, 0) => format!(".{date}"),
            Place::Dated(date, number) => format!(".{date}.{number}"),
            Place::Numbered(number) => format!(".{number}"),
            Place::Current => return base.to_owned(),
        });
        name.push(after);
        name
    }

    /// Orders older files first, and a compressed file before an uncompressed one at the same place.
    pub(super) fn compare(&self, other: &Self, count: Count) -> Ordering {
        let key = |name: &Self| (name.place.rank(count), Reverse(name.packed));
        self.place.date().cmp(&other.place.date()).then_with(|| key(self).cmp(&key(other)))
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        if is_date(text) {
            return Some(Self::Dated(text.to_owned(), 0));
        }
        match text.rsplit_once('.') {
            Some((date, count)) => {
                is_date(date).then(|| number(count).map(|count| Self::Dated(date.to_owned(), count)))?
            }
            None => number(text).map(Self::Numbered),
        }
    }

    /// Files with a date come before others.
    fn date(&self) -> (bool, &str) {
        match self {
            Self::Dated(date, _) => (false, date),
            _ => (true, ""),
        }
    }

    fn rank(&self, count: Count) -> u64 {
        match (self, count) {
            (Self::Dated(_, number), _) | (Self::Numbered(number), Count::Up) => *number,
            (Self::Numbered(number), Count::Down) => u64::MAX - number,
            (Self::Current, _) => u64::MAX,
        }
    }

    /// Returns the first place missing between this file and the `next` one, and how many are missing.
    pub(super) fn missing_before(&self, next: &Self, count: Count) -> Option<(Self, u64)> {
        let (first, missing) = match (self, next, count) {
            (Self::Dated(date, number), Self::Dated(other, next), _) if date == other => {
                (Self::Dated(date.clone(), number.saturating_add(1)), next.saturating_sub(*number))
            }
            (Self::Numbered(number), Self::Numbered(next), Count::Up) => {
                (Self::Numbered(number.saturating_add(1)), next.saturating_sub(*number))
            }
            (Self::Numbered(number), Self::Numbered(next), Count::Down) => {
                (Self::Numbered(number.saturating_sub(1)), number.saturating_sub(*next))
            }
            (Self::Numbered(number), Self::Current, Count::Down) => (Self::Numbered(number.saturating_sub(1)), *number),
            _ => return None,
        };
        (missing > 1).then(|| (first, missing - 1))
    }
}

/// The parts of a name before and after the date and number.
fn around(base: &OsStr, inner: bool) -> Option<(OsString, OsString)> {
    if !inner {
        return Some((base.to_owned(), OsString::new()));
    }
    let base = Path::new(base);
    let mut after = OsString::from(".");
    after.push(base.extension()?);
    Some((base.file_stem()?.to_owned(), after))
}

/// Parses a number from 1 on, without leading zeros.
fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok())?
}

/// Whether `text` is a date or a time of any precision, starting with the year: `2026-11`, `2026-11-21_10-40-26`, `20261121`.
fn is_date(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text[digits..];
    match digits {
        4 => rest.len() > 1 && rest.starts_with('-') && rest.bytes().all(|byte| DATE_BYTES.contains(&byte)),
        // A plain number of eight digits could be a count too, but there are never that many files.
        8 => {
            ["19", "20"].iter().any(|century| text.starts_with(century))
                && rest.bytes().all(|byte| DATE_BYTES.contains(&byte))
        }
        _ => false,
    }
}

const DATE_BYTES: &[u8] = b"0123456789-_:+TWZ";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Option<Name> {
        Name::parse(OsStr::new("app.log"), OsStr::new(name))
    }

    #[test]
    fn names_of_the_family_are_distinguished_from_others() {
        for name in [
            "app.log",
            "app.log.1",
            "app.log.10",
            "app.log.2026-11-21",
            "app.log.2026-11-21_10-40.3",
            "app.log.20261121",
            "app.7.log",
            "app.2026-11-21.log",
        ] {
            let parsed = parse(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((parsed.at(&parsed.place, OsStr::new("app.log")), parsed.packed), (name.into(), false));
        }
        for (name, place) in
            [("app.log.1.gz", Place::Numbered(1)), ("app.log.2026-11.2.zst", Place::Dated("2026-11".into(), 2))]
        {
            assert_eq!(parse(name), Some(Name { place, packed: true, inner: false }));
        }
        let others = [
            "app.log.",
            "app.log.01",
            "app.log.0",
            "app.log.gz",
            "app.log.1.bz2",
            "app.log.bak",
            "app.log1",
            "app.logs.1",
        ];
        let more =
            [".app.log.1.gz.tmp", "app.log.1.gz.tmp", "app.log.2026-", "app.log.2026-11-21.bak", "app.log.1.2", "app"];
        for name in others.iter().chain(&more) {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_extension_of_the_log_itself_does_not_say_that_an_archive_is_compressed() {
        for (base, name, packed) in [
            ("app.gz", "app.gz", false),
            ("app.gz", "app.1.gz", false),
            ("app.gz", "app.gz.1", false),
            ("app.gz", "app.1.gz.gz", true),
            ("app.gz", "app.gz.1.zst", true),
            ("app.log.zst", "app.log.2026-11-21.zst", false),
            ("app.log.zst", "app.log.2026-11-21.zst.zst", true),
        ] {
            let parsed = Name::parse(OsStr::new(base), OsStr::new(name)).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(parsed.packed, packed, "{name}");
        }
    }

    #[test]
    fn the_oldest_comes_first_in_both_directions() {
        let sorted = |count| {
            let mut names = [
                "app.log",
                "app.log.1",
                "app.log.1.gz",
                "app.log.10.gz",
                "app.log.2",
                "app.log.2026-11-21",
                "app.log.2026-11-20.10",
                "app.log.2026-11-20.9.gz",
            ];
            names.sort_by(|one, other| parse(one).unwrap().compare(&parse(other).unwrap(), count));
            names
        };
        let dated = ["app.log.2026-11-20.9.gz", "app.log.2026-11-20.10", "app.log.2026-11-21"];
        assert_eq!(sorted(Count::Down)[..3], dated);
        assert_eq!(sorted(Count::Down)[3..], ["app.log.10.gz", "app.log.2", "app.log.1.gz", "app.log.1", "app.log"]);
        assert_eq!(sorted(Count::Up)[3..], ["app.log.1.gz", "app.log.1", "app.log.2", "app.log.10.gz", "app.log"]);
    }

    #[test]
    fn missing_files_are_counted() {
        let missing = |one: &str, other: &str, count| {
            let one = parse(one).unwrap();
            let missing = one.place.missing_before(&parse(other).unwrap().place, count);
            missing.map(|(first, number)| (one.at(&first, OsStr::new("app.log")).into_string().unwrap(), number))
        };
        assert_eq!(missing("app.log.5", "app.log.4", Count::Down), None);
        assert_eq!(missing("app.log.5", "app.log.2", Count::Down), Some(("app.log.4".into(), 2)));
        assert_eq!(missing("app.log.3", "app.log", Count::Down), Some(("app.log.2".into(), 2)));
        assert_eq!(missing("app.log.1", "app.log", Count::Down), None);
        assert_eq!(missing("app.log.3", "app.log.7", Count::Up), Some(("app.log.4".into(), 3)));
        assert_eq!(missing("app.log.3", "app.log", Count::Up), None);
        assert_eq!(
            missing("app.log.2026-11-20", "app.log.2026-11-20.2", Count::Down),
            Some(("app.log.2026-11-20.1".into(), 1))
        );
        assert_eq!(missing("app.log.2026-11-20", "app.log.2026-11-22", Count::Down), None);
        assert_eq!(missing("app.log.18446744073709551615", "app.log", Count::Down).unwrap().1, u64::MAX - 1);
    }
}
