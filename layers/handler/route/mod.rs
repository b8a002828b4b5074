//! Records to handlers by what they say.

mod digest;
mod key;
mod name;
mod table;

pub use key::Case;
pub use name::safe_name;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::key::Key;
use self::table::{Found, Table};
use super::backoff::Backoff;
use super::group::{one, worst};
use super::output::thread_token;
use super::rest::Rest;
use super::{DropReason, Handler, Report, Tally, guarded};
use crate::clock::{Clock, System};
use crate::filter::Threshold;
use crate::process::{self, Held, Resource};
use crate::record::{Meta, Record, Records, SpanEvents};
use crate::selflog::Health;
use crate::sync::{OwnedGuard, deadline_in, lock, lock_briefly, wait_timeout};
use crate::{Error, ErrorKind, Partial};

/// Hands each record to one of several handlers, by its severity, its target or a field: log4j2's `Routing`, logback's
/// `SiftingAppender`.
///
/// The handlers are given beforehand ([`with`](Self::with)), or made when the first record comes for one.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`with`](Self::with) | none | the handler for one case |
/// | [`make`](Self::make) | none | makes the handlers for all other cases |
/// | [`otherwise`](Self::otherwise) | none | takes records for which there is no other, or which lack the field |
/// | [`default_name`](Self::default_name) | `unknown` | what the handler for records without the field is called |
/// | [`limit`](Self::limit) | 64 | how many made handlers there are at once |
/// | [`idle`](Self::idle) | 10 min | a made handler that had no record for so long is closed |
/// | [`level`](Self::level) | `TRACE` | which records made handlers are for |
/// | [`spans`](Self::spans) | `INFO` | which spans are captured for made handlers, and for the field |
/// | [`clock`](Self::clock) | the system's | what idleness and back-off are measured by |
/// | [`name`](Self::name) | `route` | how reports and troubles call it |
///
/// **Names are safe.** What makes the handlers is given the value as [`safe_name`]: it can be used in a path, whatever the value is,
/// and two values never meet in one file.
///
/// **Made handlers** are closed when they are idle, which is looked for when records come and on [`flush`](Handler::flush), and
/// when the limit is reached, the one used least recently first. One that is closed is flushed, for up to 5 s, before it is dropped;
/// its reports are added up in one that is called `closed`. One that is being used is closed later. A handler that cannot be made is
/// told to [`selflog`](crate::selflog), its records fail, and it is tried again after 1 s, 2 s, 4 s … up to a minute.
///
/// Records of one handler keep their order; behind a [`Queue`](super::Queue) those of a batch are handed on in a batch for each
/// handler. A record for which there is none is dropped as [`Filtered`](DropReason::Filtered). Made handlers get no
/// [span events](Handler::span_events).
///
/// ```
/// use tracing_handlers::handler::{Handler, Route};
/// use tracing_handlers::{Output, format::{Text, Time}, sink::File};
/// use tracing_subscriber::prelude::*;
///
/// let folder = tempfile::tempdir().unwrap();
/// let logs = folder.path().to_owned();
/// let route = Route::by_field("tenant", move |tenant| {
///     Ok(Output::new(Text::new().time(Time::none()).target(false), File::open(logs.join(format!("{tenant}.log")))?))
/// });
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(route));
/// tracing::subscriber::with_default(subscriber, || {
///     let _request = tracing::info_span!("request", tenant = "acme").entered();
///     tracing::info!("sold");
///     tracing::info!(tenant = "../bad", "bought");
/// });
/// let text = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
/// assert_eq!(text("acme.log"), " INFO request{tenant=acme}: sold\n");
/// assert_eq!(text("%2e.%2fbad.log"), " INFO request{tenant=acme}: bought tenant=../bad\n");
/// ```
pub struct Route {
    shared: Arc<Shared>,
}

