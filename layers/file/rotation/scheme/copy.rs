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
    let mut copied = io::copy(&mut from, &mut to)?;
    direction::copy_mark(&from, temporary.file());
    temporary.finish(&metadata)?;
    fault::point("copied");
    temporary.rename(archive)?;
    sync_dir_of(archive)?;
    fault::point("copy renamed");
    // What processes without our lock have written meanwhile.
    while from.metadata()?.len() > copied {
        from.seek(SeekFrom::Start(copied))?;
        match io::copy(&mut from, &mut to)? {
            0 => break,
            more => copied += more,
        }
        to.sync_data()?;
    }
    emptied.set_len(0)
}
