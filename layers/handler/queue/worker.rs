//! The thread behind a queue.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::backlog::Chunk;
use super::{Rest, Shared, State};
use crate::handler::Handler;
use crate::record::Records;
use crate::selflog::Health;
use crate::sync::{lock, wait, wait_timeout};
use crate::{Error, ErrorKind};

impl<H: Handler> Shared<H> {
    /// Starts the worker, with the first record, and in a forked child anew. Where the system has no thread to give, records
    /// are handled by those who log them.
    #[cold]
    pub(super) fn start<'a>(shared: &'a Arc<Self>, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if std::mem::replace(&mut state.started, true) {
            return state;
        }
        let worker = Worker {
            shared: shared.clone(),
            batch: VecDeque::new(),
            seen: Instant::now(),
            made_room: Instant::now(),
            health: Health::default(),
            generation: state.generation,
        };
        // A thread's name may not hold this.
        let name = shared.settings.name.replace('\0', "");
        let spawned = std::thread::Builder::new().name(name).spawn(|| worker.run());
        match spawned {
            Ok(thread) => {
                state.worker_lives = true;
                state.thread = Some(thread);
            }
            Err(error) => crate::selflog::tell(&format!(
                "{}: no thread, records are written by those who log: {error}",
                shared.settings.name
            )),
        }
        state
    }
}

/// Whether this is the thread behind that queue.
pub(super) fn is_this_thread<H>(shared: &Shared<H>) -> bool {
    SERVES.try_with(Cell::get).is_ok_and(|serves| serves == std::ptr::from_ref(shared).addr())
}

/// Whether this is the thread behind any queue.
pub(crate) fn is_any_thread() -> bool {
    SERVES.try_with(Cell::get).is_ok_and(|serves| serves != 0)
}

struct Worker<H: Handler> {
    shared: Arc<Shared<H>>,
    batch: VecDeque<Chunk>,
    /// When there were records last.
    seen: Instant,
    /// When those who wait for room were told last.
    made_room: Instant,
    health: Health,
    generation: u64,
}

impl<H: Handler> Worker<H> {
    fn run(mut self) {
        SERVES.set(Arc::as_ptr(&self.shared).addr());
        let _ending = Ending { shared: self.shared.clone(), generation: self.generation };
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

    /// The queue is dropped, and nobody else may come to empty the buffers behind it.
    fn close(self) {
        let state = lock(&self.shared.state);
        if state.generation != self.generation {
            return;
        }
        let (ticket, deadline) = (state.flush.done, state.closing.unwrap_or_else(Instant::now));
        drop(state);
        self.flush(ticket, deadline);
    }

    /// Waits until there is something to do; `None`: the queue is closed and empty. The flush that is wanted, if one is,
    /// covers what is in the batch.
    fn take_batch(&mut self) -> Option<Option<(u64, Instant)>> {
        let shared = self.shared.clone();
        let mut state = lock(&shared.state);
        loop {
            if state.generation != self.generation {
                return None;
            }
            let flush = state.flush.wanted();
            if state.is_due(&shared) || flush.is_some() {
                break self.take(state, flush);
            }
            if state.closing.is_some() {
                return None;
            }
            state = self.rest(&shared, state);
            // The tick has come: whatever there is, is due now.
            if !state.backlog.is_empty() {
                let flush = state.flush.wanted();
                break self.take(state, flush);
            }
        }
    }

    fn take(
        &mut self,
        mut state: MutexGuard<'_, State>,
        flush: Option<(u64, Instant)>,
    ) -> Option<Option<(u64, Instant)>> {
        state.urgent = false;
        if flush.is_some() {
            state.flush.deadline = None;
        }
        self.batch = state.backlog.take(std::mem::take(&mut self.batch));
        Some(flush)
    }

    /// Dozes for a tick while records come; sleeps when none have come for a while.
    fn rest<'a>(&mut self, shared: &'a Shared<H>, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        // What came while a slow batch was written has woken nobody: only an empty queue lets the worker sleep.
        if !state.backlog.is_empty() || self.seen.elapsed() < LINGER {
            state.rest = Rest::Doze;
            state = wait_timeout(&shared.work, state, TICK);
            state.rest = Rest::None;
            return state;
        }
        state.rest = Rest::Sleep;
        while state.rest == Rest::Sleep && state.closing.is_none() {
            state = wait(&shared.work, state);
        }
        state.rest = Rest::None;
        self.seen = Instant::now();
        state
    }

