//! Full disks, read-only ones, directories that are gone.

use std::fs;

use tracing_handlers::handler::{Fallback, Handler};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{File, Memory};
use tracing_handlers::{Output, RecordBuf, Severity};

use super::{Log, Plain, alone, numbers};
use crate::sinks::disk::Disk;
use crate::skip::needs;
use crate::until::until;

#[test]
fn a_full_disk_is_told_once_counted_and_the_first_line_back_says_how_many_are_missing() {
    alone("faults::causes::a_full_disk_is_told_once_counted_and_the_first_line_back_says_how_many_are_missing", || {
        let disk = needs!(Disk::mount());
        let log = Log::open(disk.path().join("app.log"), File::options());
        assert_eq!(log.send(5), 5);
        // The first page of the file has room yet.
        let ballast = disk.fill(4096);
        let taken = 5 + log.send(95);
        log.wait();
        assert_eq!(log.send(3), 0);
        let stats = log.stats();
        assert_eq!((stats.delivered, stats.failed, stats.pending), (taken as u64, 103 - taken as u64, 0));
        assert_eq!(log.lines()[..taken], numbers(0..taken));

        fs::remove_file(ballast).unwrap();
        assert_eq!(log.send(1), 0, "it is too early for an attempt");
        log.wait();
        assert_eq!(log.send(2), 2);
        let lines = log.lines();
        // Where a notice had room and its line had not, there is another one for that line.
        let notices = &lines[taken..lines.len() - 2];
        let told = notices.iter().map(|notice| notice.strip_suffix(" missing here: No space left on device").unwrap());
        let missing: usize = told.map(|told| told.split(' ').next().unwrap().parse::<usize>().unwrap()).sum();
        assert_eq!(missing, 104 - taken, "{lines:?}");
        assert_eq!(lines[lines.len() - 2..], numbers(104..106));
        assert_eq!(log.stats().delivered, taken as u64 + 2);
        log.told_once("cannot write");
    });
}

#[test]
fn what_is_held_while_the_disk_is_full_goes_out_first_and_in_order() {
    alone("faults::causes::what_is_held_while_the_disk_is_full_goes_out_first_and_in_order", || {
        let disk = needs!(Disk::mount());
        let log = Log::open(disk.path().join("app.log"), File::options().hold(1000));
        let ballast = disk.fill(4096);
        let taken = log.send(100);
        let written = log.lines().len();
        let stats = log.stats();
        assert_eq!((taken - written, stats.pending, stats.delivered), (10, 10, written as u64));
        assert_eq!(stats.failed, 100 - taken as u64);
        log.told_once("holding lines in memory");
        log.told_once("app.log: cannot write");

        fs::remove_file(ballast).unwrap();
        log.wait();
        assert_eq!(log.send(1), 1);
        let notice = format!("{} records missing here: No space left on device", 100 - taken);
        assert_eq!(log.lines(), [numbers(0..taken), vec![notice], numbers(100..101)].concat());
        assert_eq!((log.stats().pending, log.stats().delivered), (0, taken as u64 + 1));
    });
}

#[test]
fn a_flush_tries_at_once_and_delivers_what_is_held() {
    alone("faults::causes::a_flush_tries_at_once_and_delivers_what_is_held", || {
        let disk = needs!(Disk::mount());
        let log = Log::open(disk.path().join("app.log"), File::options().hold(100_000));
        let ballast = disk.fill(4096);
        assert_eq!(log.send(100), 100);
        assert!(log.output.flush(std::time::Instant::now()).is_err());
        assert!(log.stats().pending > 0);
        fs::remove_file(ballast).unwrap();
        log.output.flush(std::time::Instant::now()).unwrap();
        assert_eq!((log.stats().pending, log.lines()), (0, numbers(0..100)));
    });
}

#[test]
fn without_inodes_no_new_file_begins_and_the_old_one_goes_on() {
    alone("faults::causes::without_inodes_no_new_file_begins_and_the_old_one_goes_on", || {
        let disk = needs!(Disk::mount_with("size=1m,nr_inodes=4"));
        let rotation = Rotation::size(1000).keep(9);
        let log = Log::open(disk.path().join("app.log"), File::options().rotation(rotation));
        // The root, the log, and these.
        let ballast: Vec<_> = (0..9).map(|number| disk.path().join(format!("ballast{number}"))).collect();
        let made = ballast.iter().filter(|path| fs::write(path, "").is_ok()).count();
        assert!(made < 9, "there should be no more inodes");
        assert_eq!(log.send(30), 30);
        assert!(!disk.path().join("app.log.1").exists());
        log.told_once("No space left on device");
        fs::remove_file(&ballast[0]).unwrap();
        until("it rotates", || log.send(1) == 1 && disk.path().join("app.log.1").exists());
        assert_eq!(log.lines(), numbers(0..log.sent.get()));
    });
}

