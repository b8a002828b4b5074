//! Settings that are seldom put together, and restarts with other ones.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::python::Rotating;
use tracing_handlers::rotation::{self, Budget, Naming, Schedule};

use super::*;

/// 2026-11-21T10:00:00Z, a Saturday.
const START: i64 = 1_795_255_200;

#[cfg(unix)]
fn link(path: &Path) -> String {
    fs::read_link(path).unwrap().into_os_string().into_string().unwrap()
}

fn settle() {
    assert!(rotation::settle(Duration::from_secs(60)));
}

/// A file of so many bytes that was written to so long before [`START`].
fn fill(path: PathBuf, bytes: usize, hours_ago: u64) {
    fs::write(&path, vec![b'x'; bytes]).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(START as u64 - hours_ago * 3_600);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[cfg(unix)]
#[test]
fn a_path_that_is_a_user_s_link_is_rotated_repeatedly() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(dir.path().join("logs")).unwrap();
    let path = dir.path().join("logs/app.log");
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let mut file = File::open(&path).unwrap().rotation(Rotation::size(0).keep(2));
    for line in ["a\n", "b\n", "c\n"] {
        write(&mut file, &[line]);
    }
    let logs = dir.path().join("logs");
    expect(&logs, &[("app.log", "c\n"), ("app.log.1", "b\n"), ("app.log.2", "a\n")]);
    write(&mut file, &["d\n"]);
    expect(&logs, &[("app.log", "d\n"), ("app.log.1", "c\n"), ("app.log.2", "b\n")]);
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "a\n", "what a link leads to is not ours to remove");
}

#[cfg(unix)]
#[test]
fn a_live_file_whose_next_process_has_none_has_ended() {
    for naming in [Naming::numbered_oldest_first(), Naming::numbered()] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let rotation = Rotation::size(2).naming(naming.clone().live(true));
        write(&mut File::options().rotation(rotation).open(&path).unwrap(), &["a\n"]);
        assert_eq!(link(&path), "app.log.1");
        let mut file = File::options().rotation(Rotation::size(2).naming(naming.clone())).open(&path).unwrap();
        write(&mut file, &["b\n"]);
        expect(dir.path(), &[("app.log", "b\n"), ("app.log.1", "a\n")]);
        write(&mut file, &["c\n"]);
        write(&mut file, &["d\n"]);
        let all = files(dir.path());
        assert_eq!(all.len(), 4, "{naming:?}: {all:?}");
        assert_eq!(all["app.log"], "d\n");
    }
}

#[cfg(all(unix, feature = "gzip"))]
#[test]
fn a_live_file_whose_next_process_has_none_is_not_compressed_while_it_is_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let naming = Naming::numbered_oldest_first();
    let live = Rotation::on_request().naming(naming.clone().live(true));
    write(&mut File::options().rotation(live).open(&path).unwrap(), &["a\n"]);
    let rotation = Rotation::on_request().naming(naming).compression(rotation::Compression::gzip());
    let mut file = File::options().rotation(rotation).watch(None).open(&path).unwrap();
    settle();
    write(&mut file, &["b\n"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "b\n");
    assert!(dir.path().join("app.log.1.gz").exists());
}

#[cfg(unix)]
#[test]
fn the_first_live_file_is_called_by_its_period_too() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(Manual::new(Timestamp::new(START, 0))));
    let path = dir.path().join("app.log");
    let naming = Naming::dated("%F").unwrap().live(true);
    let rotation = Rotation::schedule(Schedule::daily_at("12:00").unwrap()).naming(naming).clock(clock.clone());
    let mut file = File::options().rotation(rotation).open(&path).unwrap();
    write(&mut file, &["a\n"]);
    assert_eq!(link(&path), "app.log.2026-11-20");
    clock.advance(Duration::from_secs(7_200));
    write(&mut file, &["b\n"]);
    assert_eq!(link(&path), "app.log.2026-11-21");
}

