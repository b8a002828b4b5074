//! Clocks that are wrong, jump, or are put right, and processes that restart meanwhile.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::{Naming, Schedule, settle};

use super::*;

/// 2026-11-20T00:00:00Z.
const T0: i64 = 1_795_132_800;
const DAY: i64 = 86_400;
const HOUR: Duration = Duration::from_secs(3_600);
/// 2036-01-01T00:00:00Z.
const IN_2036: i64 = 2_082_758_400;

fn clock(seconds: i64) -> Arc<Manual> {
    Arc::new(Manual::new(Timestamp::new(seconds, 0)))
}

fn set(clock: &Manual, seconds: i64) {
    clock.step(Timestamp::new(seconds, 0));
}

/// Writes a file that was last written to at `seconds`.
fn put(path: &Path, text: &str, seconds: i64) {
    fs::write(path, text).unwrap();
    touch(path, seconds);
}

fn touch(path: &Path, seconds: i64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds as u64);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_clock_that_starts_in_1970_does_not_make_the_newest_archive_the_oldest() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock(10));
    let path = dir.path().join("app.log");
    put(&dir.path().join("app.log.2026-11-18"), "18\n", T0 - DAY - 1);
    put(&dir.path().join("app.log.2026-11-19"), "19\n", T0 - 1);
    put(&path, "20\n", T0 + 3_600);
    let mut file =
        File::open(&path).unwrap().rotation(Rotation::schedule(Schedule::daily()).keep(3).clock(clock.clone()));
    write(&mut file, &["1970\n"]);
    set(&clock, T0 + 7_200);
    write(&mut file, &["still 20\n"]);
    for day in 1..3 {
        set(&clock, T0 + day * DAY + 60);
        write(&mut file, &[&format!("{}\n", 20 + day)]);
    }
    let expected = [
        ("app.log", "22\n"),
        ("app.log.2026-11-19", "19\n"),
        ("app.log.2026-11-20", "20\n1970\nstill 20\n"),
        ("app.log.2026-11-21", "21\n"),
    ];
    expect(dir.path(), &expected);
}

#[test]
fn a_file_keeps_its_day_if_the_clock_is_set_to_a_later_one() {
    for shown in [10, T0 - 30 * DAY] {
        let (dir, clock) = (tempfile::tempdir().unwrap(), clock(shown));
        let path = dir.path().join("app.log");
        put(&path, "20\n", T0 + 3_600);
        let mut file = File::open(&path).unwrap().rotation(Rotation::schedule(Schedule::daily()).clock(clock.clone()));
        write(&mut file, &["behind\n"]);
        set(&clock, T0 + 3 * DAY);
        write(&mut file, &["23\n"]);
        // A clock that may be right is believed.
        let day = if shown < DAY { "app.log.2026-11-20" } else { "app.log.2026-10-21" };
        expect(dir.path(), &[("app.log", "23\n"), (day, "20\nbehind\n")]);
    }
}

#[test]
fn archives_of_days_before_the_clock_is_set_follow_those_that_exist() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock(10));
    let path = dir.path().join("app.log");
    put(&dir.path().join("app.log.2026-11-19"), "19\n", T0 - 1);
    let mut file =
        File::open(&path).unwrap().rotation(Rotation::schedule(Schedule::daily()).keep(3).clock(clock.clone()));
    for day in 0..3 {
        set(&clock, day * DAY + 10);
        write(&mut file, &[&format!("1970-01-0{}\n", day + 1)]);
    }
    set(&clock, T0 + 60);
    write(&mut file, &["20\n"]);
    let expected = [
        ("app.log", "20\n"),
        ("app.log.2026-11-19.1", "1970-01-01\n"),
        ("app.log.2026-11-19.2", "1970-01-02\n"),
        ("app.log.2026-11-19.3", "1970-01-03\n"),
    ];
    expect(dir.path(), &expected);
}

#[test]
fn archives_of_a_clock_that_was_once_in_2036_do_not_keep_the_place_of_right_ones() {
    for live in [false, true] {
        if live && !cfg!(unix) {
            continue;
        }
        let (dir, clock) = (tempfile::tempdir().unwrap(), clock(T0));
        let path = dir.path().join("app.log");
        let open = || {
            let naming = Naming::dated("%F").unwrap().live(live);
            let rotation = Rotation::schedule(Schedule::daily()).naming(naming).keep(3).clock(clock.clone());
            File::open(&path).unwrap().rotation(rotation)
        };
        let mut file = open();
        write(&mut file, &["20\n"]);
        for day in 0..3 {
            set(&clock, IN_2036 + day * DAY);
            write(&mut file, &[&format!("2036-01-0{}\n", day + 1)]);
        }
        drop(file);
        let mut file = open();
        for day in 1..6 {
            set(&clock, T0 + day * DAY);
            write(&mut file, &[&format!("{}\n", 20 + day)]);
        }
        let texts: Vec<_> =
            files(dir.path()).into_iter().filter(|(name, _)| name.starts_with("app.log.2026-11-2")).collect();
        let texts: Vec<_> = texts.iter().map(|(_, text)| text.as_str()).filter(|text| *text != "25\n").collect();
        assert_eq!(texts, ["22\n", "23\n", "24\n"], "{:?}", files(dir.path()));
    }
}

