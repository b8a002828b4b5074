//! Paths that lead through devices, such as `/dev/stdout`. The file behind one belongs to the program that redirected it, and renaming
//! what lies on the way would change the machine.

use std::path::Path;

/// Whether `path`, or a symbolic link that it leads through, lies among devices or processes.
pub(super) fn lead_to(path: &Path) -> bool {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if is_among_devices(&path) {
            return true;
        }
        let Ok(link) = path.read_link() else { return false };
        // An absolute link replaces the whole path.
        path = path.parent().unwrap_or(Path::new("")).join(link);
    }
    false
}

fn is_among_devices(path: &Path) -> bool {
    // Ordinary file systems, in memory.
    let is_memory = path.starts_with("/dev/shm");
    !is_memory && ["/dev", "/proc", "/sys"].iter().any(|top| path.starts_with(top))
}

/// The limit of Linux.
const MOST_LINKS: usize = 40;
