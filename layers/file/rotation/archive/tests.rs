use std::io::Read as _;
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

use super::*;
use crate::file::rotation::compression::unpack;
use crate::sync::lock;

/// Numbered archives, rotated as by a rotator.
struct Numbered {
    path: PathBuf,
    lock: Mutex<()>,
    /// Runs once, before the lock is acquired for the given time.
    before: Mutex<Option<(usize, Before)>>,
}

type Before = Box<dyn FnOnce(&Numbered) + Send>;

impl Numbered {
    fn new(dir: &Path) -> Self {
        Self { path: dir.join("app.log"), lock: Mutex::default(), before: Mutex::default() }
    }

    fn before(self, time: usize, what: impl FnOnce(&Self) + Send + 'static) -> Self {
        *lock(&self.before) = Some((time, Box::new(what)));
        self
    }

    fn rotate(&self, text: &str) {
        for number in (1..20).rev() {
            for ending in ["", ".gz", ".zst"] {
                let _ = fs::rename(self.old(number, ending), self.old(number + 1, ending));
            }
        }
        fs::write(self.old(1, ""), text).unwrap();
    }

    fn old(&self, number: usize, ending: &str) -> PathBuf {
        self.path.with_file_name(format!("app.log.{number}{ending}"))
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        let mut before = lock(&self.before);
        let due = before.take_if(|(left, _)| {
            *left -= 1;
            *left == 0
        });
        drop(before);
        if let Some((_, what)) = due {
            what(self);
        }
        lock(&self.lock)
    }
}

impl Log for Numbered {
    fn path(&self) -> &Path {
        &self.path
    }

    fn locked<R>(&self, work: impl FnOnce() -> R) -> Result<R, Error> {
        let _guard = self.lock();
        Ok(work())
    }

    fn archives(&self) -> Result<Vec<PathBuf>, Error> {
        let all = (1..=20).rev().flat_map(|number| ["", ".gz", ".zst"].map(|ending| self.old(number, ending)));
        Ok(all.filter(|path| path.exists()).collect())
    }

    fn is_archive(&self, name: &OsStr) -> bool {
        let number = name.to_str().and_then(|name| name.strip_prefix("app.log."));
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    }
}

/// The name and uncompressed content of each file in `dir`, sorted by name.
fn files(dir: &Path) -> Vec<(String, String)> {
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let text = io::read_to_string(unpack(fs::File::open(entry.path()).unwrap()).unwrap()).unwrap();
        (entry.file_name().into_string().unwrap(), text)
    };
    let mut all: Vec<_> = fs::read_dir(dir).unwrap().map(read).collect();
    all.sort();
    all
}

#[track_caller]
fn expect(dir: &Path, expected: &[(&str, &str)]) {
    let files = files(dir);
    assert_eq!(files.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>(), expected);
}

fn archive(family: Numbered) -> Arc<Archive<Numbered>> {
    Archive::new(family, Compression::gzip())
}

#[test]
fn all_archives_are_compressed_and_keep_their_mode_and_time() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    ["one", "two", "three"].iter().for_each(|text| family.rotate(text));
    fs::set_permissions(family.old(2, ""), fs::Permissions::from_mode(0o604)).unwrap();
    let before = family.old(2, "").metadata().unwrap();
    archive(family).pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "three"), ("app.log.2.gz", "two"), ("app.log.3.gz", "one")]);
    let after = dir.path().join("app.log.2.gz").metadata().unwrap();
    assert_eq!(after.permissions(), before.permissions());
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
}

#[test]
fn submitted_work_is_done_when_the_background_thread_has_settled() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    archive(family).begin();
    assert!(background::settle(std::time::Duration::from_secs(60)));
    expect(dir.path(), &[("app.log.1.gz", "one")]);
}

#[test]
fn the_compressed_file_gets_the_new_name_of_an_archive_that_moved_up_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    // The lock is acquired for the third time after the compression.
    let family = Numbered::new(dir.path()).before(3, |family| family.rotate("later"));
    family.rotate("one");
    archive(family).pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "later"), ("app.log.2.gz", "one")]);
}

/// Numbered archives move up, so two processes may compress one archive under two of its names.
#[test]
fn an_archive_that_another_process_compresses_meanwhile_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let compress = |family: &Numbered| {
        let mut encoder =
            flate2::write::GzEncoder::new(fs::File::create(family.old(1, ".gz")).unwrap(), Default::default());
        io::Write::write_all(&mut encoder, b"one").unwrap();
        encoder.finish().unwrap();
    };
    let family = Numbered::new(dir.path()).before(3, compress);
    family.rotate("one");
    let archive = archive(family);
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1", "one"), ("app.log.1.gz", "one")]);
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "one")]);
}

