use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::mock::{Mood, NAME};
use super::trial::{Trial, Verdict, quietly, that};
use super::{Failures, HandlerHarness, MockHandler, samples};
use crate::filter::LevelFilter;
use crate::handler::{Handler, Report};
use crate::record::{Batch, Kind, Meta, RecordBuf, Severity, SpanEvents};

/// Checks the contracts that hold for every handler. `make` creates a handler; it is called for each contract. A handler that hands
/// records on must hand them to [`HandlerHarness::inner`]; for an end, which does not use that, there is less to check.
///
/// | contract | what must hold |
/// |---|---|
/// | `no panic` | no method panics, whatever the record or metadata |
/// | `enabled` | it always gives the same answer, and is never enabled above `max_level` |
/// | `ignores unwanted` | records that it does not want are not counted as accepted, unless also as dropped |
/// | `balances` | `accepted = delivered + dropped + failed + pending` in every report, during and after the work |
/// | `accounted` | each record that it wants reaches the inner handler, or is counted as dropped or failed |
/// | `flush delivers` | after a flush nothing is pending |
/// | `shown` | [`inner`](Handler::inner) shows the inner handlers |
/// | `wants forwarded` | it wants what the inner handlers want, unless its own level excludes that |
/// | `flush forwarded` | a flush reaches the inner handlers |
/// | `deadline` | a flush returns when its time is up, even if the inner handler is stuck with a record |
/// | `reports forwarded` | the reports of the inner handlers follow its own |
/// | `span events forwarded` | it asks for the span events that the inner handlers ask for |
/// | `ordered` | the records of one thread stay in order |
/// | `batch` | a batch has the same effect as its records handled one by one |
/// | `error reported` | an error of the inner handler is returned, or counted |
/// | `error isolated` | in a batch the records after one that fails are tried |
/// | `panic isolated` | after a panic of the inner handler the next record arrives, and the counts are right |
/// | `concurrent` | four threads at once: all of the above |
/// | `reentrant` | an inner handler that logs, and so calls it again, does not make it hang |
///
/// ```
/// use tracing_handlers::testing::{MockHandler, check_handler};
/// use tracing_handlers::{Error, Handler, Queue, Record};
///
/// check_handler(|harness| Queue::new(harness.inner())).unwrap();
///
/// /// Forgets to show the inner handler.
/// struct Naive(MockHandler);
///
/// impl Handler for Naive {
///     fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
///         self.0.handle(record)
///     }
/// }
///
/// let failures = check_handler(|harness| Naive(harness.inner())).unwrap_err();
/// assert_eq!(failures.contracts(), ["shown", "flush forwarded", "reports forwarded", "span events forwarded"]);
/// ```
///
/// If there are several inner handlers, use `inner()` for all of them. Pauses between attempts should be short: a contract has 5 s.
///
/// Not suitable for handlers that drop records on purpose without counting them, or that keep records beyond a flush.
///
/// # Errors
///
/// Returns the broken contracts, with what happened. A handler that hangs is given 5 s per contract; then its thread is abandoned.
pub fn check_handler<H: Handler>(make: impl Fn(&HandlerHarness) -> H) -> Result<(), Failures> {
    let mut trial = Trial::default();
    let make = || {
        let harness = HandlerHarness::new();
        Wired { front: Arc::new(make(&harness)), inner: harness.inner }
    };
    trial.check("no panic", make, no_panic);
    trial.check("enabled", make, enabled);
    trial.check("ignores unwanted", make, ignores_unwanted);
    trial.check("balances", make, balances);
    trial.check("accounted", make, accounted);
    trial.check("flush delivers", make, flush_delivers);
    trial.check("shown", make, shown);
    trial.check("wants forwarded", make, wants_forwarded);
    trial.check("flush forwarded", make, |wired| {
        wired.handle_all(&[samples::plain()]);
        wired.flush()?;
        that(!wired.inner.is_used() || wired.inner.flushed() > 0, || "the inner handlers are not flushed".to_owned())
    });
    trial.check("deadline", make, deadline);
    trial.check("reports forwarded", make, |wired| {
        wired.handle_all(&[samples::plain()]);
        let goes_on = !wired.inner.is_used() || wired.front.stats().iter().any(|report| report.name == NAME);
        that(goes_on, || "the reports of the inner handlers are missing".to_owned())
    });
    trial.check("span events forwarded", make, |wired| {
        wired.inner.ask_for(SpanEvents::CLOSE);
        let asked = wired.front.span_events();
        that(!wired.inner.is_used() || asked.contains(Kind::SpanClose), || format!("it asks for {asked:?}"))
    });
    trial.check("ordered", make, |wired| {
        wired.handle_all(&samples::numbered(FEW));
        wired.flush()?;
        is_in_order(&wired.inner.messages())
    });
    trial.check("batch", || (make(), make()), |(one, other)| batch(&one, &other));
    trial.check("error reported", make, error_reported);
    trial.check("error isolated", make, |wired| error_isolated(&wired));
    trial.check("panic isolated", make, panic_isolated);
    trial.check("concurrent", make, concurrent);
    trial.check("reentrant", make, reentrant);
    trial.result()
}

