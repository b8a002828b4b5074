use std::fmt;
use std::str::FromStr;

use super::{Filter, LevelFilter, Threshold};
use crate::record::Meta;
use crate::{Error, ErrorKind};

/// Passes records of these targets and of the modules inside them: `shop` passes `shop` and `shop::stock`, not `shopping`.
/// As for [`name`](super::name), `.` and `::` are equivalent separators.
/// [`Modules::with`] sets the level of a target, [`Modules::without`] excludes it.
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
pub fn targets<T: Into<String>>(targets: impl IntoIterator<Item = T>) -> Modules {
    targets.into_iter().fold(Modules::default(), |all, target| all.with(target, Threshold::ALL))
}

/// Levels by target; the deepest match applies. See [`targets`].
///
/// The textual form is that of [`Targets`](super::Targets), which compare the beginnings of targets instead: `target=level`, separated by commas. A level without a target is
/// for [all others](Self::otherwise), a target without a level passes everything. Levels are [`Threshold`]s.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::Severity;
/// use tracing_handlers::filter::{self, Modules};
///
/// let targets = "info, shop::stock=notice, hyper=off".parse::<Modules>()?;
/// let same = filter::targets([""; 0]).otherwise(Level::INFO).with("shop::stock", Severity::NOTICE).without("hyper");
/// assert_eq!(targets, same);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// Deepest first, then longest, so that the first match is the closest.
    rules: Vec<(String, Threshold)>,
    otherwise: Option<Threshold>,
}

impl Modules {
    /// Passes this target and the modules inside it from `level` up.
    pub fn with(mut self, target: impl Into<String>, level: impl Into<Threshold>) -> Self {
        let target = target.into();
        self.rules.retain(|(known, _)| !is_same_module(known, &target));
        self.rules.push((target, level.into()));
        self.rules.sort_by_key(|(target, _)| std::cmp::Reverse((depth(target), target.len())));
        self
    }

    /// Passes nothing of this target and the modules inside it.
    pub fn without(self, target: impl Into<String>) -> Self {
        self.with(target, Threshold::OFF)
    }

    /// Passes all other targets from `level` up (default: none).
    pub fn otherwise(mut self, level: impl Into<Threshold>) -> Self {
        self.otherwise = Some(level.into());
        self
    }

    fn level_of(&self, target: &str) -> Threshold {
        let rule = self.rules.iter().find(|(rule, _)| is_inside(target, rule));
        rule.map(|(_, level)| *level).or(self.otherwise).unwrap_or(Threshold::OFF)
    }
}

/// Writes the level of all other targets, if there is one, then those of the targets, deepest first: `INFO,shop::stock=INFO2`.
///
/// This parses again unless a target contains a comma or an equals sign, or has spaces at its ends.
impl fmt::Display for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let otherwise = self.otherwise.iter().map(|level| level.to_string());
        let rules = self.rules.iter().map(|(target, level)| format!("{target}={level}"));
        f.pad(&otherwise.chain(rules).collect::<Vec<_>>().join(","))
    }
}

/// Parses levels by target; an empty text passes nothing. If a target occurs twice, the last one applies.
impl FromStr for Modules {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(str::trim).try_fold(Self::default(), Self::with_part)
    }
}

impl Modules {
    fn with_part(self, part: &str) -> Result<Self, Error> {
        if part.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "targets: expected `target=level`, a target or a level, found nothing",
            ));
        }
        match part.split_once('=') {
            Some((target, level)) => {
                let level = level.trim().parse::<Threshold>();
                let named = || format!("the level of the target `{}`", target.trim());
                Ok(self.with(
                    target.trim(),
                    level.map_err(|error| Error::new(ErrorKind::Config, named()).with_source(error))?,
                ))
            }
            None => Ok(match part.parse::<Threshold>() {
                Ok(level) => self.otherwise(level),
                Err(_) => self.with(part, Threshold::ALL),
            }),
        }
    }
}

