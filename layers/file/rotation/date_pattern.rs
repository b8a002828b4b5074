//! Writes dates in file names, and reads them back.

use std::fmt::Write as _;

use crate::clock::civil::{self, Civil};
use crate::{Error, ErrorKind};

/// `%Y-%m-%d_%H-%M-%S`: a subset of C's `strftime` in which every directive has a fixed number of digits, so that what is
/// written can be read back.
///
/// `%Y %m %d %H %M %S`, `%j` (the day of the year), `%F` (`%Y-%m-%d`), `%%`. A finer unit requires all coarser ones, in any order,
/// so that a text identifies one period. An hour that is repeated when clocks go back has one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatePattern {
    items: Box<[Item]>,
    finest: Unit,
}

/// Units of the calendar and the clock, from the coarsest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Text(Box<str>),
    Unit(Unit),
    /// Month and day together.
    DayOfYear,
}

impl DatePattern {
    /// Parses a pattern.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if a directive is not one of those above, or a coarser unit is missing.
    pub(crate) fn new(pattern: &str) -> Result<Self, Error> {
        read(pattern).map_err(|why| Error::new(ErrorKind::Config, format!("date pattern {pattern:?}: {why}")))
    }

    /// Returns `%Y-%m-%d_%H-%M-%S`, down to `finest`.
    pub(crate) fn down_to(finest: Unit) -> Self {
        let units = [
            (Unit::Year, ""),
            (Unit::Month, "-"),
            (Unit::Day, "-"),
            (Unit::Hour, "_"),
            (Unit::Minute, "-"),
            (Unit::Second, "-"),
        ];
        let wanted = units.into_iter().take_while(|(unit, _)| *unit <= finest);
        let items = wanted.flat_map(|(unit, before)| [Item::Text(before.into()), Item::Unit(unit)]);
        Self { items: items.filter(|item| !matches!(item, Item::Text(text) if text.is_empty())).collect(), finest }
    }

    /// Returns the finest unit: times that differ in it or in a coarser one have different names.
    #[cfg_attr(not(test), expect(dead_code, reason = "names are numbered by it"))]
    pub(crate) fn finest(&self) -> Unit {
        self.finest
    }

    /// Appends a time.
    pub(crate) fn write(&self, civil: Civil, out: &mut String) {
        for item in &self.items {
            // Writing to a string cannot fail.
            let _ = match item {
                Item::Text(text) => out.write_str(text),
                Item::Unit(Unit::Year) => write!(out, "{:04}", civil.year),
                Item::Unit(unit) => write!(out, "{:02}", unit.of(civil)),
                Item::DayOfYear => write!(out, "{:03}", day_of_year(civil)),
            };
        }
    }

    /// Returns the time that a text begins with, and the rest. Units that the pattern lacks are the first: January, the 1st,
    /// 00:00:00.
    ///
    /// It accepts only what [`write`](Self::write) writes: all digits, and dates and times that exist.
    pub(crate) fn parse<'t>(&self, text: &'t str) -> Option<(Civil, &'t str)> {
        let mut civil = Civil { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        let mut rest = text;
        let mut of_year = None;
        for item in &self.items {
            match item {
                Item::Text(text) => rest = rest.strip_prefix(&**text)?,
                Item::Unit(unit) => unit.set(&mut civil, take(&mut rest, unit.digits())?),
                Item::DayOfYear => of_year = Some(take(&mut rest, 3)?),
            }
        }
        if let Some(of_year) = of_year {
            civil = on_day_of_year(civil, of_year)?;
        }
        // Units that are given twice (`%j` beside `%d`) must agree, and only real dates are written as they were read.
        let mut again = String::with_capacity(text.len());
        self.write(civil, &mut again);
        let is_real = is_real(civil) && text.strip_suffix(rest) == Some(&*again);
        is_real.then_some((civil, rest))
    }
}

