//! The sink, its lock and its counts.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::counted::Counted;
use super::missing::Missing;
use crate::handler::{Report, Stats};
use crate::process::{self, Due, Live, Phase, Shelf, thread};
use crate::selflog::{self, Health};
use crate::sink::{Commit, Framed, RecordEnd, Reminder, Sink};
use crate::sync::{MutexGuard, deadline_in, lock, lock_briefly, lock_until, now, try_lock};
use crate::{Error, ErrorKind, Partial};

/// The part that a flush at exit and a fork need, even while the output is being dropped.
pub(super) struct OutputCore<S> {
    /// The thread that holds the lock, by its [token](thread::token); 0: none.
    holder: AtomicUsize,
    /// The same as the state's, for reports while the lock cannot be had.
    counted: Counted,
    /// Whether it was reported that the lock cannot be had any more.
    told_unusable: AtomicBool,
    sink: PhantomData<fn() -> S>,
}

pub(super) struct OutputState<S> {
    pub(super) sink: S,
    /// The sink's description, unless a name was set.
    pub(super) name: String,
    preamble: Vec<u8>,
    pub(super) counted: Counted,
    /// Refused by the sink, and not yet reported in the log.
    pub(super) missing: Missing,
    pub(super) notices: Notices,
    pub(super) health: Health,
}

impl<S: Sink> OutputCore<S> {
    pub(super) fn new(state: &OutputState<S>) -> Self {
        Self {
            holder: AtomicUsize::new(0),
            counted: state.counted.clone(),
            told_unusable: AtomicBool::new(false),
            sink: PhantomData,
        }
    }

    fn is_held_here(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == thread::token()
    }
}

impl<S: Sink> Shelf<OutputCore<S>> {
    /// Locks the state. Returns `None` if this thread holds the lock already, because the sink logs, or if the lock's holder does
    /// not exist in this forked child.
    #[inline(always)]
    pub(super) fn lock(&self) -> Option<Guard<'_, S>> {
        let me = thread::token();
        let state = match try_lock(&self.state) {
            Some(state) => state,
            // Checked only now: reading what other threads write on each record would slow down both.
            None if self.holder.load(Ordering::Relaxed) == me || self.is_abandoned() => return None,
            None => self.wait_for_lock()?,
        };
        self.holder.store(me, Ordering::Relaxed);
        Some(Guard { state, holder: &self.holder })
    }

    #[cold]
    fn wait_for_lock(&self) -> Option<MutexGuard<'_, OutputState<S>>> {
        match process::is_exiting() {
            // Another thread may hang while it holds the lock.
            true => lock_until(&self.state, process::exit_deadline()),
            false => Some(lock_briefly(&self.state)),
        }
    }

    /// What a write returns that could not lock the state.
    #[cold]
    pub(super) fn without_lock(&self, records: usize) -> Result<(), Partial> {
        let why = match self.is_abandoned() {
            // A thread of the child may have the token of the one that held the lock.
            true => "in the middle of a write when the process was forked, and unusable in this child",
            false if self.is_held_here() => {
                self.count_reentrant(records as u64);
                return Ok(());
            }
            false => "busy while the process ends",
        };
        let error = Error::new(ErrorKind::Closed, format!("{}: the sink is {why}", self.counted.name(&self.name)));
        if !self.told_unusable.swap(true, Ordering::Relaxed) {
            selflog::tell(&format!("{error}"));
        }
        Err(error.into())
    }

    pub(super) fn report(&self) -> Report {
        if self.is_held_here() || self.is_abandoned() {
            return Report::new("in use", Stats::default());
        }
        let Some(mut state) = lock_until(&self.state, now() + REPORT) else {
            // The sink hangs, or is slow.
            let stats = self.add_reentrant(self.counted.stats());
            return Report::new(self.counted.name(&self.name), stats);
        };
        let stats = self.stats(|| state.stats());
        Report::new(state.name.clone(), stats)
    }

    /// The counts of the report.
    pub(super) fn counts(&self) -> Stats {
        match self.is_held_here() || self.is_abandoned() {
            true => Stats::default(),
            false => self.stats(|| lock(&self.state).stats()),
        }
    }
}

