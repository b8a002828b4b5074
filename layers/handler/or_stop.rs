use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::debug::TypeName;
use super::{Handler, guarded};
use crate::record::{Record, Records};
use crate::{Error, Partial, process, selflog};

/// Stops the program when a record cannot be delivered: for programs that must not continue without their log.
///
/// The first error is reported to [`selflog`](crate::selflog); then all other handlers of the process are flushed, and
/// `std::process::exit` is called on the thread that handled the record. Other threads continue until then. If the process is
/// already ending, the error is only returned.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`exit_code`](Self::exit_code) | 70 (`EX_SOFTWARE` of BSD's `sysexits`) | the exit code of the program |
/// | [`abort`](Self::abort) | off | calls `std::process::abort` instead: a core dump, and no exit handlers |
/// | [`timeout`](Self::timeout) | 5 s | how long flushing the other handlers may take |
/// | [`name`](Self::name) | `or stop` | the name used in selflog messages |
///
/// A record counts as delivered when `handle` returns `Ok`. For a buffered sink that is too early: put an [`Audit`](super::Audit)
/// inside ([`Audit::or_stop`](super::Audit::or_stop)), which flushes each record.
///
/// ```no_run
/// use tracing_handlers::handler::Audit;
/// use tracing_handlers::{Output, format::Json, sink::File};
///
/// let audit = Audit::new(Output::new(Json::new(), File::open("audit.jsonl")?));
/// tracing_handlers::init(audit.or_stop().exit_code(3))?;
/// // On a full disk the program ends here.
/// tracing::info!(target: "audit", user = "ada", "transfer");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[must_use = "a handler does nothing until records reach it"]
pub struct OrStop<H> {
    handler: H,
    code: i32,
    abort: bool,
    timeout: Duration,
    name: String,
}

impl<H: Handler> OrStop<H> {
    /// Creates a handler that stops the program at the first record that `handler` cannot deliver.
    pub fn new(handler: H) -> Self {
        Self { handler, code: 70, abort: false, timeout: Duration::from_secs(5), name: "or stop".to_owned() }
    }

    /// The exit code of the program.
    pub fn exit_code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// Whether the program aborts instead of exiting, after the other handlers have been flushed: neither exit handlers nor
    /// destructors run.
    pub fn abort(mut self, abort: bool) -> Self {
        self.abort = abort;
        self
    }

    /// How long flushing the other handlers may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The name used in selflog messages.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    #[cold]
    fn stop(&self, error: &Error) {
        // Another thread is stopping already, or this one is, since the flush passes through here.
        if process::is_exiting() || STOPPING.swap(true, Ordering::SeqCst) {
            return;
        }
        selflog::tell(&format!("{}: the program stops: {error:#}", self.name));
        if let Err(error) = process::flush(self.timeout) {
            selflog::tell(&format!("{}: {error:#}", self.name));
        }
        match self.abort {
            true => std::process::abort(),
            false => std::process::exit(self.code),
        }
    }
}

impl<H> fmt::Debug for OrStop<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrStop")
            .field("name", &self.name)
            .field("exit_code", &self.code)
            .field("abort", &self.abort)
            .field("timeout", &self.timeout)
            .field("handler", &TypeName::of(&self.handler))
            .finish()
    }
}

/// An error of a flush is returned and does not stop the program: the record that caused it is not known.
impl<H: Handler> Handler for OrStop<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        guarded(|| self.handler.handle(record)).inspect_err(|error| self.stop(error))
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        guarded(|| self.handler.handle_batch(records)).inspect_err(|partial: &Partial| self.stop(&partial.error))
    }

    around!(uncounted self => self.handler);
}

static STOPPING: AtomicBool = AtomicBool::new(false);
