use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

#[test]
fn fixed_times_are_written_like_this() {
    for (seconds, nanos, expected) in [
        (0, 0, "1970-01-01T00:00:00.000000Z"),
        (-1, 999_999_999, "1969-12-31T23:59:59.999999Z"),
        (1_795_223_943, 123_456_789, "2026-11-21T01:19:03.123456Z"),
        (951_782_399, 0, "2000-02-28T23:59:59.000000Z"),
        (951_782_400, 0, "2000-02-29T00:00:00.000000Z"),
        (4_107_542_399, 0, "2100-02-28T23:59:59.000000Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
        (-62_167_219_200, 0, "0000-01-01T00:00:00.000000Z"),
        (-62_167_219_201, 0, "0000-01-01T00:00:00.000000Z"),
        (i64::MIN, 5, "0000-01-01T00:00:00.000000Z"),
        (253_402_300_799, 1_000, "9999-12-31T23:59:59.000001Z"),
        (253_402_300_800, 0, "9999-12-31T23:59:59.999999Z"),
        (i64::MAX, 0, "9999-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(Time::rfc3339().text(Timestamp::new(seconds, nanos)), expected);
    }
}

#[test]
fn unix_times_are_numbers_with_the_right_sign() {
    let text = |time: Time, seconds, nanos| time.text(Timestamp::new(seconds, nanos));
    assert_eq!(text(Time::unix_seconds(), 12, 999_999_999), "12");
    assert_eq!(text(Time::unix_seconds().precision(3), 12, 5_000_000), "12.005");
    assert_eq!(text(Time::unix_seconds().precision(1), -1, 500_000_000), "-0.5");
    assert_eq!(text(Time::unix_seconds().precision(9), -2, 1), "-1.999999999");
    assert_eq!(text(Time::unix_millis(), -1, 999_000_000), "-1");
    assert_eq!(text(Time::unix_millis(), 12, 5_999_999), "12005");
    assert_eq!(text(Time::unix_nanos(), 1, 5), "1000000005");
    assert_eq!(text(Time::unix_nanos(), i64::MAX, 0), "253402300799999999999");
    assert_eq!(text(Time::none(), 1, 5), "");
}

#[test]
fn the_ends_of_every_month_of_ten_thousand_years_are_right() {
    let time = Time::rfc3339().precision(0);
    let mut day = -719_528;
    for year in 0..10_000_u32 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (month, days) in [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].iter().enumerate()
        {
            let noon = Timestamp::new(day * 86_400 + 43_200, 0);
            assert_eq!(time.text(noon), format!("{year:04}-{:02}-01T12:00:00Z", month + 1));
            day += days;
            let last = Timestamp::new(day * 86_400 - 1, 0);
            assert_eq!(time.text(last), format!("{year:04}-{:02}-{days}T23:59:59Z", month + 1));
        }
    }
}

proptest! {
    #[test]
    fn utc_agrees_with_jiff(seconds in -62_167_219_200..253_402_207_200_i64, nanos in 0..1_000_000_000_u32, digits in 0..=9_u8) {
        let civil = TimeZone::UTC.to_datetime(jiff::Timestamp::new(seconds, 0).unwrap());
        let fraction = &format!("{nanos:09}")[..digits as usize];
        let point = if digits == 0 { "" } else { "." };
        let expected = format!("{}{point}{fraction}Z", civil.strftime("%Y-%m-%dT%H:%M:%S"));
        prop_assert_eq!(Time::rfc3339().precision(digits).text(Timestamp::new(seconds, nanos)), expected);
        // Before 1970 a fraction counts upwards from the second below.
        let nanos = if seconds < 0 { 0 } else { nanos };
        let fraction = &format!("{nanos:09}")[..digits as usize];
        let unix = Time::unix_seconds().precision(digits).text(Timestamp::new(seconds, nanos));
        prop_assert_eq!(unix, format!("{seconds}{point}{fraction}"));
    }
}

#[cfg(feature = "time-zone")]
mod zones {
    use super::*;

    fn expected(zone: &TimeZone, seconds: i64) -> String {
        let time = jiff::Timestamp::new(seconds, 0).unwrap();
        time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    #[test]
    fn each_second_around_a_transition_has_its_own_offset() {
        for name in ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca"]
        {
            let zone = TimeZone::get(name).unwrap();
            let time = Time::zone(name).unwrap().precision(0);
            for transition in zone.following(jiff::Timestamp::new(1_600_000_000, 0).unwrap()).take(6) {
                for second in -3..3 {
                    let seconds = transition.timestamp().as_second() + second;
                    assert_eq!(time.text(Timestamp::new(seconds, 0)), expected(&zone, seconds), "{name}");
                }
            }
        }
    }

    #[test]
    fn offsets_of_long_ago_are_rounded_but_the_point_in_time_is_kept() {
        let time = Time::zone("Europe/Amsterdam").unwrap();
        let text = time.precision(0).text(Timestamp::new(-2_500_000_000, 0));
        assert_eq!(text.parse::<jiff::Timestamp>().unwrap().as_second(), -2_500_000_000, "{text}");
    }

    #[test]
    fn the_ends_of_the_range_are_kept_in_every_zone() {
        let time = Time::zone("Pacific/Kiritimati").unwrap().precision(0);
        assert_eq!(time.text(Timestamp::new(i64::MAX, 0)), "9999-12-31T23:59:59+14:00");
        assert!(time.text(Timestamp::new(i64::MIN, 0)).starts_with("0000-01-01T00:00:00-"));
    }

    #[test]
    fn the_local_clock_shows_no_date() {
        let text = Time::local().short(true).precision(2).text(Timestamp::new(1_795_223_943, 0));
        assert_eq!(text.len(), "03:19:03.00".len());
    }

    proptest! {
        #[test]
        fn zones_agree_with_jiff(seconds in 0..4_102_444_800_i64, zone in 0..4_usize) {
            let name = ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/London"][zone];
            let time = Time::zone(name).unwrap().precision(0);
            let zone = TimeZone::get(name).unwrap();
            for seconds in [seconds, seconds + 1, seconds, seconds + 86_400 * 30] {
                prop_assert_eq!(time.text(Timestamp::new(seconds, 0)), expected(&zone, seconds));
            }
        }
    }
}