impl Route {
    /// By the value of this field: the event's own, else that of the innermost span that has one. `make` is given it as
    /// [`safe_name`].
    pub fn by_field<H: Handler>(
        name: impl Into<String>,
        make: impl Fn(&str) -> Result<H, Error> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Key::Field(name.into().into())).make(make)
    }

    /// By the value of this field, to the handlers that are given [`with`](Self::with) their values.
    ///
    /// ```
    /// use tracing_handlers::handler::{Handler, Route};
    /// use tracing_handlers::{Output, RecordBuf, Severity, format::Json, sink::Memory};
    ///
    /// let (sales, rest) = (Memory::new(), Memory::new());
    /// let route = Route::by_value("area")
    ///     .with("sales", Output::new(Json::new(), sales.clone()))
    ///     .otherwise(Output::new(Json::new(), rest.clone()));
    /// route.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").with_field("area", "sales").as_record())?;
    /// route.handle(&RecordBuf::new(Severity::INFO, "shop", "swept").as_record())?;
    /// assert_eq!((sales.lines().len(), rest.lines().len()), (1, 1));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn by_value(name: impl Into<String>) -> Self {
        Self::new(Key::Field(name.into().into()))
    }

    /// By the target, to the handlers that are given [`with`](Self::with) theirs, or [made](Self::make).
    ///
    /// ```
    /// use tracing_handlers::handler::{Handler, Route};
    /// use tracing_handlers::{Output, RecordBuf, Severity, format::Json, sink::Memory};
    ///
    /// let (shop, stock) = (Memory::new(), Memory::new());
    /// let route = Route::by_target()
    ///     .with("shop", Output::new(Json::new(), shop.clone()))
    ///     .with("shop::stock", Output::new(Json::new(), stock.clone()));
    /// ["shop::till", "shop::stock::rack", "shopping"].iter().try_for_each(|target| {
    ///     route.handle(&RecordBuf::new(Severity::INFO, target, "").as_record())
    /// })?;
    /// assert_eq!((shop.lines().len(), stock.lines().len()), (1, 1));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn by_target() -> Self {
        Self::new(Key::Target)
    }

    /// By the severity, to the handlers that are given [`with`](Self::with) the least of theirs, or [made](Self::make) for each
    /// name.
    ///
    /// ```
    /// use tracing::Level;
    /// use tracing_handlers::handler::{Handler, Route};
    /// use tracing_handlers::{Output, RecordBuf, Severity, format::Json, sink::Memory};
    ///
    /// let (all, errors) = (Memory::new(), Memory::new());
    /// let route = Route::by_severity()
    ///     .with(Level::INFO, Output::new(Json::new(), all.clone()))
    ///     .with(Level::ERROR, Output::new(Json::new(), errors.clone()));
    /// for severity in [Severity::DEBUG, Severity::NOTICE, Severity::WARN, Severity::FATAL] {
    ///     route.handle(&RecordBuf::new(severity, "shop", "").as_record())?;
    /// }
    /// assert_eq!((all.lines().len(), errors.lines().len()), (2, 1));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn by_severity() -> Self {
        Self::new(Key::Severity)
    }

    fn new(key: Key) -> Self {
        let shared = Shared {
            key,
            fixed: Vec::new(),
            otherwise: None,
            make: None,
            settings: Settings::default(),
            clock: Box::new(System),
            tally: Tally::default(),
            filtered: AtomicU64::new(0),
            reentrant: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
            registered: AtomicBool::new(false),
            table: Mutex::default(),
            made: Condvar::new(),
            health: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The handler for one case: a severity and all above it up to the next case; a target and the modules inside it, the longest
    /// that fits; or this value of the field, as it is shown.
    ///
    /// By severity a text is the name of one; what is none is told to [`selflog`](crate::selflog), and its handler gets nothing.
    pub fn with(self, case: impl Into<Case>, handler: impl Handler) -> Self {
        let case = case.into();
        self.set(|shared| {
            if matches!(shared.key, Key::Severity) && case.severity().is_none() {
                crate::selflog::tell(&format!("{}: {:?} is no severity", shared.settings.name, case.as_str()));
                return;
            }
            shared.fixed.retain(|(known, _)| *known != case);
            shared.fixed.push((case, Arc::new(handler)));
            let key = &shared.key;
            shared.fixed.sort_by_key(|(case, _)| std::cmp::Reverse(case.rank(key)));
        })
    }

    /// Makes the handlers for the cases that are not given; it gets the value as [`safe_name`].
    pub fn make<H: Handler>(self, make: impl Fn(&str) -> Result<H, Error> + Send + Sync + 'static) -> Self {
        self.set(|shared| shared.make = Some(Box::new(move |name| Ok(Arc::new(make(name)?) as Arc<dyn Handler>))))
    }

    /// Takes the records for which there is no other handler; where handlers are made, those that lack the field.
    pub fn otherwise(self, handler: impl Handler) -> Self {
        self.set(|shared| shared.otherwise = Some(Arc::new(handler)))
    }

    /// What the handler for records without the field, or with an empty one, is made as.
    pub fn default_name(self, name: impl Into<String>) -> Self {
        self.set(|shared| shared.settings.default_name = name.into())
    }

    /// How many made handlers there are at once; those used least recently are closed for others. At least 1.
    pub fn limit(self, handlers: usize) -> Self {
        self.set(|shared| shared.settings.limit = handlers.max(1))
    }

    /// A made handler that had no record for so long is closed.
    pub fn idle(self, time: Duration) -> Self {
        self.set(|shared| shared.settings.idle = time)
    }

    /// Which records made handlers are for: what they are like is not known before.
    pub fn level(self, level: impl Into<Threshold>) -> Self {
        self.set(|shared| shared.settings.level = level.into())
    }

    /// The spans that are captured for made handlers, and for the field; what a handler shows of them is its own setting.
    pub fn spans(self, level: impl Into<LevelFilter>) -> Self {
        self.set(|shared| shared.settings.spans = level.into())
    }

    /// What idleness and back-off are measured by.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.set(|shared| shared.clock = Box::new(clock))
    }

    /// How reports and troubles call it.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set(|shared| shared.settings.name = name.into())
    }

    fn set(mut self, set: impl FnOnce(&mut Shared)) -> Self {
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => set(shared),
            // Forks know of it.
            None => crate::selflog::tell("a route that is in use keeps its settings: set them first"),
        }
        self
    }

    /// Before the lock is taken for the first time, and not under it: a fork takes the list of resources first.
    #[inline]
    fn register(&self) {
        if !self.shared.registered.load(Ordering::Acquire) {
            process::register(self.shared.clone());
            self.shared.registered.store(true, Ordering::Release);
        }
    }
}

