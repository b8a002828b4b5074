use std::fs;

use super::*;
use crate::ErrorKind;
use crate::file::rotation::Naming;

fn rotator(rotation: Rotation, path: &Path) -> Rotator {
    Rotator::new(rotation, path, &Arc::new(Lock::new()), false)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Creates files, each of which contains its own name.
fn fill(dir: &Path, names: &[&str]) {
    names.iter().for_each(|name| fs::write(dir.join(name), name).unwrap());
}

fn text(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn a_failed_rotation_is_retried_after_a_delay() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = dir.path().join("app.log.1");
    fill(dir.path(), &["app.log"]);
    fs::create_dir(&in_the_way).unwrap();
    let mut rotator = rotator(Rotation::size(1).keep(1), &dir.path().join("app.log"));
    assert!(rotator.rotate(false, || Ok(())).is_none(), "a directory is in the way");

    fs::remove_dir(&in_the_way).unwrap();
    assert!(rotator.rotate(false, || Ok(())).is_none(), "too early");
    rotator.retry = Some(Instant::now());
    assert!(rotator.rotate(false, || Ok(())).is_some());
    assert!(rotator.reported.is_none());
}

#[test]
fn a_file_that_was_moved_away_is_started_again() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["app.log.1", "app.log.2"]);
    for keep in [2, 2] {
        assert!(rotator(Rotation::size(1).keep(keep), &dir.path().join("app.log")).rotate(false, || Ok(())).is_some());
        assert_eq!(names(dir.path()), ["app.log.1", "app.log.2"], "there are no more files than before");
    }
}

#[test]
fn if_no_new_file_can_be_opened_the_old_one_stays_in_place() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["app.log"]);
    let mut rotator = rotator(Rotation::size(1), &dir.path().join("app.log"));
    let failed = rotator.rotate(false, || Err::<(), _>(Error::new(ErrorKind::Io, "too many open files")));
    assert!(failed.is_none());
    assert_eq!(names(dir.path()), ["app.log"]);
}

#[test]
fn the_largest_possible_count_can_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    // 0 is the number after the largest one, if counting wraps around.
    fill(dir.path(), &["app.log", "app.log.0", "app.log.1"]);
    let path = dir.path().join("app.log");
    assert!(rotator(Rotation::size(1).keep(usize::MAX), &path).rotate(false, || Ok(())).is_some());
    for (name, was) in [("app.log.0", "app.log.0"), ("app.log.1", "app.log"), ("app.log.2", "app.log.1")] {
        assert_eq!(text(dir.path(), name), was);
    }
}

#[test]
fn files_beyond_the_count_are_removed_up_to_the_first_gap() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["app.log", "app.log.1", "app.log.2", "app.log.3", "app.log.4", "app.log.9.gz", "app.log.9.bak"]);
    assert!(rotator(Rotation::size(1).keep(2), &dir.path().join("app.log")).rotate(false, || Ok(())).is_some());
    assert_eq!(names(dir.path()), ["app.log.1", "app.log.2", "app.log.9.bak", "app.log.9.gz"]);
    assert_eq!(text(dir.path(), "app.log.2"), "app.log.1");
}

#[test]
fn the_first_gap_ends_the_renaming() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["app.log", "app.log.1", "app.log.3"]);
    assert!(rotator(Rotation::size(1).keep(1000), &dir.path().join("app.log")).rotate(false, || Ok(())).is_some());
    assert_eq!(names(dir.path()), ["app.log.1", "app.log.2", "app.log.3"]);
    assert_eq!(text(dir.path(), "app.log.3"), "app.log.3");
    assert_eq!(text(dir.path(), "app.log.2"), "app.log.1");
}

#[test]
fn a_compressed_file_moves_up_with_the_others() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["app.log", "app.log.1", "app.log.2.gz", "app.log.3", "app.log.3.zst"]);
    assert!(rotator(Rotation::size(1).keep(3), &dir.path().join("app.log")).rotate(false, || Ok(())).is_some());
    assert_eq!(names(dir.path()), ["app.log.1", "app.log.2", "app.log.3.gz"]);
    assert_eq!(text(dir.path(), "app.log.3.gz"), "app.log.2.gz");
}

#[test]
fn counting_from_the_oldest_continues_after_the_last() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["app.log", "app.log.3.gz", "app.log.7", "app.log.07"]);
    let rotation = Rotation::size(1).keep(2).naming(Naming::numbered_oldest_first());
    assert!(rotator(rotation, &dir.path().join("app.log")).rotate(false, || Ok(())).is_some());
    assert_eq!(names(dir.path()), ["app.log.07", "app.log.7", "app.log.8"]);
    assert_eq!(text(dir.path(), "app.log.8"), "app.log");
}
