//! Chains, compared with log4j2's rules written down plainly, over all metadata and values that the filters tell apart.

use proptest::prelude::*;
use tracing::Level;
use tracing_handlers::filter::{self, Chain, Filter, FilterExt, LevelFilter, Verdict};
use tracing_handlers::stats::DropReason;
use tracing_handlers::{RecordBuf, Severity};

/// A filter, and the same as a function of what a record is.
#[derive(Clone, Debug)]
enum Shape {
    Level(u8),
    Target(bool),
    Field(bool),
    By(u8, u8),
    Both(u8, bool),
    Inverted(Box<Shape>),
    Chain(Vec<(Shape, Verdict, Verdict)>, Verdict),
}

/// All that the filters look at.
#[derive(Clone, Copy, Debug)]
struct Facts {
    level: u8,
    target: bool,
    field: bool,
}

const LEVELS: [Level; 5] = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];

impl Facts {
    fn all() -> impl Iterator<Item = Self> {
        (0..20).map(|bits| Self { level: bits / 4, target: bits & 1 != 0, field: bits & 2 != 0 })
    }

    fn record(self) -> RecordBuf {
        let target = if self.target { "yes" } else { "no" };
        RecordBuf::new(Severity::from(LEVELS[self.level as usize]), target, "").with_field("f", self.field)
    }
}

impl Shape {
    fn filter(&self) -> Box<dyn Filter> {
        match self.clone() {
            Self::Level(level) => Box::new(LEVELS[level as usize]),
            Self::Target(wanted) => Box::new(filter::name(if wanted { "yes" } else { "no" })),
            Self::Field(wanted) => Box::new(filter::field("f").eq(wanted)),
            Self::By(yes, otherwise) => {
                Box::new(filter::level_by("f").with(true, LEVELS[yes as usize]).otherwise(LEVELS[otherwise as usize]))
            }
            Self::Both(level, wanted) => Box::new(LEVELS[level as usize].and(filter::field("f").eq(wanted))),
            Self::Inverted(shape) => Box::new(shape.filter().not()),
            Self::Chain(rules, otherwise) => {
                let chain = rules.into_iter().fold(Chain::new(), |chain, (shape, on_match, on_mismatch)| {
                    chain.rule(shape.filter(), on_match, on_mismatch)
                });
                Box::new(chain.otherwise(otherwise))
            }
        }
    }

    fn truth(&self, facts: Facts) -> bool {
        match self {
            Self::Level(level) => facts.level >= *level,
            Self::Target(wanted) => facts.target == *wanted,
            Self::Field(wanted) => facts.field == *wanted,
            Self::By(yes, otherwise) => facts.level >= if facts.field { *yes } else { *otherwise },
            Self::Both(level, wanted) => facts.level >= *level && facts.field == *wanted,
            Self::Inverted(shape) => !shape.truth(facts),
            Self::Chain(rules, otherwise) => {
                let verdicts = rules.iter().map(|(shape, on_match, on_mismatch)| match shape.truth(facts) {
                    true => *on_match,
                    false => *on_mismatch,
                });
                verdicts.chain([*otherwise]).find(|verdict| *verdict != Verdict::Neutral) != Some(Verdict::Deny)
            }
        }
    }
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Accept), Just(Verdict::Neutral), Just(Verdict::Neutral), Just(Verdict::Deny)]
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        (0..5_u8).prop_map(Shape::Level),
        any::<bool>().prop_map(Shape::Target),
        any::<bool>().prop_map(Shape::Field),
        (0..5_u8, 0..5_u8).prop_map(|(yes, otherwise)| Shape::By(yes, otherwise)),
        (0..5_u8, any::<bool>()).prop_map(|(level, wanted)| Shape::Both(level, wanted)),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(|shape| Shape::Inverted(Box::new(shape))),
            (prop::collection::vec((inner, verdict(), verdict()), 0..5), verdict())
                .prop_map(|(rules, otherwise)| Shape::Chain(rules, otherwise)),
        ]
    })
}

