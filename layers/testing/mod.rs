//! Testing: capture what is logged, and check it.
//!
//! [`capture`] is pytest's `caplog` and unittest's `assertLogs`: it captures what is logged in its scope, and [`Captured`] has the
//! assertions. [`fail_on_error`] fails a test if there is an ERROR in the log.
//!
//! ```
//! use tracing::Level;
//! use tracing_handlers::testing::{capture, expect};
//!
//! let capture = capture();
//! let request = tracing::info_span!("request", id = 7).entered();
//! tracing::warn!(target: "shop", pieces = 3, "running out");
//! capture.assert_logged(expect().level(Level::WARN).message_contains("out").field("pieces", 3).in_span("request"));
//! capture.assert_never(expect().level(Level::ERROR));
//! # drop(request);
//! ```
//!
//! Custom sinks, formats and handlers can be checked against the contracts that this crate's obey: [`check_sink`], [`check_format`],
//! [`check_handler`].
//!
//! # What a capture sees
//!
//! Tests run side by side in one process, and tracing has one subscriber for all of them. So a capture has a scope:
//!
//! | logged | seen |
//! |---|---|
//! | by the thread that called [`capture`], while the capture exists | yes |
//! | on any thread, in a span that was created on the capturing thread meanwhile, or in [`Capture::span`] | yes |
//! | in a task with such a span: `tokio::spawn(work.instrument(capture.span()))`, `.in_current_span()` | yes |
//! | by another thread inside [`CaptureScope::in_scope`] | yes |
//! | by another thread, in no span or in a span created elsewhere, such as by another test | no |
//! | by such a thread, but with [`capture_all`] | yes |
//!
//! The scope is a span, named `capture`, that the thread is in; it is taken out of the records that are kept, but layers beside
//! this one show it.
//!
//! # The subscriber
//!
//! If the process has no global subscriber, a capture installs one: a registry with [`layer()`] and nothing else. Everything is
//! enabled in it, down to TRACE, since a disabled callsite cannot be captured. A test binary that installs its own subscriber must
//! add [`layer()`] to it; so must a test that sets one for a scope (`with_default`), and captures must then be created inside that
//! scope. Filters for the whole subscriber, such as an `EnvFilter` beside the layer, apply to captures too. With that
//! global subscriber, and the feature `log`, records of the `log` crate are captured, unless the test binary has a logger of its own.

mod capture;
mod captured;
mod contracts;
mod expect;
mod fail_on_error;
mod hub;
mod scope;

pub use capture::{Capture, capture, capture_all};
pub use captured::Captured;
pub use contracts::{
    Failure, Failures, HandlerHarness, MockHandler, SinkHarness, check_binary_format, check_format, check_handler,
    check_sink,
};
pub use expect::{Expect, expect};
pub use fail_on_error::{FailOnError, fail_on_error};
pub use hub::{Layer, layer};
pub use scope::CaptureScope;
