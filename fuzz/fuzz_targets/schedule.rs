//! Rotations and schedules in words, crontab lines, dates in names.

#![no_main]

use fuzz::{errors, parts};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::rotation::python::TimedRotating;
use tracing_handlers::rotation::{Naming, Rotation, Schedule};

// The words, the zone, and two times: the start of the file and now.
fuzz_target!(|input: &[u8]| {
    let Some([words, zone, begun, now]) = parts(input) else { return };
    let _ = errors::checked(words.parse::<Rotation>(), words);
    let _ = errors::checked(Naming::dated(words), words);
    let _ = errors::checked(Schedule::daily_at(words), words);
    let (begun, now) = (time(begun), time(now));
    check_python(words, zone, now);
    for schedule in [words.parse::<Schedule>(), Schedule::cron(words)] {
        let Some(schedule) = errors::checked(schedule, words) else { continue };
        check(&schedule, begun, now);
        if let Some(schedule) = errors::checked(schedule.zone(zone), zone) {
            check(&schedule, begun, now);
        }
    }
});

/// Seconds since 1970, or that of the RFC.
fn time(text: &str) -> Timestamp {
    let seconds = text.parse::<i64>().map(|seconds| Timestamp::new(seconds, 0));
    seconds.ok().or_else(|| text.parse().ok()).unwrap_or(Timestamp::new(1_795_223_943, 0))
}

/// Deadlines lie in the future and follow each other; a period begins in the past, and no deadline lies in it.
fn check(schedule: &Schedule, begun: Timestamp, now: Timestamp) {
    let start = schedule.period_start(begun, now);
    assert!(start <= now.max(begun), "the period of {now} begins at {start}: {schedule:?}");
    let mut last = now;
    for _ in 0..4 {
        let Some(deadline) = schedule.next(begun, last) else { break };
        assert!(deadline > last, "after {last} comes {deadline}: {schedule:?}");
        assert_eq!(schedule.period_start(begun, deadline), deadline, "a deadline begins a period: {schedule:?}");
        if let Some(before) = before(deadline)
            && before >= last
            && before >= begun
        {
            assert!(schedule.period_start(begun, before) < deadline, "{schedule:?}");
            assert_eq!(
                schedule.next(begun, before),
                Some(deadline),
                "{deadline} is no deadline any more: {schedule:?}"
            );
        }
        last = deadline;
    }
}

/// The deadlines of Python's handler follow each other, up to the last year.
fn check_python(when: &str, at_time: &str, from: Timestamp) {
    let Some(rule) = errors::checked(TimedRotating::new(when), when) else { return };
    let rule = errors::checked(rule.clone().at_time(at_time), at_time).unwrap_or(rule);
    let deadline = rule.deadline(from);
    if (-62_000_000_000..253_000_000_000).contains(&from.seconds()) {
        assert!(deadline > from && rule.deadline(deadline) > deadline, "{rule:?} from {from}: {deadline}");
        assert!(rule.suffix(deadline) < rule.suffix(rule.deadline(rule.deadline(deadline))), "{rule:?} from {from}");
    }
}

fn before(time: Timestamp) -> Option<Timestamp> {
    Some(Timestamp::new(time.seconds().checked_sub(1)?, time.nanos()))
}
