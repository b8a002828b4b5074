use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tracing_subscriber::filter::LevelFilter;

use super::{Handler, Report, Stats};
use crate::record::{Meta, Record, RecordBuf, Records, SpanEvents, pool};
use crate::rewrite::Rewrite;
use crate::{Error, ErrorKind, Partial};

/// A [`Rewrite`] in front of handlers: they see only what it leaves.
///
/// ```
/// use tracing_handlers::handler::Rewriting;
/// use tracing_handlers::{Output, Queue, format::Json, rewrite::Redact, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let handler = Rewriting::new(Redact::fields(["card"]), Output::new(Json::new(), memory.clone()));
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(handler));
/// tracing::subscriber::with_default(subscriber, || {
///     let _span = tracing::info_span!("pay", card = "4111 1111 1111 1111").entered();
///     tracing::info!("paid");
/// });
/// assert!(memory.text().contains(r#""card":"***""#));
/// assert!(!memory.text().contains("4111"));
/// ```
#[derive(Debug)]
pub struct Rewriting<R, H> {
    rewrite: R,
    handler: H,
    failed: AtomicU64,
}

impl<R: Rewrite, H: Handler> Rewriting<R, H> {
    /// `rewrite` in front of `handler`.
    pub fn new(rewrite: R, handler: H) -> Self {
        Self { rewrite, handler, failed: AtomicU64::new(0) }
    }

    /// A record that the rewrite stumbled over may still hold the secret: it stops here.
    fn rewrite(&self, buf: &mut RecordBuf) -> Result<(), Error> {
        catch_unwind(AssertUnwindSafe(|| self.rewrite.rewrite(buf))).map_err(|_| {
            self.failed.fetch_add(1, Ordering::Relaxed);
            Error::new(ErrorKind::Panic, "a rewrite panicked")
        })
    }
}

impl<R: Rewrite, H: Handler> Handler for Rewriting<R, H> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.handler.enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.handler.max_level()
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let mut buf = take_spare();
        buf.copy_from(record);
        let result = self.rewrite(&mut buf).and_then(|()| self.handler.handle(&buf.as_record()));
        give_spare(buf);
        result
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let mut buf = take_spare();
        let mut rewritten = pool::take();
        let (mut missed, mut failed) = (Vec::new(), None);
        let mut count = 0;
        for record in records {
            buf.copy_from(&record);
            match self.rewrite(&mut buf) {
                Ok(()) => rewritten.extend_from_slice(buf.as_record().raw()),
                Err(error) => {
                    missed.push(count);
                    failed = Some(error);
                }
            }
            count += 1;
        }
        let handled = self.handler.handle_batch(Records::new(&rewritten));
        pool::give(rewritten);
        give_spare(buf);
        match failed {
            Some(error) => Err(not_rewritten(count, missed, error, handled)),
            None => handled,
        }
    }

    fn span_events(&self) -> SpanEvents {
        self.handler.span_events()
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.handler.flush(deadline)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        let failed = self.failed.load(Ordering::Relaxed);
        if failed > 0 {
            reports.push(Report::new("rewrite", Stats { accepted: failed, failed, ..Stats::default() }));
        }
        self.handler.report(reports);
    }
}

/// Puts those that met an error behind the rewrite beside those that did not come through it.
#[cold]
fn not_rewritten(records: usize, missed: Vec<usize>, error: Error, handled: Result<(), Partial>) -> Partial {
    let Err(partial) = handled else { return Partial::scattered(records, missed, error) };
    let rewritten: Vec<_> = (0..records).filter(|place| missed.binary_search(place).is_err()).collect();
    let behind = partial.missed(rewritten.len()).filter_map(|place| rewritten.get(place).copied());
    let mut all: Vec<_> = behind.chain(missed.iter().copied()).collect();
    all.sort_unstable();
    Partial::scattered(records, all, partial.error)
}

fn take_spare() -> RecordBuf {
    SPARE.try_with(|spare| spare.take()).ok().flatten().unwrap_or_default()
}

fn give_spare(buf: RecordBuf) {
    // A thread that is ending keeps nothing.
    let _ = SPARE.try_with(|spare| spare.replace(Some(buf)));
}

thread_local! {
    /// Kept for reuse, so that rewriting allocates nothing in the steady state.
    static SPARE: RefCell<Option<RecordBuf>> = const { RefCell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::script::{Script, batch};

    struct Stumbles;

    impl Rewrite for Stumbles {
        fn rewrite(&self, record: &mut RecordBuf) {
            assert!(record.as_record().message() != "b", "on purpose");
            record.set_message("rewritten");
        }
    }

    #[test]
    fn what_a_batch_missed_is_told_by_the_places_before_the_rewrite() {
        let io = Some(ErrorKind::Io);
        let records = batch(&["a", "b", "c", "d"]);
        let missed = |script: Script| {
            let partial = Rewriting::new(Stumbles, script).handle_batch(Records::new(&records)).unwrap_err();
            partial.missed(4).collect::<Vec<_>>()
        };
        assert_eq!(missed(Script::default()), [1]);
        assert_eq!(missed(Script::new([None, io])), [1, 2]);
        assert_eq!(missed(Script::new([io, None, io])), [0, 1, 3]);
    }
}
