use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::skip::installed;

/// A small tmpfs of its own, unmounted in the end.
pub struct Disk(PathBuf);

impl Disk {
    /// The error is the reason why it cannot be mounted.
    pub fn mount(path: &Path, kib: u64) -> Result<Self, String> {
        fs::create_dir(path).map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        let size = format!("size={kib}k");
        match mount(["-t", "tmpfs", "-o", &size, "tmpfs"], path)? {
            true => Ok(Self(path.to_owned())),
            false => Err("mounting a tmpfs is not permitted".to_owned()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes all the room that is left.
    pub fn fill(&self) -> io::Result<()> {
        let mut ballast = fs::File::options().create(true).append(true).open(self.ballast())?;
        while ballast.write(&[0; 4096]).is_ok() {}
        Ok(())
    }

    pub fn free(&self) -> io::Result<()> {
        match fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Forbids to write, or allows it again. It cannot be forbidden while a file is open for writing: it is tried again
    /// until that has been closed.
    pub fn remount(&self, mode: &str) -> io::Result<()> {
        let start = Instant::now();
        let options = format!("remount,{mode}");
        while !mount(["-o", &options], &self.0).map_err(io::Error::other)? {
            if start.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("cannot remount {mode}")));
            }
        }
        Ok(())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount<const N: usize>(arguments: [&str; N], path: &Path) -> Result<bool, String> {
    let mut mount = Command::new("mount");
    let status = mount.args(arguments).arg(path).stderr(Stdio::null()).status();
    Ok(installed("mount", status)?.success())
}

const PATIENCE: Duration = Duration::from_secs(30);