impl<S: Sink> OutputState<S> {
    pub(super) fn new(sink: S, preamble: Vec<u8>) -> Self {
        Self {
            name: sink.describe(),
            sink,
            preamble,
            counted: Counted::default(),
            missing: Missing::default(),
            notices: Notices::default(),
            health: Health::default(),
        }
    }

    fn stats(&mut self) -> Stats {
        self.count_lost();
        self.note_pending();
        self.counted.stats()
    }

    #[inline]
    fn note_pending(&self) {
        let pending = self.sink.pending() as u64;
        self.counted.set_pending(if self.notices.places.is_empty() { pending } else { self.without_notices(pending) });
    }

    /// Writes `lines`, the first `notices` of which (one or none) are notices, not records.
    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8], lines: &[RecordEnd], notices: usize) -> Result<(), Partial> {
        let count = (lines.len() - notices) as u64;
        let fails = FailsInPanic { counted: &self.counted, records: count };
        let written = self.sink.write(Framed::new(bytes, lines).with_preamble(&self.preamble));
        std::mem::forget(fails);
        if notices > 0 && written.as_ref().map_or_else(|partial| partial.delivered > 0, |()| true) {
            self.told();
        }
        match written {
            Ok(()) => {
                self.counted.take(count);
                self.note_pending();
                self.health.works(&self.name);
                Ok(())
            }
            Err(Partial { delivered, error, .. }) => {
                Err(self.failed(delivered.min(lines.len()).saturating_sub(notices), count, error))
            }
        }
    }

    /// Notes that the sink accepted a notice, as the line after all others so far.
    #[cold]
    fn told(&mut self) {
        let place = self.counted.taken() + self.notices.told;
        // It may already be written, or pending. Notices before it that are written no longer matter.
        let written = place.saturating_sub(self.sink.pending() as u64);
        self.notices.places.retain(|place| *place >= written);
        self.notices.places.push(place);
        self.notices.told += 1;
    }

    /// The number of records among the sink's pending lines. Those of a write in which the sink panicked have already failed.
    fn pending(&self) -> u64 {
        self.without_notices(self.sink.pending() as u64)
    }

    #[cold]
    fn without_notices(&self, pending: u64) -> u64 {
        let taken = self.counted.taken();
        (pending - self.notices.pending(taken, pending).min(pending)).min(taken)
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        let flushed = catch_unwind(AssertUnwindSafe(|| {
            self.sink.flush(deadline)?;
            if process::is_exiting() { self.sink.close(deadline) } else { Ok(()) }
        }));
        let flushed = flushed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "the sink panicked in flush")));
        let _ = catch_unwind(AssertUnwindSafe(|| self.note_pending()));
        flushed
    }

    /// The commit that a flush has to wait for.
    fn commit(&mut self) -> Option<Commit> {
        catch_unwind(AssertUnwindSafe(|| self.sink.commit())).unwrap_or(None)
    }

    /// Counts the records that the sink accepted and then lost in a failed sync.
    fn count_lost(&mut self) {
        let pending = self.sink.pending() as u64;
        let lost = self.sink.lost() as u64;
        if lost > 0 {
            // Which of the pending lines were lost is not known, but at least those that exceed the number of notices are records.
            let notices = self.notices.pending(self.counted.taken(), pending);
            let records = lost.saturating_sub(notices).min(self.counted.taken());
            self.counted.lose(records);
            self.notices = Notices::default();
        }
    }

    #[cold]
    pub(super) fn flush_at_exit(&mut self) {
        if let Err(error) = self.flush(process::exit_deadline()) {
            self.health.failed(&self.name, &error, 0);
        }
    }

    /// Reports what the log lacks when the process ends, since no later line can say so.
    #[cold]
    fn tell_end(&self) {
        let (failed, pending) = (self.health.take_failed(), self.pending());
        if failed + pending > 0 {
            let name = &self.name;
            selflog::tell(&format!("{name}: the process ends; records failed: {failed}, not delivered: {pending}"));
        }
    }

    /// Counts and reports a write of `lines` records of which the sink accepted `taken`.
    #[cold]
    fn failed(&mut self, taken: usize, lines: u64, error: Error) -> Partial {
        self.counted.take(taken as u64);
        self.counted.fail(lines - taken as u64);
        self.note_pending();
        self.health.failed(&self.name, &error, lines as usize - taken);
        Partial::new(taken, error.with_handler(self.name.as_str()))
    }
}

