//! Two handlers on one path in one process: they share the open file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracing_handlers::rotation::Naming;
use tracing_handlers::sink::{Durability, FileOptions};
use tracing_handlers::{ErrorKind, Output, format};

use super::*;
use crate::until::soon;

/// All lines of all files of `dir` whose names begin with `name`, sorted.
fn lines_of(dir: &Path, name: &str) -> Vec<String> {
    let texts = files(dir).into_iter().filter(|(file, _)| file.starts_with(name)).map(|(_, text)| text);
    let mut lines: Vec<_> = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.sort();
    lines
}

#[cfg(target_os = "linux")]
fn descriptors_of(path: &Path) -> usize {
    let path = path.canonicalize().unwrap();
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    open.filter(|open| *open == path).count()
}

#[test]
fn two_files_on_one_path_rotate_it_once_and_write_to_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut one = File::open(&path).unwrap().rotation(Rotation::size(8).keep(9));
    let mut other = File::options().rotation(Rotation::size(8).keep(9)).open(&path).unwrap();
    for number in 1..=3 {
        write(&mut one, &[&format!("a{number}\n")]);
        write(&mut other, &[&format!("b{number}\n")]);
    }
    expect(dir.path(), &[("app.log", "a3\nb3\n"), ("app.log.1", "a2\nb2\n"), ("app.log.2", "a1\nb1\n")]);
    one.control().rotate();
    write(&mut other, &["b4\n"]);
    write(&mut one, &["a4\n"]);
    assert_eq!(files(dir.path())["app.log"], "b4\na4\n");
}

#[cfg(target_os = "linux")]
#[test]
fn however_often_a_path_is_opened_there_is_one_descriptor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::open(&path).unwrap();
    for number in 0..100 {
        let mut next = File::options().rotation(Rotation::size(1 << 20)).open(&path).unwrap();
        write(&mut next, &[&format!("{number}\n")]);
        assert_eq!(descriptors_of(&path), 1);
        drop(std::mem::replace(&mut file, next));
        assert_eq!(descriptors_of(&path), 1);
    }
    drop(file);
    assert_eq!(descriptors_of(&path), 0);
    assert_eq!(lines_of(dir.path(), "app.log").len(), 100);
}

#[test]
fn the_newest_settings_apply_to_the_older_file_as_long_as_the_newer_one_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut old = File::open(&path).unwrap().rotation(Rotation::size(4).keep(9));
    let new = File::open(&path).unwrap().rotation(Rotation::size(6).keep(9));
    for line in ["a\n", "b\n", "c\n", "d\n"] {
        write(&mut old, &[line]);
    }
    expect(dir.path(), &[("app.log", "d\n"), ("app.log.1", "a\nb\nc\n")]);
    drop(new);
    for line in ["e\n", "f\n"] {
        write(&mut old, &[line]);
    }
    expect(dir.path(), &[("app.log", "f\n"), ("app.log.1", "d\ne\n"), ("app.log.2", "a\nb\nc\n")]);
}

#[test]
fn a_file_without_a_rotation_leaves_that_of_another_one_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let rotating = File::open(&path).unwrap().rotation(Rotation::size(2).keep(9));
    let mut plain = File::open(&path).unwrap();
    write(&mut plain, &["a\n", "b\n"]);
    expect(dir.path(), &[("app.log", "b\n"), ("app.log.1", "a\n")]);
    drop(rotating);
    write(&mut plain, &["c\n"]);
    expect(dir.path(), &[("app.log", "b\nc\n"), ("app.log.1", "a\n")]);
}

#[test]
fn what_an_exchange_opens_again_is_rotated_at_the_start_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(&path, "before\n").unwrap();
    let open = || File::options().rotation(Rotation::on_request().on_startup(true)).open(&path).unwrap();
    let mut file = open();
    for number in 0..3 {
        write(&mut file, &[&format!("{number}\n")]);
        file = open();
    }
    expect(dir.path(), &[("app.log", "0\n1\n2\n"), ("app.log.1", "before\n")]);

    // Nor does a rotation that only the newer one has take the lines of this process for those of an earlier one.
    let path = dir.path().join("other.log");
    let mut plain = File::open(&path).unwrap();
    write(&mut plain, &["a\n"]);
    let mut newer = File::options().rotation(Rotation::on_request().on_startup(true)).open(&path).unwrap();
    write(&mut newer, &["b\n"]);
    assert_eq!(files(dir.path())["other.log"], "a\nb\n");
}

