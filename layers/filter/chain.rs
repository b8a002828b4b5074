use std::fmt;
use std::str::FromStr;

use super::{Filter, LevelFilter};
use crate::clock::words::keyword;
use crate::record::{Meta, Record};
use crate::stats::{DropReason, Report};
use crate::{Error, ErrorKind};

/// A list of rules, of which the first that accepts or denies decides: log4j2's filters with their `onMatch` and `onMismatch`.
///
/// | setting | if the filter passes the record | if not |
/// |---|---|---|
/// | [`accept`](Self::accept) | accept | next rule |
/// | [`deny`](Self::deny) | deny | next rule |
/// | [`require`](Self::require) | next rule | deny |
/// | [`rule`](Self::rule) | the first verdict | the second verdict |
/// | [`otherwise`](Self::otherwise) | the verdict after the last rule: accept by default | the same |
///
/// If no rule decides, [`otherwise`](Self::otherwise) does: by default the record is accepted, as in log4j2.
///
/// A filter with state (a sampler, a [`rate`](super::rate)) only sees the records that reach its rule.
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
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Default)]
pub struct Chain {
    rules: Vec<Rule>,
    otherwise: Verdict,
}

/// The decision of a rule in a [`Chain`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The record passes, whatever the rules after this one are.
    Accept,
    /// The next rule decides; after the last one, the record passes.
    #[default]
    Neutral,
    /// The record does not pass.
    Deny,
}

/// Writes `accept`, `neutral` or `deny`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Accept => "accept",
            Self::Neutral => "neutral",
            Self::Deny => "deny",
        })
    }
}

/// Parses `accept`, `neutral` or `deny`, in any case.
impl FromStr for Verdict {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match keyword(name).as_str() {
            "accept" => Ok(Self::Accept),
            "neutral" => Ok(Self::Neutral),
            "deny" => Ok(Self::Deny),
            _ => {
                let message = format!("verdict: expected `accept`, `neutral` or `deny`, found `{name}`");
                Err(Error::new(ErrorKind::Config, message))
            }
        }
    }
}

struct Rule {
    filter: Box<dyn Filter>,
    on_match: Verdict,
    on_mismatch: Verdict,
}

impl Chain {
    /// Creates a chain without rules: everything passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a rule: records that pass `filter` get `on_match`, all others `on_mismatch`.
    pub fn rule(mut self, filter: impl Filter, on_match: Verdict, on_mismatch: Verdict) -> Self {
        self.rules.push(Rule { filter: Box::new(filter), on_match, on_mismatch });
        self
    }

    /// Accepts the records that pass `filter`; for all others, the next rule decides.
    pub fn accept(self, filter: impl Filter) -> Self {
        self.rule(filter, Verdict::Accept, Verdict::Neutral)
    }

    /// Denies the records that pass `filter`; for all others, the next rule decides.
    pub fn deny(self, filter: impl Filter) -> Self {
        self.rule(filter, Verdict::Deny, Verdict::Neutral)
    }

    /// Denies the records that do not pass `filter`; for all others, the next rule decides.
    pub fn require(self, filter: impl Filter) -> Self {
        self.rule(filter, Verdict::Neutral, Verdict::Deny)
    }

    /// Sets the verdict on records that no rule decides on.
    pub fn otherwise(mut self, verdict: Verdict) -> Self {
        self.otherwise = verdict;
        self
    }

    /// Whether any path through the rules accepts. `outcomes` returns whether a filter may pass a record, and whether it may not.
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

    /// A filter's level only says that nothing more verbose passes.
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

    fn looks_at_spans(&self) -> bool {
        self.rules.iter().any(|rule| rule.filter.looks_at_spans())
    }

    fn span_level(&self) -> LevelFilter {
        self.rules.iter().map(|rule| rule.filter.span_level()).max().unwrap_or(LevelFilter::OFF)
    }

    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        self.rules.iter().any(|rule| rule.filter.needs_span(meta))
    }

    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        for rule in &self.rules {
            match if rule.filter.passes_in(record)? { rule.on_match } else { rule.on_mismatch } {
                Verdict::Accept => return Some(true),
                Verdict::Neutral => {}
                Verdict::Deny => return Some(false),
            }
        }
        Some(self.otherwise != Verdict::Deny)
    }

    /// The reason of the filter that refused the record, if its rule denied for that.
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