#[test]
fn an_archive_that_is_removed_meanwhile_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path()).before(3, |family| fs::remove_file(family.old(1, "")).unwrap());
    family.rotate("one");
    archive(family).pack_all().unwrap();
    expect(dir.path(), &[]);
}

#[test]
fn an_archive_that_grows_meanwhile_is_compressed_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let append = |family: &Numbered| {
        let mut file = fs::File::options().append(true).open(family.old(1, "")).unwrap();
        io::Write::write_all(&mut file, b" and a half").unwrap();
    };
    let family = Numbered::new(dir.path()).before(3, append);
    family.rotate("one");
    let archive = archive(family);
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1", "one and a half")]);
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "one and a half")]);
}

/// The lock is acquired for the fourth time after the compressed file was published and synced.
#[test]
fn of_a_pair_that_moves_up_before_the_removal_only_the_compressed_file_remains() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path()).before(4, |family| family.rotate("later"));
    family.rotate("one");
    archive(family).pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "later"), ("app.log.2.gz", "one")]);
}

#[test]
fn an_archive_that_grows_at_the_last_moment_is_kept_uncompressed() {
    let dir = tempfile::tempdir().unwrap();
    let append = |family: &Numbered| {
        let mut late = fs::File::options().append(true).open(family.old(1, "")).unwrap();
        io::Write::write_all(&mut late, b", late").unwrap();
    };
    let family = Numbered::new(dir.path()).before(4, append);
    family.rotate("one");
    let archive = archive(family);
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1", "one, late")]);
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "one, late")]);
}

#[test]
fn after_a_crash_that_left_both_the_uncompressed_one_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    let archive = archive(family);
    archive.pack_all().unwrap();
    fs::write(dir.path().join("app.log.1"), "one").unwrap();
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "one")]);
}

/// Another process has published the compressed file, and not removed the uncompressed one yet.
#[test]
fn a_pair_that_moves_up_while_it_is_compared_is_the_same_pair() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    archive(family).pack_all().unwrap();
    fs::write(dir.path().join("app.log.1"), "one").unwrap();
    let archive = archive(Numbered::new(dir.path()));
    let (raw, work) = archive.next(&mut Seen::default()).unwrap().expect("there is a pair");
    archive.log.rotate("later");
    archive.perform(&raw, work.unwrap()).unwrap();
    expect(dir.path(), &[("app.log.1", "later"), ("app.log.2.gz", "one")]);
}

#[test]
fn two_files_of_one_number_with_different_content_are_both_kept() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    let archive = archive(family);
    archive.pack_all().unwrap();
    fs::write(dir.path().join("app.log.1"), "something else").unwrap();
    fs::write(dir.path().join("app.log.2"), "two").unwrap();
    let error = format!("{:#}", archive.pack_all().unwrap_err());
    assert!(error.ends_with("app.log.1.gz has other content"), "{error}");
    expect(dir.path(), &[("app.log.1", "something else"), ("app.log.1.gz", "one"), ("app.log.2.gz", "two")]);
}

fn packed(compression: Compression, text: &[u8]) -> Vec<u8> {
    let (raw, packed) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    io::Write::write_all(&mut &raw, text).unwrap();
    (&raw).rewind().unwrap();
    compression.pack(&raw, &packed).unwrap();
    (&packed).rewind().unwrap();
    let mut bytes = Vec::new();
    (&packed).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Longer than the pieces in which files are compared, and not much smaller when it is compressed.
fn long_text() -> String {
    let number = |number: u64| format!("{:x}\n", number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31));
    (0..20_000).map(number).collect()
}

#[test]
fn an_archive_beside_a_compressed_file_that_was_cut_anywhere_is_compressed_again() {
    let text = long_text();
    let whole = packed(Compression::gzip(), text.as_bytes());
    let of_content = (0..whole.len()).step_by(whole.len() / 9);
    for len in (0..=20).chain(of_content).chain([whole.len() - 9, whole.len() - 8, whole.len() - 1]) {
        let dir = tempfile::tempdir().unwrap();
        let family = Numbered::new(dir.path());
        family.rotate(&text);
        fs::write(family.old(1, ".gz"), &whole[..len]).unwrap();
        archive(family).pack_all().unwrap();
        let files = files(dir.path());
        assert!(files == [("app.log.1.gz".to_owned(), text.clone())], "cut to {len} bytes");
    }
}

