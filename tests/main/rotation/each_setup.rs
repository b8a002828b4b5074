//! What real life does to files, however they are written and named.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing_handlers::ErrorKind;
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::{Naming, Schedule, settle};

use super::setups::{Setup, namings, setups};
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

/// The file was last written to at `seconds`.
fn touch(path: &Path, seconds: i64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
    fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

fn settled() {
    assert!(settle(Duration::from_secs(60)));
}

/// What happens for each setup and each of `namings`, with the path of a log.
fn each(namings: Vec<(Naming, bool)>, test: impl Fn(Setup, &Path, &Naming, &dyn Fn() -> Vec<String>)) {
    for setup in setups() {
        for (naming, oldest_first) in &namings {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("app.log");
            test(setup, &path, naming, &|| {
                settled();
                setup.lines(&path, *oldest_first)
            });
        }
    }
}

fn daily(naming: &Naming, clock: &Arc<Manual>) -> Rotation {
    Rotation::schedule(Schedule::daily()).naming(naming.clone()).clock(clock.clone())
}

#[test]
fn no_archive_of_a_clock_that_starts_in_1970_is_removed_before_an_older_one() {
    each(namings(), |setup, path, naming, lines| {
        let clock = clock(T0 - 2 * DAY);
        let mut log = setup.open(path, daily(naming, &clock).keep(3));
        for day in [18, 19, 20] {
            set(&clock, T0 + (day - 20) * DAY);
            log(&day.to_string());
        }
        drop(log);
        touch(path, T0);
        set(&clock, 10);
        let mut log = setup.open(path, daily(naming, &clock).keep(3));
        log("1970");
        for day in [20, 21, 22] {
            set(&clock, T0 + (day - 20) * DAY + 7_200);
            log(&format!("right on {day}"));
        }
        drop(log);
        assert_eq!(lines().last().unwrap(), "right on 22", "{setup:?} {naming:?}");
        let all = ["18", "19", "20", "1970", "right on 20", "right on 21", "right on 22"];
        let lines = lines();
        assert!(
            all.ends_with(&lines.iter().map(String::as_str).collect::<Vec<_>>()),
            "{setup:?} {naming:?}: {lines:?}"
        );
        assert!(lines.len() > 4, "{setup:?} {naming:?}: {lines:?}");
    });
}

#[test]
fn archives_of_a_clock_that_was_once_ahead_go_before_newer_ones() {
    each(namings(), |setup, path, naming, lines| {
        let clock = clock(T0);
        for (seconds, line) in [(T0, "20"), (IN_2036, "2036-01-01"), (IN_2036 + DAY, "2036-01-02")] {
            set(&clock, seconds);
            setup.open(path, daily(naming, &clock).or_size(0).keep(3))(line);
            settled();
            touch(path, seconds);
        }
        for day in 21..25 {
            set(&clock, T0 + (day - 20) * DAY);
            setup.open(path, daily(naming, &clock).or_size(0).keep(3))(&day.to_string());
            settled();
            touch(path, T0 + (day - 20) * DAY);
        }
        assert_eq!(lines(), ["21", "22", "23", "24"], "{setup:?} {naming:?}");
    });
}

#[test]
fn no_setup_removes_archives_for_one_jump_of_the_clock() {
    each(namings(), |setup, path, naming, lines| {
        // Until it is touched, a file has the true time of the test, which must not be later.
        let (now, ahead) = (T0 + 8 * 365 * DAY, IN_2036 + 10 * 365 * DAY);
        let clock = clock(now);
        let rotation = || Rotation::size(0).keep(9).naming(naming.clone()).max_age(HOUR * 48).clock(clock.clone());
        for (seconds, line) in [(now, "a"), (now, "b"), (ahead, "ahead"), (now + 60, "right"), (ahead, "again")] {
            set(&clock, seconds);
            setup.open(path, rotation())(line);
            settled();
            touch(path, seconds);
        }
        assert_eq!(lines(), ["a", "b", "ahead", "right", "again"], "{setup:?} {naming:?}");
    });
}

#[test]
fn no_setup_loses_a_period_to_restarts() {
    each(vec![(Naming::numbered_oldest_first(), true)], |setup, path, _, lines| {
        let clock = clock(T0);
        let every = || Rotation::schedule(Schedule::every(HOUR * 24)).naming(Naming::numbered_oldest_first()).keep(9);
        for run in 0..6 {
            set(&clock, T0 + run * 13 * 3_600);
            setup.open(path, every().clock(clock.clone()))(&run.to_string());
            touch(path, T0 + run * 13 * 3_600);
        }
        assert_eq!(lines(), ["0", "1", "2", "3", "4", "5"], "{setup:?}");
        let archives = files(path.parent().unwrap()).into_keys().filter(|name| name.starts_with("app.log.")).count();
        assert_eq!(archives, 2, "{setup:?}: {:?}", files(path.parent().unwrap()).keys());
    });
}

#[test]
fn no_setup_takes_files_of_others_for_archives() {
    let theirs =
        ["app.log.20261120", "app.20261120.log", "app.log.18446744073709551615", "app.log.1.bak", "app.log.01"];
    let numbered = namings().into_iter().filter(|(naming, _)| !format!("{naming:?}").contains("Dated")).collect();
    each(numbered, |setup, path, naming, _| {
        let dir = path.parent().unwrap();
        theirs.iter().for_each(|name| fs::write(dir.join(name), "theirs").unwrap());
        let mut log = setup.open(path, Rotation::size(0).keep(2).naming(naming.clone()));
        (0..6).for_each(|number| log(&number.to_string()));
        drop(log);
        settled();
        theirs
            .iter()
            .for_each(|name| assert_eq!(fs::read(dir.join(name)).unwrap(), b"theirs", "{setup:?} {naming:?}: {name}"));
        assert_eq!(setup.lines_of(path), ["5"], "{setup:?} {naming:?}");
    });
}

#[test]
fn no_setup_takes_another_log_for_an_archive() {
    for setup in setups() {
        let dir = tempfile::tempdir().unwrap();
        let mut other = setup.file(&dir.path().join("worker.1"), Rotation::on_request()).unwrap();
        let mut worker = setup.file(&dir.path().join("worker"), Rotation::size(0).keep(2)).unwrap();
        for number in 0..5 {
            write(&mut worker, &[&format!("{number}\n")]);
            write(&mut other, &["other\n"]);
        }
        // What is no log any more may be compressed as an archive.
        settled();
        drop(worker);
        settled();
        drop(other);
        assert_eq!(setup.lines_of(&dir.path().join("worker.1")), ["other"; 5], "{setup:?}");
        assert_eq!(setup.lines_of(&dir.path().join("worker")), ["4"], "{setup:?}");
    }
}

#[test]
fn no_setup_opens_a_log_that_is_called_like_archives_of_another_one() {
    for setup in setups() {
        let dir = tempfile::tempdir().unwrap();
        let _worker = setup.file(&dir.path().join("worker"), Rotation::size(1)).unwrap();
        let error = setup.file(&dir.path().join("worker.1"), Rotation::size(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{setup:?}");
    }
}

#[test]
fn no_setup_stops_at_a_directory_among_the_archives() {
    for setup in setups() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        fs::create_dir(dir.path().join("app.log.2")).unwrap();
        let mut log = setup.open(&path, Rotation::size(0).keep(4));
        (0..6).for_each(|number| log(&number.to_string()));
        drop(log);
        settled();
        fs::remove_dir(dir.path().join("app.log.2")).unwrap();
        assert_eq!(setup.lines(&path, false), ["2", "3", "4", "5"], "{setup:?}");
    }
}

#[test]
fn each_setup_rotates_once_at_the_start_of_a_process() {
    each(namings(), |setup, path, naming, lines| {
        let rotation = || Rotation::on_request().on_startup(true).naming(naming.clone()).keep(2);
        (0..6).for_each(|number| setup.open(path, rotation())(&number.to_string()));
        assert_eq!(lines(), ["0", "1", "2", "3", "4", "5"], "{setup:?} {naming:?}");
    });
}

#[test]
fn each_setup_removes_what_is_too_old_when_it_is_opened() {
    each(vec![(Naming::numbered(), false), (Naming::dated("%F").unwrap(), false)], |setup, path, naming, lines| {
        let clock = clock(T0);
        let rotation = || Rotation::size(0).keep(9).naming(naming.clone()).clock(clock.clone());
        let mut log = setup.open(path, rotation());
        ["old", "newer", "newest"].iter().for_each(|line| log(line));
        drop(log);
        settled();
        let dir = path.parent().unwrap();
        files(dir).into_keys().for_each(|name| touch(&dir.join(name), T0));
        set(&clock, T0 + 2 * DAY);
        drop(setup.file(path, rotation().max_age(HOUR)).unwrap());
        assert_eq!(lines(), ["newest"], "{setup:?} {naming:?}");
    });
}

#[cfg(unix)]
#[test]
fn each_setup_keeps_the_permissions_of_the_log() {
    use std::os::unix::fs::PermissionsExt as _;

    each(namings(), |setup, path, naming, lines| {
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        let mut log = setup.open(path, Rotation::size(0).keep(9).naming(naming.clone()));
        log("a");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        log("b");
        log("c");
        drop(log);
        assert_eq!(lines(), ["a", "b", "c"], "{setup:?} {naming:?}");
        let logs = files(path.parent().unwrap()).into_keys().filter(|name| name.starts_with("app."));
        let modes: Vec<_> = logs.map(|name| mode(&path.with_file_name(name))).collect();
        assert!(modes.len() >= 3 && modes.iter().all(|mode| *mode == 0o600), "{setup:?} {naming:?}: {modes:?}");
    });
}

#[cfg(unix)]
#[test]
fn each_setup_names_a_live_file_by_the_day_of_its_first_line() {
    let naming = Naming::dated("%F").unwrap().live(true);
    each(vec![(naming, false)], |setup, path, naming, lines| {
        let clock = clock(T0 + 3_600);
        let mut log = setup.open(path, daily(naming, &clock).keep(9));
        for day in [1, 2, 5] {
            set(&clock, T0 + day * DAY + 60);
            log(&(20 + day).to_string());
            touch(path, T0 + day * DAY + 60);
        }
        drop(log);
        assert_eq!(lines(), ["21", "22", "25"], "{setup:?}");
        let names: Vec<_> = files(path.parent().unwrap()).into_keys().collect();
        let days: Vec<_> = names.iter().filter_map(|name| name.strip_prefix("app.log.2026-11-")?.get(..2)).collect();
        assert_eq!(days, ["21", "22", "25"], "{setup:?}: {names:?}");
    });
}
