//! The thread behind a queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{QueueCore, QueueState, Rest};
use crate::bytes::floor_char_boundary;
use crate::handler::{Handler, guarded};
use crate::process::{Generation, Shelf, thread};
use crate::record::Batch;
use crate::selflog::Health;
use crate::sync::{MutexGuard, lock, now, wait, wait_timeout};
use crate::{Error, ErrorKind, threads};

/// Starts the worker, at the first record and again in a forked child. If the system cannot start a thread, records are handled on
/// the logging threads.
#[cold]
pub(super) fn start<'a, H: Handler>(
    core: &'a Arc<Shelf<QueueCore<H>>>,
    mut state: MutexGuard<'a, QueueState>,
) -> MutexGuard<'a, QueueState> {
    if std::mem::replace(&mut state.started, true) {
        return state;
    }
    let worker = Worker {
        core: core.clone(),
        batch: VecDeque::new(),
        seen: now(),
        unwritten: false,
        made_room: now(),
        health: Health::default(),
        process: Generation::current(),
    };
    let spawned = threads::start(thread_name(&core.name), || worker.run());
    match spawned {
        Ok(thread) => {
            state.worker_lives = true;
            state.thread = Some(thread);
        }
        Err(error) => crate::selflog::tell(&format!(
            "{}: cannot start the worker thread; writing on the logging threads instead: {error}",
            core.name
        )),
    }
    state
}

/// The name of the worker of a queue, without NUL, which the name of a thread must not contain. Cut where Linux would cut it, but
/// not within a character.
fn thread_name(queue: &str) -> String {
    let mut name = format!("log-{}", queue.replace('\0', ""));
    name.truncate(floor_char_boundary(&name, LONGEST_NAME));
    name
}

/// Whether the current thread is the worker of this queue.
pub(super) fn is_this_thread<H>(core: &QueueCore<H>) -> bool {
    thread::serves(std::ptr::from_ref(core).addr())
}

struct Worker<H: Handler> {
    core: Arc<Shelf<QueueCore<H>>>,
    batch: VecDeque<Batch>,
    /// When the worker last had records.
    seen: Instant,
    /// Whether sinks may hold records in a buffer since then.
    unwritten: bool,
    /// When the threads that wait for room were last notified.
    made_room: Instant,
    health: Health,
    /// The process that started the worker: a handler may fork.
    process: Generation,
}

impl<H: Handler> Worker<H> {
    fn run(mut self) {
        let queue: &QueueCore<H> = &self.core;
        thread::serve(std::ptr::from_ref(queue).addr());
        let _ending = Ending { core: self.core.clone(), process: self.process };
        while let Some(flush) = self.take_batch() {
            if !self.deliver() {
                return;
            }
            if let Some((ticket, deadline)) = flush {
                self.flush(ticket, deadline);
            }
        }
        self.close();
    }

    /// Flushes the handlers behind the dropped queue, since there may be no other flush.
    fn close(self) {
        let state = lock(&self.core.state);
        if !self.process.is_current() {
            return;
        }
        let (ticket, deadline) = (state.flush.done, state.closing.unwrap_or_else(now));
        drop(state);
        self.flush(ticket, deadline);
    }

    /// Waits until there is something to do. Returns the requested flush, if any, which covers the records in the batch; `None` if
    /// the queue is closed and empty.
    fn take_batch(&mut self) -> Option<Option<(u64, Instant)>> {
        let core = self.core.clone();
        let mut state = lock(&core.state);
        loop {
            if !self.process.is_current() {
                return None;
            }
            if !state.inherited.is_empty() {
                state = self.look_for_parents(&core, state);
            }
            let flush = state.flush.wanted();
            if state.is_due(&core) || flush.is_some() {
                break self.take(state, flush);
            }
            if state.closing.is_some() {
                return None;
            }
            if self.unwritten && self.is_idle(&state) {
                drop(state);
                self.write_buffered();
                state = lock(&core.state);
                continue;
            }
            state = self.rest(&core, state);
            // At the tick, everything that is queued is due.
            if !state.backlog.is_empty() {
                let flush = state.flush.wanted();
                break self.take(state, flush);
            }
        }
    }

