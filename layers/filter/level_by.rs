use super::literal::Literal;
use super::{Filter, LevelFilter, Place, Threshold};
use crate::record::{Meta, Record, Severity, Value};

/// A threshold that depends on a value: log4j2's `DynamicThresholdFilter`.
///
/// A string as `place` names a field of the event, or else of the innermost span that has it.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::level_by("user").with(42_u64, Level::DEBUG).otherwise(Level::INFO);
/// let passes = |user: u64, severity| {
///     let record = RecordBuf::new(severity, "shop", "").with_span("request", [("user", user.into())]);
///     filter.passes(&record.as_record())
/// };
/// assert!(passes(42, Severity::DEBUG) && !passes(42, Severity::TRACE));
/// assert!(passes(7, Severity::INFO) && !passes(7, Severity::DEBUG));
/// ```
pub fn level_by(place: impl Into<Place>) -> LevelBy {
    LevelBy { place: place.into(), levels: Vec::new(), otherwise: Severity::INFO.into() }
}

/// Thresholds by value. See [`level_by`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`with`](Self::with) | none | the threshold for this value; the first equal one applies |
/// | [`otherwise`](Self::otherwise) | `INFO` | the threshold for other values, and for records without one |
///
/// Callsites are enabled down to the most verbose of these thresholds: a DEBUG event costs as much as a logged one up to the filter,
/// whatever its value.
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct LevelBy {
    place: Place,
    levels: Vec<(Literal, Threshold)>,
    otherwise: Threshold,
}

impl LevelBy {
    /// Sets the threshold for this value. Values compare as those of a [`Place`].
    pub fn with<'v>(mut self, value: impl Into<Value<'v>>, level: impl Into<Threshold>) -> Self {
        self.levels.push((Literal::from(value.into()), level.into()));
        self
    }

    /// Sets the threshold for other values, and for records without one.
    pub fn otherwise(mut self, level: impl Into<Threshold>) -> Self {
        self.otherwise = level.into();
        self
    }

    fn most_verbose(&self) -> Threshold {
        self.levels.iter().fold(self.otherwise, |most, (_, level)| most.or(*level))
    }

    fn level_of(&self, record: &Record<'_>) -> Threshold {
        let Some(value) = self.place.value(record) else { return self.otherwise };
        let known = self.levels.iter().find(|(known, _)| known.equals(value));
        known.map_or(self.otherwise, |(_, level)| *level)
    }
}

impl Filter for LevelBy {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.most_verbose().allows(meta.severity)
    }

    fn max_level(&self) -> LevelFilter {
        self.most_verbose().level()
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        self.level_of(record).allows(record.severity())
    }
}
