use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::process::requests::{reopens, rotations};

/// A handle that asks a [`File`](super::File) in use to rotate or to reopen, from any thread.
///
/// A request is carried out before the next line is written, or at the next flush, whichever is first.
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
pub struct Control(Arc<Counts>);

/// How many requests of each kind were made.
#[derive(Debug, Default)]
struct Counts {
    rotate: AtomicU64,
    reopen: AtomicU64,
}

impl Control {
    /// Rotates the file, if it has a [`Rotation`](crate::rotation::Rotation) and at least one line.
    pub fn rotate(&self) {
        self.0.rotate.fetch_add(1, Ordering::Relaxed);
    }

    /// Closes the file and opens its path again. For programs that move the file.
    pub fn reopen(&self) {
        self.0.reopen.fetch_add(1, Ordering::Relaxed);
    }
}

/// The requests to a file, made through its own control or to all files. Counts those that were carried out.
#[derive(Debug)]
pub(super) struct Requests {
    control: Control,
    rotated: u64,
    reopened: u64,
    rotated_with_all: u64,
    reopened_with_all: u64,
}

impl Requests {
    /// Requests to all files from before this one existed do not concern it.
    pub(super) fn new(control: Control) -> Self {
        Self { control, rotated: 0, reopened: 0, rotated_with_all: rotations(), reopened_with_all: reopens() }
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