impl Handler for Route {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let shared = &self.shared;
        let settings = &shared.settings;
        // Which spans made handlers show is not known before, nor in which one the field is.
        let own = match meta.is_span {
            true => (shared.make.is_some() || shared.is_by_field()) && meta.level() <= settings.spans,
            false => shared.make.is_some() && settings.level.allows(meta.severity),
        };
        own || shared.given().any(|handler| handler.enabled(meta))
    }

    fn max_level(&self) -> LevelFilter {
        let shared = &self.shared;
        let made = shared.make.as_ref().map_or(LevelFilter::OFF, |_| shared.settings.level.level());
        let given = shared.given().map(|handler| handler.max_level()).max().unwrap_or(LevelFilter::OFF);
        let needs_spans = shared.make.is_some() || shared.is_by_field();
        match made.max(given) {
            LevelFilter::OFF => LevelFilter::OFF,
            events if needs_spans => events.max(shared.settings.spans),
            events => events,
        }
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.register();
        let shared = &self.shared;
        match shared.choose(record) {
            Chosen::Handler(handler) => shared.tally.one(one(&*handler, record)),
            Chosen::None => Ok(()),
            Chosen::Failed(error) => shared.tally.one(Err(error)),
        }
    }

    /// Each handler gets its records in one batch.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        self.register();
        let shared = &self.shared;
        let mut batch = Batch { parts: PARTS.try_with(Cell::take).unwrap_or_default(), ..Batch::default() };
        let span_events = self.span_events();
        for (place, record) in records.enumerate() {
            batch.count = place + 1;
            if !span_events.takes(record.kind()) {
                continue;
            }
            match shared.choose(&record) {
                Chosen::Handler(handler) => batch.push(handler, place, &record),
                Chosen::None => {}
                Chosen::Failed(error) => batch.failed(&shared.tally, place, error),
            }
            // Those that it holds cannot be closed for others.
            if batch.parts.len() >= shared.settings.limit {
                batch.deliver(&shared.tally);
            }
        }
        batch.deliver(&shared.tally);
        batch.outcome()
    }

    fn span_events(&self) -> SpanEvents {
        self.shared.given().fold(SpanEvents::NONE, |all, handler| all | handler.span_events())
    }

    /// Flushes all there are, then closes those that are idle.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.register();
        let shared = &self.shared;
        if shared.abandoned.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Closed, "a route of the parent process cannot be flushed"));
        }
        let now = shared.clock.now();
        let mut table = lock(&shared.table);
        table.look_for_idle(now, shared.settings.idle);
        let living = table.living();
        drop(table);
        let flushed = worst(shared.given().chain(&living).map(|handler| guarded(|| handler.flush(deadline))));
        drop(living);
        shared.close_marked(deadline);
        flushed
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.register();
        self.shared.report(reports);
    }
}

type Make = dyn Fn(&str) -> Result<Arc<dyn Handler>, Error> + Send + Sync;

