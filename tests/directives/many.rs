//! Random directives, random programs.

use tracing_handlers::filter::{EnvFilter, Targets};
use tracing_subscriber::filter as stock;
use tracing_subscriber::prelude::*;

use crate::alone;
use crate::program::{Collect, Program, Random, random};

const LEVELS: [&str; 12] = ["off", "error", "warn", "info", "debug", "trace", "INFO", "Debug", "1", "4", "0", "5"];
const TARGETS: [&str; 7] = ["shop", "shop::stock", "shop::", "sho", "hyper", "h", "other"];
const SPANS: [&str; 3] = ["request", "query", "other"];
const FIELDS: [&str; 10] = ["user", "id", "delta", "wide", "shown", "good", "share", "late", "message", "other"];
const VALUES: [&str; 20] = [
    "ada", "\"ada\"", "a", "da", "ad", ".*", "a.a", "b|bob", "bob|b", "(b|o)+", "7", "-1", "0", "8", "true", "false",
    "0.5", "NaN", "7.0", "^d?a",
];

/// The number of sets; more in `DIRECTIVE_SETS`.
fn sets() -> usize {
    std::env::var("DIRECTIVE_SETS").ok().and_then(|sets| sets.parse().ok()).unwrap_or(500)
}

fn with_level(random: &mut Random, start: String) -> String {
    match random.below(6) {
        0 => start,
        1 => start + "=",
        _ => format!("{start}={}", random.of(&LEVELS)),
    }
}

fn fields(random: &mut Random, count: usize, valued: bool) -> String {
    let fields = (0..count).map(|index| {
        let name = *random.of(&FIELDS);
        match (valued && index == 0) || random.below(3) > 0 {
            true => format!("{name}={}", random.of(&VALUES)),
            false => name.to_owned(),
        }
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn directive(random: &mut Random) -> String {
    let target = if random.below(2) == 0 { *random.of(&TARGETS) } else { "" };
    match random.below(6) {
        0 => (*random.of(&LEVELS)).to_owned(),
        1 => {
            let target = (*random.of(&TARGETS)).to_owned();
            with_level(random, target)
        }
        2 => {
            let start = format!("{target}[{}]", random.of(&SPANS));
            with_level(random, start)
        }
        3 => {
            let start = format!("{target}[{}]", fields(random, 1, false));
            with_level(random, start)
        }
        _ => {
            let start = format!("{target}[{}{}]", random.of(&SPANS), fields(random, 1, false));
            with_level(random, start)
        }
    }
}

#[test]
fn random_directives_select_what_tracing_subscriber_s_env_filter_selects() {
    let _alone = alone();
    let mut random = Random(17);
    let (mut selected, mut refused) = (0, 0);
    for set in 0..sets() {
        let directives = 1 + random.below(5);
        let text = (0..directives).map(|_| directive(&mut random)).collect::<Vec<_>>().join(",");
        let program = Program::new(self::random(&mut random, 0));
        let collect = Collect::default();
        let filter = stock::EnvFilter::try_new(&text).unwrap();
        let layer = collect.clone().with_filter(filter);
        let expected = program.stock(tracing_subscriber::registry().with(layer), &collect.0);
        assert_eq!(program.ours(EnvFilter::try_new(&text).unwrap()), expected, "set {set}: {text}");
        let shown = EnvFilter::try_new(&text).unwrap().to_string();
        assert_eq!(program.ours(EnvFilter::try_new(&shown).unwrap()), expected, "set {set}: {text}, shown as {shown}");
        let all = program.ours(EnvFilter::new("trace")).len();
        selected += expected.len();
        refused += all - expected.len();
    }
    assert!(selected > sets() && refused > sets(), "{selected} selected, {refused} refused");
}

/// In a text, tracing-subscriber takes the comma between two fields for one between directives.
#[test]
fn directives_with_several_fields_select_what_tracing_subscriber_s_do_one_by_one() {
    let _alone = alone();
    let mut random = Random(18);
    let mut selected = 0;
    for set in 0..sets() {
        let directives: Vec<_> = (0..1 + random.below(3))
            .map(|_| {
                let count = 2 + random.below(2);
                let start = format!("[{}{}]", random.of(&["", "request"]), fields(&mut random, count, true));
                with_level(&mut random, start)
            })
            .collect();
        let program = Program::new(self::random(&mut random, 0));
        let collect = Collect::default();
        let filter = directives
            .iter()
            .fold(stock::EnvFilter::default(), |filter, directive| filter.add_directive(directive.parse().unwrap()));
        let layer = collect.clone().with_filter(filter);
        let expected = program.stock(tracing_subscriber::registry().with(layer), &collect.0);
        let text = directives.join(",");
        assert_eq!(program.ours(EnvFilter::try_new(&text).unwrap()), expected, "set {set}: {text}");
        selected += expected.len();
    }
    assert!(selected > 0);
}

#[test]
fn random_targets_select_what_tracing_subscriber_s_targets_select() {
    let _alone = alone();
    let mut random = Random(19);
    for set in 0..sets() {
        let directives: Vec<_> = (0..1 + random.below(5))
            .map(|_| match random.below(4) {
                0 => (*random.of(&LEVELS)).to_owned(),
                1 => (*random.of(&TARGETS)).to_owned(),
                _ => format!("{}={}", random.of(&TARGETS), random.of(&LEVELS)),
            })
            .collect();
        let text = directives.join(",");
        let program = Program::new(self::random(&mut random, 0));
        let collect = Collect::default();
        let filter: stock::Targets = text.parse().unwrap();
        let layer = collect.clone().with_filter(filter.clone());
        let expected = program.stock(tracing_subscriber::registry().with(layer), &collect.0);
        let ours: Targets = text.parse().unwrap();
        assert_eq!(program.ours(ours.clone()), expected, "set {set}: {text}");
        assert_eq!(program.ours(EnvFilter::try_new(&text).unwrap()), expected, "set {set}: {text}");
        // Its equality depends on directives that were replaced.
        let back = stock::Targets::from(ours.clone()).to_string();
        assert_eq!((Targets::from(filter.clone()), back), (ours.clone(), filter.to_string()), "{text}");
        assert_eq!(ours.to_string().parse::<Targets>().unwrap(), ours, "{text}");
        assert_eq!(EnvFilter::from(ours.clone()).to_string(), EnvFilter::try_new(&text).unwrap().to_string());
    }
}
