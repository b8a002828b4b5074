//! Files that are called like archives and are not, and files that cannot be removed.

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
