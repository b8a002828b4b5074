use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{Handler, Report, Stats};
use crate::filter::{AnyLevel, LevelFilter, Threshold};
use crate::record::{Meta, Record, Severity};
use crate::stats::Exposition;
use crate::sync::{Mutex, lock, lock_briefly};
use crate::{Error, process};

/// Counts records by target and severity, like log4j2's and Micrometer's counters of log events.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`level`](Self::level) | `TRACE` | records at this level and more important ones |
/// | [`max_targets`](Self::max_targets) | 256 | how many targets are counted separately; the rest are counted as `other` |
///
/// Place it beside the handlers that write, in a tuple for example. Clones share their counts.
///
/// ```
/// use tracing_handlers::{Severity, handler::Counts};
/// use tracing_subscriber::prelude::*;
///
/// let counts = Counts::new();
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(counts.clone()));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(target: "shop", "sold");
///     tracing::info!(target: "shop", "sold");
///     tracing::error!(target: "shop::till", "jammed");
/// });
/// assert_eq!(counts.of("shop", Severity::INFO), 2);
/// assert_eq!(counts.snapshot().len(), 2);
/// assert!(counts.prometheus().ends_with("log_records_total{target=\"shop::till\",severity=\"ERROR\"} 1\n"));
/// ```
///
/// Counting an event enables its callsite, even if no other handler wants it: without a [`level`](Self::level) that includes every
/// `trace!`. Only the first record of a target allocates; each record costs a short lock and a table lookup.
#[must_use = "a handler does nothing until records reach it"]
#[derive(Clone)]
pub struct Counts {
    level: AnyLevel,
    shared: Arc<Mutex<CountTable>>,
}

/// The number of records of one target and severity: see [`Counts::snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// The target, or `other`.
    pub target: String,
    /// The severity. Severities with the same number are counted together.
    pub severity: Severity,
    /// The number of records since the start.
    pub records: u64,
}

impl Counts {
    /// Creates counts that are all zero.
    pub fn new() -> Self {
        let state = CountTable { limit: 256, targets: HashMap::new(), other: [0; SEVERITIES] };
        let shared = Arc::new(Mutex::new(state));
        process::hold_at_forks(&shared);
        Self { level: Threshold::ALL.into(), shared }
    }

    /// Counts records at this level and more important ones.
    ///
    /// ```
    /// use tracing::Level;
    /// use tracing_handlers::handler::{Counts, Handler};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let counts = Counts::new().level(Level::WARN);
    /// for severity in [Severity::INFO, Severity::WARN, Severity::ERROR] {
    ///     counts.handle(&RecordBuf::new(severity, "shop", "").as_record())?;
    /// }
    /// assert_eq!((counts.of("shop", Severity::INFO), counts.of("shop", Severity::ERROR)), (0, 1));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn level(mut self, level: impl Into<AnyLevel>) -> Self {
        self.level = level.into();
        self
    }

    /// How many targets are counted separately: those that are seen first. Later ones are counted together as `other`, and so is a
    /// target of that name.
    pub fn max_targets(self, targets: usize) -> Self {
        lock(&self.shared).limit = targets;
        self
    }

    /// Returns all counts that are not 0, sorted by target, with `other` last, then by severity.
    pub fn snapshot(&self) -> Vec<Count> {
        let state = lock(&self.shared);
        let mut targets: Vec<_> = state.targets.iter().map(|(target, counts)| (&**target, counts)).collect();
        targets.sort_unstable_by_key(|(target, _)| *target);
        targets.push((OTHER, &state.other));
        targets.into_iter().flat_map(|(target, counts)| counts_of(target, counts)).collect()
    }

    /// Returns the number of records of exactly this target, and of a severity with this number: `FATAL` and `EMERGENCY` are
    /// counted together.
    pub fn of(&self, target: &str, severity: Severity) -> u64 {
        let state = lock(&self.shared);
        let counts = if target == OTHER { Some(&state.other) } else { state.targets.get(target) };
        counts.map_or(0, |counts| counts[index(severity)])
    }

    /// Returns the counts in Prometheus's text format: the counter `log_records_total` with the labels `target` and `severity`.
    pub fn prometheus(&self) -> String {
        let mut text = Exposition::default();
        text.family("log_records_total", "counter", "Records logged, by target and severity.");
        for Count { target, severity, records } in self.snapshot() {
            text.sample("log_records_total", &[("target", &target), ("severity", &severity.to_string())], records);
        }
        text.0
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self::new()
    }
}

impl Handler for Counts {
    /// Spans are not counted.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        !meta.is_span && self.level.may_allow(meta.severity)
    }

    fn max_level(&self) -> LevelFilter {
        self.level.max_level()
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if !record.kind().is_of_span() && self.level.allows(record) {
            lock_briefly(&self.shared).count(record.target(), record.severity());
        }
        Ok(())
    }

    fn own_report(&self) -> Option<Report> {
        let counted = lock(&self.shared).total();
        Some(Report::new("counts", Stats { accepted: counted, delivered: counted, ..Stats::default() }))
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.snapshot()).finish()
    }
}

struct CountTable {
    limit: usize,
    targets: HashMap<Box<str>, [u64; SEVERITIES]>,
    other: [u64; SEVERITIES],
}

impl CountTable {
    fn count(&mut self, target: &str, severity: Severity) {
        if let Some(counts) = self.targets.get_mut(target) {
            counts[index(severity)] += 1;
            return;
        }
        let counts = match self.targets.len() >= self.limit || target == OTHER {
            true => &mut self.other,
            false => self.targets.entry(target.into()).or_insert([0; SEVERITIES]),
        };
        counts[index(severity)] += 1;
    }

    fn total(&self) -> u64 {
        self.targets.values().chain([&self.other]).flatten().sum()
    }
}

fn counts_of(target: &str, counts: &[u64; SEVERITIES]) -> impl Iterator<Item = Count> {
    let counts = counts.iter().enumerate().filter(|(_, records)| **records > 0);
    counts.map(move |(index, records)| Count {
        target: target.to_owned(),
        severity: severity(index),
        records: *records,
    })
}

/// Severities are numbered from 1 to 24.
fn index(severity: Severity) -> usize {
    usize::from(severity.number() - 1)
}

fn severity(index: usize) -> Severity {
    let named = [Severity::VERBOSE, Severity::NOTICE, Severity::CRITICAL, Severity::ALERT];
    let plain = u8::try_from(index + 1).ok().and_then(Severity::from_number).unwrap_or(Severity::FATAL);
    named.into_iter().find(|named| named.number() == plain.number()).unwrap_or(plain)
}

const SEVERITIES: usize = 24;
const OTHER: &str = "other";
