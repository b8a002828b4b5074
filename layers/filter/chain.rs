use std::fmt;

use super::{Filter, LevelFilter};
use crate::record::{Meta, Record};
use crate::stats::{DropReason, Report};

/// Rules in a row, the first with a verdict decides: log4j2's filters with their `onMatch` and `onMismatch`.
///
/// | setting | if the filter passes | if not |
/// |---|---|---|
/// | [`accept`](Self::accept) | accept | on to the next rule |
/// | [`deny`](Self::deny) | deny | on to the next rule |
/// | [`require`](Self::require) | on to the next rule | deny |
/// | [`rule`](Self::rule) | the one | the other |
///
/// When no rule has a verdict, [`otherwise`](Self::otherwise) has it: by default accept, as in log4j2.
///
/// A filter with a memory (a sampler, a [`rate`](super::rate)) is only asked about records that come as far as its rule.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::{self, Chain, Filter, Verdict};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let chain = Chain::new()
///     .accept(filter::field("user").eq("ada"))
///     .deny(filter::name("hyper"))
///     .require(Level::INFO);
/// let passes = |severity, target, user| {
///     chain.passes(&RecordBuf::new(severity, target, "").with_field("user", user).as_record())
/// };
/// assert!(passes(Severity::TRACE, "hyper", "ada"));
/// assert!(!passes(Severity::ERROR, "hyper", "mia"));
/// assert!(passes(Severity::INFO, "shop", "mia") && !passes(Severity::DEBUG, "shop", "mia"));
/// ```
#[derive(Default)]
pub struct Chain {
    rules: Vec<Rule>,
    otherwise: Verdict,
}

/// What a rule of a [`Chain`] says of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It passes, whatever the rules behind this one say.
    Accept,
    /// The next rule is asked; after the last one, it passes.
    #[default]
    Neutral,
    /// It does not pass.
    Deny,
}

struct Rule {
    filter: Box<dyn Filter>,
    on_match: Verdict,
    on_mismatch: Verdict,
}

impl Chain {
    /// Without rules: everything passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more rule at the end: what `filter` lets pass gets the one verdict, the rest the other.
    pub fn rule(mut self, filter: impl Filter, on_match: Verdict, on_mismatch: Verdict) -> Self {
        self.rules.push(Rule { filter: Box::new(filter), on_match, on_mismatch });
        self
    }

    /// What `filter` lets pass passes; the rest goes on to the next rule.
    pub fn accept(self, filter: impl Filter) -> Self {
        self.rule(filter, Verdict::Accept, Verdict::Neutral)
    }

    /// What `filter` lets pass does not pass the chain; the rest goes on to the next rule.
    pub fn deny(self, filter: impl Filter) -> Self {
        self.rule(filter, Verdict::Deny, Verdict::Neutral)
    }

    /// What `filter` lets pass goes on to the next rule; the rest does not pass.
    pub fn require(self, filter: impl Filter) -> Self {
        self.rule(filter, Verdict::Neutral, Verdict::Deny)
    }

    /// What becomes of records that no rule has a verdict on.
    pub fn otherwise(mut self, verdict: Verdict) -> Self {
        self.otherwise = verdict;
        self
    }

    /// Whether any way through the rules ends well, where `outcomes` says of a filter whether it may pass a record and
    /// whether it may not.
    fn may_accept(&self, outcomes: impl Fn(&dyn Filter) -> (bool, bool)) -> bool {
        for rule in &self.rules {
            let (may_match, may_mismatch) = outcomes(&*rule.filter);
            let may =
                |verdict| (may_match && rule.on_match == verdict) || (may_mismatch && rule.on_mismatch == verdict);
            if may(Verdict::Accept) {
                return true;
            }
            if !may(Verdict::Neutral) {
                return false;
            }
        }
        self.otherwise != Verdict::Deny
    }
}

impl Filter for Chain {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.may_accept(|filter| {
            let is_enabled = filter.enabled(meta);
            (is_enabled, !is_enabled || filter.per_record())
        })
    }

    /// Of a filter's level it is only known that nothing more verbose passes.
    fn max_level(&self) -> LevelFilter {
        let levels = [LevelFilter::TRACE, LevelFilter::DEBUG, LevelFilter::INFO, LevelFilter::WARN, LevelFilter::ERROR];
        let may_accept = |level: &LevelFilter| self.may_accept(|filter| (*level <= filter.max_level(), true));
        levels.into_iter().find(may_accept).unwrap_or(LevelFilter::OFF)
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        self.refusal(record).is_none()
    }

    fn per_record(&self) -> bool {
        self.rules.iter().any(|rule| rule.filter.per_record())
    }

    /// That of the rule that denied, where it did so because its filter refused the record.
    fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
        for rule in &self.rules {
            let refusal = rule.filter.refusal(record);
            let verdict = if refusal.is_none() { rule.on_match } else { rule.on_mismatch };
            match verdict {
                Verdict::Accept => return None,
                Verdict::Neutral => {}
                Verdict::Deny => return refusal.or(Some(DropReason::Filtered)),
            }
        }
        (self.otherwise == Verdict::Deny).then_some(DropReason::Filtered)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.rules.iter().for_each(|rule| rule.filter.report(reports));
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<_> = self.rules.iter().map(|rule| (rule.on_match, rule.on_mismatch)).collect();
        f.debug_struct("Chain").field("rules", &rules).field("otherwise", &self.otherwise).finish()
    }
}