struct Settings {
    default_name: String,
    limit: usize,
    idle: Duration,
    level: Threshold,
    spans: LevelFilter,
    name: String,
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
struct Shared {
    key: Key,
    /// The first that fits is meant.
    fixed: Vec<(Case, Arc<dyn Handler>)>,
    otherwise: Option<Arc<dyn Handler>>,
    make: Option<Box<Make>>,
    settings: Settings,
    clock: Box<dyn Clock>,
    tally: Tally,
    filtered: AtomicU64,
    reentrant: AtomicU64,
    abandoned: AtomicBool,
    registered: AtomicBool,
    /// Held to look a handler up, never to call or to make one.
    table: Mutex<Table>,
    /// Those wait here whose handler is being made by another thread.
    made: Condvar,
    health: Mutex<Health>,
}

/// What becomes of a record.
enum Chosen {
    Handler(Arc<dyn Handler>),
    /// It is dropped, and counted.
    None,
    Failed(Error),
}

impl Shared {
    fn given(&self) -> impl Iterator<Item = &Arc<dyn Handler>> {
        self.fixed.iter().map(|(_, handler)| handler).chain(&self.otherwise)
    }

    fn is_by_field(&self) -> bool {
        matches!(self.key, Key::Field(_))
    }

    fn choose(&self, record: &Record<'_>) -> Chosen {
        self.key.text(record, |text| {
            let fixed = self.fixed.iter().find(|(case, _)| case.fits(&self.key, record, text));
            match (fixed, &self.make, &self.otherwise) {
                (Some((_, handler)), ..) => Chosen::Handler(handler.clone()),
                (None, _, Some(otherwise)) if text.is_empty() => Chosen::Handler(otherwise.clone()),
                // Where it is not for them, they pass by.
                (None, Some(make), _) if self.settings.level.allows(record.severity()) => self.made(make, text),
                (None, None, Some(otherwise)) => Chosen::Handler(otherwise.clone()),
                _ => self.drop_as(&self.filtered),
            }
        })
    }

    #[cold]
    fn drop_as(&self, counter: &AtomicU64) -> Chosen {
        counter.fetch_add(1, Ordering::Relaxed);
        Chosen::None
    }

    /// The handler that was made for `text`, or is made now.
    fn made(&self, make: &Make, text: &str) -> Chosen {
        if self.abandoned.load(Ordering::Relaxed) {
            return self.drop_as(&self.reentrant);
        }
        let now = self.clock.now();
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
        let now = self.clock.now();
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
    fn close_marked(&self, deadline: Instant) {
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

    fn report(&self, reports: &mut Vec<Report>) {
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

/// What goes to which handler of a batch.
#[derive(Default)]
struct Batch {
    parts: Parts,
    count: usize,
    missed: Vec<usize>,
    failed: Option<Error>,
}

type Parts = Vec<(Arc<dyn Handler>, Rest)>;

impl Batch {
    fn push(&mut self, handler: Arc<dyn Handler>, place: usize, record: &Record<'_>) {
        if let Some((_, rest)) = self.parts.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &handler)) {
            return rest.push(place, record);
        }
        let mut rest = Rest::new();
        rest.push(place, record);
        self.parts.push((handler, rest));
    }

    fn failed(&mut self, tally: &Tally, place: usize, error: Error) {
        tally.add(0, 1);
        self.missed.push(place);
        self.failed = Some(error);
    }

    fn deliver(&mut self, tally: &Tally) {
        for (handler, rest) in self.parts.drain(..) {
            let handled = tally.batch(rest.records(), guarded(|| handler.handle_batch(rest.records())));
            if let Err(partial) = handled {
                self.missed.extend(partial.missed(rest.len()).map(|at| rest.place(at)));
                self.failed = Some(partial.error);
            }
        }
    }

    fn outcome(mut self) -> Result<(), Partial> {
        // A thread that is ending keeps nothing.
        let _ = PARTS.try_with(|kept| kept.set(std::mem::take(&mut self.parts)));
        self.missed.sort_unstable();
        self.failed.map_or(Ok(()), |error| Err(Partial::scattered(self.count, self.missed, error)))
    }
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

thread_local! {
    /// Empty; kept for reuse.
    static PARTS: Cell<Parts> = const { Cell::new(Vec::new()) };
}

/// Between two tries to make the same handler.
const BACKOFF: Backoff =
    Backoff { initial: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60), jitter: 0.0 };
/// How long a handler may take for its last records.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often one who waits looks whether the process ends.
const LOOK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
