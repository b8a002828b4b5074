use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::process::requests::{reopens, rotations};

/// Asks something of a [`File`](super::File) that is in use elsewhere, from any thread.
///
/// What is asked for happens before the next line is written, or at the next flush, whichever comes first.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::format::Text;
/// use tracing_handlers::rotation::Rotation;
/// use tracing_handlers::{Output, process, sink::File};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("app.log");
/// let file = File::open(&path)?.rotation(Rotation::on_request());
/// let control = file.control();
/// tracing_handlers::init(Output::new(Text::new(), file))?;
///
/// tracing::info!("before");
/// control.rotate();
/// tracing::info!("after");
/// assert!(std::fs::read_to_string(dir.path().join("app.log.1"))?.contains("before"));
/// # assert!(std::fs::read_to_string(&path)?.contains("after"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    rotate: AtomicU64,
    reopen: AtomicU64,
}

impl Control {
    /// Turns the file, if it rotates and has a line.
    pub fn rotate(&self) {
        self.0.rotate.fetch_add(1, Ordering::Relaxed);
    }

    /// Closes the file and opens its path again: for what moved it away.
    pub fn reopen(&self) {
        self.0.reopen.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a file has been asked for so far, by its own control and as one of all, and has done of it.
#[derive(Debug)]
pub(super) struct Asked {
    control: Control,
    rotated: u64,
    reopened: u64,
    rotated_with_all: u64,
    reopened_with_all: u64,
}

/// What was asked of all files before there was this one does not concern it.
impl Default for Asked {
    fn default() -> Self {
        Self {
            control: Control::default(),
            rotated: 0,
            reopened: 0,
            rotated_with_all: rotations(),
            reopened_with_all: reopens(),
        }
    }
}

impl Asked {
    pub(super) fn control(&self) -> &Control {
        &self.control
    }

    #[inline]
    pub(super) fn to_rotate(&self) -> bool {
        self.control.0.rotate.load(Ordering::Relaxed) != self.rotated || rotations() != self.rotated_with_all
    }

    #[inline]
    pub(super) fn to_reopen(&self) -> bool {
        self.control.0.reopen.load(Ordering::Relaxed) != self.reopened || reopens() != self.reopened_with_all
    }

    pub(super) fn rotated(&mut self) {
        self.rotated = self.control.0.rotate.load(Ordering::Relaxed);
        self.rotated_with_all = rotations();
    }

    pub(super) fn reopened(&mut self) {
        self.reopened = self.control.0.reopen.load(Ordering::Relaxed);
        self.reopened_with_all = reopens();
    }
}