    /// Hands the batch to the handlers, and makes room for others chunk by chunk. `false`: a handler has forked, this is
    /// the child, and the rest is the parent's.
    fn deliver(&mut self) -> bool {
        if !self.batch.is_empty() {
            self.seen = Instant::now();
        }
        let shared = self.shared.clone();
        while let Some(chunk) = self.batch.pop_front() {
            let failed = self.handle(&chunk);
            let mut state = lock(&shared.state);
            if state.generation != self.generation {
                return false;
            }
            state.backlog.done(chunk, failed);
            let tell = state.waiting > 0 && self.is_room_worth_telling(&state);
            drop(state);
            if tell {
                self.made_room = Instant::now();
                shared.room.notify_all();
            }
        }
        true
    }

    /// Told of each chunk that a fast worker is through with, those who wait would fill it and wait again. Behind a slow sink
    /// they are told at once: their time may be short.
    fn is_room_worth_telling(&self, state: &State) -> bool {
        let roomy = state.backlog.is_roomy(&self.shared.settings);
        roomy || self.batch.is_empty() || self.made_room.elapsed() >= ROOM_EVERY
    }

    /// Tells how many failed.
    fn handle(&mut self, chunk: &Chunk) -> u64 {
        let handler = &self.shared.handler;
        let handled = catch_unwind(AssertUnwindSafe(|| handler.handle_batch(Records::new(chunk.records()))));
        let handled = handled.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked").into()));
        match handled {
            Ok(()) => {
                self.health.works(&self.shared.settings.name);
                0
            }
            Err(partial) => {
                let records = chunk.held().records;
                let failed = records - partial.delivered.min(records);
                if !partial.error.is_told() {
                    self.health.failed(&self.shared.settings.name, &partial.error, failed);
                }
                failed as u64
            }
        }
    }

    fn flush(&self, ticket: u64, deadline: Instant) {
        let flushed = catch_unwind(AssertUnwindSafe(|| self.shared.handler.flush(deadline)));
        let flushed = flushed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked in flush")));
        let mut state = lock(&self.shared.state);
        state.flush.done = ticket;
        state.flush.error = flushed.err().map(|error| (error.kind(), error.to_string()));
        drop(state);
        self.shared.done.notify_all();
    }
}

/// However the thread ends, nobody must wait for it any longer.
struct Ending<H: Handler> {
    shared: Arc<Shared<H>>,
    generation: u64,
}

impl<H: Handler> Drop for Ending<H> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        if state.generation == self.generation {
            state.worker_lives = false;
        }
        drop(state);
        self.shared.done.notify_all();
        self.shared.room.notify_all();
    }
}

impl State {
    /// Whether records must be taken now, not at the next tick.
    fn is_due<H>(&self, shared: &Shared<H>) -> bool {
        let now =
            self.urgent || self.waiting > 0 || self.closing.is_some() || self.backlog.is_at_mark(&shared.settings);
        now && !self.backlog.is_empty()
    }
}

impl super::Flush {
    fn wanted(&self) -> Option<(u64, Instant)> {
        (self.wanted > self.done).then(|| (self.wanted, self.deadline.unwrap_or_else(Instant::now)))
    }
}

thread_local! {
    /// The address of the queue that this thread serves; 0: none.
    static SERVES: Cell<usize> = const { Cell::new(0) };
}

/// How often the worker looks while records come.
const TICK: Duration = Duration::from_millis(2);
/// How long after the last record it still looks.
const LINGER: Duration = Duration::from_millis(100);
/// After so long, those who wait for room are told of however little there is.
const ROOM_EVERY: Duration = Duration::from_millis(1);
