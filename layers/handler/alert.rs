use std::collections::{HashMap, VecDeque};
use std::fmt::{self, Write as _};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::{Handler, Report, Stats};
use crate::clock::Timestamp;
use crate::filter::{Filter, LevelFilter, Place};
use crate::record::{Kind, Meta, Record, RecordBuf, Severity, SpanEvents};
use crate::sync::{Mutex, lock, lock_briefly};
use crate::{Error, ErrorKind, process};

/// Raises an alarm when too many records arrive within a given time: "5 ERRORs within 60 s".
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`name`](Self::name) | `alert` | the name used in alarms and reports |
/// | [`cool_down`](Self::cool_down) | the window | how long no further alarm is raised after an alarm |
/// | [`per`](Self::per) | none | counts separately for each value of a field |
/// | [`keys`](Self::keys) | 1,024 | how many values are remembered at a time |
/// | [`call`](Self::call) | none | a closure to call |
/// | [`to`](Self::to) | none | a handler that receives a record of the alarm |
/// | [`severity`](Self::severity) | `ALERT` | that record's severity |
///
/// The window slides: a record raises the alarm if it is the fifth within the last 60 s. Time is the records' own; a record older
/// than the one before it counts as simultaneous with it. If it is older by more than an hour, and by more than the window and the
/// cool-down together, the clock is taken to have been set back, and counting starts again.
///
/// The record of the alarm is a copy of the last record, with its fields and spans, plus the fields `alert` (the name), `count`,
/// `within` (seconds) and, with [`per`](Self::per), `key`; its message describes the alarm and ends with the last record's message.
///
/// Place it beside the handlers that write, in a tuple for example: it passes on nothing but alarms.
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
/// A record that raises no alarm costs a short lock, and allocates only if its key is new or while the window grows to its full
/// length.
#[must_use = "a handler does nothing until records reach it"]
pub struct Alert {
    filter: Box<dyn Filter>,
    name: String,
    threshold: usize,
    within: Duration,
    cool_down: Duration,
    per: Option<Place>,
    keys: usize,
    severity: Severity,
    call: Option<Box<Call>>,
    to: Option<Box<dyn Handler>>,
    state: Arc<Mutex<AlertState>>,
}

/// An alarm, as passed to [`Alert::call`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Alarm<'a> {
    /// The alert's name.
    pub name: &'a str,
    /// The number of records that raised the alarm.
    pub count: usize,
    /// The length of the window.
    pub within: Duration,
    /// The value that the records share, with [`Alert::per`]; also `None` for records without the field.
    pub key: Option<&'a str>,
    /// The last of the records.
    pub record: Record<'a>,
}

impl Alert {
    /// Creates an alert that raises an alarm when `count` records that pass `filter` arrive within this time. A `count` of 0 is
    /// treated as 1: each record raises an alarm.
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

    /// The name used in alarms and reports.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How long after an alarm no other is raised for the same key; if there are still too many records then, another alarm
    /// follows. With a cool-down of zero every record raises an alarm as long as there are too many.
    pub fn cool_down(mut self, time: Duration) -> Self {
        self.cool_down = time;
        self
    }

    /// Counts separately for each value of this field: 5 errors of the same user. Records without the field are counted together.
    ///
    /// A name means the event's field, or the nearest span's; a [`Part`](crate::record::Part) means exactly that part. Spans at
    /// `INFO` and above are then captured, and more verbose ones if the filter passes events of their level.
    pub fn per(mut self, field: impl Into<Place>) -> Self {
        self.per = Some(field.into());
        self
    }

