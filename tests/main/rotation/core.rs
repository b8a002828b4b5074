//! Triggers, names and checks of the path, with a clock that the test sets.

use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::Schedule;

use super::*;

/// 2026-11-21T10:00:00Z, a Saturday.
const START: i64 = 1_795_255_200;
const HOUR: Duration = Duration::from_secs(3_600);

fn clock() -> Arc<Manual> {
    Arc::new(Manual::new(Timestamp::new(START, 0)))
}

#[test]
fn a_day_has_a_file_that_is_called_by_its_date() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let rotation = Rotation::schedule(Schedule::daily()).clock(clock.clone());
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["a\n"]);
    clock.advance(HOUR * 13);
    write(&mut file, &["b\n"]);
    expect(dir.path(), &[("app.log", "a\nb\n")]);
    clock.advance(HOUR);
    write(&mut file, &["c\n"]);
    clock.advance(HOUR * 48);
    write(&mut file, &["d\n"]);
    expect(dir.path(), &[("app.log", "d\n"), ("app.log.2026-11-21", "a\nb\n"), ("app.log.2026-11-22", "c\n")]);
}

#[test]
fn a_period_without_a_line_leaves_no_file() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let rotation = Rotation::schedule(Schedule::hourly()).clock(clock.clone());
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    clock.advance(HOUR * 5);
    write(&mut file, &["a\n"]);
    clock.advance(HOUR);
    write(&mut file, &["b\n"]);
    expect(dir.path(), &[("app.log", "b\n"), ("app.log.2026-11-21_15", "a\n")]);
}

#[test]
fn a_size_within_a_period_adds_numbers_to_the_date() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let rotation = Rotation::schedule(Schedule::daily()).or_size(2).keep(3).clock(clock.clone());
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["a\n", "b\n", "c\n", "d\n", "e\n"]);
    let expected = [
        ("app.log", "e\n"),
        ("app.log.2026-11-21.1", "b\n"),
        ("app.log.2026-11-21.2", "c\n"),
        ("app.log.2026-11-21.3", "d\n"),
    ];
    expect(dir.path(), &expected);
}

#[test]
fn a_deadline_that_passed_between_two_processes_is_noticed_at_the_first_line() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let path = dir.path().join("app.log");
    fs::write(&path, "before\n").unwrap();
    let yesterday = std::time::UNIX_EPOCH + Duration::from_secs(START as u64) - HOUR * 20;
    fs::File::options().write(true).open(&path).unwrap().set_modified(yesterday).unwrap();
    let rotation = Rotation::schedule(Schedule::daily()).clock(clock);
    write(&mut File::open(&path).unwrap().rotation(rotation), &["after\n"]);
    expect(dir.path(), &[("app.log", "after\n"), ("app.log.2026-11-20", "before\n")]);
}

#[test]
fn a_clock_that_is_put_back_does_not_stop_the_rotation() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let rotation = Rotation::schedule(Schedule::daily()).clock(clock.clone());
    clock.advance(HOUR * 24 * 365);
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["a year ahead\n"]);
    clock.set(Timestamp::new(START, 0));
    write(&mut file, &["put right\n"]);
    clock.advance(HOUR * 24);
    write(&mut file, &["next day\n"]);
    let expected = [("app.log", "next day\n"), ("app.log.2026-11-21", "a year ahead\nput right\n")];
    expect(dir.path(), &expected);
}

#[test]
fn an_existing_file_is_rotated_at_startup_and_an_empty_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let open = || File::open(&path).unwrap().rotation(Rotation::on_request().on_startup(true));
    fs::write(&path, "a\nb\n").unwrap();
    let mut first = open();
    write(&mut first, &["c\n"]);
    write(&mut first, &["d\n"]);
    // Once per process: later openings go on.
    write(&mut open(), &["e\n"]);
    write(&mut open(), &["f\n"]);
    expect(dir.path(), &[("app.log", "c\nd\ne\nf\n"), ("app.log.1", "a\nb\n")]);
}

#[test]
fn a_requested_rotation_happens_before_the_next_line_or_at_a_flush() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::on_request());
    let control = file.control();
    control.rotate();
    write(&mut file, &["a\n"]);
    control.rotate();
    write(&mut file, &["b\n"]);
    control.rotate();
    Sink::flush(&mut file, std::time::Instant::now()).unwrap();
    expect(dir.path(), &[("app.log", ""), ("app.log.1", "b\n"), ("app.log.2", "a\n")]);
}