fn chain() -> impl Strategy<Value = Shape> {
    (prop::collection::vec((shape(), verdict(), verdict()), 0..6), verdict())
        .prop_map(|(rules, otherwise)| Shape::Chain(rules, otherwise))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_passes_what_log4j2_s_rules_say(chain in chain()) {
        let filter = chain.filter();
        for facts in Facts::all() {
            let record = facts.record();
            prop_assert_eq!(filter.passes(&record.as_record()), chain.truth(facts), "{:?}", facts);
            prop_assert_eq!(filter.refusal(&record.as_record()).is_none(), chain.truth(facts), "{:?}", facts);
        }
    }

    #[test]
    fn whatever_may_pass_a_chain_is_enabled_and_within_its_maximum_level(chain in chain()) {
        let filter = chain.filter();
        for facts in Facts::all().filter(|facts| chain.truth(*facts)) {
            let record = facts.record();
            prop_assert!(filter.enabled(&record.as_record().meta()), "{:?}", facts);
            prop_assert!(LEVELS[facts.level as usize] <= filter.max_level(), "{:?}", facts);
        }
    }

    #[test]
    fn a_chain_that_is_not_asked_per_record_decides_by_metadata_alone(chain in chain()) {
        let filter = chain.filter();
        for facts in Facts::all().filter(|_| !filter.per_record()) {
            prop_assert_eq!(filter.enabled(&facts.record().as_record().meta()), chain.truth(facts), "{:?}", facts);
        }
    }
}

#[test]
fn a_chain_of_plain_levels_and_targets_switches_callsites_off() {
    let chain = Chain::new().deny(filter::name("hyper")).require(Level::INFO);
    assert!(!chain.per_record());
    assert_eq!(chain.max_level(), LevelFilter::INFO);
    let enabled = |severity, target: &str| chain.enabled(&RecordBuf::new(severity, target, "").as_record().meta());
    assert!(!enabled(Severity::ERROR, "hyper::client") && !enabled(Severity::DEBUG, "shop"));
    assert!(enabled(Severity::INFO, "shop"));
    assert_eq!(Chain::new().otherwise(Verdict::Deny).max_level(), LevelFilter::OFF);
    assert_eq!(Chain::new().accept(Level::WARN).otherwise(Verdict::Deny).max_level(), LevelFilter::WARN);
}

#[test]
fn a_refusal_has_the_reason_of_the_rule_that_denied() {
    let sampler = || filter::share(0.0);
    let limiter = || filter::rate(0, std::time::Duration::from_secs(1));
    let reason = |filter: &dyn Filter| filter.refusal(&RecordBuf::new(Severity::INFO, "", "").as_record());
    assert_eq!(reason(&Chain::new().require(sampler())), Some(DropReason::Sampled));
    assert_eq!(reason(&Chain::new().accept(sampler()).require(limiter())), Some(DropReason::RateLimited));
    assert_eq!(reason(&Chain::new().accept(sampler()).otherwise(Verdict::Deny)), Some(DropReason::Filtered));
    assert_eq!(reason(&Chain::new().deny(Level::INFO)), Some(DropReason::Filtered));
    assert_eq!(reason(&sampler().and(limiter())), Some(DropReason::Sampled));
    assert_eq!(reason(&limiter().or(sampler())), Some(DropReason::Sampled));
    assert_eq!(reason(&Level::WARN.and(sampler())), Some(DropReason::Filtered));
    assert_eq!(reason(&sampler().not()), None);
    assert_eq!(reason(&Some(Box::new(limiter()) as Box<dyn Filter>)), Some(DropReason::RateLimited));
}

#[test]
fn a_sampler_in_a_chain_only_counts_what_comes_as_far_as_its_rule() {
    let chain = Chain::new().accept(filter::name("audit")).require(filter::one_in(2));
    let passes = |target: &str| chain.passes(&RecordBuf::new(Severity::INFO, target, "").as_record());
    assert_eq!(["shop", "audit", "audit", "shop", "shop"].map(passes), [true, true, true, false, true]);
    let mut reports = Vec::new();
    chain.report(&mut reports);
    assert_eq!((reports.len(), reports[0].stats.accepted, reports[0].stats.delivered), (1, 3, 2));
}