/// A handler, and the one inside it.
struct Wired<H> {
    front: Arc<H>,
    inner: MockHandler,
}

impl<H: Handler> Wired<H> {
    /// Hands over all records. Returns how many failed.
    fn handle_all(&self, records: &[RecordBuf]) -> usize {
        records
            .iter()
            .filter(|record| !matches!(quietly(|| self.front.handle(&record.as_record())), Ok(Ok(()))))
            .count()
    }

    fn flush(&self) -> Verdict {
        let flushed = self.front.flush(Instant::now() + Duration::from_secs(5));
        flushed.map_err(|error| format!("it cannot be flushed: {error:#}"))
    }

    fn balances(&self) -> Verdict {
        match self.front.stats().into_iter().find(|report| !report.stats.balances()) {
            Some(report) => Err(report.to_string()),
            None => Ok(()),
        }
    }

    /// Returns all of its own reports, without those of the inner handlers.
    fn own(&self) -> Vec<Report> {
        let mut reports = self.front.stats();
        reports.retain(|report| report.name != NAME);
        reports
    }

    /// Checks that `wanted` records, which the handler wants, are accounted for.
    fn accounts_for(&self, wanted: usize) -> Verdict {
        let own = self.own();
        let stats = || own.iter().map(|report| report.stats);
        let found = match self.inner.is_used() {
            true => {
                let given_up = stats().map(|stats| stats.dropped.total() + stats.pending).sum::<u64>();
                // Records that failed inside may also count as failed here.
                let failed = stats().map(|stats| stats.failed).sum::<u64>().saturating_sub(self.inner.failed());
                self.inner.seen() as u64 + given_up + failed
            }
            // An end without counts cannot be checked.
            false => stats().map(|stats| stats.accepted).max().unwrap_or(wanted as u64),
        };
        let reports = || own.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        that(found >= wanted as u64, || format!("of {wanted} records {found} are accounted for; {}", reports()))
    }

    fn wanted(&self, records: &[RecordBuf]) -> usize {
        records.iter().filter(|record| self.front.enabled(&record.as_record().meta())).count()
    }
}

fn no_panic<H: Handler>(wired: Wired<H>) -> Verdict {
    for (what, record) in samples::odd() {
        quietly(|| wired.front.handle(&record.as_record()))
            .map(drop)
            .map_err(|how| format!("for a record {what} {how}"))?;
        quietly(|| wired.front.enabled(&record.as_record().meta()))
            .map_err(|how| format!("asked for one {what} {how}"))?;
    }
    wired.front.max_level();
    let _ = wired.front.flush(Instant::now());
    wired.front.stats();
    let names = wired.own();
    let unnamed = names.iter().find(|report| report.name.is_empty() || report.name.contains(['\n', '\r']));
    that(unnamed.is_none(), || format!("a report is called {:?}", unnamed.map(|report| &report.name)))
}

fn enabled<H: Handler>(wired: Wired<H>) -> Verdict {
    for_each_meta(|meta| {
        let (once, again) = (wired.front.enabled(&meta), wired.front.enabled(&meta));
        that(once == again, || format!("of {meta:?} it says once {once}, once {again}"))?;
        let most = wired.front.max_level();
        that(!once || meta.level() <= most, || format!("it wants {meta:?}, above {most}"))
    })
}

fn ignores_unwanted<H: Handler>(wired: Wired<H>) -> Verdict {
    for severity in (1..=24).filter_map(Severity::from_number) {
        let mut record = samples::plain();
        record.set_severity(severity);
        if wired.front.enabled(&record.as_record().meta()) {
            continue;
        }
        let taken = |report: &Report| report.stats.accepted.saturating_sub(report.stats.dropped.total());
        let accepted = |reports: Vec<Report>| reports.iter().map(taken).sum::<u64>();
        let before = accepted(wired.own());
        let handled = wired.front.handle(&record.as_record());
        handled.map_err(|error| format!("it returns an error for {severity}, which it does not want: {error:#}"))?;
        that(accepted(wired.own()) == before, || format!("it accepts {severity}, which it does not want"))?;
    }
    Ok(())
}