#[test]
fn outputs_are_exchanged_under_load_without_a_lost_or_doubled_line() {
    const THREADS: usize = 3;
    const EACH: usize = 2_000;
    let dated = || Naming::dated("%F").unwrap();
    let namings = [
        Naming::numbered(),
        Naming::numbered_oldest_first(),
        Naming::numbered().before_extension(true),
        dated(),
        dated().live(true),
    ];
    for (number, naming) in namings.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let rotation = || Rotation::size(4_000).keep(usize::MAX).naming(naming.clone());
        let open = || {
            let buffer = if number % 2 == 0 { 0 } else { 300 };
            File::options().buffer(buffer).rotation(rotation()).open(&path).unwrap()
        };
        let output = std::sync::RwLock::new(std::sync::Arc::new(Output::new(format::Text::new(), open())));
        let beside = Output::new(format::Text::new(), File::open(&path).unwrap());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (output, beside, done, open) = (&output, &beside, &done, &open);
            let loggers: Vec<_> = (0..THREADS)
                .map(|thread| {
                    scope.spawn(move || {
                        for number in 0..EACH {
                            let message = format!("line {thread} {number} end");
                            let record = tracing_handlers::RecordBuf::new(Severity::INFO, "app", &message);
                            let taken = output.read().unwrap().clone();
                            let handler: &dyn tracing_handlers::handler::Handler =
                                if number % 3 == 0 { beside } else { &*taken };
                            handler.handle(&record.as_record()).unwrap();
                        }
                    })
                })
                .collect();
            let changer = scope.spawn(move || {
                let mut exchanges = 0;
                while !done.load(Ordering::Relaxed) {
                    let next = std::sync::Arc::new(Output::new(format::Text::new(), open()));
                    drop(std::mem::replace(&mut *output.write().unwrap(), next));
                    exchanges += 1;
                }
                exchanges
            });
            loggers.into_iter().for_each(|logger| logger.join().unwrap());
            done.store(true, Ordering::Relaxed);
            assert!(changer.join().unwrap() > 3);
        });
        drop((output, beside));
        // A live name is a link beside the file that it leads to.
        if path.symlink_metadata().unwrap().is_symlink() {
            fs::remove_file(&path).unwrap();
        }
        let lines = lines_of(dir.path(), "app");
        let mut found: Vec<_> = lines
            .iter()
            .map(|line| {
                let start = line.find("line ").unwrap_or_else(|| panic!("not whole: {line:?}"));
                line[start..].strip_suffix(" end").unwrap_or_else(|| panic!("not whole: {line:?}")).to_owned()
            })
            .collect();
        found.sort();
        let mut wanted: Vec<_> =
            (0..THREADS).flat_map(|thread| (0..EACH).map(move |number| format!("line {thread} {number}"))).collect();
        wanted.sort();
        assert!(found == wanted, "{naming:?}: {} lines instead of {}", found.len(), wanted.len());
    }
}

#[test]
fn the_preamble_is_written_once_whoever_writes_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.csv");
    let open = || File::options().watch(None).open(&path).unwrap();
    let (mut one, mut other) = (open().rotation(Rotation::size(12).keep(9)), open());
    write_below(&mut one, &["1\n"], "head\n");
    write_below(&mut other, &["2\n"], "head\n");
    write_below(&mut other, &["33\n"], "head\n");
    write_below(&mut one, &["4\n"], "head\n");
    expect(dir.path(), &[("app.csv", "head\n4\n"), ("app.csv.1", "head\n1\n2\n33\n")]);
}

#[test]
fn what_a_file_owes_is_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let hour = Durability::Grouped(Duration::from_secs(3_600));
    let mut grouped = File::options().durability(hour).open(&path).unwrap();
    let mut synced = File::options().durability(Durability::Synced).open(&path).unwrap();
    let mut buffered = File::options().buffer(1_000).flush_after(None).open(&path).unwrap();
    let mut plain = File::open(&path).unwrap();
    write(&mut grouped, &["1\n", "2\n"]);
    write(&mut buffered, &["5\n"]);
    write(&mut plain, &["3\n"]);
    let pending = |files: [&File; 4]| files.map(Sink::pending);
    assert_eq!(pending([&grouped, &synced, &buffered, &plain]), [2, 0, 1, 0]);
    Sink::flush(&mut plain, soon()).unwrap();
    assert!(synced.commit().is_none(), "it has nothing to wait for");
    assert_eq!(pending([&grouped, &synced, &buffered, &plain]), [2, 0, 1, 0]);
    write(&mut synced, &["4\n"]);
    let commit = synced.commit().unwrap();
    assert_eq!(synced.pending(), 1);
    commit.wait(soon()).unwrap();
    // One sync serves all that was written before it.
    assert_eq!(pending([&grouped, &synced, &buffered, &plain]), [0, 0, 1, 0]);
    Sink::flush(&mut buffered, soon()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n4\n5\n");
}