#[test]
fn hours_that_the_clock_repeats_are_named_in_their_order() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock(T0));
    let rotation = Rotation::schedule(Schedule::hourly()).keep(9).clock(clock.clone());
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    for (number, hour) in [0, 1, 2, 0, 1, 2, 3].into_iter().enumerate() {
        set(&clock, T0 + hour * 3_600 + 5);
        write(&mut file, &[&format!("{number}\n")]);
    }
    let files = files(dir.path());
    let texts: Vec<_> = files.iter().filter(|(name, _)| *name != "app.log").map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts.concat(), "0\n1\n2\n3\n4\n5\n", "{files:?}");
    assert!(files.contains_key("app.log.2026-11-20_02"), "{files:?}");
}

#[test]
fn one_jump_of_the_clock_does_not_make_archives_old() {
    // Until it is touched, a file has the true time of the test, which must not be later.
    let (now, ahead) = (T0 + 8 * 365 * DAY, IN_2036 + 10 * 365 * DAY);
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock(now));
    let path = dir.path().join("app.log");
    let open =
        || File::open(&path).unwrap().rotation(Rotation::size(1).keep(9).max_age(HOUR * 48).clock(clock.clone()));
    let write_at = |file: &mut File, text: &str| {
        write(file, &[text]);
        files(dir.path()).into_keys().for_each(|name| touch(&dir.path().join(name), now));
        assert!(settle(Duration::from_secs(30)));
    };
    let mut file = open();
    ["a\n", "b\n", "c\n"].iter().for_each(|text| write_at(&mut file, text));
    set(&clock, ahead);
    write_at(&mut file, "ahead\n");
    assert_eq!(files(dir.path()).len(), 4, "by a process that has seen the jump");
    drop(file);
    let mut file = open();
    write_at(&mut file, "ahead again\n");
    assert_eq!(files(dir.path()).len(), 5, "by a process that has not");
    set(&clock, now + DAY);
    write_at(&mut file, "right\n");
    assert_eq!(files(dir.path()).len(), 6);
    clock.advance(HOUR * 25);
    write_at(&mut file, "two days later\n");
    assert!(files(dir.path()).len() < 4, "the time has passed: {:?}", files(dir.path()));
}

#[test]
fn a_period_goes_on_over_restarts_and_openings() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock(T0));
    let path = dir.path().join("app.log");
    for run in 0..20 {
        set(&clock, T0 + run * 13 * 3_600);
        let rotation = Rotation::schedule(Schedule::every(HOUR * 24)).naming(Naming::numbered()).keep(30);
        write(&mut File::open(&path).unwrap().rotation(rotation.clock(clock.clone())), &["line\n"]);
        touch(&path, T0 + run * 13 * 3_600);
    }
    // 247 hours.
    let count = files(dir.path()).len() - 1;
    assert!((8..=10).contains(&count), "{count}");
}

#[cfg(unix)]
#[test]
fn a_live_file_is_called_by_the_day_of_its_first_line() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock(T0 + 3_600));
    let path = dir.path().join("app.log");
    let open = || {
        let naming = Naming::dated("%F").unwrap().live(true);
        File::open(&path).unwrap().rotation(Rotation::schedule(Schedule::daily()).naming(naming).clock(clock.clone()))
    };
    let mut file = open();
    set(&clock, T0 + DAY + 60);
    write(&mut file, &["21\n"]);
    expect(dir.path(), &[("app.log", "21\n"), ("app.log.2026-11-21", "21\n")]);
    drop(file);
    touch(&path, T0 + DAY + 60);
    // Another process, which logs nothing for days.
    set(&clock, T0 + 2 * DAY);
    let mut file = open();
    write(&mut file, &["22\n"]);
    set(&clock, T0 + 5 * DAY);
    write(&mut file, &["25\n"]);
    let expected = [
        ("app.log", "25\n"),
        ("app.log.2026-11-21", "21\n"),
        ("app.log.2026-11-22", "22\n"),
        ("app.log.2026-11-25", "25\n"),
    ];
    expect(dir.path(), &expected);
}

#[cfg(unix)]
#[test]
fn an_empty_live_file_of_an_earlier_day_is_not_continued() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock(T0));
    let path = dir.path().join("app.log");
    let open = || {
        let naming = Naming::dated("%F").unwrap().live(true);
        let options =
            File::options().rotation(Rotation::schedule(Schedule::daily()).naming(naming).clock(clock.clone()));
        options.open(&path).unwrap()
    };
    drop(open());
    expect(dir.path(), &[("app.log", ""), ("app.log.2026-11-20", "")]);
    set(&clock, T0 + 2 * DAY);
    write(&mut open(), &["22\n"]);
    expect(dir.path(), &[("app.log", "22\n"), ("app.log.2026-11-22", "22\n")]);
}
