//! Whether what filters and handlers say beforehand, by `enabled` and `max_level`, is what they do.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tracing::Level;
use tracing_handlers::filter::{self, Bound, Chain, Filter, FilterExt, LevelFilter, LevelSwitch, Threshold, Verdict};
use tracing_handlers::format::Json;
use tracing_handlers::handler::{Buffer, Filtered, Route};
use tracing_handlers::record::SpanEvents;
use tracing_handlers::sink::Null;
use tracing_handlers::testing::Captured;
use tracing_handlers::{Handler, Output, Queue, RecordBuf, Severity};

const LEVELS: [Level; 5] = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];

fn severity(number: u8) -> Severity {
    Severity::from_number(number).unwrap()
}

#[derive(Clone, Debug)]
enum Shape {
    Least(u8),
    Level(usize),
    Between(u8, u8),
    BetweenLevels(usize, u8),
    Targets(u8, u8),
    By(u8, u8),
    /// A level for all, and one for a thread.
    Switch(u8, u8),
    Field,
    And(Box<Shape>, Box<Shape>),
    Or(Box<Shape>, Box<Shape>),
    Not(Box<Shape>),
    Chain(Box<Shape>, Box<Shape>),
}

impl Shape {
    fn filter(&self) -> Box<dyn Filter> {
        match self {
            Self::Least(least) => Box::new(severity(*least)),
            Self::Level(level) => Box::new(LEVELS[*level]),
            Self::Between(one, other) => Box::new(filter::between(severity(*one), severity(*other))),
            Self::BetweenLevels(one, other) => Box::new(filter::between(LEVELS[*one], severity(*other))),
            Self::Targets(shop, otherwise) => {
                let targets = filter::Modules::default().with("shop", severity(*shop)).without("shop::secret");
                Box::new(targets.otherwise(severity(*otherwise)))
            }
            Self::By(yes, otherwise) => {
                Box::new(filter::level_by("f").with(true, severity(*yes)).otherwise(severity(*otherwise)))
            }
            Self::Switch(all, here) => {
                let switch = LevelSwitch::new(severity(*all));
                std::mem::forget(switch.scoped_here(severity(*here)));
                Box::new(switch)
            }
            Self::Field => Box::new(filter::field("f").eq(true)),
            Self::And(one, other) => Box::new(one.filter().and(other.filter())),
            Self::Or(one, other) => Box::new(one.filter().or(other.filter())),
            Self::Not(one) => Box::new(one.filter().not()),
            Self::Chain(one, other) => {
                let chain = Chain::new().accept(one.filter()).require(other.filter());
                Box::new(chain.otherwise(Verdict::Deny))
            }
        }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let number = || 1..=24_u8;
    let leaf = prop_oneof![
        number().prop_map(Shape::Least),
        (0..5_usize).prop_map(Shape::Level),
        (number(), number()).prop_map(|(one, other)| Shape::Between(one, other)),
        (0..5_usize, number()).prop_map(|(one, other)| Shape::BetweenLevels(one, other)),
        (number(), number()).prop_map(|(shop, otherwise)| Shape::Targets(shop, otherwise)),
        (number(), number()).prop_map(|(yes, otherwise)| Shape::By(yes, otherwise)),
        (number(), number()).prop_map(|(all, here)| Shape::Switch(all, here)),
        Just(Shape::Field),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let two = || (inner.clone(), inner.clone()).prop_map(|(one, other)| (Box::new(one), Box::new(other)));
        prop_oneof![
            two().prop_map(|(one, other)| Shape::And(one, other)),
            two().prop_map(|(one, other)| Shape::Or(one, other)),
            two().prop_map(|(one, other)| Shape::Chain(one, other)),
            inner.clone().prop_map(|one| Shape::Not(Box::new(one))),
        ]
    })
}

/// Handlers around one that keeps what it is handed.
fn handlers(shape: &Shape, other: &Shape, captured: &Captured) -> Vec<(&'static str, Box<dyn Handler>)> {
    let filtered = |shape: &Shape| Filtered::new(shape.filter(), captured.clone());
    let route = Route::by_severity().with(Severity::NOTICE, filtered(shape)).with(Level::ERROR, filtered(other));
    vec![
        ("filtered", Box::new(filtered(shape))),
        ("filtered twice", Box::new(Filtered::new(other.filter(), filtered(shape)))),
        ("several", Box::new((filtered(shape), vec![filtered(other)]))),
        ("an option", Box::new(Some(filtered(shape)))),
        ("a route", Box::new(route)),
        ("a queue", Box::new(Queue::new(filtered(shape)))),
        ("a buffer", Box::new(Buffer::new(filtered(shape)))),
    ]
}

