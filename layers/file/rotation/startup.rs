//! Which logs this process has opened already: `on_startup` is once per process, however often a file is opened.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::process::hold_at_forks;
use crate::sync::{Mutex, lock};

/// Whether this is the first call for `path` in this process. A forked child goes on from its parent.
pub(super) fn is_first(path: &Path) -> bool {
    lock(&OPENED).insert(path.to_owned())
}

/// Makes the list, which a lock that is held must not delay: it is registered with the process.
pub(super) fn prepare() {
    LazyLock::force(&OPENED);
}

static OPENED: LazyLock<Arc<Mutex<HashSet<PathBuf>>>> = LazyLock::new(|| {
    let opened = Arc::default();
    hold_at_forks(&opened);
    opened
});
