use proptest::prelude::*;

use super::*;

/// Without a zone database.
fn utc(schedule: Schedule, from: &str, count: usize) -> Vec<String> {
    deadlines(&schedule, "UTC", from, count)
}

/// The first `count` deadlines after a time, as clocks in the zone show them.
fn deadlines(schedule: &Schedule, zone: &str, from: &str, count: usize) -> Vec<String> {
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    let begun: jiff::Timestamp = from.parse().unwrap();
    let begun = Timestamp::new(begun.as_second(), 0);
    let mut after = begun;
    let mut all = Vec::new();
    for _ in 0..count {
        after = schedule.next(begun, after).unwrap();
        let time = jiff::Timestamp::from_second(after.seconds()).unwrap().to_zoned_datetime(zone.clone());
        all.push(time.strftime("%Y-%m-%d %H:%M%:z").to_string());
    }
    all
}

#[test]
fn periods_count_from_the_beginning_of_the_file() {
    let hour = Schedule::every(Duration::from_millis(3_600_500));
    let begun = Timestamp::new(100, 600_000_000);
    assert_eq!(hour.next(begun, begun), Some(Timestamp::new(3_701, 100_000_000)));
    assert_eq!(hour.next(begun, Timestamp::new(3_701, 100_000_000)), Some(Timestamp::new(7_301, 600_000_000)));
    assert_eq!(hour.next(begun, Timestamp::new(3_701, 99_999_999)), Some(Timestamp::new(3_701, 100_000_000)));
    assert_eq!(hour.next(begun, Timestamp::new(-9_999, 0)), Some(Timestamp::new(3_701, 100_000_000)), "set back");
    assert_eq!(hour.period_start(begun, Timestamp::new(-9_999, 0)), begun);
    assert_eq!(hour.period_start(begun, Timestamp::new(3_701, 100_000_000)), Timestamp::new(3_701, 100_000_000));
    assert_eq!(Schedule::every(Duration::ZERO).next(begun, begun), Some(Timestamp::new(101, 600_000_000)));
}

#[test]
fn aligned_periods_that_do_not_divide_a_day_restart_at_midnight() {
    let hours = Schedule::every(Duration::from_secs(7 * 3_600)).aligned();
    assert_eq!(
        utc(hours, "2026-11-20T08:00:00Z", 4),
        ["2026-11-20 14:00+00:00", "2026-11-20 21:00+00:00", "2026-11-21 00:00+00:00", "2026-11-21 07:00+00:00"]
    );
}

#[test]
fn aligned_periods_of_days_count_from_a_monday() {
    let weeks = Schedule::every(Duration::from_secs(14 * 86_400)).aligned();
    assert_eq!(utc(weeks, "1970-01-01T00:00:00Z", 2), ["1970-01-05 00:00+00:00", "1970-01-19 00:00+00:00"]);
    let thirds = Schedule::every(Duration::from_secs(36 * 3_600)).aligned();
    assert_eq!(utc(thirds, "2026-11-21T00:00:00Z", 2), ["2026-11-22 00:00+00:00", "2026-11-23 12:00+00:00"]);
}

#[test]
fn a_month_that_is_too_short_has_its_last_day() {
    let end = Schedule::monthly(30, "12:00").unwrap();
    assert_eq!(
        utc(end, "2023-12-31T00:00:00Z", 3),
        ["2024-01-30 12:00+00:00", "2024-02-29 12:00+00:00", "2024-03-30 12:00+00:00"]
    );
    assert!(Schedule::monthly(0, "12:00").is_err() && Schedule::monthly(32, "12:00").is_err());
}