impl Unit {
    fn of(self, civil: Civil) -> u32 {
        match self {
            // The calendar begins with the year 0.
            Self::Year => civil.year.unsigned_abs(),
            Self::Month => civil.month.into(),
            Self::Day => civil.day.into(),
            Self::Hour => civil.hour.into(),
            Self::Minute => civil.minute.into(),
            Self::Second => civil.second.into(),
        }
    }

    /// Sets the unit. `value` has two digits, four for the year.
    fn set(self, civil: &mut Civil, value: u16) {
        let small = value as u8;
        match self {
            Self::Year => civil.year = value.into(),
            Self::Month => civil.month = small,
            Self::Day => civil.day = small,
            Self::Hour => civil.hour = small,
            Self::Minute => civil.minute = small,
            Self::Second => civil.second = small,
        }
    }

    fn digits(self) -> usize {
        if self == Self::Year { 4 } else { 2 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Year => "year (%Y)",
            Self::Month => "month (%m)",
            Self::Day => "day (%d)",
            Self::Hour => "hour (%H)",
            Self::Minute => "minute (%M)",
            Self::Second => "second (%S)",
        }
    }
}

fn read(pattern: &str) -> Result<DatePattern, String> {
    let mut items = Items::default();
    let mut rest = pattern;
    while let Some((text, after)) = rest.split_once('%') {
        items.text(text);
        let letter = after.chars().next().ok_or("expected a directive after the last `%`")?;
        items.directive(letter)?;
        rest = &after[letter.len_utf8()..];
    }
    items.text(rest);
    let finest = items.finest()?;
    Ok(DatePattern { items: items.items.into(), finest })
}

#[derive(Default)]
struct Items {
    items: Vec<Item>,
    units: Vec<Unit>,
}

impl Items {
    fn directive(&mut self, letter: char) -> Result<(), String> {
        match letter {
            'Y' => self.unit(Unit::Year),
            'm' => self.unit(Unit::Month),
            'd' => self.unit(Unit::Day),
            'H' => self.unit(Unit::Hour),
            'M' => self.unit(Unit::Minute),
            'S' => self.unit(Unit::Second),
            'j' => {
                self.items.push(Item::DayOfYear);
                self.units.extend([Unit::Month, Unit::Day]);
            }
            'F' => {
                for (sign, unit) in [("", Unit::Year), ("-", Unit::Month), ("-", Unit::Day)] {
                    self.text(sign);
                    self.unit(unit);
                }
            }
            '%' => self.text("%"),
            _ => return Err(format!("expected one of %Y, %m, %d, %H, %M, %S, %j, %F, %%, found `%{letter}`")),
        }
        Ok(())
    }

    fn unit(&mut self, unit: Unit) {
        self.items.push(Item::Unit(unit));
        self.units.push(unit);
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.items.push(Item::Text(text.into()));
        }
    }

    fn finest(&self) -> Result<Unit, String> {
        let finest = self.units.iter().max().copied().ok_or("it contains no time")?;
        let missing = UNITS.iter().find(|unit| **unit < finest && !self.units.contains(unit));
        missing.map_or(Ok(finest), |missing| Err(format!("it lacks the {}", missing.name())))
    }
}

/// Takes `digits` digits from the front.
fn take(rest: &mut &str, digits: usize) -> Option<u16> {
    let (number, after) = rest.split_at_checked(digits)?;
    *rest = after;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?
}

fn is_real(civil: Civil) -> bool {
    Civil::new(civil.seconds()) == civil
}

/// Returns the day of the year, from 1.
fn day_of_year(civil: Civil) -> i64 {
    civil::day_number(civil.year, civil.month, civil.day) - civil::day_number(civil.year, 1, 1) + 1
}

fn on_day_of_year(civil: Civil, day: u16) -> Option<Civil> {
    let (year, month, day) = civil::date(civil::day_number(civil.year, 1, 1) + i64::from(day) - 1);
    let is_same = year == i64::from(civil.year);
    is_same.then_some(Civil { month: month as u8, day: day as u8, ..civil })
}

