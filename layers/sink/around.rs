use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use super::{Commit, Framed, Reminder, Sink};
use crate::format::Caps;
use crate::{Error, ErrorKind, Partial, selflog};

/// Wraps a sink so that everything it writes is written inside a closure of the caller's, such as one that hides a progress bar
/// meanwhile.
///
/// The closure is called on the thread that writes, for each write and each flush, and must call its argument. It may do what it likes
/// before and after. With `indicatif`, it is a single line:
///
/// ```
/// # mod indicatif {
/// #     // Not a dependency of this package; the recipe `progress-bar` uses the real one.
/// #     #[derive(Clone)]
/// #     pub struct ProgressBar;
/// #     impl ProgressBar {
/// #         pub fn new(_: u64) -> Self { Self }
/// #         pub fn suspend<F: FnOnce() -> R, R>(&self, f: F) -> R { f() }
/// #     }
/// # }
/// use indicatif::ProgressBar;
/// use tracing_handlers::Output;
/// use tracing_handlers::format::Text;
/// use tracing_handlers::sink::{self, Console};
///
/// let bar = ProgressBar::new(100);
/// let log = bar.clone();
/// let console = sink::around(Console::stderr(), move |write| log.suspend(write));
/// let output = Output::new(Text::new(), console);
/// # drop((bar, output));
/// ```
///
/// The recipe `progress-bar` of the cookbook shows what is on the screen then. The same shape fits `MultiProgress::suspend`, a lock that other writers to the terminal take, and a line editor that redraws its
/// prompt:
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use tracing_handlers::Severity;
/// use tracing_handlers::sink::{self, Framed, Memory, RecordEnd, Sink};
///
/// let (screen, log) = (Arc::new(Mutex::new(Vec::new())), Memory::new());
/// let seen = screen.clone();
/// let mut sink = sink::around(log.clone(), move |write| {
///     seen.lock().unwrap().push("prompt hidden");
///     write();
///     seen.lock().unwrap().push("prompt shown");
/// });
/// sink.write(Framed::new(b"one\n", &[RecordEnd::new(4, Severity::INFO)])).map_err(|partial| partial.error)?;
/// assert_eq!(log.lines(), ["one"]);
/// assert_eq!(*screen.lock().unwrap(), ["prompt hidden", "prompt shown"]);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// All else is the inner sink's: whether formats may use color, its name in messages, its pending lines, and how durable its writes are.
///
/// **Stalls.** A [`Console`](super::Console) that is not read still waits no longer than its
/// [`patience`](super::Console::patience), inside the closure: a lock that the closure holds is held for that long at most. What the
/// closure itself writes, such as the redrawn bar, is written as the library that draws it does, which may wait without limit. Put a
/// [`Queue`](crate::Queue) in front if the threads that log must not wait for that.
///
/// # Errors
///
/// If the closure returns without having called its argument, the write is refused with [`Io`](ErrorKind::Io). A panic after that call
/// changes nothing about what was written; it is reported to [`selflog`].
pub fn around<S, F>(sink: S, around: F) -> Around<S, F>
where
    S: Sink,
    F: FnMut(&mut dyn FnMut()) + Send + 'static,
{
    Around { sink, around }
}

/// The sink created by [`around`].
#[must_use = "a sink does nothing until something is written to it"]
pub struct Around<S, F> {
    sink: S,
    around: F,
}

impl<S, F> Around<S, F>
where
    S: Sink,
    F: FnMut(&mut dyn FnMut()) + Send + 'static,
{
    /// Runs `write` inside the closure, once.
    fn inside<E>(&mut self, write: impl FnOnce(&mut S) -> Result<(), E>, not_called: fn(Error) -> E) -> Result<(), E> {
        let (mut write, mut written) = (Some(write), None);
        let around = catch_unwind(AssertUnwindSafe(|| {
            (self.around)(&mut || {
                if let Some(write) = write.take() {
                    written = Some(write(&mut self.sink));
                }
            });
        }));
        match around {
            // The lines are written, and must not be reported as missing.
            Err(_) if written.is_some() => {
                selflog::tell(&format!("{}: the closure around the sink panicked", self.sink.describe()));
            }
            Err(panic) => resume_unwind(panic),
            Ok(()) => {}
        }
        written.unwrap_or_else(|| {
            let message = format!("{}: the closure around the sink did not write", self.sink.describe());
            Err(not_called(Error::new(ErrorKind::Io, message)))
        })
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Around<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").field("sink", &self.sink).finish_non_exhaustive()
    }
}

impl<S, F> Sink for Around<S, F>
where
    S: Sink,
    F: FnMut(&mut dyn FnMut()) + Send + 'static,
{
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.inside(|sink| sink.write(framed), |error| Partial::new(0, error))
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        self.inside(|sink| sink.flush(deadline), |error| error)
    }

    fn write_buffered(&mut self) -> Result<(), Error> {
        self.inside(Sink::write_buffered, |error| error)
    }

    fn set_reminder(&mut self, reminder: Reminder) {
        self.sink.set_reminder(reminder);
    }

    fn close(&mut self, deadline: Instant) -> Result<(), Error> {
        self.inside(|sink| sink.close(deadline), |error| error)
    }

    fn pending(&self) -> usize {
        self.sink.pending()
    }

    fn commit(&mut self) -> Option<Commit> {
        self.sink.commit()
    }

    fn lost(&mut self) -> usize {
        self.sink.lost()
    }

    fn caps(&self) -> Caps {
        self.sink.caps()
    }

    fn describe(&self) -> String {
        self.sink.describe()
    }

    fn forget_pending(&mut self) {
        self.sink.forget_pending();
    }
}