#[test]
fn either_day_is_enough_where_both_are_given() {
    let thirteenth = Schedule::cron("0 0 13 * fri").unwrap();
    assert_eq!(
        utc(thirteenth, "2026-11-10T00:00:00Z", 3),
        ["2026-11-13 00:00+00:00", "2026-11-20 00:00+00:00", "2026-11-27 00:00+00:00"]
    );
    // A step begins with an asterisk, so that both are needed: Vixie's rule.
    let odd = Schedule::cron("0 0 */2 * fri").unwrap();
    assert_eq!(utc(odd, "2026-11-10T00:00:00Z", 2), ["2026-11-13 00:00+00:00", "2026-11-27 00:00+00:00"]);
}

#[test]
fn leap_days_and_last_fridays_are_found() {
    let leap = Schedule::cron("0 0 29 2 *").unwrap();
    assert_eq!(
        utc(leap, "1895-01-01T00:00:00Z", 3),
        ["1896-02-29 00:00+00:00", "1904-02-29 00:00+00:00", "1908-02-29 00:00+00:00"]
    );
    let sunday = Schedule::cron("0 0 29 2 */7").unwrap();
    assert_eq!(utc(sunday, "2080-01-01T00:00:00Z", 2)[1], "2128-02-29 00:00+00:00", "with a century between");
    let friday = Schedule::cron("59 59 23 * * 5L").unwrap();
    assert_eq!(utc(friday, "2026-11-10T00:00:00Z", 2), ["2026-11-27 23:59+00:00", "2026-12-25 23:59+00:00"]);
}

#[test]
fn a_day_that_never_comes_is_not_searched_for_without_end() {
    let begun = Timestamp::new(1_795_223_943, 0);
    for line in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 ?"] {
        let never = Schedule::cron(line).unwrap();
        assert_eq!(never.next(begun, begun), None);
        assert_eq!(never.period_start(begun, Timestamp::new(1_900_000_000, 0)), begun);
    }
}

#[test]
fn words_are_the_schedules_that_they_name() {
    for (words, same) in [
        ("hourly", Schedule::hourly()),
        ("Daily", Schedule::daily()),
        ("daily at 02:30", Schedule::daily_at("02:30").unwrap()),
        ("every day at noon", Schedule::daily_at("12:00").unwrap()),
        ("monday at 00:00", Schedule::weekly(Weekday::Monday, "00:00").unwrap()),
        ("SUN", Schedule::weekly(Weekday::Sunday, "00:00").unwrap()),
        ("every friday at 3:00", Schedule::weekly(Weekday::Friday, "03:00").unwrap()),
        ("weekly", Schedule::weekly(Weekday::Monday, "00:00").unwrap()),
        ("weekly on tue at 03:00:01", Schedule::weekly(Weekday::Tuesday, "03:00:01").unwrap()),
        ("monthly on the 1st at 03:00", Schedule::monthly(1, "03:00").unwrap()),
        ("monthly on 22nd", Schedule::monthly(22, "00:00").unwrap()),
        ("monthly on the last day at noon", Schedule::monthly(31, "12:00").unwrap()),
        ("monthly", Schedule::monthly(1, "00:00").unwrap()),
        ("yearly at 00:00", Schedule::cron("0 0 1 1 *").unwrap()),
        ("every 15 minutes", Schedule::every(Duration::from_secs(900))),
        ("every hour aligned", Schedule::hourly()),
        ("every 1h 30m", Schedule::every(Duration::from_secs(5_400))),
        ("Cron 0 3 * * MON", Schedule::weekly(Weekday::Monday, "03:00").unwrap()),
        ("  @daily ", Schedule::daily_at("00:00").unwrap()),
    ] {
        let schedule = words.parse::<Schedule>().unwrap();
        let begun = Timestamp::new(1_795_223_943, 0);
        let (mut ours, mut theirs) = (begun, begun);
        for _ in 0..30 {
            ours = schedule.next(begun, ours).unwrap();
            theirs = same.next(begun, theirs).unwrap();
            assert_eq!(ours, theirs, "{words}");
        }
    }
}