    /// Reports what was lost because a parent has ended.
    #[cold]
    fn look_for_parents<'a>(
        &self,
        core: &'a Shelf<QueueCore<H>>,
        mut state: MutexGuard<'a, QueueState>,
    ) -> MutexGuard<'a, QueueState> {
        let lost = state.inherited.look();
        if lost == 0 {
            return state;
        }
        drop(state);
        crate::selflog::tell(&format!(
            "{}: {lost} records lay in the queue when the process was forked, and the parent process has ended: unless it delivered \
             them before, they are lost; flush before the fork, or make the queue after it",
            self.core.name
        ));
        lock(&core.state)
    }

    fn take(
        &mut self,
        mut state: MutexGuard<'_, QueueState>,
        flush: Option<(u64, Instant)>,
    ) -> Option<Option<(u64, Instant)>> {
        state.urgent = false;
        if flush.is_some() {
            state.flush.deadline = None;
        }
        self.batch = state.backlog.take(std::mem::take(&mut self.batch));
        Some(flush)
    }

    /// Dozes for a tick while records arrive; sleeps when none have arrived for a while.
    fn rest<'a>(
        &mut self,
        core: &'a QueueCore<H>,
        mut state: MutexGuard<'a, QueueState>,
    ) -> MutexGuard<'a, QueueState> {
        if !self.is_idle(&state) {
            state.rest = Rest::Doze;
            state = wait_timeout(&core.work, state, TICK);
            state.rest = Rest::None;
            return state;
        }
        state.rest = Rest::Sleep;
        while state.rest == Rest::Sleep && state.closing.is_none() {
            state = wait(&core.work, state);
        }
        state.rest = Rest::None;
        self.seen = now();
        state
    }

    /// Whether no records have arrived for a while. Those that arrived during a slow batch did not wake the worker, so it may sleep
    /// only if the queue is empty.
    fn is_idle(&self, state: &QueueState) -> bool {
        state.backlog.is_empty() && now().duration_since(self.seen) >= LINGER
    }

    /// Has the sinks write what they hold, once before the worker sleeps: they may not be written to again for hours.
    fn write_buffered(&mut self) {
        self.unwritten = false;
        let written = guarded(|| self.core.handler.write_buffered());
        if let Err(error) = written
            && error.handler().is_none()
        {
            self.health.failed(&self.core.name, &error, 0);
        }
    }

    /// Hands everything to the handlers, and makes room for other records batch by batch. Returns `false` if a handler has forked
    /// and this is the child: the rest belongs to the parent.
    fn deliver(&mut self) -> bool {
        if !self.batch.is_empty() {
            self.seen = now();
            self.unwritten = true;
        }
        let core = self.core.clone();
        while let Some(batch) = self.batch.pop_front() {
            let failed = self.handle(&batch);
            let mut state = lock(&core.state);
            if !self.process.is_current() {
                return false;
            }
            let (records, bytes) = (batch.len(), batch.size());
            state.backlog.done(batch, failed);
            let is_roomy = state.backlog.is_roomy(&core.settings);
            let dropped = state.stall.delivered(records, bytes, is_roomy, &core.settings);
            core.health.count(dropped);
            let is_news = core.health.has_failures() && !state.stall.is_stalled();
            let tell = state.waiting > 0 && self.is_room_worth_telling(&state);
            drop(state);
            if tell {
                self.made_room = now();
                core.room.notify_all();
            }
            if is_news {
                core.tell_delivers();
            }
        }
        true
    }

    /// Whether to notify the threads that wait for room. If they were notified of each batch that a fast worker finishes, they
    /// would fill it and wait again. With a slow sink they are notified at once, since their deadline may be near.
    fn is_room_worth_telling(&self, state: &QueueState) -> bool {
        let roomy = state.backlog.is_roomy(&self.core.settings);
        roomy || self.batch.is_empty() || now().duration_since(self.made_room) >= ROOM_EVERY
    }

    /// Hands a batch to the handlers. Returns how many records failed, not counting notices.
    fn handle(&mut self, batch: &Batch) -> u64 {
        let handled = guarded(|| self.core.handler.handle_batch(batch.records()));
        match handled {
            Ok(()) => {
                self.health.works(&self.core.name);
                0
            }
            Err(partial) => {
                let left = batch.missed_of(&partial);
                let failed = left.len() - left.notices();
                if partial.error.handler().is_none() {
                    self.health.failed(&self.core.name, &partial.error, failed);
                }
                failed as u64
            }
        }
    }

    fn flush(&self, ticket: u64, deadline: Instant) {
        let flushed = catch_unwind(AssertUnwindSafe(|| self.core.handler.flush(deadline)));
        let flushed = flushed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked in flush")));
        let mut state = lock(&self.core.state);
        state.flush.done = ticket;
        state.flush.error = flushed.err();
        drop(state);
        self.core.done.notify_all();
    }
}