#[test]
fn a_file_system_that_became_read_only_is_written_again_when_it_may_be() {
    alone("faults::causes::a_file_system_that_became_read_only_is_written_again_when_it_may_be", || {
        let disk = needs!(Disk::mount());
        let log = Log::open(disk.path().join("app.log"), File::options().delay(true));
        assert!(disk.remount("ro"), "nothing is open there");
        assert_eq!(log.send(3), 0);
        log.wait();
        assert_eq!(log.send(1), 0);
        log.told_once("Read-only file system");
        assert!(disk.remount("rw"));
        log.wait();
        assert_eq!(log.send(1), 1);
        assert_eq!(log.lines(), ["4 records missing here: Read-only file system", "4"]);
        assert_eq!((log.stats().failed, log.stats().delivered), (4, 1));
    });
}

#[test]
fn a_disk_that_was_full_and_then_read_only_is_told_of_once() {
    alone("faults::causes::a_disk_that_was_full_and_then_read_only_is_told_of_once", || {
        let disk = needs!(Disk::mount());
        let log = Log::open(disk.path().join("app.log"), File::options());
        disk.fill(4096);
        let taken = log.send(100);
        // After the error the file is closed, so that nothing holds the remount up.
        assert!(disk.remount("ro"));
        log.wait();
        assert_eq!(log.send(1), 0);
        assert!(disk.remount("rw,size=1m"));
        log.wait();
        assert_eq!(log.send(1), 1);
        let notice = format!("{} records missing here: Read-only file system", 101 - taken);
        assert_eq!(log.lines(), [numbers(0..taken), vec![notice, "101".to_owned()]].concat());
        log.told_once("cannot ");
    });
}

#[test]
fn a_directory_that_is_removed_is_made_again_at_the_next_rotation() {
    alone("faults::causes::a_directory_that_is_removed_is_made_again_at_the_next_rotation", || {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        let log = Log::open(logs.join("app.log"), File::options().watch(None).rotation(Rotation::size(500)));
        assert_eq!(log.send(2), 2);
        fs::remove_dir_all(&logs).unwrap();
        // Two more have room in the file that has no name any more; nobody can know of them.
        assert_eq!(log.send(4), 4);
        assert_eq!(log.lines(), numbers(4..6));
        assert_eq!((log.stats().delivered, log.told().len()), (6, 0));
    });
}

#[test]
fn a_directory_that_is_removed_is_made_again_for_the_next_line_by_a_file_that_looks() {
    alone("faults::causes::a_directory_that_is_removed_is_made_again_for_the_next_line_by_a_file_that_looks", || {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        let log = Log::open(logs.join("app.log"), File::options().watch(std::time::Duration::ZERO));
        assert_eq!(log.send(2), 2);
        fs::remove_dir_all(&logs).unwrap();
        assert_eq!(log.send(3), 3);
        assert_eq!(log.lines(), numbers(2..5));
        // And where a directory may not be made, because something is in the way.
        fs::remove_dir_all(&logs).unwrap();
        fs::write(&logs, "").unwrap();
        assert_eq!(log.send(2), 0);
        fs::remove_file(&logs).unwrap();
        log.wait();
        assert_eq!(log.send(1), 1);
        assert_eq!((log.lines()[1..].to_vec(), log.lines().len()), (numbers(7..8), 2));
        assert!(log.lines()[0].starts_with("2 records missing here: "), "{:?}", log.lines());
    });
}

#[test]
fn a_directory_that_must_not_be_made_is_waited_for() {
    alone("faults::causes::a_directory_that_must_not_be_made_is_waited_for", || {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        let log = Log::open(logs.join("app.log"), File::options().create_dirs(false).delay(true));
        assert_eq!(log.send(2), 0);
        log.wait();
        assert_eq!(log.send(1), 0);
        assert!(!logs.exists());
        log.told_once("No such file or directory");
        fs::create_dir(&logs).unwrap();
        log.wait();
        assert_eq!(log.send(2), 2);
        assert_eq!(log.lines(), ["3 records missing here: No such file or directory", "3", "4"]);
    });
}

#[test]
fn a_fallback_takes_over_while_the_disk_is_full_and_gives_back() {
    alone("faults::causes::a_fallback_takes_over_while_the_disk_is_full_and_gives_back", || {
        let disk = needs!(Disk::mount());
        let log = Log::open(disk.path().join("app.log"), File::options());
        let (clock, memory) = (log.clock.clone(), Memory::new());
        let send = |to: &Fallback, range: std::ops::Range<usize>| {
            for number in range {
                let record = RecordBuf::new(Severity::INFO, "test", &format!("{number:099}"));
                to.handle(&record.as_record()).unwrap();
            }
        };
        let ballast = disk.fill(0);
        let path = log.path.clone();
        let to = Fallback::new(log.output).or(Output::new(Plain, memory.clone())).clock(clock.clone());
        send(&to, 0..10);
        assert_eq!(memory.lines().len(), 10);
        fs::remove_file(ballast).unwrap();
        clock.advance(std::time::Duration::from_secs(60));
        send(&to, 10..12);
        let text = super::family(&path);
        let lines: Vec<_> = text.lines().skip(1).map(super::short).collect();
        // Of the ten, nine were withheld from it.
        assert_eq!(lines, ["1 record missing here: No space left on device", "10", "11"]);
        assert_eq!(memory.lines().len(), 10);
        assert!(to.stats().iter().all(|report| report.stats.balances()));
    });
}
