//! Directories that tracing-appender left, taken over.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing_appender::rolling::{self, RollingFileAppender};
use tracing_handlers::ErrorKind;
use tracing_handlers::clock::{Manual, Timestamp, Weekday};
use tracing_handlers::read::{Event, Reader};
use tracing_handlers::rotation::{Rotation, Schedule};
use tracing_handlers::sink::File;

use super::{files, write};

/// 2026-11-30T21:05:00Z, a Monday.
const NOW: Timestamp = Timestamp::new(1_796_072_700, 0);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn taken_over(schedule: Schedule, prefix: &str, suffix: &str) -> Rotation {
    Rotation::tracing_appender(schedule, prefix, suffix).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    files(dir).into_keys().collect()
}

/// The names of a rotation, and what they are here.
fn schedules() -> [(rolling::Rotation, Schedule); 4] {
    [
        (rolling::Rotation::MINUTELY, Schedule::every(Duration::from_secs(60)).aligned()),
        (rolling::Rotation::HOURLY, Schedule::hourly()),
        (rolling::Rotation::DAILY, Schedule::daily()),
        (rolling::Rotation::WEEKLY, Schedule::weekly(Weekday::Sunday, "00:00").unwrap()),
    ]
}

/// What the files have after both have written a line. Usually there is one file, unless a period ends in between.
fn written_by_both(
    of_theirs: rolling::Rotation,
    schedule: Schedule,
    prefix: &str,
    suffix: &str,
    link: &str,
) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = RollingFileAppender::builder().rotation(of_theirs);
    if !prefix.is_empty() {
        builder = builder.filename_prefix(prefix);
    }
    if !suffix.is_empty() {
        builder = builder.filename_suffix(suffix);
    }
    let mut theirs = builder.build(dir.path()).unwrap();
    theirs.write_all(b"theirs\n").unwrap();
    drop(theirs);
    let path = dir.path().join(link);
    let mut ours = File::open(&path).unwrap().rotation(taken_over(schedule, prefix, suffix));
    write(&mut ours, &["ours\n"]);
    let target = fs::read_link(&path).unwrap();
    assert_eq!(target.file_name(), Some(target.as_os_str()), "a link to the file beside it");
    assert!(fs::read_to_string(&path).unwrap().ends_with("ours\n"));
    fs::remove_file(path).unwrap();
    files(dir.path()).into_values().collect()
}

#[test]
fn the_file_of_the_present_period_is_continued_whatever_it_is_called() {
    for (prefix, suffix, link) in [
        ("app.log", "", "app.log"),
        ("app", "log", "app.log"),
        ("app", "log", "latest"),
        ("app", "", "newest.log"),
        ("", "log", "app.log"),
        ("", "", "app.log"),
    ] {
        for (of_theirs, schedule) in schedules() {
            let once = || written_by_both(of_theirs.clone(), schedule.clone(), prefix, suffix, link);
            // A period may end between the two lines, but not each time.
            let mut attempts = (0..3).map(|_| once());
            assert!(
                attempts.any(|texts| texts == ["theirs\nours\n"]),
                "{prefix:?} {suffix:?} {of_theirs:?}: {:?}",
                once()
            );
        }
    }
}

/// A directory with the files of eleven days, the last of them today's, and some that do not belong to them.
fn left() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    for day in 20..=30 {
        fs::write(dir.path().join(format!("app.log.2026-11-{day}")), format!("{day}\n")).unwrap();
    }
    for name in OTHERS {
        fs::write(dir.path().join(name), "other\n").unwrap();
    }
    let path = dir.path().join("app.log");
    (dir, path)
}

const OTHERS: [&str; 5] = [
    "app-errors.log.2026-11-20",
    "app.log.2026-11-20.bak",
    "app.log.2026-11-31",
    "app.log.old",
    "my.app.log.2026-11-20",
];

fn own(dir: &Path) -> Vec<String> {
    names(dir).into_iter().filter(|name| !OTHERS.contains(&name.as_str())).collect()
}

fn dated(days: impl IntoIterator<Item = &'static str>) -> Vec<String> {
    let days = days.into_iter().map(|day| format!("app.log.2026-{day}"));
    std::iter::once("app.log".to_owned()).chain(days).collect()
}

#[test]
fn old_files_and_new_ones_are_counted_together_and_others_stay() {
    let (dir, path) = left();
    let clock = Arc::new(Manual::new(NOW));
    let rotation = taken_over(Schedule::daily(), "app.log", "").keep(6).clock(clock.clone());
    let mut file = File::options().rotation(rotation).open(&path).unwrap();
    write(&mut file, &["today\n"]);
    assert_eq!(own(dir.path()).len(), 12, "nothing is removed before a rotation");
    assert_eq!(fs::read_to_string(dir.path().join("app.log.2026-11-30")).unwrap(), "30\ntoday\n");
    clock.advance(DAY);
    write(&mut file, &["tomorrow\n"]);
    // As with `max_log_files(7)`: the one in use, and six others.
    let kept = dated(["11-25", "11-26", "11-27", "11-28", "11-29", "11-30", "12-01"]);
    assert_eq!(own(dir.path()), kept);
    assert_eq!(fs::read_to_string(&path).unwrap(), "tomorrow\n");
    assert_eq!(names(dir.path()).len(), kept.len() + OTHERS.len());
}