#[cfg(unix)]
#[test]
fn a_live_file_of_which_none_is_kept_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let rotation = Rotation::size(0).keep(0).naming(Naming::numbered().live(true));
    let mut file = File::options().rotation(rotation).open(&path).unwrap();
    write(&mut file, &["a\n", "b\n", "c\n"]);
    assert_eq!(link(&path), "app.log.3");
    expect(dir.path(), &[("app.log", "c\n"), ("app.log.3", "c\n")]);
}

#[test]
fn a_directory_that_is_called_like_an_ended_file_takes_the_place_of_none() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(Manual::new(Timestamp::new(START, 0))));
    fs::create_dir(dir.path().join("app.log.2027-01-01")).unwrap();
    let rotation = Rotation::schedule(Schedule::daily()).or_size(0).keep(2).clock(clock);
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["a\n", "b\n", "c\n", "d\n"]);
    let expected = [
        ("app.log", "d\n"),
        ("app.log.2026-11-21.1", "b\n"),
        ("app.log.2026-11-21.2", "c\n"),
        ("app.log.2027-01-01", "(a directory)"),
    ];
    expect(dir.path(), &expected);
}

#[test]
fn a_file_by_a_rule_of_pythons_that_never_rolls_loses_nothing_when_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::open(&path).unwrap().rotation(Rotation::from(Rotating::new(0, 0)));
    write(&mut file, &["a\n"]);
    file.control().rotate();
    write(&mut file, &["b\n"]);
    let all: String = files(dir.path()).into_iter().rev().map(|(_, text)| text).collect();
    assert_eq!(all, "a\nb\n");
}

/// The kernel sets file times by a clock that may be a tick late.
#[test]
fn a_file_that_another_process_has_just_rotated_is_not_rotated_again() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(Manual::new(Timestamp::new(1_700_000_000, 0))));
    let path = dir.path().join("app.log");
    let open = || {
        let rotation = Rotation::schedule(Schedule::daily()).clock(clock.clone());
        File::options().shared(true).rotation(rotation).open(&path).unwrap()
    };
    let (mut one, mut other) = (open(), open());
    write(&mut one, &["a\n"]);
    // 2023-11-15T00:00:00Z, and the file is started now: its modification time is not later than that.
    let midnight = Duration::from_secs(1_700_006_400);
    clock.set(Timestamp::new(midnight.as_secs() as i64, 1_000_000));
    write(&mut one, &["b\n"]);
    let modified = UNIX_EPOCH + midnight - Duration::from_millis(3);
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    write(&mut other, &["c\n"]);
    expect(dir.path(), &[(".app.log.lock", ""), ("app.log", "b\nc\n"), ("app.log.2023-11-14", "a\n")]);
}

#[test]
fn a_rotator_that_fails_when_it_has_moved_the_file_does_not_let_it_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let rotation = Rotation::size(0).rotator(|from, to| {
        fs::rename(from, to)?;
        Err(std::io::Error::other("it was moved, and then something failed"))
    });
    let mut file = File::options().watch(None).rotation(rotation).open(&path).unwrap();
    write(&mut file, &["a\n", "b\n"]);
    expect(dir.path(), &[("app.log", "b\n"), ("app.log.1", "a\n")]);
}

#[test]
fn archives_beyond_the_limits_are_removed_shortly_after_the_rotation() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(Manual::new(Timestamp::new(START, 0))));
    for (number, hours) in [(1, 1), (2, 2), (3, 30)] {
        fill(dir.path().join(format!("app.log.{number}")), 10, hours);
    }
    let rotation = Rotation::on_request().keep(100).max_age(Duration::from_secs(86_400)).max_total(20).clock(clock);
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["one\n"]);
    file.control().rotate();
    write(&mut file, &["two\n"]);
    settle();
    let xs = "x".repeat(10);
    expect(dir.path(), &[("app.log", "two\n"), ("app.log.1", "one\n"), ("app.log.2", &xs)]);
}

