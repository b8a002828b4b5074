use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use super::key::{Case, Key};
use super::safe_name;
use super::table::{Found, Table};
use crate::Error;
use crate::clock::Backoff;
use crate::clock::{Clock, Timestamp};
use crate::filter::AnyLevel;
use crate::handler::{DropReason, Handler, Stats, Tally, guarded};
use crate::process::{self, Live, Phase, Shelf, thread};
use crate::record::Record;
use crate::selflog::Health;
use crate::sync::{Condvar, deadline_in, lock, lock_briefly, wait_timeout};

pub(super) type Make = dyn Fn(&str) -> Result<Arc<dyn Handler>, Error> + Send + Sync;

/// The part that a fork needs too.
pub(super) struct RouteCore {
    pub(super) key: Key,
    /// The first one that fits is taken.
    pub(super) fixed: Vec<(Case, Arc<dyn Handler>)>,
    pub(super) otherwise: Option<Arc<dyn Handler>>,
    pub(super) make: Option<Box<Make>>,
    pub(super) default_name: String,
    pub(super) limit: usize,
    pub(super) idle: Duration,
    pub(super) level: AnyLevel,
    pub(super) spans: Option<AnyLevel>,
    pub(super) clock: Box<dyn Clock>,
    pub(super) tally: Tally,
    pub(super) filtered: AtomicU64,
    /// Threads wait here while another one makes their handler.
    pub(super) made: Condvar,
    pub(super) health: Health,
}

/// The decision about a record.
pub(super) enum Chosen {
    Handler(Arc<dyn Handler>),
    /// No handler: the record is dropped and counted.
    None,
    Failed(Error),
}

impl RouteCore {
    pub(super) fn given(&self) -> impl Iterator<Item = &Arc<dyn Handler>> {
        self.fixed.iter().map(|(_, handler)| handler).chain(&self.otherwise)
    }

    /// The most verbose level of the events that any handler takes.
    pub(super) fn event_level(&self) -> LevelFilter {
        let made = self.make.as_ref().map_or(LevelFilter::OFF, |_| self.level.max_level());
        self.given().map(|handler| handler.max_level()).fold(made, Ord::max)
    }

    /// The most verbose level of the spans that are captured for made handlers and for the field.
    pub(super) fn span_level(&self) -> LevelFilter {
        match &self.spans {
            Some(spans) => spans.level().level(),
            None => self.event_level().max(LevelFilter::INFO),
        }
    }

    pub(super) fn is_by_field(&self) -> bool {
        matches!(self.key, Key::Place(_))
    }

    /// Monotonic, so that setting the wall clock does not make a handler idle.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::EPOCH.saturating_add(self.clock.monotonic())
    }
}

impl Shelf<RouteCore> {
    pub(super) fn choose(&self, record: &Record<'_>) -> Chosen {
        self.key.text(record, |text| {
            let fixed = self.fixed.iter().find(|(case, _)| case.fits(&self.key, record, text));
            match (fixed, &self.make, &self.otherwise) {
                (Some((_, handler)), ..) => Chosen::Handler(handler.clone()),
                (None, _, Some(otherwise)) if text.is_empty() => Chosen::Handler(otherwise.clone()),
                // Other records, such as span events, are dropped below.
                (None, Some(make), _) if self.is_for_made(record) => self.made(make, text),
                (None, None, Some(otherwise)) => Chosen::Handler(otherwise.clone()),
                _ => {
                    self.filtered.fetch_add(1, Ordering::Relaxed);
                    Chosen::None
                }
            }
        })
    }

    /// Whether made handlers take the record. They take no span events.
    fn is_for_made(&self, record: &Record<'_>) -> bool {
        !record.kind().is_of_span() && self.level.allows(record)
    }

