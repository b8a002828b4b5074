#![cfg(feature = "time-zone")]

use std::fs;
use std::process::Command;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::civil::FOREVER;
use super::*;
use crate::clock::Timestamp;
use crate::clock::civil::Civil;
use crate::skip::needs;

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
fn a_change_of_the_clocks_after_the_end_of_the_year_is_at_its_end() {
    // It would be at 05:00Z on January 1st.
    let zone = Zone::named("EST5EDT,0/0,J365/25").unwrap();
    let (start_2023, end_2023) = (1_672_549_200, 1_704_067_200);
    let summer = Segment { start: start_2023, end: end_2023, offset: -14_400, before: -18_000 };
    let winter = Segment { start: end_2023, end: end_2023 + 18_000, offset: -18_000, before: -14_400 };
    assert_eq!([zone.segment(end_2023 - 100), zone.segment(end_2023 - 1)], [summer; 2]);
    assert_eq!([zone.segment(end_2023), zone.segment(end_2023 + 100)], [winter; 2]);
}

#[test]
fn a_segment_ends_with_the_year_if_the_next_year_begins_with_another_offset() {
    // From the first Sunday in March to March 3rd: in 2026 it begins two days before it ends, in 2027 four days after.
    let zone = Zone::named("STD0DST,M3.1.0,J62").unwrap();
    let new_year_2027 = 1_798_761_600;
    let (winter, summer) = (zone.segment(new_year_2027 - 1), zone.segment(new_year_2027));
    assert_eq!((winter.end, winter.offset), (new_year_2027, 0));
    assert_eq!((summer.start, summer.offset, summer.before), (new_year_2027, 3_600, 0));
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
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zone");
    fs::write(&path, tzif(20_700)).unwrap();
    assert_eq!(Zone::named(path.to_str().unwrap()).unwrap().offset(1_750_000_000), 20_700);
    fs::write(&path, "text").unwrap();
    let error = Zone::named(path.to_str().unwrap()).unwrap_err();
    assert!(format!("{error:#}").starts_with(&format!("cannot read the time zone {path:?}: ")), "{error}");
    assert_eq!(Zone::named("/nowhere/zone").unwrap_err().to_string(), "cannot read the time zone \"/nowhere/zone\"");
}

#[test]
fn an_unknown_name_is_an_error_that_names_it() {
    for name in ["", ":", "Atlantis/Centre", "Nonsense", "Locale", "::Europe/Berlin", "Atlan\ntis"] {
        let error = Zone::named(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let name = name.strip_prefix(':').unwrap_or(name);
        assert!(format!("{error:#}").starts_with(&format!("unknown time zone {name:?}: ")), "{error}");
    }
}

#[test]
fn a_rule_that_is_not_valid_is_an_error_that_says_why() {
    for rule in ["CET-1CEST,M13.1.0,M10.1.0", "CET-1CEST,M3.5.0", "CET-1CEST,", "Europe/Berlin,", "A-1", "CET-1:90"] {
        let error = Zone::named(rule).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(format!("{error:#}").starts_with(&format!("cannot read the time zone rule {rule:?}: ")), "{error}");
    }
    for rule in ["XXX25", "CET-25", "CET-25CEST", "CET-1CEST-25", "<+25>-25"] {
        let error = format!("{:#}", Zone::named(rule).unwrap_err());
        assert!(error.contains("hour") && !error.contains("database"), "{error}");
    }
}

#[test]
fn a_zone_with_an_offset_that_rfc_3339_cannot_express_is_an_error() {
    for name in
        ["XXX24", "XXX-24", "XXX-24:59:59", "XXX24:59:59", "XXX-23:59:30", "XXX23:59:31", "XXX-23YYY", "XXX0YYY24,0,90"]
    {
        let error = Zone::named(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), format!("time zone {name:?} has an offset from UTC beyond ±23:59"));
    }
    for name in ["XXX-23:59:29", "XXX23:59:30", "XXX-22YYY", "XXX0YYY23"] {
        let zone = Zone::named(name).unwrap();
        for seconds in (0..31_536_000).step_by(864_000) {
            assert!(zone.offset_minutes(seconds).abs() <= 1_439, "{name}");
        }
    }
}

#[test]
fn a_file_with_such_an_offset_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zone");
    for (hours, is_known) in [(23, true), (24, false)] {
        fs::write(&path, tzif(hours * 3_600)).unwrap();
        let zone = Zone::named(path.to_str().unwrap());
        assert_eq!(zone.map(|zone| (zone.offset(-1), zone.offset(0))).ok(), is_known.then_some((0, hours * 3_600)));
    }
}

