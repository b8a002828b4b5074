use std::fs;
#[cfg(unix)]
use std::io::Read as _;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tracing_handlers::clock::Manual;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{Durability, File, Sink};
use tracing_handlers::{ErrorKind, Handler, Output, RecordBuf, Severity};

use super::write;
#[cfg(unix)]
use super::write_until_refused;
use crate::until::until;

#[test]
fn it_appends_and_makes_the_directories() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/app.log");
    write(&mut File::open(&path).unwrap(), &["one\n"]).unwrap();
    write(&mut File::open(&path).unwrap(), &["two\n"]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
}

#[test]
fn truncate_empties_the_file_at_the_first_opening_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(&path, "old\n").unwrap();
    let mut file = File::options().truncate(true).delay(true).open(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old\n", "it is not open yet");
    write(&mut file, &["one\n"]).unwrap();
    write(&mut file, &["two\n"]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
}

#[test]
fn a_delayed_file_is_made_by_the_first_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::options().delay(true).open(&path).unwrap();
    assert!(!path.exists());
    write(&mut file, &["one\n"]).unwrap();
    assert!(path.exists());
}

#[test]
fn an_error_names_the_step_and_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing/app.log");
    let error = File::options().create_dirs(false).open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(format!("{error:#}").starts_with(&format!("cannot open {}: ", path.display())), "{error}");
    assert!(format!("{:#}", File::open("").unwrap_err()).starts_with("cannot open : "));
}

#[cfg(unix)]
#[test]
fn modes_are_exact_whatever_the_umask() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/app.log");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    // Both have bits that the usual umask of 0o022 takes away.
    File::options().mode(0o662).dir_mode(0o2773).open(&path).unwrap();
    assert_eq!(format!("{:o}", mode(&path)), "662");
    assert_eq!(format!("{:o}", mode(path.parent().unwrap())), "2773");

    File::options().mode(0o600).open(&path).unwrap();
    assert_eq!(format!("{:o}", mode(&path)), "662", "a file that exists keeps its own");
}

#[cfg(unix)]
#[test]
fn a_dangling_symbolic_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (link, target) = (dir.path().join("app.log"), dir.path().join("real.log"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    write(&mut File::open(&link).unwrap(), &["one\n"]).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "one\n");
}

#[test]
fn buffered_lines_are_pending_until_flushed_dropped_or_crowded_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let text = || fs::read_to_string(&path).unwrap();
    let mut file = File::options().buffer(10).open(&path).unwrap();
    write(&mut file, &["one\n", "two\n"]).unwrap();
    assert_eq!((file.pending(), text().as_str()), (2, ""));
    write(&mut file, &["six\n"]).unwrap();
    assert_eq!((file.pending(), text().as_str()), (1, "one\ntwo\n"));
    file.flush(Instant::now()).unwrap();
    assert_eq!((file.pending(), text().as_str()), (0, "one\ntwo\nsix\n"));
    write(&mut file, &["longer than the buffer\n"]).unwrap();
    assert_eq!(file.pending(), 0);
    write(&mut file, &["last\n"]).unwrap();
    drop(file);
    assert!(text().ends_with("buffer\nlast\n"));
}

#[test]
fn a_buffer_is_written_without_a_sync_and_not_shortly_after_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/app.log");
    let clock = Arc::new(Manual::default());
    let synced = File::options().durability(Durability::Synced).buffer(100).hold(100).retry_clock(clock.clone());
    let mut file = synced.delay(true).open(&path).unwrap();
    write(&mut file, &["one\n"]).unwrap();
    fs::write(path.parent().unwrap(), "not a directory").unwrap();
    assert!(file.write_buffered().is_err());
    fs::remove_file(path.parent().unwrap()).unwrap();
    file.write_buffered().unwrap();
    assert_eq!((file.pending(), path.exists()), (1, false), "it is too early");
    clock.advance(Duration::from_millis(50));
    file.write_buffered().unwrap();
    assert_eq!((file.pending(), fs::read_to_string(&path).unwrap().as_str()), (1, "one\n"), "not synced");
    file.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    assert_eq!(file.pending(), 0);
}