    /// Returns the handler for `text`, and makes it if there is none.
    fn made(&self, make: &Make, text: &str) -> Chosen {
        if self.is_abandoned() {
            return self.give_up();
        }
        let now = self.now();
        let mut table = lock_briefly(&self.state);
        loop {
            table.look_for_idle(now, self.idle);
            let found = table.find(text, now, &self.name);
            match found {
                Found::Living(handler) => {
                    let has_closing = table.has_closing();
                    drop(table);
                    if has_closing {
                        self.close_marked(deadline_in(CLOSE_TIMEOUT), FEW);
                    }
                    return Chosen::Handler(handler);
                }
                Found::Failed(error) => return Chosen::Failed(error),
                Found::Missing(failures) => {
                    table.make(text, thread::token(), self.limit);
                    drop(table);
                    self.close_marked(deadline_in(CLOSE_TIMEOUT), FEW);
                    return self.make_new(make, text, failures);
                }
                // The code that makes the handler logs to it, or the exit cannot wait any longer.
                Found::Making(thread) if thread == thread::token() || is_exit_over() => {
                    drop(table);
                    return self.give_up();
                }
                Found::Making(_) => table = wait_timeout(&self.made, table, LOOK),
            }
        }
    }

    #[cold]
    fn give_up(&self) -> Chosen {
        self.count_reentrant(1);
        Chosen::None
    }

    #[cold]
    fn make_new(&self, make: &Make, text: &str, failures: u32) -> Chosen {
        let name = safe_name(text, &self.default_name);
        let made = guarded(|| make(&name));
        let now = self.now();
        let mut table = lock(&self.state);
        let chosen = match made {
            Ok(handler) => {
                table.made(text, handler.clone(), now);
                Ok(handler)
            }
            Err(error) => {
                let class = error.class();
                let error = Error::new(error.kind(), format!("cannot make a handler for {name}"))
                    .with_class(class)
                    .with_source(error);
                table.not_made(text, failures, &error, now, &BACKOFF);
                Err(error)
            }
        };
        drop(table);
        self.made.notify_all();
        let name = self.name.as_str();
        match chosen {
            Ok(handler) => {
                self.health.works(name);
                Chosen::Handler(handler)
            }
            Err(error) => {
                self.health.failed(name, &error, 1);
                Chosen::Failed(error.with_handler(name))
            }
        }
    }

    /// Flushes and drops the handlers that are marked to be closed, without the lock. Those in use are left; of them, at most `most` are
    /// looked at.
    pub(super) fn close_marked(&self, deadline: Instant, most: usize) {
        // A bound, since other threads may mark more handlers meanwhile.
        for _ in 0..=self.limit {
            let Some(closing) = lock(&self.state).next_closing(most) else { return };
            if let Err(error) = guarded(|| closing.handler.flush(deadline)) {
                crate::selflog::tell(&format!("{}: cannot flush a handler before closing it: {error:#}", self.name));
            }
            let mut reports = Vec::new();
            closing.handler.report(&mut reports);
            lock(&self.state).close(&closing, &reports);
        }
    }

    /// Returns the made handlers that exist at present, and the counts of the closed ones. Both are taken under one lock, so that a
    /// handler that is closed meanwhile is in exactly one of them.
    pub(super) fn made_so_far(&self) -> (Vec<Arc<dyn Handler>>, Option<Stats>) {
        if self.is_abandoned() {
            return (Vec::new(), None);
        }
        let table = lock(&self.state);
        (table.living(), table.closed())
    }

    pub(super) fn own_stats(&self) -> Stats {
        let mut stats = self.tally.stats();
        stats.add_dropped(DropReason::Filtered, self.filtered.load(Ordering::Relaxed));
        self.add_reentrant(stats)
    }
}

fn is_exit_over() -> bool {
    process::is_exiting() && Instant::now() >= process::exit_deadline()
}

impl Live for RouteCore {
    /// Locked to look up a handler, never while one is called or made.
    type Guarded = Table;
    const KIND: &'static str = "route";
    const PHASE: Phase = Phase::Ends;

    /// A route holds no records; the handlers that do are registered themselves.
    fn flush(_: &Shelf<Self>, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn forget_pending(&self, table: &mut Table) {
        table.forget_makers();
    }
}

/// The pauses between attempts to make the same handler.
const BACKOFF: Backoff =
    Backoff { initial: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60), jitter: 0.0 };
/// How long a handler may take for its last flush.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a waiting thread checks whether the process is ending.
const LOOK: Duration = Duration::from_millis(100);
/// The number of handlers in use that a record looks at when it closes others.
const FEW: usize = 16;
