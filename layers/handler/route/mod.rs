//! Records to handlers by what they say.

mod digest;
mod key;
mod name;
mod shared;
mod sorted;
mod table;

pub use key::Case;
pub use name::safe_name;

use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::key::Key;
use self::shared::{Chosen, Settings, Shared};
use self::sorted::Sorted;
use super::group::{one, worst};
use super::{Handler, Report, Tally, guarded};
use crate::clock::{Clock, System};
use crate::filter::Threshold;
use crate::process::Lifecycle;
use crate::record::{Meta, Record, Records, SpanEvents};
use crate::selflog::Health;
use crate::sync::lock;
use crate::{Error, Partial};

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
/// | [`default_name`](Self::default_name) | `unknown` | the name passed to `make` for records without the field |
/// | [`limit`](Self::limit) | 64 | the most made handlers at a time |
/// | [`idle`](Self::idle) | 10 min | a made handler that had no record for this long is closed |
/// | [`level`](Self::level) | `TRACE` | the records that made handlers are for |
/// | [`spans`](Self::spans) | `INFO` | the spans that are captured for made handlers, and for the field |
/// | [`clock`](Self::clock) | the system's | measures idle time and back-off |
/// | [`name`](Self::name) | `route` | the name used in reports and selflog messages |
///
/// Settings are made before the first record; a later one has no effect, and [`selflog`](crate::selflog) is told.
///
/// **Names are safe.** `make` is given the value as [`safe_name`]: it can be used in a path, whatever the value is,
/// and two different values never lead to the same file.
///
/// **Made handlers** are closed when they are idle, which is checked when records come and on [`flush`](Handler::flush), and
/// when the limit is reached, the one used least recently first. A handler that is closed is flushed, for up to 5 s, before it is
/// dropped; its reports are added to one called `closed`. One that is in use is closed later. If a handler cannot be made,
/// [`selflog`](crate::selflog) is told, its records fail, and another attempt follows after 1 s, 2 s, 4 s … up to a minute.
///
/// Handlers are made, and closed, on the thread whose record is the occasion: put a [`Queue`](super::Queue) in front if that
/// must not wait. Records of one handler keep their order; behind a [`Queue`](super::Queue) those of a batch are handed on in a batch
/// for each handler. A record for which there is no handler is dropped as [`Filtered`](super::DropReason::Filtered). Made handlers
/// receive no [span events](Handler::span_events).
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
    shared: Lifecycle<Shared>,
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
            table: Mutex::default(),
            made: Condvar::new(),
            health: Health::default(),
        };
        Self { shared: Lifecycle::new(shared) }
    }

    /// The handler for one case: a severity and all above it up to the next case; a target and the modules inside it, the longest
    /// that fits; or this value of the field, as it is shown.
    ///
    /// By severity a text is the name of one; what is none is told to [`selflog`](crate::selflog), and its handler gets nothing.
    pub fn with(self, case: impl Into<Case>, handler: impl Handler) -> Self {
        let case = case.into();
        self.set("with", |shared| {
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

    /// Makes the handlers for the cases that are not given; it is passed the value as [`safe_name`].
    pub fn make<H: Handler>(self, make: impl Fn(&str) -> Result<H, Error> + Send + Sync + 'static) -> Self {
        self.set("make", |shared| {
            shared.make = Some(Box::new(move |name| Ok(Arc::new(make(name)?) as Arc<dyn Handler>)))
        })
    }

    /// Takes the records for which there is no other handler; if handlers are made, those that lack the field.
    pub fn otherwise(self, handler: impl Handler) -> Self {
        self.set("otherwise", |shared| shared.otherwise = Some(Arc::new(handler)))
    }

    /// The name passed to `make` for records without the field, or with an empty one.
    pub fn default_name(self, name: impl Into<String>) -> Self {
        self.set("default_name", |shared| shared.settings.default_name = name.into())
    }

    /// The most made handlers at a time; those used least recently are closed for others. At least 1.
    pub fn limit(self, handlers: usize) -> Self {
        self.set("limit", |shared| shared.settings.limit = handlers.max(1))
    }

    /// A made handler that had no record for this long is closed.
    pub fn idle(self, time: Duration) -> Self {
        self.set("idle", |shared| shared.settings.idle = time)
    }

    /// The records that made handlers are for, since what those want is not known in advance.
    pub fn level(self, level: impl Into<Threshold>) -> Self {
        self.set("level", |shared| shared.settings.level = level.into())
    }

    /// The spans that are captured for made handlers, and for the field; what a handler shows of them is its own setting.
    pub fn spans(self, level: impl Into<LevelFilter>) -> Self {
        self.set("spans", |shared| shared.settings.spans = level.into())
    }

    /// Measures idle time and back-off.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.set("clock", |shared| shared.clock = Box::new(clock))
    }

    /// The name used in reports and selflog messages.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |shared| shared.settings.name = name.into())
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shared)) -> Self {
        self.shared.set(setting, set);
        self
    }
}

impl Handler for Route {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let shared = self.shared.start();
        match shared.choose(record) {
            Chosen::Handler(handler) => shared.tally.one(one(&*handler, record)),
            Chosen::None => Ok(()),
            Chosen::Failed(error) => shared.tally.one(Err(error)),
        }
    }

    /// Each handler receives its records in one batch.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let shared = self.shared.start();
        let mut sorted = Sorted::new(records.len());
        let span_events = self.span_events();
        for (place, record) in records.enumerate() {
            if !span_events.takes(record.kind()) {
                continue;
            }
            match shared.choose(&record) {
                Chosen::Handler(handler) => sorted.push(handler, place, &record),
                Chosen::None => {}
                Chosen::Failed(error) => sorted.failed(&shared.tally, place, error),
            }
            // Handlers that are held here cannot be closed for others.
            if sorted.parts.len() >= shared.settings.limit {
                sorted.deliver(&shared.tally);
            }
        }
        sorted.deliver(&shared.tally);
        sorted.outcome()
    }

    /// The handlers that were given, then those that were made, by the texts they were made for.
    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        let (living, _) = self.shared.start().made_so_far();
        self.shared.visit(&living, visit)
    }

    fn own_report(&self) -> Option<Report> {
        Some(self.shared.own_report())
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let shared = &self.shared;
        let settings = &shared.settings;
        // Which spans made handlers show is not known in advance, nor which one has the field.
        let own = match meta.is_span {
            true => {
                let needs_spans = shared.make.is_some() || shared.is_by_field();
                needs_spans && meta.level() <= settings.spans && self.max_level() != LevelFilter::OFF
            }
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

    fn span_events(&self) -> SpanEvents {
        self.shared.given().fold(SpanEvents::NONE, |all, handler| all | handler.span_events())
    }

    /// Flushes all handlers, then closes those that are idle.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        let shared = self.shared.start();
        if shared.is_abandoned() {
            return self.shared.flush(deadline);
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

    /// Its own counts, then those behind it, then the sum of those of closed handlers.
    fn report(&self, reports: &mut Vec<Report>) {
        reports.extend(self.own_report());
        let (living, closed) = self.shared.start().made_so_far();
        self.shared.given().chain(&living).for_each(|handler| handler.report(reports));
        reports.extend(closed.map(|stats| Report::new("closed", stats)));
    }
}

#[cfg(test)]
mod tests;