/// RFC 9636: UTC, and from 1970 on another offset.
fn tzif(offset: i64) -> Vec<u8> {
    let mut out = Vec::new();
    for (time_size, transitions) in [(4, [].as_slice()), (8, &[0_i64])] {
        out.extend(b"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        out.extend([0; 5]);
        out.extend((transitions.len() as u32).to_be_bytes());
        out.extend([0, 0, 0, 2, 0, 0, 0, 4]);
        transitions.iter().for_each(|time| out.extend(&time.to_be_bytes()[8 - time_size..]));
        transitions.iter().for_each(|_| out.push(1));
        for offset in [0, offset] {
            out.extend((offset as i32).to_be_bytes());
            out.extend([0, 0]);
        }
        out.extend(b"XXX\0");
    }
    out.extend(b"\n\n");
    out
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
        let theirs = needs!(date(name, &times));
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

/// What `date` prints for these times. The error says that it is not the one of the GNU coreutils.
fn date(zone: &str, times: &[i64]) -> Result<Vec<String>, &'static str> {
    use std::io::Write as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("times");
    let mut file = fs::File::create(&path).unwrap();
    times.iter().for_each(|seconds| writeln!(file, "@{seconds}").unwrap());
    let output =
        Command::new("date").env("TZ", zone).env("TZDIR", dir.path()).args(["+%s %::z %Z", "-f"]).arg(path).output();
    let output = output.ok().filter(|output| output.status.success()).ok_or("GNU date is not installed")?;
    Ok(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
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

proptest! {
    #[test]
    fn segments_of_posix_rules_have_one_offset_and_follow_one_another(
        rule in prop_oneof![any_rule(), prop::sample::select(&POSIX[..]).prop_map(str::to_owned)],
        seconds in -4_000_000_000..40_000_000_000_i64, near in -3 * 86_400..3 * 86_400_i64,
    ) {
        let zone = Zone::named(&rule);
        prop_assume!(zone.is_ok(), "an offset beyond ±23:59");
        let zone = zone.unwrap();
        let new_year = Civil { month: 1, day: 1, hour: 0, minute: 0, second: 0, ..Civil::new(seconds) }.seconds();
        for seconds in [seconds, new_year - 1, new_year, new_year + near] {
            let segment = zone.segment(seconds);
            prop_assert!(segment.start <= seconds && seconds < segment.end, "{rule} {seconds} {segment:?}");
            for inside in [segment.start, (segment.start + seconds).div_euclid(2), seconds, (seconds + segment.end).div_euclid(2), segment.end - 1] {
                prop_assert_eq!(zone.offset(inside), segment.offset, "{} {} {:?}", rule, inside, segment);
            }
            prop_assert_eq!(zone.segment(segment.start), segment);
            prop_assert_eq!(zone.segment(segment.end - 1), segment);
            if segment.start != -FOREVER {
                prop_assert_eq!(zone.segment(segment.start - 1).end, segment.start);
            }
            if segment.end != FOREVER {
                prop_assert_eq!(zone.segment(segment.end).start, segment.end);
            }
            prop_assert_eq!(zone.offset(segment.start - 1), segment.before);
        }
    }

    #[test]
    fn instants_by_posix_rules_show_the_local_time_or_follow_a_gap(rule in any_rule(), seconds in 0..4_000_000_000_i64) {
        let zone = Zone::named(&rule);
        prop_assume!(zone.is_ok(), "an offset beyond ±23:59");
        let zone = zone.unwrap();
        let civil = Civil::new(seconds);
        let instant = zone.instant(civil);
        let segment = zone.segment(instant.seconds());
        // The length of the gap is how much later the clock is.
        let later = zone.civil(instant).seconds() - seconds;
        prop_assert!(later == 0 || later > 0 && later == segment.offset - segment.before, "{rule} {seconds} {later}");
    }
}

/// POSIX rules with all kinds of dates, most likely at the start or the end of the year.
fn any_rule() -> impl Strategy<Value = String> {
    let offset = || (-24..=24_i32, 0..60_u32).prop_map(|(hours, minutes)| format!("{hours}:{minutes:02}"));
    let date = prop_oneof![
        prop_oneof![Just(1), Just(365), 1..=365_u32].prop_map(|day| format!("J{day}")),
        prop_oneof![Just(0), Just(364), Just(365), 0..=365_u32].prop_map(|day| day.to_string()),
        (prop_oneof![Just(1), Just(12), 1..=12_u32], 1..=5_u32, 0..=6_u32)
            .prop_map(|(month, week, day)| format!("M{month}.{week}.{day}")),
    ];
    let time = prop_oneof![-30..=30_i32, -167..=167_i32];
    let change = (date, prop::option::of(time))
        .prop_map(|(date, time)| time.map_or(date.clone(), |time| format!("{date}/{time}")));
    (offset(), prop::option::of(offset()), change.clone(), change)
        .prop_map(|(std, dst, start, end)| format!("STD{std}DST{},{start},{end}", dst.unwrap_or_default()))
}

fn jiff_zone(name: &str) -> TimeZone {
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).unwrap()
}

/// 2007-01-01T00:00:00Z
const FIRST: i64 = 1_167_609_600;
/// 2037-12-31T00:00:00Z
const LAST: i64 = 2_145_830_400;
const POSIX: [&str; 24] = [
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
    // The clocks change at the end of the year of UTC, or would after it.
    "EST5EDT,0/0,J365/25",
    "XXX3EDT4,0/0,J365/23",
    "STD4DST,J1/0,J365/25",
    "EST5EDT,J365/24,J1/0",
    "STD5DST,0/0,365/23",
    "CET-1CEST,M12.5.6/167,M6.1.0",
    "AAA-3BBB,M12.5.0/100,M1.1.0/-100",
    "STD0DST,365/12,J100",
    // In some years daylight saving time begins before it ends.
    "STD0DST,M3.1.0,J62",
    "STD0DST,M12.5.0/150,J364",
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