#[cfg(feature = "zstd")]
#[test]
fn a_file_of_another_compression_that_was_cut_is_replaced() {
    let text = long_text();
    let whole = packed(Compression::zstd(), text.as_bytes());
    for len in [0, 1, 3, 4, 5, 9, 100, whole.len() / 2, whole.len() - 1] {
        let dir = tempfile::tempdir().unwrap();
        let family = Numbered::new(dir.path());
        family.rotate(&text);
        fs::write(family.old(1, ".zst"), &whole[..len]).unwrap();
        archive(family).pack_all().unwrap();
        let files = files(dir.path());
        assert!(files == [("app.log.1.gz".to_owned(), text.clone())], "cut to {len} bytes");
    }
}

#[test]
fn a_compressed_file_with_the_beginning_of_an_archive_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one and a half");
    fs::write(family.old(1, ".gz"), packed(Compression::gzip(), b"one")).unwrap();
    archive(family).pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "one and a half")]);
}

#[test]
fn a_compressed_file_that_is_damaged_at_its_end_is_replaced_and_one_with_more_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("longer");
    family.rotate("one");
    let mut damaged = packed(Compression::gzip(), b"one");
    *damaged.iter_mut().rev().nth(4).unwrap() ^= 1;
    fs::write(family.old(1, ".gz"), damaged).unwrap();
    fs::write(family.old(2, ".gz"), packed(Compression::gzip(), b"longer than that")).unwrap();
    let error = format!("{:#}", archive(family).pack_all().unwrap_err());
    assert!(error.ends_with("app.log.2.gz has other content"), "{error}");
    expect(dir.path(), &[("app.log.1.gz", "one"), ("app.log.2", "longer"), ("app.log.2.gz", "longer than that")]);
}

/// It may be whole, and need more memory than is allowed.
#[test]
fn a_compressed_file_of_which_nothing_can_be_unpacked_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    let mut damaged = packed(Compression::gzip(), b"something else");
    damaged[10] = 0xff;
    fs::write(family.old(1, ".gz"), &damaged).unwrap();
    let path = family.old(1, ".gz");
    let error = format!("{:#}", archive(family).pack_all().unwrap_err());
    assert!(error.ends_with("app.log.1.gz has other content"), "{error}");
    assert_eq!(fs::read(path).unwrap(), damaged);
}

#[cfg(feature = "zstd")]
#[test]
fn a_compressed_file_beside_one_of_another_compression_that_was_cut_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    let whole = packed(Compression::zstd(), b"something else");
    let (cut, other) = (family.old(1, ".gz"), family.old(1, ".zst"));
    fs::write(&cut, "").unwrap();
    fs::write(&other, &whole).unwrap();
    let _ = Archive::new(family, Compression::zstd()).pack_all();
    assert_eq!(fs::read(other).unwrap(), whole);
}

/// As by `gzip` in a shell: it creates the file at once, and removes the archive at its end.
#[test]
fn a_compressed_file_that_another_program_completes_meanwhile_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    // The lock is acquired for the fourth time after the compression.
    let complete = |family: &Numbered| {
        let mut late = fs::File::options().append(true).open(family.old(1, ".gz")).unwrap();
        io::Write::write_all(&mut late, &packed(Compression::gzip(), b"one")).unwrap();
        fs::remove_file(family.old(1, "")).unwrap();
    };
    let family = Numbered::new(dir.path()).before(4, complete);
    family.rotate("one");
    fs::write(family.old(1, ".gz"), "").unwrap();
    archive(family).pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "one")]);
}

#[test]
fn a_compressed_file_that_another_program_is_writing_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let grow = |family: &Numbered| fs::write(family.old(1, ".gz"), &packed(Compression::gzip(), b"one")[..15]).unwrap();
    let family = Numbered::new(dir.path()).before(4, grow);
    family.rotate("one");
    fs::write(family.old(1, ".gz"), "").unwrap();
    let archive = archive(family);
    archive.pack_all().unwrap();
    assert_eq!(fs::read(dir.path().join("app.log.1.gz")).unwrap().len(), 15);
    archive.pack_all().unwrap();
    expect(dir.path(), &[("app.log.1.gz", "one")]);
}