#[test]
fn a_budget_is_kept_while_its_files_move_up() {
    let dir = tempfile::tempdir().unwrap();
    let budget = Budget::new(40);
    let open = |name: &str| {
        let rotation = Rotation::size(4).keep(usize::MAX).budget(&budget);
        File::open(dir.path().join(name)).unwrap().rotation(rotation)
    };
    let names = ["one.log", "two.log"];
    std::thread::scope(|scope| {
        for name in names {
            let mut file = open(name);
            scope.spawn(move || (0..500).for_each(|number| write(&mut file, &[&format!("{number:03}\n")])));
        }
    });
    settle();
    let all = files(dir.path());
    // The files in use may have had their line since.
    assert!(all.values().map(String::len).sum::<usize>() <= 48, "{all:?}");
    for name in names {
        let numbers: Vec<_> = (1..).map_while(|number| all.get(&format!("{name}.{number}"))).collect();
        let others = all.keys().filter(|known| known.starts_with(name)).count() - 1;
        assert_eq!(numbers.len(), others, "the newest stay: {all:?}");
    }
}

#[cfg(unix)]
#[test]
fn live_files_that_several_processes_open_at_once_are_one() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..50 {
        let path = dir.path().join(format!("{round}/app.log"));
        std::thread::scope(|scope| {
            for number in 0..4 {
                let path = path.clone();
                scope.spawn(move || {
                    let rotation = Rotation::size(1000).naming(Naming::numbered().live(true));
                    let mut file = File::options().shared(true).rotation(rotation).open(&path).unwrap();
                    write(&mut file, &[&format!("{number}\n")]);
                });
            }
        });
        let mut lines: Vec<_> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines, ["0", "1", "2", "3"]);
        assert_eq!(files(path.parent().unwrap()).len(), 3, "the file, its link and the lock");
    }
}

#[test]
fn a_namer_that_panics_has_no_effect() {
    struct Panics;
    impl rotation::Namer for Panics {
        fn name(&self, _: &str) -> String {
            panic!("of its own")
        }
        fn usual(&self, _: &str) -> Option<String> {
            panic!("of its own")
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let rotation = Rotation::size(0).naming(Naming::numbered().namer(Panics));
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["a\n", "b\n", "c\n"]);
    let all: String = files(dir.path()).into_values().collect();
    assert_eq!(all.len(), 6, "{all:?}");
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_text_is_rotated_and_pruned_like_any_other() {
    use std::os::unix::ffi::OsStrExt as _;

    for name in [&b"\xff\xfe"[..], b" a b ", b".hidden", b"no_extension", b"a.b.c.", b"..."] {
        let dir = tempfile::tempdir().unwrap();
        for naming in [Naming::numbered(), Naming::numbered().before_extension(true), Naming::dated("%F").unwrap()] {
            let path = dir.path().join(std::ffi::OsStr::from_bytes(name));
            let mut file = File::open(&path).unwrap().rotation(Rotation::size(0).keep(2).naming(naming));
            let before = fs::read_dir(dir.path()).unwrap().count();
            (0..9).for_each(|number| write(&mut file, &[&format!("{number}\n")]));
            assert_eq!(fs::read_to_string(&path).unwrap(), "8\n");
            assert!(fs::read_dir(dir.path()).unwrap().count() <= before + 2, "{name:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_request_to_reopen_is_one_attempt_whatever_step_of_it_fails() {
    for (place, naming) in [
        ("before the directory exists", Naming::numbered()),
        ("while it is checked for a link", Naming::numbered_oldest_first()),
        ("before there is a link", Naming::numbered().live(true)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (logs, moved) = (dir.path().join("logs"), dir.path().join("moved"));
        let path = logs.join("app.log");
        let options = File::options().watch(None).rotation(Rotation::on_request().naming(naming));
        let mut file = options.open(&path).unwrap();
        write(&mut file, &["one\n"]);
        fs::rename(&logs, &moved).unwrap();
        fs::write(&logs, "not a directory").unwrap();
        file.control().reopen();
        write(&mut file, &["two\n"]);
        fs::remove_file(&logs).unwrap();
        write(&mut file, &["three\n"]);
        assert!(!logs.exists(), "{place}: it was tried again without a request");
        assert_eq!(fs::read_to_string(moved.join("app.log")).unwrap(), "one\ntwo\nthree\n", "{place}");
        file.control().reopen();
        write(&mut file, &["four\n"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n", "{place}");
    }
}