#[test]
fn wrong_words_are_reported() {
    for (text, why) in [
        ("", "expected one of hourly, daily, weekly, monthly, yearly, every, cron, a day of the week"),
        (
            "sometimes",
            "expected one of hourly, daily, weekly, monthly, yearly, every, cron, a day of the week, found `sometimes`",
        ),
        ("daily at", "expected a time after `at`"),
        ("daily at 02:30 sharp", "unexpected `sharp` at the end"),
        ("daily at 26:00", "invalid time of day \"26:00\": hour must be between 0 and 24, got `26`"),
        ("daily at 24:00", "invalid time of day \"24:00\": use 00:00 of the next day"),
        ("weekly on someday", "expected a day of the week, found `someday`"),
        ("monthly on the 32nd", "day of the month must be between 1 and 31, or `last`, got `32nd`"),
        ("monthly on", "expected a day of the month after `on`"),
        ("every 90", "invalid duration \"90\": the unit is missing: ms, s, m, h, d, w"),
        ("every 5ms", "the period `5ms` is shorter than a second"),
        ("hourly at 3", "unexpected `at` at the end"),
    ] {
        let error = text.parse::<Schedule>().unwrap_err();
        assert_eq!(error.to_string(), format!("schedule {text:?}: {why}"));
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    assert_eq!(
        "cron 0 3".parse::<Schedule>().unwrap_err().to_string(),
        "cron \"0 3\": expected 5 fields, or 6 with the second in front, found 2"
    );
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let field = |last: u32| {
        let one = (0..=last, 0..=last, 1..9_u32).prop_map(move |(one, other, step)| match step {
            1 => "*".to_owned(),
            2 => format!("*/{}", one.max(1)),
            3..=5 => one.to_string(),
            _ => format!("{}-{}/{step}", one.min(other), one.max(other)),
        });
        one.boxed()
    };
    let date =
        prop_oneof![field(30).prop_map(|text| text.replace('0', "1")), Just("L".to_owned()), Just("*".to_owned())];
    let month = prop_oneof![Just("*".to_owned()), Just("2".to_owned()), Just("3-12/4".to_owned())];
    let weekday = prop_oneof![field(6), Just("*".to_owned()), Just("5L".to_owned())];
    let cron = (field(59), field(59), field(23), date, month, weekday)
        .prop_filter_map("an empty range", |(s, m, h, date, month, day)| {
            Schedule::cron(&format!("{s} {m} {h} {date} {month} {day}")).ok()
        });
    prop_oneof![
        (1..2_000_000_u64).prop_map(|period| Schedule::every(Duration::from_secs(period)).aligned()),
        (1..2_000_000_000_u64).prop_map(|period| Schedule::every(Duration::from_millis(period))),
        cron,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Whatever is asked: the answers lie on the right side, agree with each other, and the calendar's ends stop nothing.
    #[test]
    fn deadlines_and_beginnings_fit_together(
        schedule in any_schedule(),
        begun in -70_000_000_000..260_000_000_000_i64,
        after in prop_oneof![any::<i64>(), -70_000_000_000..260_000_000_000_i64],
        nanos in 0..1_000_000_000_u32,
    ) {
        let (begun, after) = (Timestamp::new(begun, nanos), Timestamp::new(after, nanos));
        let start = schedule.period_start(begun, after);
        prop_assert!(start <= after || start == begun);
        if start != begun {
            prop_assert_eq!(schedule.period_start(begun, start), start);
        }
        let next = schedule.next(begun, after);
        prop_assume!(next.is_some(), "the calendar ends");
        let next = next.unwrap();
        prop_assert!(next > after);
        prop_assert_eq!(schedule.period_start(begun, next), next);
        if start <= after {
            prop_assert_eq!(schedule.next(begun, start), Some(next));
        }
        let just_before = match next.nanos() {
            0 => Timestamp::new(next.seconds() - 1, 999_999_999),
            nanos => Timestamp::new(next.seconds(), nanos - 1),
        };
        prop_assert_eq!(schedule.next(begun, just_before), Some(next));
        if start <= after {
            prop_assert_eq!(schedule.period_start(begun, just_before), start);
        }
    }

    #[test]
    fn no_words_make_it_panic(text in "(daily|every|monthly on|weekly on|cron|@)? ?[a-z0-9*/,: -]{0,16}", any in ".{0,20}") {
        let begun = Timestamp::new(0, 0);
        for text in [text, any] {
            if let Ok(schedule) = text.parse::<Schedule>() {
                let _ = (schedule.next(begun, begun), schedule.period_start(begun, begun));
            }
        }
    }
}

#[cfg(feature = "time-zone")]
mod zones {
    use jiff::ToSpan;
    use jiff::civil::DateTime;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn a_time_that_is_left_out_comes_after_the_gap() {
        let berlin = Schedule::daily_at("02:30").unwrap().zone("Europe/Berlin").unwrap();
        assert_eq!(
            deadlines(&berlin, "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
            ["2026-03-28 02:30+01:00", "2026-03-29 03:00+02:00", "2026-03-30 02:30+02:00"]
        );
        let midnight = Schedule::daily().zone("America/Sao_Paulo").unwrap();
        assert_eq!(
            deadlines(&midnight, "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
            ["2018-11-04 01:00-02:00", "2018-11-05 00:00-02:00"]
        );
    }

    #[test]
    fn a_time_that_comes_twice_counts_once() {
        let berlin = Schedule::daily_at("02:30").unwrap().zone("Europe/Berlin").unwrap();
        assert_eq!(
            deadlines(&berlin, "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]
        );
    }

    #[test]
    fn hours_stay_hours() {
        let hourly = Schedule::hourly().zone("Europe/Berlin").unwrap();
        assert_eq!(
            deadlines(&hourly, "Europe/Berlin", "2026-10-24T23:30:00Z", 3),
            ["2026-10-25 02:00+02:00", "2026-10-25 02:00+01:00", "2026-10-25 03:00+01:00"]
        );
        let lord_howe = Schedule::hourly().zone("Australia/Lord_Howe").unwrap();
        assert_eq!(
            deadlines(&lord_howe, "Australia/Lord_Howe", "2024-10-05T14:10:00Z", 3),
            ["2024-10-06 01:00+10:30", "2024-10-06 02:30+11:00", "2024-10-06 03:00+11:00"]
        );
    }

    #[test]
    fn a_day_that_is_left_out_has_no_midnight() {
        let apia = Schedule::daily().zone("Pacific/Apia").unwrap();
        assert_eq!(
            deadlines(&apia, "Pacific/Apia", "2011-12-29T12:00:00Z", 2),
            ["2011-12-31 00:00+14:00", "2012-01-01 00:00+14:00"]
        );
    }

    /// A schedule, and what it is in a few words of another calendar.
    struct Rule {
        schedule: Schedule,
        is_met: fn(DateTime) -> bool,
        twice: bool,
    }

    fn rules() -> Vec<Rule> {
        let rule = |schedule, twice, is_met| Rule { schedule, is_met, twice };
        let every = |minutes: u64| Schedule::every(Duration::from_secs(minutes * 60)).aligned();
        let cron = |line| Schedule::cron(line).unwrap();
        vec![
            rule(Schedule::hourly(), true, |at| at.minute() == 0),
            rule(every(15), true, |at| at.minute() % 15 == 0),
            rule(every(7 * 60), true, |at| at.minute() == 0 && at.hour() % 7 == 0),
            rule(every(36 * 60), false, |at| {
                let days = at.date().since(jiff::civil::date(1970, 1, 5)).unwrap().get_days();
                at.minute() == 0 && (i32::from(at.hour()) + 24 * days) % 36 == 0
            }),
            rule(Schedule::daily(), false, |at| at.hour() == 0 && at.minute() == 0),
            rule(Schedule::daily_at("02:30").unwrap(), false, |at| at.hour() == 2 && at.minute() == 30),
            rule(Schedule::daily_at("01:45").unwrap(), false, |at| at.hour() == 1 && at.minute() == 45),
            rule(Schedule::weekly(Weekday::Sunday, "02:15").unwrap(), false, |at| {
                at.weekday() == jiff::civil::Weekday::Sunday && at.hour() == 2 && at.minute() == 15
            }),
            rule(Schedule::monthly(31, "00:00").unwrap(), false, |at| {
                at.day() == at.days_in_month() && at.hour() == 0 && at.minute() == 0
            }),
            rule(cron("30 2 * * 1-5"), false, |at| {
                at.weekday().to_monday_zero_offset() < 5 && at.hour() == 2 && at.minute() == 30
            }),
            rule(cron("*/20 1-3 * * *"), true, |at| (1..=3).contains(&at.hour()) && at.minute() % 20 == 0),
            rule(cron("5,10 2 * * *"), false, |at| at.hour() == 2 && [5, 10].contains(&at.minute())),
            rule(cron("0 0,1 1-7 * sun"), false, |at| {
                let is_day = at.day() <= 7 || at.weekday() == jiff::civil::Weekday::Sunday;
                is_day && at.hour() < 2 && at.minute() == 0
            }),
            rule(cron("0 2 * * 7L"), false, |at| {
                let is_last = at.day() + 7 > at.days_in_month();
                is_last && at.weekday() == jiff::civil::Weekday::Sunday && at.hour() == 2 && at.minute() == 0
            }),
        ]
    }

    /// Walked minute by minute, with jiff's clocks.
    fn walked(rule: &Rule, zone: &TimeZone, walls: &[(jiff::Timestamp, DateTime)]) -> Vec<i64> {
        let mut found = Vec::new();
        for pair in walls.windows(2) {
            let ((_, before), (at, wall)) = (pair[0], pair[1]);
            let mut left_out = before + 1.minute();
            let mut is_met = false;
            while left_out < wall {
                is_met |= (rule.is_met)(left_out);
                left_out += 1.minute();
            }
            let is_first = rule.twice || zone.to_ambiguous_timestamp(wall).earlier().unwrap() == at;
            if is_met || is_first && (rule.is_met)(wall) {
                found.push(at.as_second());
            }
        }
        found
    }

    fn compare(name: &str, start: i64, minutes: i64) -> usize {
        let zone = TimeZone::get(name).unwrap();
        let start = start - start.rem_euclid(60);
        let walls: Vec<_> = (0..minutes)
            .map(|minute| {
                let at = jiff::Timestamp::from_second(start + minute * 60).unwrap();
                (at, zone.to_datetime(at))
            })
            .collect();
        let begun = Timestamp::new(start, 0);
        let last = start + (minutes - 1) * 60;
        let mut count = 0;
        for mut rule in rules() {
            rule.schedule = rule.schedule.zone(name).unwrap();
            let walked = walked(&rule, &zone, &walls);
            let next = |after: &Timestamp| rule.schedule.next(begun, *after).filter(|next| next.seconds() <= last);
            let ours: Vec<_> = std::iter::successors(next(&begun), next).map(Timestamp::seconds).collect();
            assert_eq!(ours, walked, "{name} from {} {:?}", walls[0].1, rule.schedule.times);
            for (index, at) in walked.iter().enumerate() {
                // Up to the second before the one that follows.
                let end = walked.get(index + 1).unwrap_or(&last) - 1;
                for inside in [*at, end.max(*at)] {
                    assert_eq!(rule.schedule.period_start(begun, Timestamp::new(inside, 999_999_999)).seconds(), *at);
                }
            }
            count += walked.len();
        }
        count
    }

    #[test]
    fn deadlines_are_those_of_a_walk_through_each_minute_around_changes_of_the_clocks() {
        let mut count = 0;
        for (index, name) in ZONES.iter().enumerate() {
            let zone = TimeZone::get(name).unwrap();
            let changes: Vec<_> = zone
                .following("1973-01-01T00:00:00Z".parse().unwrap())
                .take_while(|change| change.timestamp().as_second() < 2_240_000_000)
                .map(|change| change.timestamp().as_second())
                .collect();
            // Each zone begins elsewhere, and takes every so many-th of its changes.
            for change in changes.iter().skip(index % 3).step_by(changes.len() / 5 + 1) {
                count += compare(name, change - 26 * 3_600, 54 * 60);
            }
        }
        assert!(count > 10_000, "{count}");
    }

    /// The changes that are unlike others: a day left out, half an hour, at midnight.
    #[test]
    fn deadlines_are_those_of_a_walk_around_odd_changes() {
        for (name, change) in [
            ("Pacific/Apia", 1_325_239_200),
            ("Asia/Pyongyang", 1_439_564_400),
            ("America/Havana", 1_710_046_800),
            ("America/Sao_Paulo", 1_541_300_400),
            ("Atlantic/Azores", 1_729_990_800),
            ("Asia/Kathmandu", 504_901_800),
        ] {
            compare(name, change - 50 * 3_600, 100 * 60);
        }
    }

    /// The clocks change at the end of the year of UTC, or would after it.
    #[test]
    fn deadlines_continue_where_the_clocks_change_with_the_year() {
        for rule in [
            "EST5EDT,0/0,J365/25",
            "XXX3EDT4,0/0,J365/23",
            "STD4DST,J1/0,J365/25",
            "EST5EDT,J365/24,J1/0",
            "STD5DST,0/0,365/23",
            "CET-1CEST,M12.5.6/167,M6.1.0",
            "AAA-3BBB,M12.5.0/100,M1.1.0/-100",
        ] {
            // 2023-12-31T23:58:20Z
            let time = Timestamp::new(1_704_067_100, 0);
            for (schedule, longest) in
                [("hourly", 1), ("daily at 02:30", 25), ("yearly", 367 * 24), ("cron 0 0 2 30 * *", 32 * 24)]
            {
                let schedule = schedule.parse::<Schedule>().unwrap().zone(rule).unwrap();
                let next = schedule.next(time, time).unwrap();
                let wait = next.seconds() - time.seconds();
                assert!(0 < wait && wait <= longest * 3_600, "{rule} {schedule:?} {wait}");
                assert_eq!(schedule.period_start(time, next), next, "{rule} {schedule:?}");
            }
            let deadline = TimedRotating::new("midnight").unwrap().zone(rule).unwrap().deadline(time);
            assert!((1..=25 * 3_600).contains(&(deadline.seconds() - time.seconds())), "{rule} {deadline:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn deadlines_are_those_of_a_walk_anywhere(start in 0..4_000_000_000_i64, zone in 0..ZONES.len()) {
            compare(ZONES[zone], start, 30 * 60);
        }

        #[test]
        fn far_times_neither_overflow_nor_panic(schedule in any_schedule(), at in any::<i64>(), zone in 0..ZONES.len()) {
            let schedule = schedule.zone(ZONES[zone]).unwrap();
            for seconds in [at, i64::MIN, i64::MAX, -62_167_219_200, 253_402_300_799, at % 260_000_000_000] {
                let at = Timestamp::new(seconds, 0);
                let next = schedule.next(at, at);
                prop_assert!(next.is_none_or(|next| next > at));
                let start = schedule.period_start(at, at);
                prop_assert!(start <= at);
            }
        }
    }

    const ZONES: [&str; 12] = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "America/Havana",
        "America/Sao_Paulo",
        "Africa/Casablanca",
        "Europe/Dublin",
        "Antarctica/Troll",
        "Asia/Pyongyang",
        "Atlantic/Azores",
    ];
}