    /// How many values are remembered at a time, at least 1. To make room for a new value, the one that has been quiet for longest
    /// is forgotten.
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys.max(1);
        self
    }

    /// The severity of the alarm's record.
    pub fn severity(mut self, severity: impl Into<Severity>) -> Self {
        self.severity = severity.into();
        self
    }

    /// Calls `call` for each alarm, on the logging thread or on the thread of the [`Queue`](crate::Queue) in front. `call` may log.
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

    /// Passes a record of each alarm to `handler`: mail, a pager, a separate file.
    pub fn to(mut self, handler: impl Handler) -> Self {
        self.to = Some(Box::new(handler));
        self
    }

    /// Counts the record. Returns its key if it raises an alarm.
    fn count(&self, record: &Record<'_>) -> Option<Option<String>> {
        let mut state = lock_briefly(&self.state);
        state.counts.accepted += 1;
        let mut key = std::mem::take(&mut state.key);
        let has_key = self.write_key(record, &mut key);
        let window = if has_key { state.window(&key, self.keys) } else { &mut state.rest };
        let fires = window.is_full_with(record.time(), self.threshold, self.within, self.cool_down);
        // Only an alarm allocates: it needs the key after the lock is released.
        let alarm = fires.then(|| has_key.then(|| key.clone()));
        state.key = key;
        if alarm.is_none() {
            state.counts.delivered += 1;
        }
        alarm
    }

    fn write_key(&self, record: &Record<'_>, key: &mut String) -> bool {
        let Some(field) = &self.per else { return false };
        let Some(value) = field.value(record) else { return false };
        key.clear();
        // Writing to a String does not fail.
        let _ = write!(key, "{value}");
        true
    }

    /// Called without a lock: the closure and the handler may log to this alert.
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
                (needs_spans && meta.level() <= self.filter.max_level().max(LevelFilter::INFO))
                    || self.filter.needs_span(meta)
            }
            false => self.filter.enabled(meta),
        }
    }

    fn max_level(&self) -> LevelFilter {
        let of_spans = self.filter.span_level();
        match (self.filter.max_level(), &self.per) {
            (LevelFilter::OFF, _) => LevelFilter::OFF,
            (level, Some(_)) => level.max(LevelFilter::INFO).max(of_spans),
            (level, None) => level.max(of_spans),
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
        state.counts.add_handled(u64::from(given.is_ok()), u64::from(given.is_err()));
        given
    }

    /// The handler that receives the alarms.
    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        self.to.iter().try_for_each(|to| visit(&**to))
    }

    /// `accepted`: records that passed the filter; `delivered`: those that were counted and whose alarm, if they raised one, was
    /// delivered.
    fn own_report(&self) -> Option<Report> {
        Some(Report::new(self.name.as_str(), lock(&self.state).stats()))
    }

    /// None: it counts only events, and the handler that receives the alarms gets no span records.
    fn span_events(&self) -> SpanEvents {
        SpanEvents::NONE
    }

    /// Its own counts, then those of its filter, then those of the handler that receives the alarms.
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
        f.debug_struct("Alert")
            .field("name", &self.name)
            .field("threshold", &self.threshold)
            .field("within", &self.within)
            .field("cool_down", &self.cool_down)
            .field("per", &self.per)
            .field("severity", &self.severity)
            .finish_non_exhaustive()
    }
}

type Call = dyn Fn(&Alarm<'_>) + Send + Sync;

#[derive(Default)]
struct AlertState {
    /// The counts, except of pending records.
    counts: Stats,
    /// By key.
    windows: HashMap<Box<str>, Window>,
    /// For the records without a key.
    rest: Window,
    /// Kept for its buffer.
    key: String,
}

impl AlertState {
    fn window(&mut self, key: &str, limit: usize) -> &mut Window {
        if !self.windows.contains_key(key) && self.windows.len() >= limit {
            self.forget_quietest();
        }
        // `entry` would allocate the key each time.
        if !self.windows.contains_key(key) {
            self.windows.insert(key.into(), Window::default());
        }
        match self.windows.get_mut(key) {
            Some(window) => window,
            // Inserted above.
            None => &mut self.rest,
        }
    }

    fn forget_quietest(&mut self) {
        let quietest = self.windows.iter().min_by_key(|(_, window)| window.times.back().copied());
        if let Some(key) = quietest.map(|(key, _)| key.clone()) {
            self.windows.remove(&key);
        }
    }

    /// Pending records are those whose alarm is being handled by the closure or the handler.
    fn stats(&self) -> Stats {
        let Stats { accepted, delivered, failed, .. } = self.counts;
        Stats { pending: accepted - delivered - failed, ..self.counts }
    }
}

/// The times of the last records, at most as many as raise an alarm.
#[derive(Default)]
struct Window {
    times: VecDeque<Timestamp>,
    quiet_until: Option<Timestamp>,
}

impl Window {
    fn is_full_with(&mut self, time: Timestamp, threshold: usize, within: Duration, cool_down: Duration) -> bool {
        let last = self.times.back().copied().unwrap_or(time);
        // A record that is merely late is not this late: the clock was set back.
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

/// Records held back elsewhere may arrive late, but by less than this.
const SET_BACK: Duration = Duration::from_secs(60 * 60);
