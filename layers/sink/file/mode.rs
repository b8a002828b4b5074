//! Permissions of what is made: asked for at once, so that it is never open to more people than it should be, and set again
//! afterwards, because the umask takes bits away.

#[cfg(unix)]
pub(super) use unix::{make_dir, make_file};

#[cfg(not(unix))]
pub(super) use other::{make_dir, make_file};

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
    use std::path::Path;

    pub(in super::super) fn make_file(path: &Path, mode: Option<u32>) -> io::Result<File> {
        let file = OpenOptions::new().append(true).create_new(true).mode(mode.unwrap_or(0o666)).open(path)?;
        if let Some(mode) = mode {
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(file)
    }

    pub(in super::super) fn make_dir(path: &Path, mode: Option<u32>) -> io::Result<()> {
        DirBuilder::new().mode(mode.unwrap_or(0o777)).create(path)?;
        if let Some(mode) = mode {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod other {
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(in super::super) fn make_file(path: &Path, _: Option<u32>) -> io::Result<File> {
        OpenOptions::new().append(true).create_new(true).open(path)
    }

    pub(in super::super) fn make_dir(path: &Path, _: Option<u32>) -> io::Result<()> {
        fs::create_dir(path)
    }
}
