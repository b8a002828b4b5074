use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Handler, guarded};
use crate::record::{Record, Records};
use crate::{Error, Partial, process, selflog};

/// Stops the program when a record cannot be delivered: for those that must not go on without their log.
///
/// At the first error it tells [`selflog`](crate::selflog), has all other handlers of the process deliver what they hold,
/// and calls `std::process::exit`, on the thread that handled the record; other threads go on until then. While the process ends
/// already, the error is only returned.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`exit_code`](Self::exit_code) | 70 (`EX_SOFTWARE` of BSD's `sysexits`) | what the program leaves behind |
/// | [`abort`](Self::abort) | off | `std::process::abort` instead: a core dump, and no exit handlers |
/// | [`timeout`](Self::timeout) | 5 s | how long the others may take for what they hold |
/// | [`name`](Self::name) | `or stop` | the name used in selflog messages |
///
/// A handler has delivered what it took when its `handle` says so. For a buffered sink that is too early: put an
/// [`Audit`](super::Audit) inside ([`Audit::or_stop`](super::Audit::or_stop)), which flushes each record.
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
#[derive(Debug)]
pub struct OrStop<H> {
    handler: H,
    /// `None`: abort.
    code: Option<i32>,
    timeout: Duration,
    name: String,
}

impl<H: Handler> OrStop<H> {
    /// The program stops with the first record that `handler` cannot deliver.
    pub fn new(handler: H) -> Self {
        Self { handler, code: Some(70), timeout: Duration::from_secs(5), name: "or stop".to_owned() }
    }

    /// What the program leaves behind.
    pub fn exit_code(mut self, code: i32) -> Self {
        self.code = Some(code);
        self
    }

    /// Aborts, after the others have delivered what they hold: no exit handlers run, no destructors.
    pub fn abort(mut self) -> Self {
        self.code = None;
        self
    }

    /// How long the others may take for what they hold.
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
        // Another thread is stopping already, or this one: the flush passes through here.
        if process::is_exiting() || STOPPING.swap(true, Ordering::SeqCst) {
            return;
        }
        selflog::tell(&format!("{}: the program stops: {error}", self.name));
        if let Err(error) = process::flush(self.timeout) {
            selflog::tell(&format!("{}: {error}", self.name));
        }
        match self.code {
            Some(code) => std::process::exit(code),
            None => std::process::abort(),
        }
    }
}

/// An error of a flush is returned, and stops nothing: which record met it is not known.
impl<H: Handler> Handler for OrStop<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        guarded(|| self.handler.handle(record)).inspect_err(|error| self.stop(error))
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        guarded(|| self.handler.handle_batch(records)).inspect_err(|partial: &Partial| self.stop(&partial.error))
    }

    around!(self => self.handler);
}

static STOPPING: AtomicBool = AtomicBool::new(false);