/// Dropped when the thread ends, even by a panic: no other thread may wait for it any longer.
struct Ending<H: Handler> {
    core: Arc<Shelf<QueueCore<H>>>,
    process: Generation,
}

impl<H: Handler> Drop for Ending<H> {
    fn drop(&mut self) {
        let mut state = lock(&self.core.state);
        if self.process.is_current() {
            state.worker_lives = false;
        }
        drop(state);
        self.core.done.notify_all();
        self.core.room.notify_all();
    }
}

impl QueueState {
    /// Whether records must be taken now rather than at the next tick.
    fn is_due<H>(&self, core: &QueueCore<H>) -> bool {
        let now = self.urgent || self.waiting > 0 || self.closing.is_some() || self.backlog.is_at_mark(&core.settings);
        now && !self.backlog.is_empty()
    }
}

impl super::Flush {
    fn wanted(&self) -> Option<(u64, Instant)> {
        (self.wanted > self.done).then(|| (self.wanted, self.deadline.unwrap_or_else(now)))
    }
}

/// The longest name of a thread on Linux, in bytes.
const LONGEST_NAME: usize = 15;
/// How often the worker checks the queue while records arrive.
const TICK: Duration = Duration::from_millis(2);
/// How long after the last record it continues to do so.
const LINGER: Duration = Duration::from_millis(100);
/// After this time, threads that wait for room are notified however little there is.
const ROOM_EVERY: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::handler::Queue;
    use crate::handler::script::record;
    use crate::record::Record;
    use crate::until::until;

    /// Counts how often it is to write what it holds.
    #[derive(Default)]
    struct Counts {
        written: AtomicUsize,
        flushed: AtomicUsize,
    }

    impl Handler for Counts {
        fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
            Ok(())
        }

        fn write_buffered(&self) -> Result<(), Error> {
            self.written.fetch_add(1, Ordering::SeqCst);
            panic!("on purpose")
        }

        fn flush(&self, _: Instant) -> Result<(), Error> {
            self.flushed.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[test]
    fn an_idle_worker_has_buffers_written_once_and_not_flushed() {
        crate::selflog::set(|_| ());
        let counts = Arc::new(Counts::default());
        // Of the queue in front, the one behind it is no concern.
        let queue = Queue::new((counts.clone(), Queue::new(Some(counts.clone()))));
        let outer = Arc::new(Queue::new(queue));
        for round in 1..=2 {
            outer.handle(&record("one").as_record()).unwrap();
            until("it is written", || counts.written.load(Ordering::SeqCst) >= 2 * round);
            // Time passes: a worker that is idle for long has nothing written again.
            std::thread::sleep(3 * LINGER);
            assert_eq!(counts.written.load(Ordering::SeqCst), 2 * round);
        }
        assert_eq!(counts.flushed.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn the_name_of_the_thread_is_cut_between_characters() {
        assert_eq!(thread_name("queue"), "log-queue");
        assert_eq!(thread_name("a\0b"), "log-ab");
        assert_eq!(thread_name("audit-of-the-shop"), "log-audit-of-th");
        assert_eq!(thread_name("日本語日本語"), "log-日本語");
    }
}
