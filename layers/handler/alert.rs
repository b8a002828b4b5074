use std::collections::{HashMap, VecDeque};
use std::fmt::{self, Write as _};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Handler, Report, Stats};
use crate::clock::Timestamp;
use crate::filter::{Filter, LevelFilter};
use crate::record::{Kind, Meta, Record, RecordBuf, Severity, SpanEvents};
use crate::sync::{lock, lock_briefly};
use crate::{Error, ErrorKind, process};

/// Gives the alarm when too many records come in too short a time: "5 ERRORs within 60 s".
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`name`](Self::name) | `alert` | what the alarm and reports call it |
/// | [`cool_down`](Self::cool_down) | the window | how long it is quiet after an alarm |
/// | [`per`](Self::per) | none | counts by the value of a field, each for itself |
/// | [`keys`](Self::keys) | 1,024 | values that are remembered at a time |
/// | [`call`](Self::call) | none | a closure that is called |
/// | [`to`](Self::to) | none | a handler that gets a record of the alarm |
/// | [`severity`](Self::severity) | `ALERT` | that record's severity |
///
/// The window slides: the alarm is given by the record that is the fifth in the 60 s before it. Time is that of the records;
/// one that is older than the one before it counts as of the same time. Where it is older by more than an hour, and
/// than the window and the cool-down together, the clock was set back, and counting begins anew.
///
/// The record of the alarm is the last record with its fields and spans, with the fields `alert` (the name), `count`,
/// `within` (seconds) and, with [`per`](Self::per), `key`; its message tells of the alarm and ends with that of the last record.
///
/// It stands beside the handlers that write.
///
/// ```
/// use std::time::Duration;
/// use tracing::Level;
/// use tracing_handlers::{handler::Alert, testing::Captured};
/// use tracing_subscriber::prelude::*;
///
/// let captured = Captured::new();
/// let alert = Alert::new(Level::ERROR, 3, Duration::from_secs(60)).name("shop").to(captured.clone());
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(alert));
/// tracing::subscriber::with_default(subscriber, || {
///     (0..5).for_each(|till| tracing::error!(till, "jammed"));
/// });
/// assert_eq!(captured.messages(), ["shop: 3 records within 60 s, the last: jammed"]);
/// ```
///
/// A record without an alarm costs a short lock, and allocates only where its key is new or the window grows to its full length.
pub struct Alert {
    filter: Box<dyn Filter>,
    name: String,
    threshold: usize,
    within: Duration,
    cool_down: Duration,
    per: Option<String>,
    keys: usize,
    severity: Severity,
    call: Option<Box<Call>>,
    to: Option<Box<dyn Handler>>,
    state: Arc<Mutex<State>>,
}

/// An alarm, as it is given: see [`Alert::call`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Alarm<'a> {
    /// The alert's name.
    pub name: &'a str,
    /// How many records it took.
    pub count: usize,
    /// In how short a time.
    pub within: Duration,
    /// The value that they share, with [`Alert::per`]; `None` too for records that do not have the field.
    pub key: Option<&'a str>,
    /// The last of them.
    pub record: Record<'a>,
}

impl Alert {
    /// An alarm when `count` records that pass `filter` come within this time. A count of 0 counts as 1: each record.
    pub fn new(filter: impl Filter, count: usize, within: Duration) -> Self {
        let state = Arc::default();
        process::hold_at_forks(&state);
        Self {
            filter: Box::new(filter),
            name: "alert".into(),
            threshold: count.max(1),
            within,
            cool_down: within,
            per: None,
            keys: 1_024,
            severity: Severity::ALERT,
            call: None,
            to: None,
            state,
        }
    }

    /// What the alarm and reports call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How long no other alarm is given, for the same key; if it goes on then, there is another one. With none at all, every
    /// record gives one as long as there are too many.
    pub fn cool_down(mut self, time: Duration) -> Self {
        self.cool_down = time;
        self
    }

    /// Counts by the value of this field, of the record or else of the innermost of its spans that has it: 5 errors of the
    /// same user. Records without it are counted together.
    ///
    /// Spans are then wanted from INFO up.
    pub fn per(mut self, field: impl Into<String>) -> Self {
        self.per = Some(field.into());
        self
    }

