//! [`Route`]: records to handlers by their content.

mod core;
mod digest;
mod key;
mod name;
mod order;
mod sorted;
mod table;

pub use key::Case;
pub use name::safe_name;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::core::{Chosen, RouteCore};
use self::key::Key;
use self::sorted::Sorted;
use self::table::Table;
use super::group::{one, worst};
use super::{Handler, Report, Stats, Tally, guarded};
use crate::clock::{Clock, System};
use crate::filter::{AnyLevel, Place, Threshold};
use crate::process::{Lifecycle, Live, Shelf};
use crate::record::{Meta, Record, Records, SpanEvents};
use crate::selflog::Health;
use crate::sync::{Condvar, lock};
use crate::{Error, Partial};

/// Hands each record to one of several handlers, by its severity, its target or a field: log4j2's `Routing`, logback's
/// `SiftingAppender`.
///
/// The handlers are given in advance ([`with`](Self::with)), or made when the first record for one arrives.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`with`](Self::with) | none | the handler for one case |
/// | [`make`](Self::make) | none | makes the handlers for all other cases |
/// | [`otherwise`](Self::otherwise) | none | takes records for which there is no other handler, or which lack the field |
/// | [`default_name`](Self::default_name) | `unknown` | the name passed to `make` for records without the field |
/// | [`limit`](Self::limit) | 64 | the maximum number of made handlers at a time |
/// | [`idle`](Self::idle) | 10 min | a made handler that has had no record for this long is closed |
/// | [`level`](Self::level) | `TRACE` | the records that made handlers are for |
/// | [`spans`](Self::spans) | `INFO`, or the level of events if that is more verbose | the spans that are captured for made handlers, and for the field |
/// | [`clock`](Self::clock) | the system's | the clock that measures idle time and back-off |
/// | [`name`](Self::name) | `route` | the name used in reports and selflog messages |
///
/// Settings must be made before the first record, flush or report; a later change has no effect and is reported to [`selflog`](crate::selflog).
///
/// **Names are safe.** `make` receives the value as a [`safe_name`], which can be used in a path whatever the value is; two
/// different values never lead to the same file.
///
/// **Made handlers** are closed when they are idle, which is checked when records come and on [`flush`](Handler::flush), and
/// when the limit is reached, the one used least recently first. A handler that is closed is flushed, for up to 5 s, before it is
/// dropped; its reports are added to one called `closed`. A handler that is in use is closed later. If a handler cannot be made,
/// that is reported to [`selflog`](crate::selflog), its records fail, and another attempt follows after 1 s, 2 s, 4 s … up to a
/// minute.
///
/// Handlers are made and closed on the thread whose record causes it: put a [`Queue`](super::Queue) in front if that thread must
/// not wait. Records of one handler keep their order; behind a [`Queue`](super::Queue) those of a batch are handed on in a batch
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
#[must_use = "a handler does nothing until records reach it"]
pub struct Route {
    core: Lifecycle<RouteCore>,
}

impl Route {
    /// Routes by the value of this field, to handlers that `make` makes. `make` receives the value as a [`safe_name`].
    ///
    /// A name means the event's field, or the nearest span's; a [`Part`](crate::record::Part) means exactly that part.
    pub fn by_field<H: Handler>(
        field: impl Into<Place>,
        make: impl Fn(&str) -> Result<H, Error> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Key::Place(field.into())).make(make)
    }

    /// Routes by the value of this field, to the handlers that are given for values by [`with`](Self::with). The field is chosen as
    /// in [`by_field`](Self::by_field).
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
    pub fn by_value(field: impl Into<Place>) -> Self {
        Self::new(Key::Place(field.into()))
    }

    /// Routes by the target, to the handlers that are given for targets by [`with`](Self::with), or [made](Self::make).
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

    /// Routes by the severity, to the handlers that are given for minimum severities by [`with`](Self::with), or [made](Self::make)
    /// for each name.
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
        let core = RouteCore {
            key,
            fixed: Vec::new(),
            otherwise: None,
            make: None,
            default_name: "unknown".to_owned(),
            limit: 64,
            idle: Duration::from_secs(600),
            level: Threshold::ALL.into(),
            spans: None,
            clock: Box::new(System),
            tally: Tally::default(),
            filtered: AtomicU64::new(0),
            made: Condvar::new(),
            health: Health::default(),
        };
        Self { core: Lifecycle::new(RouteCore::KIND, core, Table::default()) }
    }

    /// Adds the handler for one case: a severity and all above it up to the next case; a target and the modules inside it, where
    /// the deepest match applies, and `.` and `::` are equivalent separators; or a value of the field, as it is displayed.
    ///
    /// When routing by severity, a text must be the name of a severity; otherwise that is reported to [`selflog`](crate::selflog),
    /// and the handler receives nothing.
    pub fn with(self, case: impl Into<Case>, handler: impl Handler) -> Self {
        let case = case.into();
        if matches!(self.core.key, Key::Severity) && case.severity().is_none() {
            crate::selflog::tell(&format!("{}: {:?} is not a severity", self.core.name, case.as_str()));
            return self;
        }
        self.set("with", |core| {
            let RouteCore { key, fixed, .. } = &mut **core;
            fixed.retain(|(known, _)| !known.is_same(&case, key));
            fixed.push((case, Arc::new(handler)));
            fixed.sort_by_key(|(case, _)| std::cmp::Reverse(case.rank(key)));
        })
    }

    /// Sets the function that makes the handlers for cases that are not given. It receives the value as a [`safe_name`].
    pub fn make<H: Handler>(self, make: impl Fn(&str) -> Result<H, Error> + Send + Sync + 'static) -> Self {
        self.set("make", |core| core.make = Some(Box::new(move |name| Ok(Arc::new(make(name)?) as Arc<dyn Handler>))))
    }

    /// Sets the handler for records for which there is no other; if handlers are made, for those that lack the field.
    pub fn otherwise(self, handler: impl Handler) -> Self {
        self.set("otherwise", |core| core.otherwise = Some(Arc::new(handler)))
    }

    /// The name passed to `make` for records in which the field is missing or empty.
    pub fn default_name(self, name: impl Into<String>) -> Self {
        self.set("default_name", |core| core.default_name = name.into())
    }

    /// The maximum number of made handlers at a time; the least recently used are closed to make room for others. At least 1.
    pub fn limit(self, handlers: usize) -> Self {
        self.set("limit", |core| core.limit = handlers.max(1))
    }

    /// A made handler that has had no record for this long is closed.
    pub fn idle(self, time: Duration) -> Self {
        self.set("idle", |core| core.idle = time)
    }

    /// The records that made handlers are for, since what they want is not known in advance.
    pub fn level(self, level: impl Into<AnyLevel>) -> Self {
        self.set("level", |core| core.level = level.into())
    }

    /// The spans that are captured for made handlers, and for the field; which of them a handler shows is that handler's setting.
    ///
    /// By default those at `INFO`, or at the most verbose level of events that is wanted, by the given handlers or as
    /// [`level`](Self::level) of made ones, if that is more verbose.
    pub fn spans(self, level: impl Into<AnyLevel>) -> Self {
        self.set("spans", |core| core.spans = Some(level.into()))
    }

    /// The clock that measures idle time and back-off.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.set("clock", |core| core.clock = Box::new(clock))
    }

    /// The name used in reports and selflog messages.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |core| core.name = name.into())
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shelf<RouteCore>)) -> Self {
        self.core.set(setting, set);
        self
    }
}

