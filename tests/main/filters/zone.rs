//! Times of day by a clock on the wall, where daylight saving begins and ends.

use tracing_handlers::clock::Timestamp;
use tracing_handlers::filter::{self, Filter, Hours, Weekday};
use tracing_handlers::{RecordBuf, Severity};

fn passes(hours: &Hours, time: &str) -> bool {
    let time: jiff::Timestamp = time.parse().unwrap();
    let record = RecordBuf::new(Severity::INFO, "", "").with_time(Timestamp::new(time.as_second(), 0));
    hours.passes(&record.as_record())
}

fn berlin(from: &str, to: &str) -> Hours {
    filter::hours(from, to).unwrap().zone("Europe/Berlin").unwrap()
}

#[test]
fn an_hour_that_comes_twice_in_autumn_is_inside_twice() {
    // 2026-10-25: at 03:00 the clocks go back to 02:00, from UTC+2 to UTC+1.
    let hours = berlin("02:00", "03:00");
    let inside = ["23:59", "00:00", "00:59", "01:00", "01:59", "02:00"].map(|time| {
        let day = if time == "23:59" { 24 } else { 25 };
        passes(&hours, &format!("2026-10-{day}T{time}:00Z"))
    });
    assert_eq!(inside, [false, true, true, true, true, false]);
}

#[test]
fn an_hour_that_spring_leaves_out_never_comes() {
    // 2026-03-29: at 02:00 the clocks go on to 03:00, from UTC+1 to UTC+2.
    let inside = |from, to| {
        let minutes = (0..22 * 60).filter(|minute| {
            passes(&berlin(from, to), &format!("2026-03-29T{:02}:{:02}:00Z", minute / 60, minute % 60))
        });
        minutes.count()
    };
    assert_eq!(inside("02:00", "03:00"), 0);
    assert_eq!(inside("01:00", "04:00"), 120);
}

#[test]
fn a_night_before_a_change_of_the_clocks_belongs_to_its_evening() {
    let hours = berlin("22:00", "06:00").on([Weekday::Saturday]);
    assert!(passes(&hours, "2026-10-24T20:00:00Z"), "22:00 in summer");
    assert!(!passes(&hours, "2026-10-24T19:59:59Z"));
    assert!(passes(&hours, "2026-10-25T04:59:59Z"), "05:59:59 in winter, on Sunday");
    assert!(!passes(&hours, "2026-10-25T05:00:00Z"));
    assert!(!passes(&hours, "2026-10-25T21:00:00Z"), "Sunday's night");
}

#[test]
fn days_and_times_are_jiff_s_for_every_half_hour_of_a_year_in_odd_zones() {
    for name in ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"] {
        let zone = jiff::tz::TimeZone::get(name).unwrap();
        let hours = filter::hours("09:15", "17:45").unwrap().on(Weekday::WORKING).zone(name).unwrap();
        for half_hour in 0..366 * 48 {
            let second = 1_767_225_600 + half_hour * 1_800;
            let local = zone.to_datetime(jiff::Timestamp::from_second(second).unwrap());
            let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
            let expected = (555..1_065).contains(&minute) && local.weekday().to_monday_zero_offset() < 5;
            let record = RecordBuf::new(Severity::INFO, "", "").with_time(Timestamp::new(second, 0));
            assert_eq!(hours.passes(&record.as_record()), expected, "{name} {local}");
        }
    }
}

#[test]
fn a_zone_that_does_not_exist_is_an_error() {
    let error = filter::hours("09:00", "17:00").unwrap().zone("Atlantis/Centre").unwrap_err();
    assert_eq!(error.kind(), tracing_handlers::ErrorKind::Config);
}