    /// How many values are remembered at a time, at least 1. For another one the one that has been quiet for longest is forgotten.
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys.max(1);
        self
    }

    /// The severity of the alarm's record.
    pub fn severity(mut self, severity: impl Into<Severity>) -> Self {
        self.severity = severity.into();
        self
    }

    /// Calls `call` on the thread that logs, or on that of the [`Queue`](crate::Queue) that this is in. It may log.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use tracing_handlers::handler::{Alert, Handler};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let (sender, pager) = mpsc::channel();
    /// let alert = Alert::new(Severity::ERROR, 2, Duration::from_secs(60)).per("user").call(move |alarm| {
    ///     let _ = sender.send(format!("{} errors of {:?}", alarm.count, alarm.key));
    /// });
    /// for user in ["ada", "bob", "ada"] {
    ///     alert.handle(&RecordBuf::new(Severity::ERROR, "shop", "refused").with_field("user", user).as_record())?;
    /// }
    /// assert_eq!(pager.try_iter().collect::<Vec<_>>(), ["2 errors of Some(\"ada\")"]);
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn call(mut self, call: impl Fn(&Alarm<'_>) + Send + Sync + 'static) -> Self {
        self.call = Some(Box::new(call));
        self
    }

    /// Hands a record of the alarm to `handler`: mail, a pager, a file of its own.
    pub fn to(mut self, handler: impl Handler) -> Self {
        self.to = Some(Box::new(handler));
        self
    }

    /// Counts the record; tells its key where this is the one too many.
    fn count(&self, record: &Record<'_>) -> Option<Option<String>> {
        let mut state = lock_briefly(&self.state);
        state.accepted += 1;
        let mut key = std::mem::take(&mut state.key);
        let has_key = self.write_key(record, &mut key);
        let window = if has_key { state.window(&key, self.keys) } else { &mut state.rest };
        let fires = window.is_full_with(record.time(), self.threshold, self.within, self.cool_down);
        // Only an alarm allocates: it needs the key beyond the lock.
        let alarm = fires.then(|| has_key.then(|| key.clone()));
        state.key = key;
        if alarm.is_none() {
            state.delivered += 1;
        }
        alarm
    }

    fn write_key(&self, record: &Record<'_>, key: &mut String) -> bool {
        let Some(field) = &self.per else { return false };
        let of_span = || record.spans().filter_map(|span| span.field(field)).last();
        let Some(value) = record.field(field).or_else(of_span) else { return false };
        key.clear();
        // Writing to a String does not fail.
        let _ = write!(key, "{value}");
        true
    }

    /// Without a lock: the closure and the handler may come back here.
    fn give(&self, alarm: &Alarm<'_>) -> Result<(), Error> {
        let panicked = |_| Err(Error::new(ErrorKind::Panic, format!("{}: the alarm panicked", self.name)));
        let called = match &self.call {
            Some(call) => catch_unwind(AssertUnwindSafe(|| {
                call(alarm);
                Ok(())
            }))
            .unwrap_or_else(panicked),
            None => Ok(()),
        };
        let handled = match &self.to {
            Some(to) => {
                let record = self.record(alarm);
                catch_unwind(AssertUnwindSafe(|| to.handle(&record.as_record()))).unwrap_or_else(panicked)
            }
            None => Ok(()),
        };
        called.and(handled)
    }

    fn record(&self, alarm: &Alarm<'_>) -> RecordBuf {
        let Alarm { name, count, within, key, record } = alarm;
        let mut buf = RecordBuf::from(record);
        // The last record may be a notice of lost ones. The alarm is not.
        buf.set_kind(Kind::Event);
        let of = key.map_or(String::new(), |key| format!(" of {key}"));
        let seconds = within.as_secs_f64();
        let text = format!("{name}: {count} records{of} within {seconds} s, the last: {}", record.message());
        buf.set_message(&text);
        buf.set_severity(self.severity);
        buf.push_field("alert", (*name).into());
        buf.push_field("count", (*count).into());
        buf.push_field("within", seconds.into());
        if let Some(key) = key {
            buf.push_field("key", (*key).into());
        }
        buf
    }
}

