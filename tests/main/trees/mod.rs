//! Property tests: random trees of handlers behave as a model that counts. Compared are the levels and span events that a tree wants,
//! the lines that reach each end, the reports, and the records of a batch that are reported as missed.
//!
//! `TRACING_HANDLERS_TREES` sets the number of trees per test.

#[expect(dead_code, reason = "shared with tests/ends")]
#[path = "../../forest/mod.rs"]
mod forest;
mod known;
mod run;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::handler::Handler;
use tracing_handlers::{Meta, Severity, selflog};

use forest::model::{Asked, make};
use forest::record::TARGETS;
use forest::tree::trees;
use forest::{Bench, Tree, World};
use run::{Run, Step, steps};

proptest! {
    #![proptest_config(ProptestConfig { cases: count(), max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_wants_what_its_handlers_want(tree in trees()) {
        wants(&tree)?;
    }

    #[test]
    fn a_tree_hands_on_what_the_model_hands_on_and_counts_what_it_counts(tree in trees(), steps in steps()) {
        selflog::set(|_| ());
        let mut run = Run::new(&tree);
        for step in &steps {
            run.step(step)?;
        }
        run.step(&Step::Flush)?;
    }

    #[test]
    fn a_tree_that_is_dropped_delivers_what_it_holds(tree in trees(), steps in steps()) {
        selflog::set(|_| ());
        let mut run = Run::new(&tree);
        for step in &steps {
            run.step(step)?;
        }
        run.end()?;
    }
}

fn wants(tree: &Tree) -> Result<(), TestCaseError> {
    let real = Bench::new().build(tree, "0");
    let model = make(tree, "0", &World::new(None));
    prop_assert_eq!(real.max_level(), model.most());
    prop_assert_eq!(real.span_events(), model.span_events());
    for severity in 1..=24 {
        for target in TARGETS.into_iter().chain(["", "hyper"]) {
            for is_span in [false, true] {
                let meta = meta(severity, target, is_span);
                let enabled = real.enabled(&meta);
                prop_assert_eq!(enabled, model.enabled(Asked { severity, target, is_span }), "{:?}", meta);
                let is_above = LevelFilter::from_level(meta.level()) > real.max_level();
                prop_assert!(!enabled || !is_above, "{:?} is above {}", meta, real.max_level());
            }
        }
    }
    Ok(())
}

fn meta(severity: u8, target: &str, is_span: bool) -> Meta<'_> {
    let severity = Severity::from_number(severity).unwrap();
    match is_span {
        true => Meta::span(severity, target, ""),
        false => Meta::event(severity, target),
    }
}

/// A debug build runs all of them in about ten seconds.
fn count() -> u32 {
    std::env::var("TRACING_HANDLERS_TREES").ok().and_then(|number| number.parse().ok()).unwrap_or(1_000)
}
