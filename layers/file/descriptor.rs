//! Files whose descriptors other code may close.

use std::fs::{File, Metadata};
use std::io;
use std::sync::Arc;

use super::Identity;

/// A file that this process has opened. A program that becomes a daemon may close all descriptors, and the next file that it opens
/// gets one of their numbers: that one must neither be written to nor closed.
#[derive(Debug)]
pub(crate) struct Descriptor {
    file: Arc<File>,
    identity: Identity,
}

impl Descriptor {
    /// Also returns the metadata of the file.
    pub(crate) fn new(file: File) -> io::Result<(Self, Metadata)> {
        let file = system::out_of_the_way(file);
        let metadata = file.metadata()?;
        let identity = Identity::of(&metadata);
        Ok((Self { file: Arc::new(file), identity }, metadata))
    }

    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Whether the descriptor still belongs to this file. One system call.
    #[inline]
    pub(crate) fn is_ours(&self) -> bool {
        system::is_open(&self.file, self.identity)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if !self.is_ours() {
            // Never dropped, so never closed.
            std::mem::forget(self.file.clone());
        }
    }
}

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::mem::MaybeUninit;
    use std::os::fd::{AsRawFd as _, FromRawFd as _};

    use super::Identity;

    /// Gives the file a high number, if possible: the lowest free one is the next to be used again.
    pub(super) fn out_of_the_way(file: File) -> File {
        // SAFETY: the descriptor is open, and the new one has no other owner.
        unsafe {
            match libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH) {
                number if number >= HIGH => File::from_raw_fd(number),
                _ => file,
            }
        }
    }

    const HIGH: i32 = 200;

    #[inline]
    pub(super) fn is_open(file: &File, identity: Identity) -> bool {
        let mut found = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `found` has room for the answer, and is read only after a success, when it is initialized.
        let found = unsafe {
            if libc::fstat(file.as_raw_fd(), found.as_mut_ptr()) != 0 {
                return false;
            }
            found.assume_init()
        };
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "these types differ between platforms")]
        let found = Identity::new(found.st_dev as u64, u64::from(found.st_ino));
        found == identity
    }
}

/// On other systems files are not known by numbers that are used again at once.
#[cfg(not(unix))]
mod system {
    use std::fs::File;

    use super::Identity;

    pub(super) fn out_of_the_way(file: File) -> File {
        file
    }

    pub(super) fn is_open(_: &File, _: Identity) -> bool {
        true
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read as _;
    use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

    use super::*;

    #[test]
    fn a_number_that_another_file_has_now_is_left_to_that_file() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, _) = Descriptor::new(File::create(dir.path().join("ours")).unwrap()).unwrap();
        assert!(ours.is_ours());
        std::fs::write(dir.path().join("theirs"), "theirs").unwrap();
        let theirs = File::open(dir.path().join("theirs")).unwrap();
        // In one step, so that no other thread of these tests gets the number.
        // SAFETY: closes what `ours` owns, which is what it is made for; `theirs` becomes the owner of the number.
        let mut taken = unsafe {
            assert_eq!(libc::dup2(theirs.as_raw_fd(), ours.file().as_raw_fd()), ours.file().as_raw_fd());
            File::from(OwnedFd::from_raw_fd(ours.file().as_raw_fd()))
        };
        assert!(!ours.is_ours());
        drop(ours);
        let mut text = String::new();
        taken.read_to_string(&mut text).unwrap();
        assert_eq!(text, "theirs");
    }
}
