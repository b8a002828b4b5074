//! Filters and how they are joined, compared with plain logic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::{debug, error, info, info_span, trace, warn};
use tracing_handlers::filter::{self, Filter, FilterExt, Level, LevelFilter};
use tracing_handlers::handler::Handler;
use tracing_handlers::{Error, Meta, Record, RecordBuf, Severity, Value};

use crate::collect::{Seen, alone, dispatch};

const LEVELS: [Level; 5] = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];

/// A handler that asks a filter as an `Output` does: the metadata in `enabled`, the rest record by record.
struct Only<F>(F, Seen);

impl<F: Filter> Handler for Only<F> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta.is_span || self.0.enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.0.max_level()
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        // Only what `enabled` let through comes here, so `accepts` alone has to be right.
        if !self.0.per_record() || self.0.accepts(record) {
            self.1.handle(record)?;
        }
        Ok(())
    }
}

fn record(severity: Severity, target: &str) -> RecordBuf {
    RecordBuf::new(severity, target, "")
}

#[test]
fn a_level_passes_itself_and_what_is_more_important() {
    for limit in LEVELS {
        for level in LEVELS {
            let passes = limit.passes(&record(level.into(), "").as_record());
            assert_eq!(passes, level <= limit, "{limit} {level}");
            assert_eq!(LevelFilter::from_level(limit).passes(&record(level.into(), "").as_record()), passes);
        }
        assert_eq!(Filter::max_level(&limit), LevelFilter::from_level(limit));
    }
    for number in 1..=24 {
        let record = record(Severity::from_number(number).unwrap(), "");
        assert!(!LevelFilter::OFF.passes(&record.as_record()) && LevelFilter::TRACE.passes(&record.as_record()));
        assert_eq!(LevelFilter::ERROR.passes(&record.as_record()), number >= 17);
    }
}

#[test]
fn between_passes_the_levels_from_one_end_to_the_other_in_either_order() {
    for one in LEVELS {
        for other in LEVELS {
            let (low, high) = (one.min(other), one.max(other));
            for level in LEVELS {
                let passes = filter::between(one, other).passes(&record(level.into(), "").as_record());
                assert_eq!(passes, low <= level && level <= high, "{one}..{other}: {level}");
            }
            assert_eq!(filter::between(one, other).max_level(), LevelFilter::from_level(high));
        }
    }
}

#[test]
fn the_longest_target_that_fits_decides_whatever_the_order_of_the_rules() {
    let rules = [
        ("a", LevelFilter::INFO),
        ("a::b", LevelFilter::ERROR),
        ("a::b::c", LevelFilter::TRACE),
        ("z", LevelFilter::OFF),
    ];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]];
    for order in orders {
        let filter = order
            .iter()
            .fold(filter::Modules::default(), |all, index| all.with(rules[*index].0, rules[*index].1))
            .otherwise(Level::WARN);
        let level_of = |target: &str| {
            LEVELS.into_iter().filter(|level| filter.passes(&record((*level).into(), target).as_record())).max()
        };
        assert_eq!(level_of("a"), Some(Level::INFO));
        assert_eq!(level_of("a::x"), Some(Level::INFO));
        assert_eq!(level_of("a::b"), Some(Level::ERROR));
        assert_eq!(level_of("a::b::x"), Some(Level::ERROR));
        assert_eq!(level_of("a::b::c::d"), Some(Level::TRACE));
        assert_eq!(level_of("a::bc"), Some(Level::INFO));
        assert_eq!(level_of("ab"), Some(Level::WARN));
        assert_eq!(level_of("z::z"), None);
        assert_eq!(level_of(""), Some(Level::WARN));
        assert_eq!(filter.max_level(), LevelFilter::TRACE);
    }
    assert_eq!(filter::Modules::default().max_level(), LevelFilter::OFF);
    assert_eq!(filter::targets(["a"]).with("a", Level::WARN).max_level(), LevelFilter::WARN, "a later rule replaces");
    assert!(filter::targets([""]).passes(&record(Severity::TRACE, "any::thing").as_record()));
}