impl Handler for Alert {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        match meta.is_span {
            true => {
                let needs_spans = self.per.is_some() && self.filter.max_level() != LevelFilter::OFF;
                needs_spans && meta.severity >= Severity::INFO
            }
            false => self.filter.enabled(meta),
        }
    }

    fn max_level(&self) -> LevelFilter {
        match (self.filter.max_level(), &self.per) {
            (LevelFilter::OFF, _) => LevelFilter::OFF,
            (level, Some(_)) => level.max(LevelFilter::INFO),
            (level, None) => level,
        }
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if record.kind().is_of_span() || !self.filter.passes(record) {
            return Ok(());
        }
        let Some(key) = self.count(record) else { return Ok(()) };
        let given = self.give(&Alarm {
            name: &self.name,
            count: self.threshold,
            within: self.within,
            key: key.as_deref(),
            record: *record,
        });
        let mut state = lock(&self.state);
        match given {
            Ok(()) => state.delivered += 1,
            Err(_) => state.failed += 1,
        }
        given
    }

    /// The handler of the alarms.
    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        self.to.iter().try_for_each(|to| visit(&**to))
    }

    /// `accepted`: records that passed the filter; `delivered`: those that were counted, and whose alarm, if they gave one,
    /// went through.
    fn own_report(&self) -> Option<Report> {
        Some(Report::new(self.name.as_str(), lock(&self.state).stats()))
    }

    /// It wants none for itself, and the handler of the alarms receives no records of spans.
    fn span_events(&self) -> SpanEvents {
        SpanEvents::NONE
    }

    /// Its own counts, then those of its filter, then those of the handler of the alarms.
    fn report(&self, reports: &mut Vec<Report>) {
        reports.extend(self.own_report());
        self.filter.report(reports);
        if let Some(to) = &self.to {
            to.report(reports);
        }
    }
}

impl fmt::Debug for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alert").field("name", &self.name).finish_non_exhaustive()
    }
}

type Call = dyn Fn(&Alarm<'_>) + Send + Sync;

#[derive(Default)]
struct State {
    accepted: u64,
    delivered: u64,
    failed: u64,
    /// By key.
    windows: HashMap<Box<str>, Window>,
    /// Of the records without one.
    rest: Window,
    /// Kept for its buffer.
    key: String,
}

impl State {
    fn window(&mut self, key: &str, limit: usize) -> &mut Window {
        if !self.windows.contains_key(key) && self.windows.len() >= limit {
            self.forget_quietest();
        }
        // Not by `entry`, which would allocate the key each time.
        if !self.windows.contains_key(key) {
            self.windows.insert(key.into(), Window::default());
        }
        match self.windows.get_mut(key) {
            Some(window) => window,
            // It was put there just now.
            None => &mut self.rest,
        }
    }

    fn forget_quietest(&mut self) {
        let quietest = self.windows.iter().min_by_key(|(_, window)| window.times.back().copied());
        if let Some(key) = quietest.map(|(key, _)| key.clone()) {
            self.windows.remove(&key);
        }
    }

    /// What is neither delivered nor failed is with the closure or the handler.
    fn stats(&self) -> Stats {
        let &Self { accepted, delivered, failed, .. } = self;
        Stats { accepted, delivered, failed, pending: accepted - delivered - failed, ..Stats::default() }
    }
}

/// The times of the last records, as many as are too many.
#[derive(Default)]
struct Window {
    times: VecDeque<Timestamp>,
    quiet_until: Option<Timestamp>,
}

impl Window {
    fn is_full_with(&mut self, time: Timestamp, threshold: usize, within: Duration, cool_down: Duration) -> bool {
        let last = self.times.back().copied().unwrap_or(time);
        // Only late, it would not be as late as that.
        if last.since(time) > within.saturating_add(cool_down).max(SET_BACK) {
            self.times.clear();
            self.quiet_until = None;
        }
        let time = self.times.back().map_or(time, |last| time.max(*last));
        while self.times.len() >= threshold {
            self.times.pop_front();
        }
        self.times.push_back(time);
        let is_full = self.times.len() == threshold
            && self.times.front().is_some_and(|first| first.saturating_add(within) > time || threshold == 1);
        if !is_full || self.quiet_until.is_some_and(|until| time < until) {
            return false;
        }
        self.quiet_until = Some(time.saturating_add(cool_down));
        true
    }
}

/// Records that were kept somewhere may come late by much of this.
const SET_BACK: Duration = Duration::from_secs(60 * 60);