const UNITS: [Unit; 6] = [Unit::Year, Unit::Month, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(pattern: &str, seconds: i64) -> String {
        let mut out = String::new();
        DatePattern::new(pattern).unwrap().write(Civil::new(seconds), &mut out);
        out
    }

    #[test]
    fn times_are_written_as_strftime_writes_them() {
        assert_eq!(text("%Y-%m-%d_%H-%M-%S", 1_795_223_943), "2026-11-21_01-19-03");
        assert_eq!(text("%Y%j", 1_795_223_943), "2026325");
        assert_eq!(text("100%%-%F", -62_167_219_200), "100%-0000-01-01");
    }

    #[test]
    fn a_wrong_pattern_is_reported_with_what_is_wrong() {
        for (pattern, why) in [
            ("%Y-%b", "expected one of %Y, %m, %d, %H, %M, %S, %j, %F, %%, found `%b`"),
            ("%Y-%", "expected a directive after the last `%`"),
            ("app", "it contains no time"),
            ("%H-%M", "it lacks the year (%Y)"),
            ("%Y-%d", "it lacks the month (%m)"),
            ("%F %M", "it lacks the hour (%H)"),
        ] {
            let error = DatePattern::new(pattern).unwrap_err();
            assert_eq!(error.to_string(), format!("date pattern {pattern:?}: {why}"));
        }
    }

    #[test]
    fn the_finest_unit_is_known() {
        for (pattern, unit) in [
            ("%Y", Unit::Year),
            ("%m.%Y", Unit::Month),
            ("%Y-%j", Unit::Day),
            ("%F_%H", Unit::Hour),
            ("%M-%H_%F", Unit::Minute),
            ("%F_%H%M%S", Unit::Second),
        ] {
            assert_eq!(DatePattern::new(pattern).unwrap().finest(), unit, "{pattern}");
        }
    }

    #[test]
    fn only_what_is_written_is_read() {
        let pattern = DatePattern::new("%Y-%m-%d_%H").unwrap();
        assert!(pattern.parse("2024-02-29_23").is_some());
        for text in [
            "2023-02-29_23",
            "2024-02-29_24",
            "2024-13-01_00",
            "2024-00-01_00",
            "2024-1-01_00",
            "+024-01-01_00",
            "2024-01-01",
            "２024-01-01_00",
        ] {
            assert_eq!(pattern.parse(text), None, "{text}");
        }
        let twice = DatePattern::new("%Y-%m-%d %j").unwrap();
        assert!(twice.parse("2024-03-01 061").is_some());
        for text in ["2024-03-01 060", "2024-03-01 000", "2023-03-01 366"] {
            assert_eq!(twice.parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_to_its_finest_unit(
            seconds in -62_167_219_200_i64..=253_402_300_799, pattern in 0..PATTERNS.len(), behind in "[^0-9].{0,5}|",
        ) {
            let pattern = DatePattern::new(PATTERNS[pattern]).unwrap();
            let civil = Civil::new(seconds);
            let mut text = String::new();
            pattern.write(civil, &mut text);
            text.push_str(&behind);
            let (read, rest) = pattern.parse(&text).unwrap();
            prop_assert_eq!(rest, behind);
            for unit in UNITS {
                let first = u32::from(matches!(unit, Unit::Month | Unit::Day));
                prop_assert_eq!(unit.of(read), if unit <= pattern.finest() { unit.of(civil) } else { first });
            }
        }

        #[test]
        fn no_text_makes_it_panic(pattern in "[%YmdHMSjF%é-]{0,8}", text in "[0-9é-]{0,24}") {
            if let Ok(pattern) = DatePattern::new(&pattern) {
                let _ = pattern.parse(&text);
            }
        }
    }

    const PATTERNS: [&str; 7] = ["%Y", "%m%Y", "%F", "%Y%j", "%Y-%m-%d_%H", "%d.%m.%Y %H:%M", "app-%S%M%H%d%m%Y.log"];
}
