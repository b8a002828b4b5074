//! Files that are called like archives and are not, and files that cannot be removed.

use tracing_handlers::ErrorKind;
use tracing_handlers::rotation::Naming;

use super::*;

fn rotate(path: &Path, rotation: Rotation, times: usize) {
    let mut file = File::open(path).unwrap().rotation(rotation);
    (0..=times).for_each(|number| write(&mut file, &[&format!("{number}\n")]));
}

#[test]
fn a_copy_called_by_its_date_is_not_an_archive() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["app.log.20261120", "app.log.2026112014", "app.log.18446744073709551615", "app.log.1763596800.gz"] {
        fs::write(dir.path().join(name), "theirs").unwrap();
    }
    for naming in [Naming::numbered(), Naming::numbered_oldest_first()] {
        rotate(&dir.path().join("app.log"), Rotation::size(1).keep(5).naming(naming), 8);
        let files = files(dir.path());
        assert_eq!(files.values().filter(|text| *text == "theirs").count(), 4, "{files:?}");
        assert_eq!(files.len(), 4 + 1 + 5, "{files:?}");
        assert_eq!(files["app.log"], "8\n");
        files.keys().filter(|name| name.len() < "app.log.123".len()).for_each(|name| {
            fs::remove_file(dir.path().join(name)).unwrap();
        });
    }
}

#[test]
fn archives_called_by_dates_stay_when_numbers_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    for day in 11..=20 {
        fs::write(dir.path().join(format!("app.log.202611{day}")), "dated").unwrap();
    }
    rotate(&dir.path().join("app.log"), Rotation::size(1).keep(5), 8);
    let files = files(dir.path());
    assert_eq!(files.values().filter(|text| *text == "dated").count(), 10, "{files:?}");
    assert_eq!(files.len(), 10 + 1 + 5, "{files:?}");
}

#[test]
fn a_number_behind_a_date_that_nobody_reached_does_not_end_the_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let today = tracing_handlers::clock::Timestamp::new(1_795_132_800, 0);
    fs::write(dir.path().join("app.log.2026-11-20.18446744073709551615"), "theirs").unwrap();
    fs::create_dir(dir.path().join("app.log.2026-11-20.2")).unwrap();
    let clock = std::sync::Arc::new(tracing_handlers::clock::Manual::new(today));
    let naming = Naming::dated("%F").unwrap();
    rotate(&dir.path().join("app.log"), Rotation::size(1).keep(3).naming(naming).clock(clock), 6);
    let files = files(dir.path());
    assert_eq!(files["app.log"], "6\n");
    assert_eq!(files["app.log.2026-11-20.18446744073709551615"], "theirs");
    let ours: Vec<_> = files.values().filter(|text| text.len() == 2).map(|text| text.trim()).collect();
    assert_eq!(ours, ["6", "3", "4", "5"], "{files:?}");
}

#[test]
fn a_gap_that_was_made_by_hand_is_no_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    rotate(&path, Rotation::size(1).keep(5), 5);
    fs::remove_file(dir.path().join("app.log.2")).unwrap();
    fs::write(dir.path().join("app.log.6"), "left from a higher setting").unwrap();
    rotate(&path, Rotation::size(1).keep(5), 4);
    assert_eq!(files(dir.path()).len(), 1 + 5, "the gap is filled, and 6 is too old: {:?}", files(dir.path()));
}

#[test]
fn a_directory_among_the_archives_is_passed_by() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("app.log.2")).unwrap();
    fs::create_dir(dir.path().join("app.log.4")).unwrap();
    rotate(&dir.path().join("app.log"), Rotation::size(1).keep(4), 6);
    let expected = [
        ("app.log", "6\n"),
        ("app.log.1", "5\n"),
        ("app.log.2", "(a directory)"),
        ("app.log.3", "4\n"),
        ("app.log.4", "(a directory)"),
    ];
    expect(dir.path(), &expected);
}

fn open(dir: &Path, name: &str, rotation: Rotation) -> Result<File, tracing_handlers::Error> {
    File::options().rotation(rotation).open(dir.join(name))
}

#[test]
fn another_log_is_not_an_archive_whatever_it_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let size = || Rotation::size(1).keep(3);
    let mut first = File::open(dir.path().join("worker.1")).unwrap();
    write(&mut first, &["first\n"]);
    let mut worker = open(dir.path(), "worker", size()).unwrap();
    for line in ["a\n", "b\n", "c\n", "d\n", "e\n"] {
        write(&mut worker, &[line]);
        write(&mut first, &["first\n"]);
    }
    let first_text = "first\n".repeat(6);
    let expected =
        [("worker", "e\n"), ("worker.1", &*first_text), ("worker.2", "d\n"), ("worker.3", "c\n"), ("worker.4", "b\n")];
    expect(dir.path(), &expected);
}

#[test]
fn a_log_called_like_the_archives_of_another_one_is_refused_while_that_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let size = || Rotation::size(1).keep(3);
    let extension = || size().naming(Naming::numbered().before_extension(true));
    let dated = || size().naming(Naming::dated("%F").unwrap());
    let oldest_first = || size().naming(Naming::numbered_oldest_first());
    for (name, rotation, archive, other) in [
        ("worker", size(), "worker.1", "worker.4"),
        ("node.log", extension(), "node.2.log", "node.4.log"),
        ("day.log", dated(), "day.log.2026-11-20.7", "day.log.1"),
        ("old", oldest_first(), "old.77", "old.077"),
    ] {
        let log = open(dir.path(), name, rotation).unwrap();
        let error = open(dir.path(), archive, size()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error.to_string().ends_with(&format!("archives of {name}, which is open in this process, have such names"))
        );
        assert!(!dir.path().join(archive).exists());
        drop(open(dir.path(), other, Rotation::on_request()).unwrap());
        drop(open(dir.path(), name, size()).unwrap());
        drop(log);
        drop(open(dir.path(), archive, Rotation::on_request()).unwrap());
    }
}

#[cfg(unix)]
#[test]
fn a_directory_under_another_name_is_the_same_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("logs")).unwrap();
    std::os::unix::fs::symlink("logs", dir.path().join("link")).unwrap();
    let _worker = open(dir.path(), "logs/worker", Rotation::size(1)).unwrap();
    assert_eq!(open(dir.path(), "link/worker.1", Rotation::size(1)).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn logs_numbered_before_their_extension_keep_their_lines() {
    let dir = tempfile::tempdir().unwrap();
    let rotation = || Rotation::size(1).keep(2).naming(Naming::numbered().before_extension(true));
    let names = ["node.2.log", "node.1.log", "node.log"];
    let mut nodes: Vec<_> = names.into_iter().map(|name| open(dir.path(), name, rotation()).unwrap()).collect();
    for line in ["a\n", "b\n", "c\n"] {
        nodes.iter_mut().for_each(|node| write(node, &[line]));
    }
    let files = files(dir.path());
    for name in names {
        assert_eq!(files[name], "c\n", "{files:?}");
    }
    assert_eq!(files.len(), 9, "each with two archives: {files:?}");
}
