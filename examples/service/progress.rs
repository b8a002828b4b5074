//! Log lines above a progress bar instead of across it.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use tracing_handlers::format::Caps;
use tracing_handlers::sink::{Framed, Sink};
use tracing_handlers::{Error, Partial};

/// Creates a bar for `requests` requests on standard error, which is drawn only on a terminal.
pub fn bar(requests: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40.green/dim} {pos}/{len} requests, {eta} left");
    ProgressBar::new(requests as u64).with_style(style.expect("the template is valid"))
}

/// A terminal sink that hides the bar while it writes, and shows it again below.
pub struct AboveBar<S> {
    terminal: S,
    bar: ProgressBar,
}

impl<S: Sink> AboveBar<S> {
    pub fn new(terminal: S, bar: ProgressBar) -> Self {
        Self { terminal, bar }
    }
}

impl<S: Sink> Sink for AboveBar<S> {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.bar.suspend(|| self.terminal.write(framed))
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        self.bar.suspend(|| self.terminal.flush(deadline))
    }

    fn pending(&self) -> usize {
        self.terminal.pending()
    }

    fn caps(&self) -> Caps {
        self.terminal.caps()
    }

    fn describe(&self) -> String {
        self.terminal.describe()
    }

    fn forget_pending(&mut self) {
        self.terminal.forget_pending();
    }
}