/// Counts the records of a write in which the sink panics.
struct FailsInPanic<'a> {
    counted: &'a Counted,
    records: u64,
}

impl Drop for FailsInPanic<'_> {
    fn drop(&mut self) {
        self.counted.fail(self.records);
    }
}

pub(super) struct Guard<'a, S: Sink> {
    state: MutexGuard<'a, OutputState<S>>,
    holder: &'a AtomicUsize,
}

impl<S: Sink> Drop for Guard<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

impl<S: Sink> std::ops::Deref for Guard<'_, S> {
    type Target = OutputState<S>;

    fn deref(&self) -> &OutputState<S> {
        &self.state
    }
}

impl<S: Sink> std::ops::DerefMut for Guard<'_, S> {
    fn deref_mut(&mut self) -> &mut OutputState<S> {
        &mut self.state
    }
}

/// Gives the sink a reminder.
pub(super) fn remind<S: Sink>(core: &Arc<Shelf<OutputCore<S>>>) {
    let owner: Weak<Shelf<OutputCore<S>>> = Arc::downgrade(core);
    let reminder = Reminder::new(owner);
    lock(&core.state).sink.set_reminder(reminder);
}

/// Has the sink write what it holds. Reports an error, since those who logged the lines have gone on.
pub(super) fn write_buffered<S: Sink>(mut state: Guard<'_, S>) -> Result<(), Error> {
    let written = catch_unwind(AssertUnwindSafe(|| {
        let written = state.sink.write_buffered();
        state.note_pending();
        written
    }));
    let written = written.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "the sink panicked")));
    let written = written.map_err(|error| {
        state.health.failed(&state.name, &error, 0);
        error.with_handler(state.name.as_str())
    });
    let commit = state.commit();
    drop(state);
    written.and(commit.map_or(Ok(()), |commit| commit.wait(far())))
}

/// On the timer's thread.
impl<S: Sink> Due for Shelf<OutputCore<S>> {
    fn due(&self) -> Option<Duration> {
        if self.is_abandoned() {
            return None;
        }
        let Some(state) = try_lock(&self.state) else { return Some(BUSY) };
        self.holder.store(thread::token(), Ordering::Relaxed);
        // It reports errors itself.
        let _ = write_buffered(Guard { state, holder: &self.holder });
        None
    }
}