fn records() -> impl Iterator<Item = RecordBuf> {
    let targets = ["shop", "shop::secret", "hyper"];
    (1..=24).map(severity).flat_map(move |severity| {
        let of = move |target: &str, field: bool| RecordBuf::new(severity, target, "").with_field("f", field);
        targets.into_iter().flat_map(move |target| [of(target, true), of(target, false)])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_passes_nothing_that_it_has_not_said_it_may(shape in shape()) {
        let filter = shape.filter();
        for buf in records() {
            let record = buf.as_record();
            if filter.refusal(&record).is_none() {
                prop_assert!(filter.passes(&record));
                prop_assert!(filter.enabled(&record.meta()), "{:?}", record.severity());
                prop_assert!(record.level() <= filter.max_level(), "{:?}", record.severity());
            }
            if !filter.per_record() {
                prop_assert_eq!(filter.enabled(&record.meta()), filter.passes(&record));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn a_handler_hands_on_nothing_that_it_has_not_said_it_wants(shape in shape(), other in shape()) {
        let captured = Captured::new();
        for (what, handler) in handlers(&shape, &other, &captured) {
            for buf in records() {
                captured.clear();
                let record = buf.as_record();
                prop_assert!(handler.handle(&record).is_ok());
                prop_assert!(handler.flush(Instant::now() + Duration::from_secs(10)).is_ok());
                if !captured.records().is_empty() {
                    prop_assert!(handler.enabled(&record.meta()), "{} {:?}", what, record.severity());
                    prop_assert!(record.level() <= handler.max_level(), "{} {:?}", what, record.severity());
                }
            }
        }
        let output = || Output::new(Json::new(), Null).filter(shape.filter());
        let spans = output().level(LevelFilter::OFF).span_events(SpanEvents::ALL);
        for output in [output().level(Severity::NOTICE), output().level(LevelFilter::OFF), spans] {
            for buf in records() {
                let mut meta = buf.as_record().meta();
                meta.is_span = true;
                prop_assert!(!output.enabled(&meta) || meta.level() <= output.max_level(), "{:?}", meta);
            }
        }
        let output = output().level(Severity::NOTICE);
        for buf in records() {
            let (record, before) = (buf.as_record(), output.stats()[0].stats.delivered);
            prop_assert!(output.handle(&record).is_ok());
            if output.stats()[0].stats.delivered > before {
                prop_assert!(output.enabled(&record.meta()) && record.level() <= output.max_level());
            }
        }
    }
}

#[test]
fn between_takes_severities_and_levels_together() {
    let passes = |filter: &filter::Between| -> Vec<u8> {
        (1..=24).filter(|number| filter.passes(&RecordBuf::new(severity(*number), "", "").as_record())).collect()
    };
    for one in 1..=24 {
        for other in 1..=24 {
            let filter = filter::between(severity(one), severity(other));
            assert_eq!(passes(&filter), (one.min(other)..=one.max(other)).collect::<Vec<_>>());
            assert_eq!(filter.max_level(), LevelFilter::from_level(severity(one.min(other)).level()));
        }
        for level in LEVELS {
            let group: Vec<u8> = (1..=24).filter(|number| severity(*number).level() == level).collect();
            let (least, most) = (group[0].min(one), group[group.len() - 1].max(one));
            let wanted: Vec<u8> = (least..=most).collect();
            assert_eq!(passes(&filter::between(level, severity(one))), wanted, "{level} {one}");
            assert_eq!(passes(&filter::between(severity(one), Bound::from(level))), wanted, "{level} {one}");
        }
    }
}

#[test]
fn a_target_may_have_a_severity_between_the_levels() {
    let filter = filter::targets(["shop"]).with("shop::till", Severity::NOTICE).otherwise(Severity::CRITICAL);
    let passes = |severity, target| filter.passes(&RecordBuf::new(severity, target, "").as_record());
    assert!(passes(Severity::NOTICE, "shop::till") && !passes(Severity::INFO, "shop::till"));
    assert!(passes(Severity::ALERT, "hyper") && !passes(Severity::ERROR, "hyper"));
    let notice = filter::Modules::default().with("shop", Severity::NOTICE);
    assert_eq!(notice.max_level(), LevelFilter::INFO);
    assert_eq!(notice.clone().with("hyper", Threshold::ALL).max_level(), LevelFilter::TRACE);
    assert_eq!(notice.with("shop", LevelFilter::OFF).max_level(), LevelFilter::OFF);
}

#[test]
fn a_burst_of_none_passes_none_however_many_tokens_there_are() {
    let filter = filter::rate(u32::MAX, Duration::from_nanos(1)).burst(0);
    let passes = |severity| filter.passes(&RecordBuf::new(severity, "", "").as_record());
    assert!(!passes(Severity::INFO) && passes(Severity::ERROR));
}

#[test]
fn a_key_called_message_is_the_message_of_the_event_and_else_the_field_of_a_span() {
    let filter = filter::first(1, Duration::from_secs(1)).by("message");
    let passes = |message: &str| filter.passes(&RecordBuf::new(Severity::INFO, "", message).as_record());
    assert_eq!(["one", "two", "one"].map(passes), [true, true, false]);

    let of_span =
        |message: &str| RecordBuf::new(Severity::INFO, "", message).with_span("s", [("message", "in".into())]);
    let has = |text: &str, message: &str| filter::any_field("message").eq(text).passes(&of_span(message).as_record());
    assert!(has("out", "out") && has("in", "out") && has("in", "") && !has("", ""));
    let level = filter::level_by("message").with("in", Level::TRACE).otherwise(LevelFilter::OFF);
    assert!(level.passes(&of_span("").as_record()) && !level.passes(&of_span("out").as_record()));
}

#[test]
fn a_level_for_one_thread_goes_before_that_of_all_and_the_last_one_counts() {
    let switch = LevelSwitch::new(Level::ERROR);
    let (mine, other) = std::thread::scope(|scope| {
        let captured = || {
            let captured = Captured::new();
            tracing::dispatcher::with_default(&crate::collect::dispatch(captured.clone()), || tracing::info!("x"));
            captured.records().remove(0)
        };
        (captured(), scope.spawn(captured).join().unwrap())
    });
    let passes = |record: &RecordBuf| switch.passes(&record.as_record());
    let debug = switch.scoped_here(Level::DEBUG);
    assert!(passes(&mine) && !passes(&other));
    let off = switch.scoped_here(LevelFilter::OFF);
    let all = switch.scoped(Level::TRACE);
    assert!(!passes(&mine) && passes(&other));
    drop(debug);
    assert!(!passes(&mine));
    drop(off);
    assert!(passes(&mine) && passes(&other));
    drop(all);
    assert!(!passes(&mine) && !passes(&other));
}