/// A formula over three metadata-only and three per-record conditions.
#[derive(Clone, Debug)]
enum Formula {
    Meta(u8),
    Record(u8),
    Both(u8),
    And(Box<Formula>, Box<Formula>),
    Or(Box<Formula>, Box<Formula>),
    Not(Box<Formula>),
}

impl Formula {
    fn random(random: &mut u64, depth: u32) -> Self {
        let mut next = |bound: u64| {
            *random ^= *random << 13;
            *random ^= *random >> 7;
            *random ^= *random << 17;
            (*random >> 16) % bound
        };
        let bit = next(3) as u8;
        match next(if depth == 0 { 3 } else { 8 }) {
            0 => Self::Meta(bit),
            1 => Self::Record(bit),
            2 => Self::Both(bit),
            3 => Self::Not(Box::new(Self::random(random, depth - 1))),
            4 | 5 => Self::And(Box::new(Self::random(random, depth - 1)), Box::new(Self::random(random, depth - 1))),
            _ => Self::Or(Box::new(Self::random(random, depth - 1)), Box::new(Self::random(random, depth - 1))),
        }
    }

    fn filter(&self) -> Box<dyn Filter> {
        match self.clone() {
            Self::Meta(bit) => Box::new(filter::on_meta(move |meta| meta_bits(meta.target) & 1 << bit != 0)),
            Self::Record(bit) => Box::new(filter::on_record(move |record| record_bits(record) & 1 << bit != 0)),
            Self::Both(bit) => Box::new(Both(bit)),
            Self::And(one, other) => Box::new(one.filter().and(other.filter())),
            Self::Or(one, other) => Box::new(one.filter().or(other.filter())),
            Self::Not(one) => Box::new(one.filter().not()),
        }
    }

    fn truth(&self, meta: u64, record: u64) -> bool {
        match self {
            Self::Meta(bit) => meta & 1 << bit != 0,
            Self::Record(bit) => record & 1 << bit != 0,
            Self::Both(bit) => meta & record & 1 << bit != 0,
            Self::And(one, other) => one.truth(meta, record) && other.truth(meta, record),
            Self::Or(one, other) => one.truth(meta, record) || other.truth(meta, record),
            Self::Not(one) => !one.truth(meta, record),
        }
    }
}

/// Judges by both; its `accepts` says yes where it was told not to be asked.
struct Both(u8);

impl Filter for Both {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta_bits(meta.target) & 1 << self.0 != 0
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        meta_bits(record.target()) & 1 << self.0 == 0 || record_bits(record) & 1 << self.0 != 0
    }
}

fn meta_bits(target: &str) -> u64 {
    target.parse().unwrap()
}

fn record_bits(record: &Record<'_>) -> u64 {
    match record.field("bits") {
        Some(Value::U64(bits)) => bits,
        other => panic!("{other:?}"),
    }
}

#[test]
fn and_or_and_not_follow_logic_in_whatever_way_they_are_nested() {
    let mut random = 0x1234_5678_9abc_def1;
    for _ in 0..2_000 {
        let formula = Formula::random(&mut random, 4);
        let filter = formula.filter();
        for meta in 0..8 {
            let mut ever = false;
            for bits in 0..8 {
                let record = RecordBuf::new(Severity::INFO, &meta.to_string(), "").with_field("bits", bits);
                let record = record.as_record();
                let truth = formula.truth(meta, bits);
                ever |= truth;
                assert_eq!(filter.passes(&record), truth, "{formula:?} {meta} {bits}");
                // As the layer asks: `enabled` once, then `accepts`, each without the other.
                let asked = filter.enabled(&record.meta()) && (!filter.per_record() || filter.accepts(&record));
                assert_eq!(asked, truth, "asked in two steps: {formula:?} {meta} {bits}");
            }
            let wanted = filter.enabled(&RecordBuf::new(Severity::INFO, &meta.to_string(), "").as_record().meta());
            assert!(wanted || !ever, "what may pass must be enabled: {formula:?} {meta}");
        }
    }
}

