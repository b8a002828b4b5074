//! Log lines above a progress bar instead of across it.

use indicatif::{ProgressBar, ProgressStyle};
use tracing_handlers::sink::{self, Sink};

/// Creates a bar for `requests` requests on standard error, which is drawn only on a terminal.
pub fn bar(requests: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40.green/dim} {pos}/{len} requests, {eta} left");
    ProgressBar::new(requests as u64).with_style(style.expect("the template is valid"))
}

/// Returns `terminal` as a sink that hides the bar while it writes, and shows it again below.
pub fn above(bar: ProgressBar, terminal: impl Sink) -> impl Sink {
    sink::around(terminal, move |write| bar.suspend(write))
}
