#![cfg(feature = "time-zone")]

use std::fs;
use std::process::Command;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::clock::civil::Civil;

#[test]
fn a_segment_ends_where_the_next_one_begins() {
    let zone = Zone::named("Australia/Lord_Howe").unwrap();
    let winter = zone.segment(1_720_000_000);
    let summer = zone.segment(winter.end);
    assert_eq!((summer.start, summer.before), (winter.end, winter.offset));
    assert_eq!((winter.offset, summer.offset), (37_800, 39_600));
    assert_eq!(zone.segment(summer.start - 1), winter);
}

#[test]
fn every_kind_of_name_is_known() {
    let july = 1_750_000_000;
    for (name, offset, abbreviation) in [
        ("utc", 0, "UTC"),
        ("UTC", 0, "UTC"),
        ("Europe/Berlin", 7_200, "CEST"),
        ("europe/berlin", 7_200, "CEST"),
        (":Europe/Berlin", 7_200, "CEST"),
        ("CET-1CEST", 7_200, "CEST"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 7_200, "CEST"),
        (":CET-1CEST", 7_200, "CEST"),
        ("<+0330>-3:30", 12_600, "+0330"),
        ("EST5", -18_000, "EST"),
        ("UTC+2", -7_200, "UTC"),
        ("CET-1:30:15CEST", 9_015, "CEST"),
        ("../zoneinfo/Asia/Kathmandu", 20_700, "+0545"),
        ("/usr/share/zoneinfo/Asia/Kathmandu", 20_700, "+0545"),
    ] {
        let zone = Zone::named(name).unwrap_or_else(|error| panic!("{error}"));
        let mut text = Vec::new();
        zone.write_abbreviation(july, &mut text);
        assert_eq!((zone.offset(july), &*String::from_utf8(text).unwrap()), (offset, abbreviation), "{name}");
    }
    assert!(Zone::named("local").is_ok());
}

#[test]
fn a_file_is_a_zone() {
    let Ok(data) = fs::read("/usr/share/zoneinfo/Asia/Kathmandu") else { return println!("skipped: no zoneinfo") };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zone");
    fs::write(&path, data).unwrap();
    assert_eq!(Zone::named(path.to_str().unwrap()).unwrap().offset(1_750_000_000), 20_700);
    fs::write(&path, "text").unwrap();
    let error = Zone::named(path.to_str().unwrap()).unwrap_err();
    assert!(format!("{error:#}").starts_with(&format!("cannot read the time zone {}: ", path.display())), "{error}");
    assert!(
        Zone::named("/nowhere/zone").unwrap_err().to_string().starts_with("cannot read the time zone /nowhere/zone")
    );
}

#[test]
fn an_unknown_name_is_an_error_that_names_it() {
    for name in ["", ":", "Atlantis/Centre", "Nonsense", "Locale", "A-1", "CET-25", "CET-1:90", "::Europe/Berlin"] {
        let error = Zone::named(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let name = name.strip_prefix(':').unwrap_or(name);
        assert!(format!("{error:#}").starts_with(&format!("unknown time zone `{name}`: ")), "{error}");
    }
    for rule in ["CET-1CEST,M13.1.0,M10.1.0", "CET-1CEST,M3.5.0", "CET-1CEST,", "Europe/Berlin,"] {
        let error = Zone::named(rule).unwrap_err();
        assert!(format!("{error:#}").starts_with(&format!("cannot read the time zone rule `{rule}`: ")), "{error}");
    }
}

/// `date` of the GNU C library, at the seconds around each change of the clocks from 2007 to 2037, and between them.
///
/// Rules without dates are those of the library itself, not of a file `posixrules` that is installed: hence another `TZDIR`.
#[test]
fn posix_rules_are_those_of_libc() {
    for name in POSIX {
        let zone = Zone::named(name).unwrap();
        let mut times: Vec<i64> = (FIRST..LAST).step_by(9_999_991).collect();
        let mut segment = zone.segment(FIRST);
        // Zones without changes have one segment.
        while segment.end < LAST {
            times.extend([segment.end - 1, segment.end]);
            segment = zone.segment(segment.end);
        }
        let Some(theirs) = date(name, &times) else { return };
        let ours: Vec<_> = times.iter().map(|seconds| shown(&zone, *seconds)).collect();
        let different: Vec<_> = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).take(5).collect();
        assert!(ours.len() == theirs.len() && different.is_empty(), "{name}: {different:?}");
    }
}