#[test]
fn the_first_file_that_is_opened_later_joins_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/app.log");
    let mut late = File::options().delay(true).rotation(Rotation::size(4).keep(9)).open(&path).unwrap();
    let mut other = File::options().delay(true).open(&path).unwrap();
    assert!(!path.exists());
    for line in ["a\n", "b\n"] {
        write(&mut other, &[line]);
        write(&mut late, &[line]);
    }
    expect(path.parent().unwrap(), &[("app.log", "b\nb\n"), ("app.log.1", "a\na\n")]);
}

#[test]
fn the_lines_of_this_process_are_not_emptied_by_another_opening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(&path, "of an earlier process\n").unwrap();
    let open = |delay| File::options().truncate(true).delay(delay).open(&path).unwrap();
    let mut first = open(true);
    let mut file = open(false);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    write(&mut file, &["1\n"]);
    let mut again = open(false);
    write(&mut again, &["2\n"]);
    again.control().reopen();
    write(&mut first, &["3\n"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    drop((first, file, again));
    drop(open(false));
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn after_the_file_was_moved_an_opening_leads_all_to_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut old = File::options().watch(None).open(&path).unwrap();
    write(&mut old, &["1\n"]);
    fs::rename(&path, dir.path().join("moved")).unwrap();
    let mut new = File::options().watch(None).open(&path).unwrap();
    write(&mut new, &["2\n"]);
    write(&mut old, &["3\n"]);
    expect(dir.path(), &[("app.log", "2\n3\n"), ("moved", "1\n")]);

    // If it cannot be opened again, only the new one fails.
    fs::rename(&path, dir.path().join("moved again")).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(File::options().watch(None).open(&path).unwrap_err().kind(), ErrorKind::Io);
    write(&mut old, &["4\n"]);
    assert_eq!(files(dir.path())["moved again"], "2\n3\n4\n");
}

#[cfg(unix)]
#[test]
fn a_file_under_another_name_is_joined_and_rotated_under_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut first = File::options().truncate(true).open(&path).unwrap().rotation(Rotation::size(4).keep(9));
    write(&mut first, &["1\n"]);
    fs::hard_link(&path, dir.path().join("hard")).unwrap();
    std::os::unix::fs::symlink("app.log", dir.path().join("soft")).unwrap();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("dir")).unwrap();
    let truncating = |name: &str| File::options().truncate(true).open(dir.path().join(name)).unwrap();
    let (mut hard, mut soft, mut far) = (truncating("hard"), truncating("soft"), truncating("dir/app.log"));
    for (number, file) in [&mut hard, &mut soft, &mut far, &mut first].into_iter().enumerate() {
        write(file, &[&format!("{}\n", number + 2)]);
    }
    let files = files(dir.path());
    assert_eq!([&*files["app.log"], &files["app.log.1"], &files["app.log.2"]], ["5\n", "3\n4\n", "1\n2\n"]);
    assert!(!files.contains_key("hard.1") && !files.contains_key("soft.1"), "{files:?}");
}

#[cfg(unix)]
#[test]
fn a_link_that_others_may_have_made_is_refused_even_if_it_leads_to_an_open_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let _log = File::open(dir.path().join("app.log")).unwrap();
    let all = dir.path().join("all");
    fs::create_dir(&all).unwrap();
    fs::set_permissions(&all, fs::Permissions::from_mode(0o1777)).unwrap();
    std::os::unix::fs::symlink(dir.path().join("app.log"), all.join("link")).unwrap();
    assert_eq!(File::open(all.join("link")).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn logs_called_like_archives_are_joined_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut worker_1 = File::open(dir.path().join("worker.1")).unwrap();
    let mut worker = File::open(dir.path().join("worker")).unwrap().rotation(Rotation::size(2).keep(2));
    let mut again = File::open(dir.path().join("worker.1")).unwrap();
    for line in ["a\n", "b\n", "c\n"] {
        [&mut worker, &mut worker_1, &mut again].into_iter().for_each(|file| write(file, &[line]));
    }
    let expected = [("worker", "c\n"), ("worker.1", "a\na\nb\nb\nc\nc\n"), ("worker.2", "b\n"), ("worker.3", "a\n")];
    expect(dir.path(), &expected);
}

