use std::fs;
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;

use crate::Error;
use crate::file::Identity;
use crate::file::ownership;
use crate::file::rotation::archive::sync_dir_of;
use crate::file::rotation::compression::Temporary;
use crate::file::rotation::{direction, fault, obstacle};

/// Copies the file at `path` to `archive`, which must be free, and empties it.
///
/// The copy is on the disk, with the permissions, the owner and the times of the file, before it gets its name, and the file is emptied
/// after that: a crash in between leaves the lines in both, and none is lost.
pub(super) fn copy_and_empty(path: &Path, archive: &Path) -> Result<(), Error> {
    let failed =
        |error| Error::io(format!("cannot copy {} to {}, and empty it", path.display(), archive.display()), error);
    copy(path, archive).map_err(failed)
}

fn copy(path: &Path, archive: &Path) -> io::Result<()> {
    // Does not follow links that another user may have put there.
    let emptied = ownership::open(path, None)?;
    let mut from = fs::File::open(path)?;
    let metadata = from.metadata()?;
    if Identity::of(&metadata) != Identity::of(&emptied.metadata()?) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it was moved away"));
    }
    // Otherwise it would be copied again at each attempt.
    if obstacle::only_grows(path) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is append-only"));
    }
    let Some(temporary) = Temporary::make(path, "copy")? else {
        return Err(io::Error::new(io::ErrorKind::WouldBlock, "another process copies it"));
    };
    let mut to = temporary.file().try_clone()?;
    let copied = io::copy(&mut from, &mut to)?;
    direction::copy_mark(&from, temporary.file());
    temporary.finish(&metadata)?;
    fault::point("copied");
    temporary.rename(archive)?;
    finish(&mut from, &mut to, copied, &emptied, archive)
}

/// Copies what processes without our lock have written since `copied` bytes were copied, and empties the file.
fn finish(from: &mut fs::File, to: &mut fs::File, copied: u64, emptied: &fs::File, archive: &Path) -> io::Result<()> {
    let finished = sync_dir_of(archive).and_then(|()| copy_rest_and_empty(from, to, copied, emptied));
    if finished.is_err() {
        // All lines are still in the file. With the copy left, each attempt would push an older archive out.
        let _ = fs::remove_file(archive);
    }
    finished
}

fn copy_rest_and_empty(from: &mut fs::File, to: &mut fs::File, mut copied: u64, emptied: &fs::File) -> io::Result<()> {
    fault::point("copy renamed");
    while from.metadata()?.len() > copied {
        from.seek(SeekFrom::Start(copied))?;
        match io::copy(from, to)? {
            0 => break,
            more => copied += more,
        }
        to.sync_data()?;
    }
    emptied.set_len(0)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use crate::file::rotation::Rotation;
    use crate::sink::File;

    /// Rotates a file by copying.
    fn write(directory: &std::path::Path) {
        let mut file = File::open(directory.join("log")).unwrap().rotation(Rotation::size(8).copy_truncate(true));
        writeln!(file, "six").unwrap();
    }

    fn texts(directory: &std::path::Path) -> [Option<String>; 3] {
        ["log", "log.1", ".log.copy.tmp"].map(|name| std::fs::read_to_string(directory.join(name)).ok())
    }

    /// Also the child process of the test below, which is killed.
    #[test]
    fn a_process_that_is_not_killed_copies_the_file() {
        if let Some(directory) = std::env::var_os("COPIED_BY_THE_CHILD") {
            write(std::path::Path::new(&directory));
        } else {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("log"), "one\ntwo\n").unwrap();
            write(directory.path());
            assert_eq!(texts(directory.path()), [Some("six\n".to_owned()), Some("one\ntwo\n".to_owned()), None]);
        }
    }

    #[test]
    fn the_copy_of_a_file_that_cannot_be_emptied_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, archive) = (directory.path().join("log"), directory.path().join("log.1"));
        std::fs::write(&path, "one\n").unwrap();
        std::fs::write(&archive, "one\n").unwrap();
        let mut from = std::fs::File::open(&path).unwrap();
        let mut to = std::fs::File::options().append(true).open(&archive).unwrap();
        // One that is open for reading only.
        let emptied = std::fs::File::open(&path).unwrap();
        super::finish(&mut from, &mut to, 4, &emptied, &archive).unwrap_err();
        assert_eq!(texts(directory.path()), [Some("one\n".to_owned()), None, None]);
    }

    #[test]
    fn a_kill_loses_no_line_and_the_next_process_finishes_the_copy() {
        let old = || Some("one\ntwo\n".to_owned());
        for (point, left) in [("copied", [old(), None, old()]), ("copy renamed", [old(), old(), None])] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("log"), "one\ntwo\n").unwrap();
            let child = "file::rotation::scheme::copy::tests::a_process_that_is_not_killed_copies_the_file";
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", child, "--quiet"])
                .env("COPIED_BY_THE_CHILD", directory.path())
                .env("TRACING_HANDLERS_KILL_AT", point)
                .output()
                .unwrap();
            assert_eq!(output.status.signal(), Some(libc::SIGKILL), "{point}");
            assert_eq!(texts(directory.path()), left, "{point}");
            write(directory.path());
            assert_eq!(texts(directory.path()), [Some("six\n".to_owned()), old(), None], "{point}");
        }
    }
}