impl<S: Sink> Live for OutputCore<S> {
    type Guarded = OutputState<S>;
    const KIND: &'static str = "output";
    const PHASE: Phase = Phase::Ends;

    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        if shelf.is_held_here() {
            return Err(Error::new(ErrorKind::Closed, "cannot flush a sink that is being written to by this thread"));
        }
        let Some(state) = lock_until(&shelf.state, deadline) else {
            let (name, pending) = (shelf.counted.name(&shelf.name), shelf.counted.stats().pending);
            let busy = format!("{name}: cannot flush, the sink is busy; records not delivered: {pending}");
            return Err(Error::new(ErrorKind::Timeout, busy));
        };
        shelf.holder.store(thread::token(), Ordering::Relaxed);
        let mut state = Guard { state, holder: &shelf.holder };
        let flushed = state.flush(deadline);
        let commit = state.commit();
        drop(state);
        let settled = flushed.and(commit.map_or(Ok(()), |commit| commit.wait(deadline)));
        if process::is_exiting()
            && let Some(state) = lock_until(&shelf.state, now() + REPORT)
        {
            let _ = catch_unwind(AssertUnwindSafe(|| state.tell_end()));
        }
        settled
    }

    fn forget_pending(&self, state: &mut OutputState<S>) {
        let pending = state.pending();
        state.sink.forget_pending();
        state.counted.fork(pending);
        // The parent reports its own.
        state.notices = Notices::default();
        state.missing.forget();
    }

    fn held(&self) {
        self.holder.store(thread::token(), Ordering::Relaxed);
    }

    fn released(&self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

/// How long a record waits for the disk: as for a write, as long as it takes, but not beyond the exit timeout while the process
/// ends.
#[cold]
pub(super) fn far() -> Instant {
    match process::is_exiting() {
        true => process::exit_deadline(),
        false => deadline_in(Duration::MAX),
    }
}

/// How long a report waits for a sink that is in use.
const REPORT: Duration = Duration::from_millis(20);
/// When the timer looks again for a sink that is in use.
const BUSY: Duration = Duration::from_millis(5);

/// The lines that the sink accepted and that are not records: this output's notices.
#[derive(Default)]
pub(super) struct Notices {
    pub(super) told: u64,
    /// Their positions among all lines that the sink ever accepted; only those that may still be pending.
    places: Vec<u64>,
}

impl Notices {
    /// Returns how many of the last `pending` lines are notices, after `taken` records: the pending lines are those accepted last.
    fn pending(&self, taken: u64, pending: u64) -> u64 {
        let written = (taken + self.told).saturating_sub(pending);
        self.places.iter().filter(|place| **place >= written).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::{Handler, Output};
    use crate::record::{RecordBuf, Severity};

    /// A sink that accepts all lines but the first, and loses them on request.
    #[derive(Default)]
    struct Loses {
        writes: usize,
        pending: usize,
        lost: Arc<AtomicBool>,
        panics: bool,
    }

    impl Sink for Loses {
        fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
            self.writes += 1;
            if self.writes == 1 && !self.panics {
                return Err(Partial::new(0, Error::new(ErrorKind::Full, "no room")));
            }
            self.pending += framed.ends().len();
            assert!(!self.panics, "on purpose");
            Ok(())
        }

        fn pending(&self) -> usize {
            self.pending
        }

        fn lost(&mut self) -> usize {
            if self.lost.load(Ordering::Relaxed) { std::mem::take(&mut self.pending) } else { 0 }
        }

        fn describe(&self) -> String {
            "loses".to_owned()
        }
    }

    fn send(output: &impl Handler, messages: &[&str]) {
        messages.iter().for_each(|message| {
            let _ = output.handle(&RecordBuf::new(Severity::INFO, "app", message).as_record());
        });
    }

    #[test]
    fn a_notice_that_is_lost_with_its_line_is_not_counted_as_a_record() {
        let sink = Loses::default();
        let lost = sink.lost.clone();
        let output = Output::new(crate::format::Json::new(), sink);
        send(&output, &["refused", "lost"]);
        let stats = output.core.report().stats;
        assert!(stats.balances() && (stats.failed, stats.pending) == (1, 1), "{stats:?}");
        lost.store(true, Ordering::Relaxed);
        let stats = output.core.report().stats;
        assert!(stats.balances() && (stats.failed, stats.pending) == (2, 0), "{stats:?}");
    }

    #[test]
    fn lines_kept_by_a_panicking_sink_are_not_counted_twice() {
        let output = Output::new(crate::format::Json::new(), Loses { panics: true, ..Loses::default() });
        send(&output, &["one", "two"]);
        let stats = output.core.report().stats;
        assert!(stats.balances() && (stats.failed, stats.pending) == (2, 0), "{stats:?}");
    }
}
