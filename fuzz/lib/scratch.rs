//! Files for targets that read files: in a directory of this process, in memory if there is such a file system.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs, process};

/// Removes all files of earlier inputs and returns the directory.
pub fn empty_dir() -> &'static Path {
    for entry in fs::read_dir(&*DIR).expect("the scratch directory was made").flatten() {
        fs::remove_file(entry.path()).expect("files of earlier inputs can be removed");
    }
    &DIR
}

/// Writes a file into the directory and returns its path.
pub fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = DIR.join(name);
    fs::write(&path, content).expect("the scratch directory can be written to");
    path
}

static DIR: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
    // `fuzz/run` sets it, and removes the directory.
    let parent = env::var_os("FUZZ_SCRATCH").map_or(parent, PathBuf::from);
    let dir = parent.join(format!("fuzz.{}", process::id()));
    fs::create_dir_all(&dir).expect("the scratch directory can be made");
    dir
});