#[test]
fn joined_filters_that_look_at_metadata_alone_are_known_to() {
    let never = || filter::on_meta(|_| false);
    let record = record(Severity::INFO, "t");
    let filters: [Box<dyn Filter>; 4] = [
        Box::new(never().not().and(never())),
        Box::new(never().or(never())),
        Box::new(never().not().or(never()).not()),
        Box::new(never().and(Level::INFO).or(filter::targets(["x"]))),
    ];
    for (index, filter) in filters.iter().enumerate() {
        assert!(!filter.per_record(), "{index}");
        assert!(!filter.enabled(&record.as_record().meta()), "so that the callsite is off: {index}");
    }
    assert!(filter::on_record(|_| true).not().per_record());
    assert!(never().or(filter::on_record(|_| true)).per_record());
}

#[test]
fn the_maximum_level_of_joined_filters_never_hides_what_passes() {
    let (warn, debug) = (LevelFilter::WARN, LevelFilter::DEBUG);
    assert_eq!(warn.and(debug).max_level(), warn);
    assert_eq!(warn.or(debug).max_level(), debug);
    assert_eq!(warn.not().max_level(), LevelFilter::TRACE);
    assert_eq!(filter::on_record(|_| false).max_level(), LevelFilter::TRACE);
    assert_eq!(None::<LevelFilter>.max_level(), LevelFilter::TRACE);
    assert_eq!(Some(warn).max_level(), warn);
}

#[test]
fn a_filter_of_the_layer_s_events_is_asked_for_metadata_once_and_for_records_each_time() {
    let (asked, judged) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (a, j) = (asked.clone(), judged.clone());
    let count = move |counter: &AtomicUsize| counter.fetch_add(1, Ordering::Relaxed);
    let filter = filter::on_meta(move |meta| {
        count(&a);
        meta.target == "mine"
    });
    let filter = filter.and(filter::on_record(move |record| {
        count(&j);
        record.field("n") != Some(Value::I64(3))
    }));
    let seen = Seen::default();
    tracing::dispatcher::with_default(&dispatch(Only(filter, seen.clone())), || {
        let before = asked.load(Ordering::Relaxed);
        for n in 0..100 {
            info!(target: "mine", n);
            info!(target: "yours", n);
        }
        // Other tests may bring dispatchers and with them all callsites' registration, but not so many times.
        let times = asked.load(Ordering::Relaxed) - before;
        assert!(times < 100, "{times}");
    });
    assert_eq!((seen.count(), judged.load(Ordering::Relaxed)), (99, 100));
}

alone! {
    fn a_callsite_that_no_handler_wants_is_off_and_costs_its_arguments_nothing() {
        let seen = Seen::default();
        let handler = Only(filter::targets(["on"]).with("on", Level::INFO), seen.clone());
        use tracing_subscriber::prelude::*;
        tracing_subscriber::registry().with(tracing_handlers::layer(handler)).init();
        let evaluated = std::cell::Cell::new(0);
        let touch = || {
            evaluated.set(evaluated.get() + 1);
            1
        };
        for _ in 0..3 {
            info!(target: "off", n = touch());
            trace!(target: "on", n = touch());
            debug!(target: "on", n = touch());
            info!(target: "on", n = touch());
        }
        assert_eq!((evaluated.get(), seen.count()), (3, 3));
        assert_eq!(LevelFilter::current(), LevelFilter::INFO);
        assert!(!tracing::enabled!(target: "off", Level::ERROR) && tracing::enabled!(target: "on", Level::INFO));
    }

    fn a_filter_that_logs_while_it_judges_a_record_loses_nothing() {
        let seen = Seen::default();
        let filter = filter::on_record(|record| {
            if record.target() == "app" {
                warn!(target: "filter", "judging {}", record.message());
            }
            record.message() != "no"
        });
        use tracing_subscriber::prelude::*;
        let layer = tracing_handlers::layer(Only(filter, seen.clone()));
        let handle = layer.handle();
        tracing_subscriber::registry().with(layer).init();
        let _span = info_span!("s").entered();
        info!(target: "app", "yes");
        error!(target: "app", "no");
        info!(target: "app", "again");
        assert_eq!(seen.messages(), ["yes", "judging yes", "judging no", "again", "judging again"]);
        assert!(handle.stats().is_empty(), "nothing was dropped");
    }
}
