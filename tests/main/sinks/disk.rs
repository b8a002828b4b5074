//! A disk that is really full: a tmpfs of a few pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{File, Sink};

use super::write;
use crate::skip::{installed, needs};

/// A tmpfs of 64 KiB, unmounted when it is dropped. The error of mounting is the reason why a test is skipped.
pub struct Disk(tempfile::TempDir);

impl Disk {
    pub fn mount() -> Result<Self, String> {
        Self::mount_with("size=64k")
    }

    /// With these options of `mount`.
    pub fn mount_with(options: &str) -> Result<Self, String> {
        let disk = Self(tempfile::tempdir().unwrap());
        match disk.run_mount(options)? {
            true => Ok(disk),
            false => Err("mounting a tmpfs is not permitted".to_owned()),
        }
    }

    /// Mounts it anew with these options: `ro`, `rw`.
    pub fn remount(&self, options: &str) -> bool {
        self.run_mount(&format!("remount,{options}")).unwrap()
    }

    fn run_mount(&self, options: &str) -> Result<bool, String> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(self.path());
        Ok(installed("mount", mount.output())?.status.success())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file that takes the room, all but `left` bytes.
    pub fn fill(&self, left: u64) -> PathBuf {
        let path = self.path().join("ballast");
        fs::write(&path, vec![0; (64 * 1024 - left) as usize]).unwrap();
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// `count` lines of 100 bytes.
fn lines(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:099}\n")).collect()
}

fn refs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

#[test]
fn a_full_disk_leaves_whole_lines_counts_them_and_goes_on_when_there_is_room() {
    let disk = needs!(Disk::mount());
    let ballast = disk.fill(8192);
    let path = disk.path().join("app.log");
    let mut file = File::open(&path).unwrap();
    let lines = lines(200);

    let partial = write(&mut file, &refs(&lines)).unwrap_err();
    assert_eq!(partial.error.io_error().unwrap().kind(), std::io::ErrorKind::StorageFull);
    assert!(partial.delivered > 0 && partial.delivered < 200, "{partial:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), lines[..partial.delivered].concat());
    assert_eq!(file.pending(), 0);

    fs::remove_file(ballast).unwrap();
    // Else the next attempt would be put off.
    let _ = file.flush(Instant::now());
    write(&mut file, &refs(&lines[partial.delivered..])).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), lines.concat());
}

#[test]
fn a_torn_line_that_may_not_be_cut_off_is_finished_when_there_is_room() {
    let disk = needs!(Disk::mount());
    let ballast = disk.fill(8192);
    let path = disk.path().join("app.log");
    let mut file = File::options().watch(None).rotation(Rotation::size(4000)).open(&path).unwrap();
    // Another writer: the end of the file is no longer ours to cut.
    fs::write(&path, "foreign\n").unwrap();
    let long = format!("{}\n", "x".repeat(20_000));

    let partial = write(&mut file, &[&long, "refused\n"]).unwrap_err();
    assert_eq!((partial.delivered, file.pending()), (1, 1));
    fs::remove_file(ballast).unwrap();
    // Else the next attempt would be put off.
    file.flush(Instant::now()).unwrap();
    write(&mut file, &["next\n"]).unwrap();
    assert_eq!(file.pending(), 0);
    assert_eq!(fs::read_to_string(disk.path().join("app.log.1")).unwrap(), format!("foreign\n{long}"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "next\n");
}

#[test]
fn buffered_lines_wait_for_room_on_the_disk() {
    let disk = needs!(Disk::mount());
    let ballast = disk.fill(8192);
    let path = disk.path().join("app.log");
    let mut file = File::options().buffer(20_000).open(&path).unwrap();
    let lines = lines(200);

    write(&mut file, &refs(&lines)).unwrap();
    assert!(file.flush(Instant::now()).is_err());
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, lines[..200 - file.pending()].concat());
    assert!(!written.is_empty());

    fs::remove_file(ballast).unwrap();
    file.flush(Instant::now()).unwrap();
    assert_eq!(file.pending(), 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), lines.concat());
}

#[test]
fn old_files_make_room_on_a_full_disk_where_some_is_to_stay_free() {
    let disk = needs!(Disk::mount());
    let path = disk.path().join("app.log");
    for number in 1..=4 {
        fs::write(disk.path().join(format!("app.log.{number}")), [b'x'; 8 * 1024]).unwrap();
    }
    let ballast = disk.path().join("ballast");
    let _ = fs::write(ballast, [0; 64 * 1024]);
    // A failed attempt is repeated at once.
    let clock = std::sync::Arc::new(tracing_handlers::clock::Manual::default());
    let rotation = Rotation::size(1 << 20).min_free(8 * 1024);
    let mut file = File::options().retry_clock(clock.clone()).rotation(rotation).delay(true).open(&path).unwrap();
    assert!(tracing_handlers::rotation::settle(std::time::Duration::from_secs(30)));
    let lines = lines(150);
    let mut refused = 0;
    for line in &lines {
        refused += usize::from(write(&mut file, &[line]).is_err());
        assert!(tracing_handlers::rotation::settle(std::time::Duration::from_secs(30)));
        clock.advance(std::time::Duration::from_secs(2));
    }
    assert!(refused <= 5, "{refused}");
    assert!(disk.path().join("app.log.1").exists(), "the newest stays");
}

#[test]
fn a_rotation_on_a_full_disk_tears_no_line() {
    let disk = needs!(Disk::mount());
    let ballast = disk.fill(12 * 1024);
    let path = disk.path().join("app.log");
    let mut file = File::open(&path).unwrap().rotation(Rotation::size(5000).keep(9));
    let lines = lines(200);
    let partial = write(&mut file, &refs(&lines)).unwrap_err();

    fs::remove_file(ballast).unwrap();
    // Else the next attempt would be put off.
    let _ = file.flush(Instant::now());
    write(&mut file, &refs(&lines[partial.delivered..])).unwrap();
    let old = (1..=9).rev().filter_map(|number| fs::read_to_string(disk.path().join(format!("app.log.{number}"))).ok());
    let all: String = old.chain([fs::read_to_string(&path).unwrap()]).collect();
    assert_eq!(all, lines.concat());
}

#[test]
fn a_directory_that_was_removed_is_made_anew_after_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/app.log");
    let mut file = File::options().delay(true).open(&path).unwrap();
    fs::write(dir.path().join("logs"), "in the way").unwrap();
    assert_eq!(write(&mut file, &["lost\n"]).unwrap_err().delivered, 0);
    fs::remove_file(dir.path().join("logs")).unwrap();
    file.flush(Instant::now()).unwrap();
    write(&mut file, &["seen\n"]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "seen\n");
}
