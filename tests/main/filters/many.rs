//! Filters by how many records there are: samplers and limits.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use tracing::{info, info_span, warn};
use tracing_handlers::filter::{self, Filter, LevelFilter};
use tracing_handlers::handler::{Handler, from_fn};
use tracing_handlers::stats::{DropReason, Report};
use tracing_handlers::{Record, RecordBuf, Severity};

use super::{at, record};
use crate::collect::{Seen, dispatch, seen};

fn passes(filter: &impl Filter, record: &RecordBuf) -> bool {
    filter.passes(&record.as_record())
}

fn passed(filter: &impl Filter, records: impl IntoIterator<Item = RecordBuf>) -> usize {
    records.into_iter().filter(|record| passes(filter, record)).count()
}

fn report(filter: &impl Filter) -> Report {
    let mut reports = Vec::new();
    filter.report(&mut reports);
    assert_eq!(reports.len(), 1);
    assert!(reports[0].stats.balances());
    reports.remove(0)
}

/// A handler that keeps what a filter lets pass.
fn kept(filter: impl Filter, seen: &Seen) -> impl Handler {
    let seen = seen.clone();
    from_fn(move |record: &Record<'_>| match filter.passes(record) {
        true => seen.handle(record),
        false => Ok(()),
    })
}

/// What eight threads together get through with 1,000 records each.
fn eight_threads(filter: &impl Filter, make: impl Fn(usize, usize) -> RecordBuf + Sync) -> usize {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let make = &make;
                scope.spawn(move || passed(filter, (0..1_000).map(|number| make(thread, number))))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[test]
fn one_in_n_passes_the_first_of_each_n_however_many_threads_there_are() {
    for n in [1, 2, 3, 10, 1_000] {
        let filter = filter::one_in(n);
        let pattern: Vec<_> = (0..2 * n).map(|_| passes(&filter, &at(0))).collect();
        assert!(pattern.iter().enumerate().all(|(index, passes)| *passes == (index as u64).is_multiple_of(n)), "{n}");
    }
    let filter = filter::one_in(10);
    assert_eq!(eight_threads(&filter, |_, _| at(0)), 800);
    let report = report(&filter);
    assert_eq!((report.name.as_str(), report.stats.accepted, report.stats.delivered), ("one in 10", 8_000, 800));
    assert_eq!(report.stats.dropped.by(DropReason::Sampled), 7_200);
}

#[test]
fn important_records_pass_every_filter_by_number_and_use_up_nothing() {
    let second = Duration::from_secs(1);
    let filters: [Box<dyn Filter>; 4] = [
        Box::new(filter::one_in(0).always(Severity::WARN)),
        Box::new(filter::share(0.0).always(Severity::WARN)),
        Box::new(filter::first(0, second).always(Severity::WARN)),
        Box::new(filter::rate(0, second).always(Severity::WARN)),
    ];
    for filter in &filters {
        for number in 1..=24 {
            let severity = Severity::from_number(number).unwrap();
            assert_eq!(passes(filter, &record(severity, "")), severity >= Severity::WARN, "{severity}");
        }
    }
    assert!(!passes(&filter::one_in(0).always(LevelFilter::OFF), &record(Severity::FATAL, "")));
    let limit = filter::rate(1, second);
    assert_eq!(passed(&limit, (0..5).map(|_| record(Severity::ERROR, ""))), 5);
    assert!(passes(&limit, &at(0)) && !passes(&limit, &at(0)));
}

#[test]
fn callsites_are_told_apart() {
    let seen_by = |filter: Box<dyn Filter>| {
        let seen = Seen::default();
        tracing::dispatcher::with_default(&dispatch(kept(filter, &seen)), || {
            for n in 0..6 {
                info!("often {n}");
                info!("often too {n}");
            }
            info!("seldom");
        });
        seen.messages()
    };
    let each = ["often 0", "often too 0", "often 3", "often too 3", "seldom"];
    assert_eq!(seen_by(Box::new(filter::one_in(3).per_callsite())), each);
    let minute = Duration::from_secs(60);
    let once = ["often 0", "often too 0", "seldom"];
    assert_eq!(seen_by(Box::new(filter::rate(1, minute).per_callsite())), once);
    assert_eq!(seen_by(Box::new(filter::first(1, 1_000 * minute).per_callsite())), once);
    assert_eq!(seen_by(Box::new(filter::first(2, 1_000 * minute).overall())).len(), 2);
    let places =
        [("a.rs", 1), ("a.rs", 2), ("b.rs", 1), ("a.rs", 1)].map(|(file, line)| at(0).with_location("m", file, line));
    assert_eq!(passed(&filter::one_in(100).per_callsite(), places), 3, "records that do not come from tracing");
}

#[test]
fn a_share_by_chance_is_kept_within_four_standard_deviations_and_a_seed_repeats_it() {
    for share in [0.001, 0.1, 0.5, 0.9] {
        let count = |seed| {
            let (filter, record) = (filter::share(share).seed(seed), at(0));
            (0..100_000).filter(|_| passes(&filter, &record)).count()
        };
        let expected = 100_000.0 * share;
        let deviation = (expected * (1.0 - share)).sqrt();
        for seed in [1, 2, 3] {
            let count = count(seed);
            assert!((count as f64 - expected).abs() < 4.0 * deviation, "{share}: {count}");
        }
        assert_eq!(count(1), count(1));
    }
    for (share, all) in [(1.0, 1_000), (2.0, 1_000), (0.0, 0), (-1.0, 0), (f64::NAN, 0)] {
        assert_eq!(passed(&filter::share(share), (0..1_000).map(|_| at(0))), all, "{share}");
    }
}

#[test]
fn a_share_by_key_keeps_the_same_keys_in_every_process() {
    let filter = filter::share(0.1).by("id");
    let kept = |make: &dyn Fn(u64) -> RecordBuf| (0..100).filter(|id| passes(&filter, &make(*id))).collect::<Vec<_>>();
    // Reckoned by another program from the description alone.
    let golden = [0, 10, 24, 31, 52, 59, 66, 75, 77, 80, 87, 93];
    assert_eq!(kept(&|id| at(0).with_field("id", format!("req-{id}").as_str())), golden);
    assert_eq!(kept(&|id| at(0).with_span("request", [("id", format!("req-{id}").as_str().into())])), golden);
    let numbers = [8, 10, 14, 18, 31, 34, 53, 57, 67, 88, 93];
    assert_eq!(kept(&|id| at(0).with_field("id", id)), numbers);
    assert_eq!(kept(&|id| at(0).with_field("id", id.to_string().as_str())), numbers);
    assert_eq!(report(&filter).name, "share 0.1 by id");
}

#[test]
fn what_a_smaller_share_keeps_a_larger_one_keeps_too_and_shares_are_precise() {
    let kept = |share| {
        let filter = filter::share(share).by("id");
        (0..20_000_u64).filter(|id| passes(&filter, &at(0).with_field("id", *id))).collect::<HashSet<_>>()
    };
    let shares = [0.01, 0.1, 0.25, 0.5].map(|share| (share, kept(share)));
    for (share, kept) in &shares {
        let deviation = (20_000.0 * share * (1.0 - share)).sqrt();
        assert!((kept.len() as f64 - 20_000.0 * share).abs() < 4.0 * deviation, "{share}: {}", kept.len());
    }
    assert!(shares.windows(2).all(|pair| pair[0].1.is_subset(&pair[1].1)));
}

#[test]
fn all_records_of_a_request_share_its_fate_whatever_thread_and_callsite_they_come_from() {
    let seen = Seen::default();
    let filter = filter::share(0.5).by(filter::span("request").field("id"));
    tracing::dispatcher::with_default(&dispatch(kept(filter, &seen)), || {
        for id in 0..200_u64 {
            let request = info_span!("request", id);
            request.in_scope(|| info!(id = "its own", "begun"));
            let work = info_span!(parent: &request, "query", id = "another");
            work.in_scope(|| warn!("slow"));
            request.in_scope(|| info!("done"));
        }
    });
    let mut requests = std::collections::BTreeMap::<String, usize>::new();
    for spans in seen.spans() {
        *requests.entry(spans[0].clone()).or_default() += 1;
    }
    assert!((60..140).contains(&requests.len()), "{}", requests.len());
    assert!(requests.values().all(|records| *records == 3));
}

#[test]
fn first_passes_the_first_of_each_interval_and_then_every_so_many() {
    let pattern = |n, every| {
        let filter = filter::first(n, Duration::from_secs(1)).then_every(every);
        (1..=12).filter(|_| passes(&filter, &at(500))).count()
    };
    assert_eq!([pattern(3, 0), pattern(3, 2), pattern(3, 3), pattern(0, 5), pattern(12, 1)], [3, 7, 6, 2, 12]);
    let filter = filter::first(2, Duration::from_millis(100)).then_every(4);
    let (mut interval, mut number) = (0, 0);
    for millis in (0..5_000).map(|step| step * step % 7 + 3 * step) {
        let message = at(millis);
        let now = (1_000_000 + millis) / 100;
        // A record a little late is one of the present interval.
        if now > interval {
            (interval, number) = (now, 0);
        }
        number += 1;
        assert_eq!(passes(&filter, &message), number <= 2 || (number - 2) % 4 == 0, "at {millis}");
    }
}

#[test]
fn first_tells_messages_and_severities_apart_or_values() {
    let hour = Duration::from_secs(3_600);
    let say = |severity, message: &str| RecordBuf::new(severity, "t", message).with_time(at(0).as_record().time());
    let filter = filter::first(1, hour);
    let records = || {
        [
            say(Severity::INFO, "a"),
            say(Severity::WARN, "a"),
            say(Severity::INFO, "b"),
            say(Severity::INFO, "a"),
            say(Severity::INFO, "b").with_field("n", 1),
        ]
    };
    assert_eq!(records().map(|record| passes(&filter, &record)), [true, true, true, false, false]);
    let by_value = filter::first(1, hour).by("n");
    assert_eq!(records().map(|record| passes(&by_value, &record)), [true, false, false, false, true]);
    let forgetful = filter::first(1, hour).keys(1);
    assert_eq!(
        ["a", "a", "b", "a"].map(|message| passes(&forgetful, &say(Severity::INFO, message))),
        [true, false, true, true]
    );
    assert_eq!(report(&forgetful).stats.dropped.by(DropReason::Sampled), 1);
}

#[test]
fn first_lets_eight_threads_through_no_more_than_one() {
    let filter = filter::first(100, Duration::from_secs(1_000_000));
    assert_eq!(eight_threads(&filter, |_, number| at(number as u64)), 100);
}

#[test]
fn a_rate_gives_a_burst_and_then_so_many_per_interval() {
    let filter = filter::rate(10, Duration::from_secs(1)).burst(30);
    assert_eq!(passed(&filter, (0..100).map(|_| at(0))), 30);
    assert_eq!(passed(&filter, (0..100).map(|_| at(99))), 0);
    assert_eq!(passed(&filter, (0..100).map(|_| at(100))), 1, "a token each tenth of a second");
    assert_eq!(passed(&filter, (0..100).map(|_| at(1_100))), 10);
    assert_eq!(passed(&filter, (0..1_000).map(|step| at(1_100 + 10 * step))), 99, "ten seconds, evenly");
    assert_eq!(passed(&filter, (0..100).map(|_| at(1_000_000))), 30, "no more is saved up");
    let report = report(&filter);
    assert_eq!((report.name.as_str(), report.stats.delivered), ("rate 10 in 1s", 170));
    assert_eq!(report.stats.dropped.by(DropReason::RateLimited), 1_500 - 170);
    let thirds = filter::rate(3, Duration::from_secs(1));
    assert_eq!(passed(&thirds, (0..4).map(|_| at(0))), 3);
    assert_eq!(passed(&thirds, (0..4).map(|_| at(1_000))), 3);
    assert_eq!(passed(&filter::rate(3, Duration::from_secs(1)).burst(0), [at(0)]), 0);
}

#[test]
fn a_rate_lets_eight_threads_through_no_more_than_one() {
    let overall = filter::rate(100, Duration::from_secs(1_000_000));
    assert_eq!(eight_threads(&overall, |_, _| at(0)), 100);
    let by_key = filter::rate(7, Duration::from_secs(1_000_000)).by("key");
    assert_eq!(eight_threads(&by_key, |_, number| at(0).with_field("key", number % 50)), 350);
}

#[test]
fn a_rate_by_key_knows_so_many_keys_and_forgets_the_one_long_not_seen() {
    let keyed = |filter: &filter::Rate, key: &str| passes(filter, &at(0).with_field("user", key));
    let filter = filter::rate(1, Duration::from_secs(60)).by("user").keys(2);
    let users = ["a", "b", "a", "b", "c", "b", "a"].map(|user| keyed(&filter, user));
    assert_eq!(users, [true, true, false, false, true, false, true], "c makes room by a's place, then a by c's");
    let filter = filter::rate(1, Duration::from_secs(60)).by("user");
    assert_eq!([at(0), at(0)].map(|record| passes(&filter, &record)), [true, false], "those without share one");
}

#[test]
fn a_clock_that_is_set_back_far_begins_anew() {
    let filter = filter::rate(2, Duration::from_secs(1));
    assert_eq!(passed(&filter, (0..5).map(|_| at(100_000))), 2);
    assert_eq!(passed(&filter, (0..5).map(|_| at(98_000))), 0, "late");
    assert_eq!(passed(&filter, (0..5).map(|_| at(50_000))), 2, "set back");
    let filter = filter::first(2, Duration::from_secs(1));
    assert_eq!(passed(&filter, (0..5).map(|_| at(100_000))), 2);
    assert_eq!(passed(&filter, (0..5).map(|_| at(98_000))), 0);
    assert_eq!(passed(&filter, (0..5).map(|_| at(50_000))), 2);
}

#[test]
fn a_sampler_as_an_output_s_filter_reports_what_it_dropped() {
    let memory = tracing_handlers::sink::Memory::new();
    let output = tracing_handlers::Output::new(tracing_handlers::format::Text::new(), memory.clone());
    let layer = output.level(Severity::INFO).filter(filter::one_in(2).name("half")).name("out");
    let seen = seen(|| (0..5).for_each(|n| info!("{n}")));
    let debug = record(Severity::DEBUG, "not for the output, nor counted");
    for record in seen.all().iter().chain([&debug]) {
        layer.handle(&record.as_record()).unwrap();
    }
    let lines: Vec<_> = layer.stats().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "out: accepted 3, delivered 3, dropped 0, failed 0, pending 0",
            "half: accepted 5, delivered 3, dropped 2 (sampled 2), failed 0, pending 0"
        ]
    );
}