#[cfg(unix)]
#[test]
fn a_live_file_has_its_name_from_the_start_and_the_path_leads_to_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let path = dir.path().join("app.log");
    let rotation = || {
        let naming = tracing_handlers::rotation::Naming::dated("%Y-%m-%d").unwrap().before_extension(true).live(true);
        Rotation::schedule(Schedule::daily()).or_size(4).naming(naming).keep(2).clock(clock.clone())
    };
    let mut file = File::open(&path).unwrap().rotation(rotation());
    write(&mut file, &["a\n", "b\n", "c\n"]);
    let link = || fs::read_link(&path).unwrap().into_os_string().into_string().unwrap();
    assert_eq!(link(), "app.2026-11-21.1.log");
    drop(file);

    let mut file = File::open(&path).unwrap().rotation(rotation());
    write(&mut file, &["d\n"]);
    clock.advance(HOUR * 24);
    write(&mut file, &["e\n"]);
    assert_eq!(link(), "app.2026-11-22.log");
    let expected = [
        ("app.2026-11-21.1.log", "c\nd\n"),
        ("app.2026-11-21.log", "a\nb\n"),
        ("app.2026-11-22.log", "e\n"),
        ("app.log", "e\n"),
    ];
    expect(dir.path(), &expected);
    write(&mut file, &["ffff\n"]);
    assert!(!dir.path().join("app.2026-11-21.log").exists(), "two ended files are kept");
    assert!(dir.path().join("app.2026-11-21.1.log").exists());
}

#[test]
fn a_rotator_of_ones_own_takes_the_place_of_the_rename() {
    let dir = tempfile::tempdir().unwrap();
    let rotation = Rotation::size(2).rotator(|from, to| {
        fs::copy(from, to)?;
        fs::remove_file(from)
    });
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["a\n", "b\n"]);
    expect(dir.path(), &[("app.log", "b\n"), ("app.log.1", "a\n")]);
}

#[test]
fn a_watched_file_is_made_again_when_it_was_moved_or_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::options().watch(Duration::ZERO).open(&path).unwrap();
    write(&mut file, &["a\n"]);
    fs::rename(&path, dir.path().join("moved")).unwrap();
    write(&mut file, &["b\n"]);
    expect(dir.path(), &[("app.log", "b\n"), ("moved", "a\n")]);
    fs::remove_file(&path).unwrap();
    write(&mut file, &["c\n"]);
    expect(dir.path(), &[("app.log", "c\n"), ("moved", "a\n")]);
}

#[test]
fn a_file_that_others_emptied_is_known_to_be_short_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::options().watch(Duration::ZERO).rotation(Rotation::size(8)).open(&path).unwrap();
    write(&mut file, &["aaaaaa\n"]);
    fs::File::options().write(true).truncate(true).open(&path).unwrap();
    write(&mut file, &["b\n"]);
    expect(dir.path(), &[("app.log", "b\n")]);
}

#[test]
fn a_file_that_is_asked_to_reopen_follows_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::options().watch(None).open(&path).unwrap();
    let control = file.control();
    fs::rename(&path, dir.path().join("moved")).unwrap();
    write(&mut file, &["still there\n"]);
    control.reopen();
    write(&mut file, &["b\n"]);
    expect(dir.path(), &[("app.log", "b\n"), ("moved", "still there\n")]);
}

#[test]
fn two_files_that_share_a_path_rotate_it_once_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let threads: Vec<_> = (0..4)
        .map(|writer| {
            let rotation = Rotation::size(1_000).keep(usize::MAX);
            let mut file = File::options().shared(true).rotation(rotation).open(&path).unwrap();
            std::thread::spawn(move || {
                (0..500).for_each(|number| write(&mut file, &[&format!("{writer} {number:04}\n")]));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let files = files(dir.path());
    let mut lines: Vec<_> = files.values().flat_map(|text| text.lines()).collect();
    lines.sort_unstable();
    let expected: Vec<_> =
        (0..4).flat_map(|writer| (0..500).map(move |number| format!("{writer} {number:04}"))).collect();
    assert_eq!(lines, expected);
    // 142 lines of 7 bytes fit into each; the lock file is one more.
    assert_eq!(files.len(), 2_000_usize.div_ceil(142) + 1);
}