fn balances<H: Handler>(wired: Wired<H>) -> Verdict {
    wired.balances()?;
    for mood in [Mood::Works, Mood::Fails, Mood::Works] {
        wired.inner.set(mood);
        for record in &samples::numbered(FEW) {
            wired.handle_all(std::slice::from_ref(record));
            wired.balances()?;
        }
        let _ = wired.flush();
        wired.balances()?;
    }
    Ok(())
}

fn accounted<H: Handler>(wired: Wired<H>) -> Verdict {
    let mut records = samples::numbered(FEW);
    records.extend(samples::odd().iter().map(|(_, record)| record.clone()));
    let wanted = wired.wanted(&records);
    wired.handle_all(&records);
    wired.flush()?;
    wired.accounts_for(wanted)?;
    wired.balances()
}

fn flush_delivers<H: Handler>(wired: Wired<H>) -> Verdict {
    wired.handle_all(&samples::numbered(FEW));
    wired.flush()?;
    match wired.front.stats().into_iter().find(|report| report.stats.pending > 0) {
        Some(report) => Err(report.to_string()),
        None => Ok(()),
    }
}

/// Whether the handler itself, or one inside it, is [`MockHandler`].
fn shows(handler: &dyn Handler) -> bool {
    let is_mock = handler.own_report().is_some_and(|report| report.name == NAME);
    is_mock || handler.inner(&mut |inner| if shows(inner) { Break(()) } else { Continue(()) }).is_break()
}

fn shown<H: Handler>(wired: Wired<H>) -> Verdict {
    that(!wired.inner.is_used() || shows(&*wired.front), || "`inner` does not show the inner handlers".to_owned())
}

fn wants_forwarded<H: Handler>(wired: Wired<H>) -> Verdict {
    let before = wired.front.max_level();
    wired.inner.want(Severity::WARN.into());
    let of = |severity| wired.front.enabled(&RecordBuf::new(severity, "shop::till", "").as_record().meta());
    that(!wired.inner.is_used() || before < LevelFilter::WARN || of(Severity::WARN), || {
        "it does not want the warnings that the inner handlers want".to_owned()
    })?;
    let most = wired.front.max_level();
    that(!wired.inner.is_used() || !of(Severity::WARN) || most >= LevelFilter::WARN, || {
        format!("it wants warnings, and its `max_level` is {most}")
    })
}

/// Whether the flush returns at all is checked by the trial.
fn deadline<H: Handler>(wired: Wired<H>) -> Verdict {
    wired.inner.shut(true);
    let (front, (sender, handed_over)) = (wired.front.clone(), mpsc::channel());
    let thread = std::thread::spawn(move || {
        let _ = front.handle(&samples::plain().as_record());
        let _ = sender.send(());
    });
    // Wait until the record blocks the inner handler; one that is handed over on another thread arrives a little later.
    let mut patience = None;
    while wired.inner.seen() == 0 && patience.is_none_or(|end| Instant::now() < end) {
        if handed_over.try_recv().is_ok() {
            patience = Some(Instant::now() + HAND_OFF);
        }
        std::thread::yield_now();
    }
    // A record that is held back would hang in the flush itself, which cannot abandon it.
    if wired.inner.seen() == 0 {
        wired.inner.shut(false);
    }
    let _ = wired.front.flush(Instant::now() + Duration::from_millis(20));
    wired.inner.shut(false);
    thread.join().map_err(|_| "it panicked".to_owned())?;
    wired.flush()?;
    wired.balances()
}

fn batch<H: Handler>(one: &Wired<H>, other: &Wired<H>) -> Verdict {
    let records = samples::numbered(FEW);
    one.handle_all(&records);
    let handled = other.front.handle_batch(end_to_end(&records).records());
    handled.map_err(|partial| format!("a batch fails without a reason: {:#}", partial.error))?;
    one.flush()?;
    other.flush()?;
    let (singly, together) = (one.inner.messages(), other.inner.messages());
    that(singly == together, || format!("{singly:?} singly is {together:?} in a batch"))?;
    let stats = |wired: &Wired<H>| wired.own().into_iter().map(|report| report.stats).collect::<Vec<_>>();
    that(stats(one) == stats(other), || format!("{:?} singly is {:?} in a batch", stats(one), stats(other)))
}