/// `seconds offset abbreviation`
fn shown(zone: &Zone, seconds: i64) -> String {
    let offset = zone.offset(seconds);
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    let mut abbreviation = Vec::new();
    zone.write_abbreviation(seconds, &mut abbreviation);
    let abbreviation = String::from_utf8(abbreviation).unwrap();
    format!("{seconds} {sign}{:02}:{:02}:{:02} {abbreviation}", size / 3_600, size / 60 % 60, size % 60)
}

fn date(zone: &str, times: &[i64]) -> Option<Vec<String>> {
    use std::io::Write as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("times");
    let mut file = fs::File::create(&path).unwrap();
    times.iter().for_each(|seconds| writeln!(file, "@{seconds}").unwrap());
    let output =
        Command::new("date").env("TZ", zone).env("TZDIR", dir.path()).args(["+%s %::z %Z", "-f"]).arg(path).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        println!("skipped: no GNU date");
        return None;
    };
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

proptest! {
    #[test]
    fn instants_are_those_of_jiff(seconds in -4_000_000_000..40_000_000_000_i64, zone in 0..ZONES.len()) {
        let theirs = jiff_zone(ZONES[zone]);
        let zone = Zone::named(ZONES[zone]).unwrap();
        // Near a change of the clocks, where there is one.
        for seconds in [seconds, zone.segment(seconds).end.min(50_000_000_000) + seconds % 7_200] {
            let civil = Civil::new(seconds);
            let date = jiff::civil::date(civil.year as i16, civil.month as i8, civil.day as i8);
            let time = date.at(civil.hour as i8, civil.minute as i8, civil.second as i8, 0);
            prop_assert_eq!(zone.instant(civil).seconds(), theirs.to_timestamp(time).unwrap().as_second());
            let shown = theirs.to_datetime(jiff::Timestamp::from_second(seconds).unwrap());
            let ours = zone.civil(Timestamp::new(seconds, 0));
            prop_assert_eq!(
                (ours.year, ours.month, ours.day, ours.hour, ours.minute, ours.second),
                (shown.year().into(), shown.month() as u8, shown.day() as u8, shown.hour() as u8, shown.minute() as u8, shown.second() as u8)
            );
        }
    }

    #[test]
    fn offsets_are_those_of_jiff_and_of_the_segment_whatever_was_asked_before(
        seconds in prop::collection::vec(prop_oneof![any::<i64>(), -70_000_000_000..260_000_000_000_i64], 1..8), zone in 0..ZONES.len(),
    ) {
        let theirs = jiff_zone(ZONES[zone]);
        let zone = Zone::named(ZONES[zone]).unwrap();
        for seconds in seconds.iter().flat_map(|seconds| [*seconds, *seconds, seconds.saturating_add(1)]) {
            let nearest = jiff::Timestamp::from_second(seconds);
            let nearest = nearest.unwrap_or(if seconds < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX });
            prop_assert_eq!(zone.offset(seconds), i64::from(theirs.to_offset(nearest).seconds()));
            prop_assert_eq!(zone.segment(seconds).offset, zone.offset(seconds));
        }
    }

    #[test]
    fn no_name_makes_it_panic(name in ".{0,20}", rule in ":?[A-Z]{3}[-+]?[0-9:]{1,6}([A-Z]{3}[0-9]{0,2}(,[MJ]?[0-9./]{1,8}){0,2})?") {
        for name in [name, rule] {
            if let Ok(zone) = Zone::named(&name) {
                let _ = (zone.offset(0), zone.segment(i64::MAX), zone.segment(i64::MIN), zone.civil(Timestamp::EPOCH));
            }
        }
    }
}

fn jiff_zone(name: &str) -> TimeZone {
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).unwrap()
}

/// 2007-01-01T00:00:00Z
const FIRST: i64 = 1_167_609_600;
/// 2037-12-31T00:00:00Z
const LAST: i64 = 2_145_830_400;
const POSIX: [&str; 14] = [
    "CET-1CEST",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "<+0330>-3:30",
    "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "CET-1CEST,J60,J300",
    "CET-1CEST,59,299/-1",
    "CET-1:30:15CEST",
    "NZST-12NZDT",
    "EST5EDT4,M3.2.0,M11.1.0",
    "EST5",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
];
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Havana",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
];