#[test]
fn a_restart_in_the_same_period_removes_no_file() {
    let (dir, path) = left();
    let clock = Arc::new(Manual::new(NOW));
    let rotation = || taken_over(Schedule::daily(), "app.log", "").keep(10).clock(clock.clone());
    for _ in 0..3 {
        let mut file = File::options().rotation(rotation()).open(&path).unwrap();
        write(&mut file, &["again\n"]);
        drop(file);
        assert_eq!(own(dir.path()).len(), 12, "eleven files and the link");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "30\nagain\nagain\nagain\n");
}

#[test]
fn a_file_of_an_earlier_period_is_an_archive() {
    let (dir, path) = left();
    let clock = Arc::new(Manual::new(NOW.saturating_add(DAY)));
    let mut file = File::open(&path).unwrap().rotation(taken_over(Schedule::daily(), "app.log", "").clock(clock));
    write(&mut file, &["today\n"]);
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("app.log.2026-12-01"));
    assert_eq!(fs::read_to_string(dir.path().join("app.log.2026-11-30")).unwrap(), "30\n");
}

/// The targets that tracing-appender gives to its link, for directories called `logs`, `./logs` and by their absolute path.
#[test]
fn a_link_that_leads_nowhere_is_replaced() {
    let (dir, path) = left();
    let absolute = dir.path().join("app.log.2026-11-30");
    for target in [Path::new("logs/app.log.2026-11-30"), Path::new("./logs/app.log.2026-11-30"), &absolute] {
        let _ = fs::remove_file(&path);
        symlink(target, &path).unwrap();
        let clock = Arc::new(Manual::new(NOW));
        let rotation = taken_over(Schedule::daily(), "app.log", "").clock(clock.clone());
        let mut file = File::options().rotation(rotation).open(&path).unwrap();
        write(&mut file, &["today\n"]);
        let to = fs::read_link(&path).unwrap();
        assert!(to == absolute || to == Path::new("app.log.2026-11-30"), "{}", to.display());
        clock.advance(DAY);
        write(&mut file, &["tomorrow\n"]);
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("app.log.2026-12-01"));
        drop(file);
        fs::remove_file(dir.path().join("app.log.2026-12-01")).unwrap();
    }
    assert_eq!(fs::read_to_string(absolute).unwrap(), "30\ntoday\ntoday\ntoday\n");
    assert!(!dir.path().join("logs").exists());
}

#[test]
fn a_link_of_the_real_appender_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut theirs = RollingFileAppender::builder()
        .rotation(rolling::Rotation::WEEKLY)
        .filename_prefix("app")
        .filename_suffix("log")
        .latest_symlink("latest")
        .build(dir.path())
        .unwrap();
    theirs.write_all(b"theirs\n").unwrap();
    let weekly = Schedule::weekly(Weekday::Sunday, "00:00").unwrap();
    let path = dir.path().join("latest");
    let mut ours = File::open(&path).unwrap().rotation(taken_over(weekly, "app", "log"));
    write(&mut ours, &["ours\n"]);
    // Both at once, as while one process replaces the other.
    theirs.write_all(b"theirs\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\nours\ntheirs\n");
}

#[test]
fn files_by_size_are_numbered_within_a_day_and_counted() {
    let (dir, path) = left();
    let clock = Arc::new(Manual::new(NOW));
    let rotation = || taken_over(Schedule::daily(), "app.log", "").or_size(8).keep(3).clock(clock.clone());
    let mut file = File::options().rotation(rotation()).open(&path).unwrap();
    write(&mut file, &["12345\n"]);
    write(&mut file, &["67890\n"]);
    assert_eq!(own(dir.path()), dated(["11-29", "11-30", "11-30.1", "11-30.2"]));
    drop(file);
    // The last of the day is continued, even if the link is lost.
    fs::remove_file(&path).unwrap();
    let mut file = File::options().rotation(rotation()).open(&path).unwrap();
    write(&mut file, &["1\n"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "67890\n1\n");
    clock.advance(DAY);
    write(&mut file, &["2\n"]);
    assert_eq!(own(dir.path()), dated(["11-30", "11-30.1", "11-30.2", "12-01"]));
}

#[test]
fn old_lines_are_read_back_before_new_ones() {
    let (dir, path) = left();
    // Readers, which do not know the naming, take this for a date.
    fs::remove_file(dir.path().join("app.log.2026-11-31")).unwrap();
    let clock = Arc::new(Manual::new(NOW));
    let rotation = taken_over(Schedule::daily(), "app.log", "").clock(clock.clone());
    let mut file = File::options().rotation(rotation).open(&path).unwrap();
    write(&mut file, &["today\n"]);
    clock.advance(DAY);
    write(&mut file, &["tomorrow\n"]);
    let lines: Vec<_> =
        Reader::open(&path).unwrap().filter_map(Event::line).map(|line| line.text().into_owned()).collect();
    let old = (20..=30).map(|day| day.to_string());
    assert_eq!(lines, old.chain(["today".to_owned(), "tomorrow".to_owned()]).collect::<Vec<_>>());
}

#[test]
fn everything_is_kept_unless_a_limit_is_set() {
    let (dir, path) = left();
    let clock = Arc::new(Manual::new(NOW));
    let mut file =
        File::open(&path).unwrap().rotation(taken_over(Schedule::daily(), "app.log", "").clock(clock.clone()));
    for _ in 0..20 {
        clock.advance(DAY);
        write(&mut file, &["later\n"]);
    }
    assert_eq!(own(dir.path()).len(), 1 + 11 + 20);
}

#[test]
fn a_prefix_is_not_a_path() {
    for (prefix, suffix) in [("logs/app", "log"), ("app", "a/b")] {
        let error = Rotation::tracing_appender(Schedule::daily(), prefix, suffix).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("must not contain a path separator"), "{error}");
    }
}
