//! Records to handlers by what they say.

mod batch;
mod digest;
mod key;
mod name;
mod shared;
mod table;

pub use key::Case;
pub use name::safe_name;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::batch::Batch;
use self::key::Key;
use self::shared::{Chosen, Settings, Shared};
use super::group::{one, worst};
use super::{Handler, Report, Tally, guarded};
use crate::clock::{Clock, System};
use crate::filter::Threshold;
use crate::process;
use crate::record::{Meta, Record, Records, SpanEvents};
use crate::sync::lock;
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
/// Handlers are made, and closed, on the thread whose record is the occasion: put a [`Queue`](super::Queue) in front where that
/// must not wait. Records of one handler keep their order; behind a [`Queue`](super::Queue) those of a batch are handed on in a batch for each
/// handler. A record for which there is none is dropped as [`Filtered`](super::DropReason::Filtered). Made handlers get no
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
        let mut batch = Batch::new();
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
        let now = shared.now();
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

#[cfg(test)]
mod tests;