#[test]
fn a_pipe_and_a_directory_named_like_the_compressed_file_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    ["three", "two", "one"].iter().for_each(|text| family.rotate(text));
    assert!(Command::new("mkfifo").arg(family.old(1, ".gz")).status().unwrap().success());
    fs::create_dir(family.old(2, ".gz")).unwrap();
    let error = format!("{:#}", archive(family).pack_all().unwrap_err());
    assert!(error.contains("is not a regular file"), "{error}");
    assert!(dir.path().join("app.log.1").exists() && dir.path().join("app.log.2").exists());
    assert!(dir.path().join("app.log.3.gz").exists());
}

#[test]
fn unfinished_files_of_killed_processes_are_removed_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    for name in [".app.log.7.gz.tmp", ".app.log.7.zst.tmp", ".other.log.7.gz.tmp", ".app.log.x.gz.tmp", "app.log"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    archive(Numbered::new(dir.path())).pack_all().unwrap();
    expect(dir.path(), &[(".app.log.x.gz.tmp", ""), (".other.log.7.gz.tmp", ""), ("app.log", "")]);
}

#[test]
fn directories_and_pipes_are_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    fs::create_dir(family.old(2, "")).unwrap();
    assert!(Command::new("mkfifo").arg(family.old(3, "")).status().unwrap().success());
    archive(family).pack_all().unwrap();
    assert!(dir.path().join("app.log.1.gz").exists());
    assert!(dir.path().join("app.log.2").is_dir() && dir.path().join("app.log.3").exists());
}

#[test]
fn a_failure_is_reported_when_it_begins_and_when_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let family = Numbered::new(dir.path());
    family.rotate("one");
    // In place of the temporary file.
    fs::create_dir(dir.path().join(".app.log.1.gz.tmp")).unwrap();
    let archive = archive(family);
    assert!(archive.pack_all().is_err());
    archive.report(archive.pack_all());
    assert!(archive.reporter.last().as_ref().is_some_and(|last| last.contains("cannot compress old files")));
    fs::remove_dir(dir.path().join(".app.log.1.gz.tmp")).unwrap();
    archive.report(archive.pack_all());
    assert!(archive.reporter.last().is_none());
    expect(dir.path(), &[("app.log.1.gz", "one")]);
}

/// Also the child process of the test below, which is killed.
#[test]
fn a_process_that_is_not_killed_compresses_every_old_file() {
    if let Some(dir) = std::env::var_os("ARCHIVE_OF_THE_CHILD") {
        let _ = archive(Numbered::new(Path::new(&dir))).pack_all();
    } else {
        let dir = tempfile::tempdir().unwrap();
        let family = Numbered::new(dir.path());
        ["one", "two"].iter().for_each(|text| family.rotate(text));
        archive(family).pack_all().unwrap();
        expect(dir.path(), &[("app.log.1.gz", "two"), ("app.log.2.gz", "one")]);
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_process_killed_at_any_point_leaves_every_line_once_and_no_half_archive() {
    use std::os::unix::process::ExitStatusExt as _;

    let text = (0..20_000).map(|number| format!("line {number}\n")).collect::<String>();
    for point in ["packing", "packed", "renamed", "synced", "removed"] {
        for time in 1..=3 {
            let dir = tempfile::tempdir().unwrap();
            let family = Numbered::new(dir.path());
            (0..3).for_each(|number| family.rotate(&format!("{number}\n{text}")));
            let status = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "file::rotation::archive::tests::a_process_that_is_not_killed_compresses_every_old_file",
                    "--quiet",
                ])
                .env("ARCHIVE_OF_THE_CHILD", dir.path())
                .env("TRACING_HANDLERS_KILL_AT", format!("{point}:{time}"))
                .output()
                .unwrap()
                .status;
            assert_eq!(status.signal(), Some(libc::SIGKILL), "{point}:{time}");
            for (name, read) in files(dir.path()).iter().filter(|(name, _)| !name.starts_with('.')) {
                assert!(read.ends_with(&text), "{point}:{time} left half of {name}");
            }
            archive(family).pack_all().unwrap();
            let whole: Vec<_> = files(dir.path());
            let expected = [("app.log.1.gz", 2), ("app.log.2.gz", 1), ("app.log.3.gz", 0)];
            let expected = expected.map(|(name, number)| (name.to_owned(), format!("{number}\n{text}")));
            assert_eq!(
                whole.iter().map(|(name, _)| name).collect::<Vec<_>>(),
                expected.each_ref().map(|(name, _)| name)
            );
            assert!(whole == expected, "{point}:{time}");
        }
    }
}
