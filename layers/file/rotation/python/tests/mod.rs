use super::{Rotating, TimedRotating};
use crate::clock::Timestamp;

fn rule(when: &str, interval: u32, at_time: Option<&str>) -> TimedRotating {
    let rule = TimedRotating::new(when).unwrap().interval(interval);
    at_time.into_iter().fold(rule, |rule, time| rule.at_time(time).unwrap())
}

/// PY-42: what Python 3.13 says.
#[test]
fn deadlines_in_utc_are_those_of_python() {
    let now = 1_700_000_000;
    for (when, interval, at_time, from, deadline) in [
        ("S", 10, None, now, 1_700_000_010),
        ("m", 5, None, now, 1_700_000_300),
        ("h", 1, None, now, 1_700_003_600),
        ("D", 1, None, now, 1_700_086_400),
        ("midnight", 1, None, now, 1_700_006_400),
        ("MIDNIGHT", 3, None, now, 1_700_179_200),
        ("midnight", 1, None, 1_700_006_400, 1_700_092_800),
        ("midnight", 1, Some("12:00"), now, 1_700_049_600),
        ("midnight", 1, Some("23:30:15"), now, 1_700_004_615),
        ("W0", 1, None, now, 1_700_524_800),
        ("w1", 1, None, now, 1_700_006_400),
        ("W2", 1, None, now, 1_700_092_800),
        ("W6", 1, None, now, 1_700_438_400),
        ("W6", 2, None, now, 1_701_043_200),
        ("W1", 1, Some("22:00"), now, 1_700_604_000),
        ("W1", 1, Some("23:00"), now, 1_700_002_800),
    ] {
        let found = rule(when, interval, at_time).deadline(Timestamp::new(from, 999_999_999));
        assert_eq!(found, Timestamp::new(deadline, 0), "{when} {interval} {at_time:?} from {from}");
    }
}

/// PY-28, PY-29.
#[test]
fn what_python_refuses_is_refused() {
    for when in ["", "X", "W", "W7", "W00", "Wx", "SS", "day", "W-1", "W+1"] {
        let error = TimedRotating::new(when).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("expected one of S, M, H, D, midnight, W0 (Monday) to W6, found {when:?}")
        );
    }
    assert!(rule("midnight", 1, None).at_time("24:00").is_err());
}

#[test]
fn names_have_the_digits_that_are_looked_for() {
    for (when, suffix) in [
        ("S", "2023-11-14_22-13-19"),
        ("M", "2023-11-14_22-12"),
        ("H", "2023-11-14_21"),
        ("D", "2023-11-13"),
        ("midnight", "2023-11-13"),
        ("W3", "2023-11-07"),
    ] {
        let rule = rule(when, 1, None).backup_count(1);
        assert_eq!(rule.suffix(Timestamp::new(1_700_000_000, 0)), suffix);
        let names = [format!("app.log.{suffix}"), "app.log.9999-99-99_99-99-99"[..8 + suffix.len()].to_owned()];
        assert_eq!(rule.surplus("app.log", names.clone()), &names[..1], "{when}");
    }
}

#[test]
fn times_beyond_the_calendar_have_no_deadline() {
    for when in ["S", "D", "midnight", "W6"] {
        let rule = rule(when, u32::MAX, None);
        for seconds in [i64::MIN, -62_167_219_200, 253_402_300_799, i64::MAX] {
            let deadline = rule.deadline(Timestamp::new(seconds, 0));
            assert!(deadline.seconds() >= seconds);
            let _ = rule.suffix(deadline);
        }
    }
}

/// PY-27: the files of `RotatingFileHandler(maxBytes, backupCount)`, the one in use first.
#[test]
fn sizes_roll_as_python_rolls_them() {
    let long = "x".repeat(50);
    for (limit, backups, lines, files) in [
        (10, 2, vec!["aaaa", "bbbb", "cccc", "dddd"], vec!["dddd\n", "cccc\n", "bbbb\n"]),
        (10, 2, vec!["aaaa", "bbb", "c"], vec!["c\n", "aaaa\nbbb\n"]),
        (10, 3, vec!["aaaaaaaa", "bbbbbbbbb", "cccccccccc"], vec!["cccccccccc\n", "bbbbbbbbb\n", "aaaaaaaa\n"]),
        (10, 1, vec![&long, "y", "z"], vec!["y\nz\n", &format!("{long}\n")]),
        (10, 1, vec!["aaaa", &long, "y"], vec!["y\n", &format!("{long}\n")]),
        (10, 2, vec!["aaaa", "bbb", ""], vec!["\n", "aaaa\nbbb\n"]),
        (0, 2, vec!["aaaa", "bbb", "c"], vec!["aaaa\nbbb\nc\n"]),
        (20, 2, vec!["ééééé", "ééééé"], vec!["ééééé\n", "ééééé\n"]),
    ] {
        let rule = Rotating::new(limit, backups);
        let mut found = vec![String::new()];
        for line in lines {
            if rule.rolls(found[0].len() as u64, line.len() as u64 + 1) {
                found.insert(0, String::new());
                found.truncate(rule.backup_count() + 1);
            }
            found[0] += line;
            found[0].push('\n');
        }
        assert_eq!(found, files, "{limit}");
    }
}

#[cfg(feature = "time-zone")]
mod zones;
