use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use super::key::{Case, Key};
use super::safe_name;
use super::table::{Found, Table};
use crate::Error;
use crate::backoff::Backoff;
use crate::clock::{Clock, Timestamp};
use crate::filter::Threshold;
use crate::handler::output::thread_token;
use crate::handler::{DropReason, Handler, Report, Tally, guarded};
use crate::process::{self, Held, Resource};
use crate::record::Record;
use crate::selflog::Health;
use crate::sync::{OwnedGuard, deadline_in, lock, lock_briefly, wait_timeout};

pub(super) type Make = dyn Fn(&str) -> Result<Arc<dyn Handler>, Error> + Send + Sync;

pub(super) struct Settings {
    pub(super) default_name: String,
    pub(super) limit: usize,
    pub(super) idle: Duration,
    pub(super) level: Threshold,
    pub(super) spans: LevelFilter,
    pub(super) name: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_name: "unknown".to_owned(),
            limit: 64,
            idle: Duration::from_secs(600),
            level: Threshold::ALL,
            spans: LevelFilter::INFO,
            name: "route".to_owned(),
        }
    }
}

/// What a fork finds.
pub(super) struct Shared {
    pub(super) key: Key,
    /// The first that fits is meant.
    pub(super) fixed: Vec<(Case, Arc<dyn Handler>)>,
    pub(super) otherwise: Option<Arc<dyn Handler>>,
    pub(super) make: Option<Box<Make>>,
    pub(super) settings: Settings,
    pub(super) clock: Box<dyn Clock>,
    pub(super) tally: Tally,
    pub(super) filtered: AtomicU64,
    pub(super) reentrant: AtomicU64,
    pub(super) abandoned: AtomicBool,
    pub(super) registered: AtomicBool,
    /// Held to look a handler up, never to call or to make one.
    pub(super) table: Mutex<Table>,
    /// Those wait here whose handler is being made by another thread.
    pub(super) made: Condvar,
    pub(super) health: Mutex<Health>,
}

/// What becomes of a record.
pub(super) enum Chosen {
    Handler(Arc<dyn Handler>),
    /// It is dropped, and counted.
    None,
    Failed(Error),
}

impl Shared {
    pub(super) fn given(&self) -> impl Iterator<Item = &Arc<dyn Handler>> {
        self.fixed.iter().map(|(_, handler)| handler).chain(&self.otherwise)
    }

    pub(super) fn is_by_field(&self) -> bool {
        matches!(self.key, Key::Field(_))
    }

    pub(super) fn choose(&self, record: &Record<'_>) -> Chosen {
        self.key.text(record, |text| {
            let fixed = self.fixed.iter().find(|(case, _)| case.fits(&self.key, record, text));
            match (fixed, &self.make, &self.otherwise) {
                (Some((_, handler)), ..) => Chosen::Handler(handler.clone()),
                (None, _, Some(otherwise)) if text.is_empty() => Chosen::Handler(otherwise.clone()),
                // Where it is not for them, they pass by.
                (None, Some(make), _) if self.is_for_made(record) => self.made(make, text),
                (None, None, Some(otherwise)) => Chosen::Handler(otherwise.clone()),
                _ => self.drop_as(&self.filtered),
            }
        })
    }

    /// None is made for a span, and none that was made for an event gets one.
    fn is_for_made(&self, record: &Record<'_>) -> bool {
        !record.kind().is_of_span() && self.settings.level.allows(record.severity())
    }

    #[cold]
    fn drop_as(&self, counter: &AtomicU64) -> Chosen {
        counter.fetch_add(1, Ordering::Relaxed);
        Chosen::None
    }

