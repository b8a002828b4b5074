use super::{compiled, words};
use crate::Severity;
use crate::filter::{Filter, LevelFilter, Threshold};
use crate::record::Meta;
use std::fmt;

/// Levels by target, as in the variable `RUST_LOG`: `info,shop=debug,hyper=off`. Tracing-subscriber's `Targets`.
///
/// A directive applies to all targets that begin with its own: `tokio=info` also to `tokio_xmpp`. The longest one applies. A level
/// without a target is for all others; without one, they are off. (The [`Modules`](super::super::Modules) of
/// [`targets`](super::super::targets) compare whole names.)
///
/// # Text
///
/// Directives are separated by commas; blanks around any part are ignored.
///
/// | directive | meaning |
/// |---|---|
/// | `info` | all other targets from INFO up |
/// | `shop=debug` | targets that begin with `shop` from DEBUG up |
/// | `shop` | the same, everything |
/// | `shop=off` | the same, nothing |
///
/// A level is the name of any [`Severity`], in any case, so that `warning`, `notice` and `critical` are levels; `off`; or one of
/// tracing's numbers, 0 (`off`) to 5 (`trace`). For directives by spans and fields see `EnvFilter`.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::Targets;
///
/// let targets = "info, shop=debug, hyper=off".parse::<Targets>()?;
/// let same = Targets::new().with_default(Level::INFO).with_target("shop", Level::DEBUG).without("hyper");
/// assert_eq!(targets, same);
/// assert!(targets.would_enable("shop::stock", Level::DEBUG));
/// assert_eq!(targets.to_string(), "hyper=off,shop=debug,info");
///
/// let error = "shop=loud".parse::<Targets>().unwrap_err().to_string();
/// assert!(error.starts_with("directives: column 6, `loud`: expected a level"), "{error}");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Differences from tracing-subscriber's
///
/// | text | there | here |
/// |---|---|---|
/// | `"info, shop=debug"` | a target that begins with a blank, which never matches | blanks are ignored |
/// | `"info,"` | ERROR for all | INFO |
/// | `"shop="` | `shop=error` (`EnvFilter`: `shop=trace`) | an error |
/// | `"20"`, `"warning"`, `"notice"` | a target of that name, at TRACE | an error; levels |
/// | `"wran"` | a target of that name, at TRACE | the same, and reported to [`selflog`](crate::selflog) |
/// | `"a[b]"`, `"hyper::*"`, `"info debug"` | targets that never match | errors |
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Longest first, and targets of one length in descending order.
    rules: Vec<(String, Threshold)>,
    default: Option<Threshold>,
}

impl Targets {
    /// Creates a filter that passes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes targets that begin with `target` from `level` up, instead of what was set for the same target before.
    pub fn with_target(mut self, target: impl Into<String>, level: impl Into<Threshold>) -> Self {
        self.set(target.into(), level.into());
        self
    }

    /// The same for several targets.
    pub fn with_targets<T, L>(mut self, targets: impl IntoIterator<Item = (T, L)>) -> Self
    where
        T: Into<String>,
        L: Into<Threshold>,
    {
        self.extend(targets);
        self
    }

    /// Passes nothing of targets that begin with `target`.
    pub fn without(self, target: impl Into<String>) -> Self {
        self.with_target(target, Threshold::OFF)
    }

    /// Passes all other targets from `level` up.
    pub fn with_default(mut self, level: impl Into<Threshold>) -> Self {
        self.default = Some(level.into());
        self
    }

    /// Adds `defaults` below these directives: they apply only to targets that none of these applies to. So a program's defaults
    /// never override what its user has asked for, not even if they are longer.
    ///
    /// [`with_target`](Self::with_target) on the other hand overrides.
    ///
    /// ```
    /// use tracing_handlers::filter::Targets;
    ///
    /// let defaults = "info,hyper=warn,shop=info".parse::<Targets>()?;
    /// let over_defaults = |user: Targets| user.or_default(defaults.clone()).to_string();
    /// assert_eq!(over_defaults("shop=debug".parse()?), "hyper=warn,shop=debug,info");
    /// assert_eq!(over_defaults("hyper::client=trace".parse()?), "hyper::client=trace,hyper=warn,shop=info,info");
    /// assert_eq!(over_defaults("trace".parse()?), "trace");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn or_default(mut self, defaults: impl Into<Self>) -> Self {
        if self.default.is_some() {
            return self;
        }
        let Self { mut rules, default } = defaults.into();
        rules.retain(|(target, _)| !self.rules.iter().any(|(own, _)| target.starts_with(own)));
        self.extend(rules);
        self.default = default;
        self
    }

    /// Returns the level of targets that no directive names, if one is set.
    pub fn default_level(&self) -> Option<Threshold> {
        self.default
    }

    /// Iterates over the targets and their levels, longest first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Threshold)> {
        self.rules.iter().map(|(target, level)| (target.as_str(), *level))
    }

    /// Whether an event or a span with this target, and this level or severity, passes.
    pub fn would_enable(&self, target: &str, level: impl Into<Severity>) -> bool {
        self.level_of(target).allows(level.into())
    }

    /// Returns the level of a target.
    pub fn level_of(&self, target: &str) -> Threshold {
        let rule = self.rules.iter().find(|(start, _)| target.starts_with(start));
        rule.map(|(_, level)| *level).or(self.default).unwrap_or(Threshold::OFF)
    }

    fn set(&mut self, target: String, level: Threshold) {
        let order = |known: &(String, Threshold)| (target.len(), &target).cmp(&(known.0.len(), &known.0));
        match self.rules.binary_search_by(order) {
            Ok(known) => self.rules[known].1 = level,
            Err(place) => self.rules.insert(place, (target, level)),
        }
    }

    /// Reports levels that the program was compiled without.
    pub(super) fn tell_of_compiled(&self) {
        self.iter().for_each(|(target, level)| compiled::tell(&format!("{target}={}", words::shown(level)), level));
        self.default.iter().for_each(|level| compiled::tell(&words::shown(*level), *level));
    }
}

/// Writes the directives as they are parsed, longest first, then the default: `shop::stock=debug,shop=info,off`.
///
/// This parses again if no target is empty, or contains commas, equals signs, brackets, quotes, semicolons, asterisks or blanks.
impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.iter().map(|(target, level)| format!("{target}={}", words::shown(level)));
        let default = self.default.iter().map(|level| words::shown(*level));
        f.pad(&rules.chain(default).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Targets").field(&format_args!("{self}")).finish()
    }
}

impl<T: Into<String>, L: Into<Threshold>> Extend<(T, L)> for Targets {
    fn extend<I: IntoIterator<Item = (T, L)>>(&mut self, targets: I) {
        targets.into_iter().for_each(|(target, level)| self.set(target.into(), level.into()));
    }
}

impl<T: Into<String>, L: Into<Threshold>> FromIterator<(T, L)> for Targets {
    fn from_iter<I: IntoIterator<Item = (T, L)>>(targets: I) -> Self {
        Self::new().with_targets(targets)
    }
}

impl<T: Into<String>, L: Into<Threshold>, const N: usize> From<[(T, L); N]> for Targets {
    fn from(targets: [(T, L); N]) -> Self {
        targets.into_iter().collect()
    }
}

impl Filter for Targets {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.level_of(meta.target).allows(meta.severity)
    }

    fn max_level(&self) -> LevelFilter {
        let levels = self.rules.iter().map(|(_, level)| *level).chain(self.default);
        levels.fold(Threshold::OFF, Threshold::or).level()
    }

    fn per_record(&self) -> bool {
        false
    }
}
