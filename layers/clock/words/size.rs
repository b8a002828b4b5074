use super::number::split;
use crate::{Error, ErrorKind};

/// Reads a number of bytes: `100 MB`, `1.5 GiB`, `64k`, `10_000_000`.
///
/// `kB`, `MB`, `GB`, `TB` are powers of 1,000. `KiB`, `MiB`, `GiB`, `TiB` are powers of 1,024, and so are the bare letters `k`,
/// `M`, `G`, `T` (GNU coreutils, logrotate). log4j2's `MB` is 1,048,576 bytes, which is `MiB` here. Numbers without a unit,
/// or with `B`, are bytes. A fraction of a byte is cut off. Case is ignored.
pub(crate) fn size(text: &str) -> Result<u64, Error> {
    let wrong = |why: String| Error::new(ErrorKind::Config, format!("invalid size {text:?}: {why}"));
    let (number, unit) = split(text.trim()).map_err(wrong)?;
    let unit = unit.trim();
    let bytes = UNITS.iter().find(|(names, _)| names.split(' ').any(|name| name.eq_ignore_ascii_case(unit)));
    let (_, bytes) = bytes
        .ok_or_else(|| wrong(format!("unit must be one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, got `{unit}`")))?;
    number.times(*bytes).and_then(|bytes| u64::try_from(bytes).ok()).ok_or_else(|| wrong("too large".into()))
}

const UNITS: &[(&str, u128)] = &[
    // The first name is empty: no unit.
    (" B byte bytes", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("K KiB", 1 << 10),
    ("M MiB", 1 << 20),
    ("G GiB", 1 << 30),
    ("T TiB", 1 << 40),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("100", 100),
            ("100 B", 100),
            ("100 bytes", 100),
            ("100MB", 100_000_000),
            ("100 mb", 100_000_000),
            ("1 kB", 1_000),
            ("1KB", 1_000),
            ("64k", 65_536),
            ("10M", 10 << 20),
            ("1.5 GiB", 1_610_612_736),
            ("1.3 KiB", 1_331),
            (" 10_000_000 ", 10_000_000),
            ("0.5 TiB", 1 << 39),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn a_wrong_size_is_reported_with_the_wrong_word() {
        for (text, why) in [
            ("", "expected a number"),
            ("ten MB", "expected a number, found `ten`"),
            ("-5 MB", "expected a number, found `-5`"),
            ("10 MiBs", "unit must be one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, got `MiBs`"),
            ("1.2.3 MB", "`1.2.3` is not a number"),
            ("1_ MB", "`1_` is not a number"),
            ("1. MB", "`1.` is not a number"),
            (".5 MB", "`.5` is not a number"),
            ("18446744073709551616", "too large"),
            ("99999999 TiB", "too large"),
            ("10 MB 5", "unit must be one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, got `MB 5`"),
        ] {
            let error = size(text).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid size {text:?}: {why}"));
            assert_eq!(error.kind(), ErrorKind::Config);
        }
    }

    proptest! {
        #[test]
        fn fractions_are_exact(whole in 0..1_000_000_u64, millionths in 0..1_000_000_u64) {
            let bytes = size(&format!("{whole}.{millionths:06} GiB")).unwrap();
            let exact = (u128::from(whole) * 1_000_000 + u128::from(millionths)) * (1 << 30) / 1_000_000;
            prop_assert_eq!(u128::from(bytes), exact);
        }
    }
}