#[test]
fn lines_that_are_held_are_written_in_time_without_another_record() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/app.log");
    let file = File::options().hold(100).flush_after(Duration::from_millis(10)).delay(true).open(&path).unwrap();
    let output = Output::new(Text::new().time(Time::none()), file);
    fs::write(path.parent().unwrap(), "not a directory").unwrap();
    output.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record()).unwrap();
    assert_eq!(output.stats()[0].stats.pending, 1);
    // The next attempt comes after a second.
    fs::remove_file(path.parent().unwrap()).unwrap();
    until("the line is written", || output.stats()[0].stats.pending == 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), " INFO shop: sold\n");
}

#[test]
fn without_a_limit_lines_stay_in_the_buffer() {
    let dir = tempfile::tempdir().unwrap();
    for limit in [None, Some(Duration::MAX)] {
        let file = File::options().buffer(100).flush_after(limit).open(dir.path().join("app.log")).unwrap();
        let output = Output::new(Text::new().time(Time::none()), file);
        output.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record()).unwrap();
        // Time passes: the default is a second.
        thread::sleep(Duration::from_millis(1_200));
        assert_eq!(output.stats()[0].stats.pending, 1);
    }
}

#[test]
fn what_is_forgotten_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::options().buffer(100).open(&path).unwrap();
    write(&mut file, &["the parent's\n"]).unwrap();
    file.forget_pending();
    assert_eq!(file.pending(), 0);
    drop(file);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn dev_full_refuses_every_line_and_names_itself() {
    let mut file = File::open("/dev/full").unwrap();
    let partial = write(&mut file, &["one\n"]).unwrap_err();
    assert_eq!((partial.delivered, file.pending()), (0, 0));
    assert_eq!(partial.error.io_error().unwrap().kind(), std::io::ErrorKind::StorageFull);
    assert!(format!("{:#}", partial.error).starts_with("cannot write /dev/full: "));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_buffer_that_cannot_be_written_takes_what_it_has_room_for() {
    let mut file = File::options().buffer(10).open("/dev/full").unwrap();
    write(&mut file, &["one\n"]).unwrap();
    let partial = write(&mut file, &["two\n", "three\n"]).unwrap_err();
    assert_eq!((partial.delivered, file.pending()), (1, 2));
    assert!(file.flush(Instant::now()).is_err());
    assert_eq!(file.pending(), 2, "they stay for the next attempt");
    file.forget_pending();
}

#[cfg(unix)]
#[test]
fn a_fifo_whose_reader_left_is_an_error_and_works_again_with_a_new_reader() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Read and write, so that opening does not wait for the other end.
    let reader = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut file = File::open(&path).unwrap();
    drop(reader);
    let partial = write_until_refused(&mut file);
    assert_eq!(partial.error.io_error().unwrap().kind(), std::io::ErrorKind::BrokenPipe);

    let mut reader = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    file.flush(Instant::now()).unwrap();
    write(&mut file, &["seen\n"]).unwrap();
    let mut line = [0; 5];
    while &line != b"seen\n" {
        reader.read_exact(&mut line).unwrap();
    }
}

#[test]
fn a_piece_of_a_line_that_a_killed_process_left_is_ended_before_the_next_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    for (before, line, after) in [
        ("one\ntw", "three\n", "one\ntw\nthree\n"),
        ("one\n", "three\n", "one\nthree\n"),
        ("", "three\n", "three\n"),
        ("one\0tw", "three\0", "one\0tw\0three\0"),
        // The end of such a line is not known.
        ("3one2t", "5three", "3one2t5three"),
    ] {
        fs::write(&path, before).unwrap();
        write(&mut File::open(&path).unwrap(), &[line, line]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{after}{line}"), "after {before:?}");
    }
}

#[test]
fn the_end_of_a_piece_of_a_line_has_its_place_in_a_full_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    for (before, old, new) in [("1234", None, "1234\nsix..\n"), ("12345", Some("12345"), "six..\n")] {
        fs::write(&path, before).unwrap();
        write(&mut File::open(&path).unwrap().rotation(Rotation::size(11)), &["six..\n"]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), new);
        assert_eq!(fs::read_to_string(dir.path().join("app.log.1")).ok().as_deref(), old);
    }
}
