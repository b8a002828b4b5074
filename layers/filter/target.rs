use super::{Filter, LevelFilter, Threshold};
use crate::record::Meta;

/// Passes records of these targets and of the modules inside them: `shop` passes `shop` and `shop::stock`, not `shopping`.
/// Add a level to one with [`Targets::with`], take one out with [`Targets::without`].
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::targets(["shop"]).with("shop::stock", Level::WARN).without("shop::secret");
/// let passes = |severity, target| filter.passes(&RecordBuf::new(severity, target, "").as_record());
/// assert!(passes(Severity::DEBUG, "shop::till"));
/// assert!(!passes(Severity::DEBUG, "shop::stock") && passes(Severity::WARN, "shop::stock::rack"));
/// assert!(!passes(Severity::ERROR, "shop::secret") && !passes(Severity::ERROR, "hyper"));
/// ```
pub fn targets<T: Into<String>>(targets: impl IntoIterator<Item = T>) -> Targets {
    targets.into_iter().fold(Targets::default(), |all, target| all.with(target, Threshold::ALL))
}

/// Levels by target; the longest target that fits decides. See [`targets`].
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Longest first, so that the first that fits is the closest.
    rules: Vec<(String, Threshold)>,
    otherwise: Option<Threshold>,
}

impl Targets {
    /// This target, and the modules inside it, from `level` up: a tracing level, or a [`Severity`](crate::Severity) (`notice` and
    /// above).
    pub fn with(mut self, target: impl Into<String>, level: impl Into<Threshold>) -> Self {
        let target = target.into();
        self.rules.retain(|(known, _)| *known != target);
        self.rules.push((target, level.into()));
        self.rules.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        self
    }

    /// Nothing of this target.
    pub fn without(self, target: impl Into<String>) -> Self {
        self.with(target, Threshold::OFF)
    }

    /// All other targets from `level` up. By default nothing.
    pub fn otherwise(mut self, level: impl Into<Threshold>) -> Self {
        self.otherwise = Some(level.into());
        self
    }

    fn level_of(&self, target: &str) -> Threshold {
        let rule = self.rules.iter().find(|(rule, _)| is_inside(target, rule));
        rule.map(|(_, level)| *level).or(self.otherwise).unwrap_or(Threshold::OFF)
    }
}

impl Filter for Targets {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.level_of(meta.target).allows(meta.severity)
    }

    fn max_level(&self) -> LevelFilter {
        let levels = self.rules.iter().map(|(_, level)| *level).chain(self.otherwise);
        levels.fold(Threshold::OFF, Threshold::or).level()
    }

    fn per_record(&self) -> bool {
        false
    }
}

/// Whether `target` is that module or one inside it.
pub(crate) fn is_inside(target: &str, module: &str) -> bool {
    match target.strip_prefix(module) {
        Some(rest) => rest.is_empty() || rest.starts_with("::") || module.is_empty(),
        None => false,
    }
}