/// Takes no lock.
impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RouteCore { fixed, otherwise, make, limit, idle, level, spans, .. } = &**self.core;
        f.debug_struct("Route")
            .field("name", &self.core.name)
            .field("fixed", &fixed.len())
            .field("otherwise", &otherwise.is_some())
            .field("makes", &make.is_some())
            .field("limit", limit)
            .field("idle", idle)
            .field("level", level)
            .field("spans", spans)
            .finish_non_exhaustive()
    }
}

impl Handler for Route {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let core = self.core.start();
        match core.choose(record) {
            Chosen::Handler(handler) => core.tally.one(one(&*handler, record)),
            Chosen::None => Ok(()),
            Chosen::Failed(error) => core.tally.one(Err(error)),
        }
    }

    /// Each handler receives its records in one batch.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let core = self.core.start();
        let mut sorted = Sorted::new(records.len());
        let span_events = self.span_events();
        for (place, record) in records.enumerate() {
            if !span_events.takes(record.kind()) {
                continue;
            }
            match core.choose(&record) {
                Chosen::Handler(handler) => sorted.push(handler, place, &record),
                Chosen::None => {}
                Chosen::Failed(error) => sorted.failed(&core.tally, place, error),
            }
            // Handlers that are held here cannot be closed to make room for others.
            if sorted.parts.len() >= core.limit {
                sorted.deliver(&core.tally);
            }
        }
        sorted.deliver(&core.tally);
        sorted.outcome()
    }

    /// The given handlers, then the made ones, sorted by the text they were made for.
    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        let (living, _) = self.core.start().made_so_far();
        self.core.given().chain(&living).try_for_each(|handler| visit(&**handler))
    }

    fn own_report(&self) -> Option<Report> {
        self.own_stats().map(|stats| Report::new(self.core.name.as_str(), stats))
    }

    fn own_stats(&self) -> Option<Stats> {
        Some(self.core.own_stats())
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let core = &self.core;
        // Neither the spans that made handlers show nor the span that has the field are known in advance.
        let own = match meta.is_span {
            true => {
                let needs_spans = core.make.is_some() || core.is_by_field();
                needs_spans && meta.level() <= core.span_level() && core.event_level() != LevelFilter::OFF
            }
            false => core.make.is_some() && core.level.may_allow(meta.severity),
        };
        own || core.given().any(|handler| handler.enabled(meta))
    }

    fn max_level(&self) -> LevelFilter {
        let core = &self.core;
        let needs_spans = core.make.is_some() || core.is_by_field();
        match core.event_level() {
            LevelFilter::OFF => LevelFilter::OFF,
            events if needs_spans => events.max(core.span_level()),
            events => events,
        }
    }

    fn span_events(&self) -> SpanEvents {
        self.core.given().fold(SpanEvents::NONE, |all, handler| all | handler.span_events())
    }

    /// Flushes all handlers, then closes those that are idle.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        let core = self.core.start();
        if core.is_abandoned() {
            return self.core.flush(deadline);
        }
        let now = core.now();
        let mut table = lock(&core.state);
        table.look_for_idle(now, core.idle);
        let living = table.living();
        drop(table);
        let flushed = worst(core.given().chain(&living).map(|handler| guarded(|| handler.flush(deadline))));
        drop(living);
        core.close_marked(deadline, usize::MAX);
        flushed
    }

    /// Its own counts, then those of the handlers behind it, then the sum of those of closed handlers.
    fn report(&self, reports: &mut Vec<Report>) {
        reports.extend(self.own_report());
        let (living, closed) = self.core.start().made_so_far();
        self.core.given().chain(&living).for_each(|handler| handler.report(reports));
        reports.extend(closed.map(|stats| Report::new("closed", stats)));
    }
}

#[cfg(test)]
mod tests;
