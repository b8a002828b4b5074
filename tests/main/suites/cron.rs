//! The table of log4j2's `CronExpressionTest`, for [`Schedule::cron`].
//!
//! Quartz counts weekdays from Sunday as 1 and has a year and `#`; here, as in `crontab(5)`, Sunday is 0 or 7, and neither is known.

use tracing_handlers::clock::Timestamp;
use tracing_handlers::rotation::Schedule;

fn at(time: &str) -> Timestamp {
    let time: jiff::Timestamp = time.parse().unwrap();
    Timestamp::new(time.as_second(), time.subsec_nanosecond().unsigned_abs())
}

fn next(schedule: &Schedule, after: &str) -> String {
    let next = schedule.next(at(after), at(after)).unwrap();
    jiff::Timestamp::from_second(next.seconds()).unwrap().to_string()
}

/// The last time before: every later one is not before `date`.
#[track_caller]
fn is_last_before(schedule: &Schedule, last: &str, date: &str) {
    let (last, date) = (at(last), at(date));
    let second_before = Timestamp::new(last.seconds() - 1, 0);
    assert_eq!(schedule.next(second_before, second_before), Some(last));
    assert!(schedule.next(last, last).is_some_and(|next| next >= date), "{:?}", schedule.next(last, last));
    let inside = Timestamp::new(date.seconds() - 1, 999_999_999);
    assert_eq!(schedule.period_start(Timestamp::new(0, 0), inside), last);
}

#[test]
fn the_next_time_after_a_date() {
    for (line, after, expected) in [
        ("0 */15,12 7-11,13-17 * * ?", "2015-12-02T00:00:00Z", "2015-12-02T07:00:00Z"),
        ("0 */15,12 7-11,13-17 ? * Fri", "2015-12-02T00:00:00Z", "2015-12-04T07:00:00Z"),
        ("0 */15,12 7-11,13-17 1 * ?", "2015-12-02T00:00:00Z", "2016-01-01T07:00:00Z"),
        ("0 */15,12 7-11,13-17 L * ?", "2015-11-02T00:00:00Z", "2015-11-30T07:00:00Z"),
        ("0 0 0 * * ?", "2015-11-02T00:00:00Z", "2015-11-03T00:00:00Z"),
    ] {
        assert_eq!(next(&Schedule::cron(line).unwrap(), after), expected, "{line}");
    }
}

#[test]
fn the_last_time_before_a_date() {
    for (line, last) in [
        ("0 */15,12 7-11,13-17 L * ?", "2015-10-31T17:45:00Z"),
        ("0 0/5 14,18 * * ?", "2015-11-01T18:55:00Z"),
        ("0 35/10 * * * ?", "2015-11-01T23:55:00Z"),
        ("0 15 10 * * ?", "2015-11-01T10:15:00Z"),
        ("0 * 14 * * ?", "2015-11-01T14:59:00Z"),
        ("0 10,44 14 ? 3 WED", "2015-03-25T14:44:00Z"),
    ] {
        is_last_before(&Schedule::cron(line).unwrap(), last, "2015-11-02T00:00:00Z");
    }
    // A date with milliseconds.
    is_last_before(&Schedule::cron("0 0 0 * * ?").unwrap(), "2015-11-01T00:00:00Z", "2015-11-02T00:00:00Z");
}

#[test]
fn what_only_quartz_has_is_refused() {
    for line in ["0 15 10 * * ? *", "0 15 10 ? * 6#3", "0 0 0 15W * ?", "0 0 0 ? * 8"] {
        assert!(Schedule::cron(line).is_err(), "{line}");
    }
}

#[cfg(feature = "time-zone")]
#[test]
fn midnights_of_days_with_23_and_25_hours() {
    let midnight = |zone| Schedule::cron("0 0 0 * * ?").unwrap().zone(zone).unwrap();
    // Daylight saving time ends in Sydney at 03:00 of April 6th, and begins at 02:00 of October 5th.
    let sydney = midnight("Australia/Sydney");
    assert_eq!(next(&sydney, "2025-04-05T12:59:59.999Z"), "2025-04-05T13:00:00Z");
    assert_eq!(next(&sydney, "2025-04-05T13:00:00.001Z"), "2025-04-06T14:00:00Z");
    is_last_before(&sydney, "2025-04-04T13:00:00Z", "2025-04-05T13:00:00Z");
    is_last_before(&sydney, "2025-04-05T13:00:00Z", "2025-04-06T14:00:00Z");
    assert_eq!(next(&sydney, "2025-10-04T14:00:00.001Z"), "2025-10-05T13:00:00Z");
    is_last_before(&sydney, "2025-10-04T14:00:00Z", "2025-10-05T13:00:00Z");
    // In Chile it ends at midnight, when the clocks show 23:00 again.
    let santiago = midnight("America/Santiago");
    assert_eq!(next(&santiago, "2025-04-06T02:59:59.999Z"), "2025-04-06T04:00:00Z");
    assert_eq!(next(&santiago, "2025-04-06T03:59:59.999Z"), "2025-04-06T04:00:00Z");
    assert_eq!(next(&santiago, "2025-04-06T04:00:00.001Z"), "2025-04-07T04:00:00Z");
    is_last_before(&santiago, "2025-04-05T03:00:00Z", "2025-04-06T04:00:00Z");
}