    /// By time that runs: a wall clock that is set makes nobody idle.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::EPOCH.saturating_add(self.clock.monotonic())
    }

    /// The handler that was made for `text`, or is made now.
    fn made(&self, make: &Make, text: &str) -> Chosen {
        if self.abandoned.load(Ordering::Relaxed) {
            return self.drop_as(&self.reentrant);
        }
        let now = self.now();
        let mut table = lock_briefly(&self.table);
        loop {
            table.look_for_idle(now, self.settings.idle);
            let found = table.find(text, now);
            match found {
                Found::Living(handler) => {
                    let has_closing = table.has_closing();
                    drop(table);
                    if has_closing {
                        self.close_marked(deadline_in(CLOSE_TIMEOUT));
                    }
                    return Chosen::Handler(handler);
                }
                Found::Failed(error) => return Chosen::Failed(error),
                Found::Missing(failures) => {
                    table.make(text, thread_token(), self.settings.limit);
                    drop(table);
                    self.close_marked(deadline_in(CLOSE_TIMEOUT));
                    return self.make_new(make, text, failures);
                }
                // What makes it logs to it; or the exit cannot wait any longer.
                Found::Making(thread) if thread == thread_token() || is_exit_over() => {
                    drop(table);
                    return self.drop_as(&self.reentrant);
                }
                Found::Making(_) => table = wait_timeout(&self.made, table, LOOK),
            }
        }
    }

    #[cold]
    fn make_new(&self, make: &Make, text: &str, failures: u32) -> Chosen {
        let name = safe_name(text, &self.settings.default_name);
        let made = guarded(|| make(&name));
        let now = self.now();
        let mut table = lock(&self.table);
        let chosen = match made {
            Ok(handler) => {
                table.made(text, handler.clone(), now, self.settings.idle);
                Ok(handler)
            }
            Err(error) => {
                let error = Error::new(error.kind(), format!("cannot make a handler for {name}: {error}"));
                table.not_made(text, failures, &error, now, &BACKOFF);
                Err(error)
            }
        };
        drop(table);
        self.made.notify_all();
        let mut health = lock(&self.health);
        match chosen {
            Ok(handler) => {
                health.works(&self.settings.name);
                Chosen::Handler(handler)
            }
            Err(error) => {
                health.failed(&self.settings.name, &error, 1);
                Chosen::Failed(error.told())
            }
        }
    }

    /// Flushes and drops those that are to be closed, without the lock.
    pub(super) fn close_marked(&self, deadline: Instant) {
        // Each is tried once at most, but for those that others mark meanwhile.
        for _ in 0..=self.settings.limit {
            let Some(closing) = lock(&self.table).next_closing() else { return };
            if let Err(error) = guarded(|| closing.handler.flush(deadline)) {
                crate::selflog::tell(&format!("{}: closed a handler: {error}", self.settings.name));
            }
            let mut reports = Vec::new();
            closing.handler.report(&mut reports);
            lock(&self.table).close(&closing, &reports);
        }
    }

    pub(super) fn report(&self, reports: &mut Vec<Report>) {
        let mut stats = self.tally.stats();
        for (counter, reason) in [(&self.filtered, DropReason::Filtered), (&self.reentrant, DropReason::Reentrant)] {
            let count = counter.load(Ordering::Relaxed);
            stats.accepted += count;
            stats.dropped.add(reason, count);
        }
        reports.push(Report::new(self.settings.name.clone(), stats));
        self.given().for_each(|handler| handler.report(reports));
        if self.abandoned.load(Ordering::Relaxed) {
            return;
        }
        // Together: one that is closed in between must not be in both, or in neither.
        let table = lock(&self.table);
        let (living, closed) = (table.living(), table.closed());
        drop(table);
        living.iter().for_each(|handler| handler.report(reports));
        reports.extend(closed.map(|stats| Report::new("closed", stats)));
    }
}

fn is_exit_over() -> bool {
    process::is_exiting() && Instant::now() >= process::exit_deadline()
}

impl Resource for Shared {
    fn is_queue(&self) -> bool {
        false
    }

    /// It holds no records; the handlers that do are known themselves.
    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        let table = OwnedGuard::lock_until(&self, |shared| &shared.table, deadline)?;
        let health = OwnedGuard::lock_until(&self, |shared| &shared.health, deadline)?;
        Some(Box::new(HeldRoute { table, _health: health }))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

struct HeldRoute {
    table: OwnedGuard<Shared, Table>,
    _health: OwnedGuard<Shared, Health>,
}

impl Held for HeldRoute {
    fn forget_pending(&mut self) {
        self.table.forget_makers();
    }
}

/// Between two tries to make the same handler.
const BACKOFF: Backoff =
    Backoff { initial: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60), jitter: 0.0 };
/// How long a handler may take for its last records.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often one who waits looks whether the process ends.
const LOOK: Duration = Duration::from_millis(100);