fn error_reported<H: Handler>(wired: Wired<H>) -> Verdict {
    wired.inner.set(Mood::Fails);
    let returned = wired.handle_all(&samples::numbered(FEW));
    let flushed = wired.front.flush(Instant::now() + Duration::from_secs(5));
    // If the record never arrives there, there is no error to report.
    if wired.inner.seen() == 0 {
        return Ok(());
    }
    let counted = wired.own().iter().any(|report| report.stats.lost() + report.stats.pending > 0);
    that(returned > 0 || flushed.is_err() || counted, || {
        "an error of the inner handler is neither returned nor counted".to_owned()
    })
}

fn error_isolated<H: Handler>(wired: &Wired<H>) -> Verdict {
    wired.inner.set(Mood::FailsAt(1));
    let records = samples::numbered(FEW);
    if let Err(partial) = wired.front.handle_batch(end_to_end(&records).records()) {
        that(partial.delivered <= records.len(), || {
            format!("{} of {} were delivered", partial.delivered, records.len())
        })?;
    }
    let _ = wired.front.flush(Instant::now() + Duration::from_secs(5));
    wired.accounts_for(wired.wanted(&records))?;
    wired.balances()
}

fn panic_isolated<H: Handler>(wired: Wired<H>) -> Verdict {
    wired.inner.set(Mood::PanicsAt(1));
    let records = samples::numbered(FEW);
    // A panic may propagate: the layer catches it.
    wired.handle_all(&records);
    let _ = wired.front.flush(Instant::now() + Duration::from_secs(5));
    wired.accounts_for(wired.wanted(&records))?;
    wired.balances()
}

fn concurrent<H: Handler>(wired: Wired<H>) -> Verdict {
    let of_thread = |thread: usize| {
        (0..MANY).map(move |number| samples::saying(&format!("thread {thread} {number}"))).collect::<Vec<_>>()
    };
    let wanted = THREADS * wired.wanted(&of_thread(0));
    let handles: Vec<_> = (0..THREADS)
        .map(|thread| {
            let front = wired.front.clone();
            std::thread::spawn(move || {
                for record in of_thread(thread) {
                    let _ = front.handle(&record.as_record());
                }
            })
        })
        .collect();
    for handle in handles {
        wired.balances()?;
        handle.join().map_err(|_| "it panicked".to_owned())?;
    }
    wired.flush()?;
    wired.accounts_for(wanted)?;
    wired.balances()?;
    let messages = wired.inner.messages();
    (0..THREADS).try_for_each(|thread| {
        let own = messages.iter().filter_map(|message| message.strip_prefix(&format!("thread {thread} ")));
        is_in_order(&own.map(str::to_owned).collect::<Vec<_>>())
    })
}

fn reentrant<H: Handler>(wired: Wired<H>) -> Verdict {
    let front: Arc<dyn Handler> = wired.front.clone();
    wired.inner.set(Mood::Reenters(Arc::downgrade(&front)));
    let records = samples::numbered(FEW);
    wired.handle_all(&records);
    wired.flush()?;
    wired.accounts_for(wired.wanted(&records))?;
    wired.balances()
}

/// Checks that the numbers among the messages are in order; some may be missing.
fn is_in_order(messages: &[String]) -> Verdict {
    let numbers: Vec<u32> = messages.iter().filter_map(|message| message.parse().ok()).collect();
    that(numbers.is_sorted(), || format!("they came in the order {numbers:?}"))
}

fn for_each_meta(mut check: impl FnMut(Meta<'_>) -> Verdict) -> Verdict {
    for severity in (1..=24).filter_map(Severity::from_number) {
        for target in ["", "shop", "shop::till", "hyper"] {
            for is_span in [false, true] {
                let name = if is_span { "request" } else { "event src/till.rs:7" };
                let (module_path, file, line) = (Some("shop::till"), Some("src/till.rs"), Some(7));
                check(Meta { severity, target, name, module_path, file, line, is_span })?;
            }
        }
    }
    Ok(())
}

fn end_to_end(records: &[RecordBuf]) -> Batch {
    records.iter().collect()
}

const FEW: usize = 20;
const MANY: usize = 200;
const THREADS: usize = 4;
/// Much longer than a thread takes to hand on a record.
const HAND_OFF: Duration = Duration::from_millis(300);
