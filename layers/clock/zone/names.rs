//! The names of zones.

use std::{fs, iter};

use jiff::Timestamp;
use jiff::tz::{self, TimeZone};

use super::{config, to_minutes};
use crate::Error;

/// Returns the time zone with this name: from the database, by a POSIX rule, or from a file.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, Error> {
    let name = name.strip_prefix(':').unwrap_or(name);
    let zone = find(name)?;
    match is_supported(&zone) {
        true => Ok(zone),
        false => Err(config(format!("time zone {name:?} has an offset from UTC beyond ±23:59"))),
    }
}

fn find(name: &str) -> Result<TimeZone, Error> {
    let in_database = name.rsplit_once("zoneinfo/").map_or(name, |(_, name)| name);
    match TimeZone::get(in_database) {
        Ok(zone) => Ok(zone),
        Err(_) if name.starts_with('/') => of_file(name),
        Err(_) if is_rule(name) => of_rule(name),
        Err(error) => Err(unknown(name, error)),
    }
}

fn of_file(path: &str) -> Result<TimeZone, Error> {
    let cannot_read = || config(format!("cannot read the time zone {path:?}"));
    let data = fs::read(path).map_err(|error| cannot_read().with_source(error))?;
    TimeZone::tzif(path, &data).map_err(|error| cannot_read().with_source(error))
}

/// Whether it can only be a POSIX rule, valid or not, so that an error can say why the rule is not valid: an abbreviation is
/// followed by an offset, and only rules contain a comma.
fn is_rule(name: &str) -> bool {
    let offset = name.trim_start_matches(|char: char| char.is_ascii_alphabetic());
    let digits = offset.strip_prefix(['+', '-']).unwrap_or(offset);
    digits.starts_with(|char: char| char.is_ascii_digit()) || name.starts_with('<') || name.contains(',')
}

fn of_rule(rule: &str) -> Result<TimeZone, Error> {
    let zone = match rule.contains(',') {
        true => TimeZone::posix(rule),
        false => TimeZone::posix(rule).or_else(|_| TimeZone::posix(&format!("{rule}{US_DATES}"))),
    };
    zone.map_err(|error| config(format!("cannot read the time zone rule {rule:?}")).with_source(error))
}

fn unknown(name: &str, error: jiff::Error) -> Error {
    let unknown = config(format!("unknown time zone {name:?}"));
    match tz::db().is_definitively_empty() {
        true => unknown.with_source(config("no time zone database is installed".to_owned())),
        false => unknown.with_source(error),
    }
}

/// Whether the offsets, rounded to minutes, are those that RFC 3339 has: hours up to 23. POSIX rules have more.
pub(super) fn is_supported(zone: &TimeZone) -> bool {
    let changes = zone.following(Timestamp::MIN).take(MOST_CHANGES).map(|change| change.offset());
    iter::once(zone.to_offset(Timestamp::MIN)).chain(changes).all(|offset| to_minutes(offset.seconds()).abs() < 24 * 60)
}

/// The GNU C library's default for a rule with daylight saving time that has no dates.
const US_DATES: &str = ",M3.2.0,M11.1.0";
/// More than any zone has had, and than a rule needs to show all its offsets: years of all kinds come within 40 years.
const MOST_CHANGES: usize = 500;
