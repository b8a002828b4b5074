//! What the process may not: descriptors used up, permissions taken away, files that may not grow.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::File;

use super::{Log, alone, numbers};
use crate::until::until;

#[test]
fn a_file_that_may_not_grow_keeps_whole_lines_and_goes_on_when_it_may() {
    alone("faults::limits::a_file_that_may_not_grow_keeps_whole_lines_and_goes_on_when_it_may", || {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(dir.path().join("app.log"), File::options());
        // Within the fourth line: the write is short before it fails.
        let _limit = FileSize::limit(7 + 350);
        assert_eq!(log.send(6), 3);
        assert_eq!(fs::metadata(&log.path).unwrap().len(), 7 + 300, "the torn line is cut off");
        log.told_once("File too large");
        drop(_limit);
        log.wait();
        assert_eq!(log.send(1), 1);
        assert_eq!(log.lines(), ["0", "1", "2", "3 records missing here: File too large", "6"]);
        assert_eq!((log.stats().delivered, log.stats().failed), (4, 3));
    });
}

#[test]
fn without_a_descriptor_for_the_new_file_the_old_one_goes_on() {
    alone("faults::limits::without_a_descriptor_for_the_new_file_the_old_one_goes_on", || {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(dir.path().join("app.log"), File::options().rotation(Rotation::size(1000).keep(9)));
        let all = use_up_descriptors();
        assert_eq!(log.send(30), 30);
        drop(all);
        assert_eq!(log.lines(), numbers(0..30));
        assert!(!dir.path().join("app.log.1").exists(), "it has its name back");
        log.told_once("Too many open files");
        until("it rotates", || log.send(1) == 1 && dir.path().join("app.log.1").exists());
        assert_eq!(log.lines(), numbers(0..log.sent.get()));
        assert_eq!(log.stats().failed, 0);
    });
}

#[test]
fn without_a_descriptor_for_opening_again_lines_are_refused_until_there_is_one() {
    alone("faults::limits::without_a_descriptor_for_opening_again_lines_are_refused_until_there_is_one", || {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(dir.path().join("app.log"), File::options());
        let limit = FileSize::limit(7 + 200);
        assert_eq!(log.send(3), 2);
        drop(limit);
        let all = use_up_descriptors();
        log.wait();
        assert_eq!(log.send(2), 0);
        drop(all);
        log.wait();
        assert_eq!(log.send(1), 1);
        assert_eq!(log.lines(), ["0", "1", "3 records missing here: Too many open files", "5"]);
        log.told_once("cannot ");
    });
}

#[test]
fn a_directory_in_which_nothing_may_be_made_stops_the_rotation_and_not_the_log() {
    alone("faults::limits::a_directory_in_which_nothing_may_be_made_stops_the_rotation_and_not_the_log", || {
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o777);
        become_nobody();
        let logs = dir.path().join("logs");
        let log = Log::open(logs.join("app.log"), File::options().rotation(Rotation::size(1000).keep(9)));
        set_mode(&logs, 0o555);
        assert_eq!(log.send(30), 30);
        assert!(!logs.join("app.log.1").exists());
        log.told_once("Permission denied");
        set_mode(&logs, 0o755);
        until("it rotates", || log.send(1) == 1 && logs.join("app.log.1").exists());
        assert_eq!(log.lines(), numbers(0..log.sent.get()));
    });
}

#[test]
fn a_file_that_may_not_be_opened_again_refuses_lines_until_it_may() {
    alone("faults::limits::a_file_that_may_not_be_opened_again_refuses_lines_until_it_may", || {
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o777);
        become_nobody();
        let log = Log::open(dir.path().join("logs/app.log"), File::options());
        assert_eq!(log.send(1), 1);
        set_mode(&log.path, 0o444);
        assert_eq!(log.send(1), 1, "it is open, and stays so");
        let limit = FileSize::limit(7 + 200);
        assert_eq!(log.send(1), 0);
        drop(limit);
        log.wait();
        assert_eq!(log.send(1), 0);
        set_mode(&log.path, 0o644);
        log.wait();
        assert_eq!(log.send(1), 1);
        assert_eq!(log.lines(), ["0", "1", "2 records missing here: Permission denied", "4"]);
        log.told_once("cannot ");
    });
}

fn set_mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

/// Root may everything.
fn become_nobody() {
    // SAFETY: plain numbers; glibc has all threads change together.
    let user = unsafe { if libc::geteuid() == 0 { libc::setuid(65_534) } else { 0 } };
    assert_eq!(user, 0, "{}", std::io::Error::last_os_error());
}

/// Files of this process do not grow beyond so many bytes.
struct FileSize(libc::rlimit);

impl FileSize {
    fn limit(bytes: u64) -> Self {
        // SAFETY: both limits are whole structs.
        unsafe {
            let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            assert_eq!(libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut before), 0);
            assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &libc::rlimit { rlim_cur: bytes, ..before }), 0);
            Self(before)
        }
    }
}

impl Drop for FileSize {
    fn drop(&mut self) {
        // SAFETY: the limit is a whole struct.
        unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const self.0) };
    }
}

/// All that the process may have.
fn use_up_descriptors() -> Vec<fs::File> {
    // SAFETY: the limit is a whole struct.
    let limited = unsafe {
        let limit = libc::rlimit { rlim_cur: 64, rlim_max: 64 };
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
    };
    assert_eq!(limited, 0);
    std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect()
}