impl Filter for Modules {
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

/// Whether `target` is this module or one inside it. `::` and `.` are equivalent separators; everything is inside the empty module.
pub(crate) fn is_inside(target: &str, module: &str) -> bool {
    let (mut target, mut module) = (target.as_bytes(), module.as_bytes());
    let everything = module.is_empty();
    loop {
        let (separator, other) = (separator(target), self::separator(module));
        match (target, module) {
            (_, []) => return everything || target.is_empty() || separator > 0,
            (_, _) if separator > 0 && other > 0 => (target, module) = (&target[separator..], &module[other..]),
            ([one, ..], [same, ..]) if one == same && separator == other => {
                (target, module) = (&target[1..], &module[1..])
            }
            _ => return false,
        }
    }
}

/// The length of the separator that the text begins with: 0 if there is none.
fn separator(text: &[u8]) -> usize {
    match text {
        [b'.', ..] => 1,
        [b':', b':', ..] => 2,
        _ => 0,
    }
}

/// Whether both are names of the same module.
pub(crate) fn is_same_module(one: &str, other: &str) -> bool {
    parts(one).eq(parts(other))
}

/// The number of names in the path of a module: the higher of two modules that contain a target has fewer.
pub(crate) fn depth(module: &str) -> usize {
    if module.is_empty() { 0 } else { parts(module).count() }
}

fn parts(module: &str) -> impl Iterator<Item = &str> {
    module.split("::").flat_map(|part| part.split('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Severity;

    proptest! {
        #[test]
        fn a_module_is_inside_another_if_its_path_begins_with_the_path_of_that(
            target in "([ab]|::|[.:]){0,6}",
            module in "([ab]|::|[.:]){0,4}",
        ) {
            let mut names = parts(&target);
            let expected = module.is_empty() || parts(&module).all(|name| names.next() == Some(name));
            prop_assert_eq!(is_inside(&target, &module), expected);
        }

        #[test]
        fn targets_that_are_displayed_parse_again(
            otherwise in proptest::option::of(0..=24_u8),
            rules in proptest::collection::vec(("(|[a-z]{1,3}(::[a-z]{1,3}){0,2}|info|off)", 0..=24_u8), 0..5),
        ) {
            let level = |number| Severity::from_number(number).map_or(Threshold::OFF, Threshold::from);
            let mut targets = Modules { otherwise: otherwise.map(level), ..Modules::default() };
            for (target, number) in rules {
                targets = targets.with(target, level(number));
            }
            let shown = targets.to_string();
            prop_assert_eq!(shown.parse::<Modules>().ok(), Some(targets), "{}", shown);
        }
    }

    #[test]
    fn dots_and_colons_are_the_same_separator() {
        let filter = targets(["shop"])
            .with("shop.stock", Threshold::OFF)
            .with("a::b::c", Threshold::OFF)
            .with("a.b", Threshold::ALL);
        let passes = |target: &str| filter.level_of(target) == Threshold::ALL;
        assert!(passes("shop.till") && passes("shop::till") && !passes("shopping") && !passes("shop:till"));
        assert!(!passes("shop::stock::rack") && !passes("shop.stock.rack") && passes("shop::stocks"));
        assert!(!passes("a.b.c.d") && passes("a.b.cc") && passes("a::b"));
    }

    #[test]
    fn the_deeper_of_two_rules_applies_however_it_is_written() {
        // As texts, both rules are equally long.
        let filter = targets([""; 0]).with("a::b::c", Threshold::OFF).with("a.b.c.d", Threshold::ALL);
        assert_eq!(filter.level_of("a::b::c::d::e"), Threshold::ALL);
        let filter = targets([""; 0]).with("a::::c", Threshold::OFF).with("a...c", Threshold::ALL);
        assert_eq!(filter.level_of("a...c"), Threshold::ALL);
        let twice = targets(["a.b"]).without("a::b");
        assert_eq!((twice.level_of("a.b"), twice.to_string().as_str()), (Threshold::OFF, "a::b=OFF"));
    }

    #[test]
    fn levels_and_targets_parse_in_any_combination() {
        let parse = |text: &str| text.parse::<Modules>().map(|targets| targets.to_string()).ok();
        assert_eq!(parse(" warn , shop = Debug,audit").as_deref(), Some("WARN,audit=TRACE,shop=DEBUG"));
        assert_eq!(parse("shop=info,shop=off").as_deref(), Some("shop=OFF"));
        assert_eq!(parse("off").as_deref(), Some("OFF"));
        assert_eq!(parse("  ").as_deref(), Some(""));
        assert_eq!(parse("shop=loud"), None);
        assert_eq!(parse("shop=info,"), None);
        assert_eq!(parse("shop="), None);
    }
}
