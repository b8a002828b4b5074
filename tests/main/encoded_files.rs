//! Helpers shared by the tests of sealed and of encrypted files.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tracing_handlers::sink::{FileOptions, Framed, RecordEnd};
use tracing_handlers::{Partial, Sink};

use crate::skip::installed;
use crate::until::until;

/// Lets a child process write lines until the file is longer than `len`, and kills it.
pub fn write_until_killed(options: FileOptions, path: &Path, len: u64) {
    // SAFETY: the only lock of other threads that the child needs is the allocator's, which the C library keeps usable, and
    // the child never returns.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        if let Ok(mut file) = options.open(path) {
            for number in 0_u64.. {
                if file.write_all(format!("line {number}\n").as_bytes()).is_err() {
                    break;
                }
            }
        }
        // SAFETY: as above.
        unsafe { libc::_exit(1) };
    }
    until("the file has that length", || fs::metadata(path).is_ok_and(|file| file.len() >= len));
    let mut status = 0;
    // SAFETY: the child is this process's, and `status` is a valid integer.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, &raw mut status, 0);
    }
    assert!(libc::WIFSIGNALED(status), "it did not end by itself");
}

/// Asserts that the lines are those of [`write_until_killed`], without a gap.
pub fn assert_lines_in_order(text: &str) {
    assert!(text.ends_with('\n') && text.lines().count() > 10);
    for (number, line) in text.lines().enumerate() {
        assert_eq!(line, format!("line {number}"));
    }
}

/// A tmpfs of 64 KiB, unmounted when it is dropped. The error of mounting is the reason why a test is skipped.
pub struct Disk(tempfile::TempDir);

impl Disk {
    pub fn mount() -> Result<Self, String> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(dir.path()).output();
        match installed("mount", mount)?.status.success() {
            true => Ok(Self(dir)),
            false => Err("mounting a tmpfs is not permitted".to_owned()),
        }
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Writes lines in batches until the disk is full, makes room, and writes the refused lines. Returns how many lines were written
/// before the disk was full, and all lines.
pub fn fill_and_make_room(disk: &Disk, options: FileOptions, path: &Path) -> (usize, Vec<String>) {
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 48 * 1024]).unwrap();
    let all: Vec<_> = (0..250).map(|number| format!("{number:099}\n")).collect();
    let mut file = options.open(path).unwrap();
    let mut delivered = 0;
    loop {
        match write(&mut file, &all[delivered..delivered + 9]) {
            Ok(()) => delivered += 9,
            Err(partial) => {
                delivered += partial.delivered;
                break;
            }
        }
    }
    fs::remove_file(ballast).unwrap();
    // Otherwise the next attempt would be delayed.
    Sink::flush(&mut file, Instant::now()).unwrap();
    write(&mut file, &all[delivered..]).unwrap();
    (delivered, all)
}

fn write(file: &mut impl Sink, lines: &[String]) -> Result<(), Partial> {
    let mut end = 0;
    let ends: Vec<_> = lines
        .iter()
        .map(|line| {
            end += line.len();
            RecordEnd::new(end, tracing_handlers::Severity::INFO)
        })
        .collect();
    file.write(Framed::new(lines.concat().as_bytes(), &ends))
}