#[test]
fn a_shared_file_is_joined_and_stays_shared() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let rotation = || Rotation::size(4).keep(9);
    let mut plain = File::options().watch(None).rotation(rotation()).open(&path).unwrap();
    write(&mut plain, &["1\n"]);
    let mut shared = File::options().shared(true).rotation(rotation()).open(&path).unwrap();
    write(&mut plain, &["2\n"]);
    write(&mut shared, &["3\n"]);
    assert!(dir.path().join(".app.log.lock").exists());
    let mut last = File::options().rotation(rotation()).open(&path).unwrap();
    write(&mut last, &["4\n"]);
    write(&mut plain, &["5\n"]);
    let expected = [(".app.log.lock", ""), ("app.log", "5\n"), ("app.log.1", "3\n4\n"), ("app.log.2", "1\n2\n")];
    expect(dir.path(), &expected);
}

#[cfg(unix)]
#[test]
fn devices_can_be_opened_often() {
    let open = || File::open("/dev/null").unwrap();
    let mut both = [open(), open()];
    both.iter_mut().for_each(|file| write(file, &["line\n"]));
}

/// A reader that leaves within a line makes the rest of that line come before all others.
#[cfg(unix)]
#[test]
fn the_rest_of_a_line_on_a_pipe_comes_before_the_lines_of_another_file() {
    use std::io::Read as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let both = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let (mut long, mut short) = (File::open(&path).unwrap(), File::open(&path).unwrap());
    let mut leaving = fs::File::open(&path).unwrap();
    drop(both);
    let leaves = std::thread::spawn(move || leaving.read_exact(&mut [0; 100_000]).unwrap());
    write(&mut long, &[&format!("{}\n", "x".repeat(300_000))]);
    leaves.join().unwrap();
    assert_eq!((long.pending(), short.pending()), (1, 0));
    let mut reader = fs::File::open(&path).unwrap();
    let reads = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    write(&mut short, &["y\n"]);
    assert_eq!((long.pending(), short.pending()), (0, 0));
    // The next attempt after a failure is made at once.
    Sink::flush(&mut long, soon()).unwrap();
    write(&mut long, &["z\n"]);
    drop((long, short));
    let text = reads.join().unwrap();
    let rest = text.strip_suffix("\ny\nz\n").unwrap_or_else(|| panic!("{:?}", &text[text.len() - 10..]));
    assert!(rest.len() == 200_000 && rest.bytes().all(|byte| byte == b'x'), "{} bytes", rest.len());
}

/// Sealed and encrypted files.
#[cfg(all(feature = "seal", feature = "encryption"))]
mod encoded {
    use tracing_handlers::encryption::Keys;
    use tracing_handlers::seal::{Key, Seal, verify};

    use super::*;

    fn key(byte: u8) -> Key {
        Key::from_bytes([byte; 32])
    }

    fn sealed(byte: u8) -> FileOptions {
        File::options().seal(Seal::new(key(byte)))
    }

    fn encrypted(byte: u8) -> FileOptions {
        File::options().encrypt(Keys::new(key(byte)))
    }

    #[test]
    fn a_sealed_file_has_one_chain_and_ends_with_the_last_handler() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let open = || sealed(1).rotation(Rotation::size(2_000).keep(99)).open(&path).unwrap();
        let mut file = open();
        for number in 0..50 {
            write(&mut file, &[&format!("{number}\n")]);
            let mut next = open();
            write(&mut next, &["next\n"]);
            write(&mut file, &["old\n"]);
            file = next;
        }
        drop(file);
        let verified = verify(&path, &key(1)).unwrap();
        assert_eq!(verified.lines, 150);
        assert!(verified.files > 2, "{}", verified.files);
        assert!(verified.closed);
    }

    #[test]
    fn a_file_is_either_sealed_or_encrypted_or_neither_and_with_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let options: [fn() -> FileOptions; 5] =
            [File::options, || sealed(1), || sealed(2), || encrypted(1), || encrypted(2)];
        for (number, first) in options.iter().enumerate() {
            let mut file = first().open(&path).unwrap();
            for (other, second) in options.iter().enumerate() {
                match second().open(&path) {
                    Ok(joined) => drop((joined, assert_eq!(number, other))),
                    Err(error) => assert!(error.kind() == ErrorKind::Config && number != other, "{error}"),
                }
            }
            write(&mut file, &["line\n"]);
            drop(file);
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn an_encrypted_file_is_joined_under_another_name() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("app.log"), dir.path().join("link"));
        let mut one = encrypted(1).open(&path).unwrap();
        fs::hard_link(&path, &link).unwrap();
        let mut other = encrypted(1).open(&link).unwrap();
        write(&mut other, &["1\n"]);
        write(&mut one, &["2\n"]);
        drop((one, other));
        let mut text = String::new();
        let file = fs::File::open(&path).unwrap();
        let mut decryptor = tracing_handlers::encryption::Decryptor::new(file, Keys::new(key(1)));
        std::io::Read::read_to_string(&mut decryptor, &mut text).unwrap();
        assert_eq!(text, "1\n2\n");
    }
}
