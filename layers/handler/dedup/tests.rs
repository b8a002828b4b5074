use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::handler::script::{Script, batch, record};
use crate::sync::deadline_in;
use crate::{RecordBuf, Severity, Value};

fn at(second: i64, message: &str) -> RecordBuf {
    record(message).with_time(Timestamp::new(second, 0))
}

fn send(to: &Dedup<Script>, record: &RecordBuf) {
    to.handle(&record.as_record()).unwrap();
}

fn flush(dedup: &Dedup<Script>) {
    dedup.flush(deadline_in(Duration::from_secs(30))).unwrap();
}

#[test]
fn neighbors_are_suppressed_and_reported_before_the_next_record() {
    let script = Script::default();
    let dedup = Dedup::new(script.clone());
    ["a", "a", "a", "b", "a", "a"].into_iter().for_each(|message| send(&dedup, &at(7, message)));
    assert_eq!(script.delivered(), ["a", "last message repeated 2 times", "b", "a"]);
    flush(&dedup);
    // A duplicate is reported only once.
    flush(&dedup);
    send(&dedup, &at(8, "a"));
    drop(dedup);
    assert_eq!(script.delivered()[4..], ["last message repeated 1 time", "last message repeated 1 time"]);
    let telling = &script.records()[5];
    assert_eq!(telling.as_record().field("repeated"), Some(Value::U64(1)));
    assert_eq!(telling.as_record().time(), Timestamp::new(8, 0));
}

#[test]
fn records_of_different_tenants_are_not_folded() {
    let of = |tenant: &str| at(7, "no paper").with_span("request", [("tenant", tenant.into())]);
    let all = [of("a"), of("a"), of("b"), of("b"), at(7, "no paper"), of("a")];
    let seen = |dedup: fn(Dedup<Script>) -> Dedup<Script>| {
        let script = Script::default();
        let dedup = dedup(Dedup::new(script.clone()));
        all.iter().for_each(|record| send(&dedup, record));
        flush(&dedup);
        let line = |record: &RecordBuf| {
            let record = record.as_record();
            format!("{} {:?}", record.message(), record.span_field("tenant"))
        };
        script.records().iter().map(line).collect::<Vec<_>>()
    };
    let expected = [
        "no paper Some(\"a\")",
        "last message repeated 1 time Some(\"a\")",
        "no paper Some(\"b\")",
        "last message repeated 1 time Some(\"b\")",
        "no paper None",
        "no paper Some(\"a\")",
    ];
    assert_eq!(seen(|dedup| dedup), expected);
    let told = ["message repeated 2 times: no paper Some(\"a\")", "message repeated 1 time: no paper Some(\"b\")"];
    assert_eq!(
        seen(|dedup| dedup.distinct(9)),
        [&["no paper Some(\"a\")", "no paper Some(\"b\")", "no paper None"][..], &told].concat()
    );
    // The notice names none, since it stands for all.
    assert_eq!(seen(|dedup| dedup.spans(false)), ["no paper Some(\"a\")", "last message repeated 5 times None"]);
}

#[test]
fn a_record_passes_when_the_window_is_over() {
    let script = Script::default();
    let dedup = Dedup::new(script.clone()).window(Duration::from_secs(10));
    [0, 5, 9, 10, 11].into_iter().for_each(|second| send(&dedup, &at(second, "a")));
    assert_eq!(script.delivered(), ["a", "last message repeated 2 times", "a"]);
    // The clock is set back by an hour.
    send(&dedup, &at(-3_600, "a"));
    assert_eq!(script.delivered()[3..], ["last message repeated 1 time", "a"]);
}

#[test]
fn the_last_distinct_records_are_remembered() {
    let script = Script::default();
    let dedup = Dedup::new(script.clone()).distinct(2);
    ["a", "b", "a", "b", "a", "c", "d"].into_iter().for_each(|message| send(&dedup, &at(0, message)));
    let told = ["a", "b", "message repeated 1 time: b", "c", "message repeated 2 times: a", "d"];
    assert_eq!(script.delivered(), told);
}

#[test]
fn the_memory_for_remembered_records_is_limited() {
    let large = |letter: char| letter.to_string().repeat(10_000);
    let script = Script::default();
    let dedup = Dedup::new(script.clone()).distinct(1_000).capacity_bytes(100_000);
    (0..2).for_each(|_| ('a'..='z').for_each(|letter| send(&dedup, &at(0, &large(letter)))));
    // Only nine of them fit: each is forgotten before it comes again.
    assert_eq!(script.delivered().len(), 52);
    ('s'..='z').for_each(|letter| send(&dedup, &at(0, &large(letter))));
    assert_eq!(script.delivered().len(), 52);
    let held = lock(&dedup.core.state).bytes;
    assert!((80_000..=100_000).contains(&held), "{held}");
}

#[test]
fn buffers_of_forgotten_records_count_as_memory() {
    let script = Script::default();
    let dedup = Dedup::new(script.clone()).distinct(1_000).capacity_bytes(100_000).window(Duration::from_secs(10));
    let medium = |number: i64| format!("{number} {}", "x".repeat(3_000));
    for second in [0, 20] {
        (0..1_000).for_each(|number| send(&dedup, &at(second, &medium(number))));
        let held = lock(&dedup.core.state).bytes;
        assert!(held <= 100_000, "{held}");
    }
}

#[test]
fn a_record_larger_than_the_memory_passes_each_time_and_is_not_remembered() {
    for distinct in [1, 5] {
        let script = Script::default();
        let dedup = Dedup::new(script.clone()).distinct(distinct).capacity_bytes(1_000);
        let large = "x".repeat(10_000);
        ["a", "a", &large, &large, "a"].into_iter().for_each(|message| send(&dedup, &at(0, message)));
        flush(&dedup);
        let delivered = script.delivered();
        // Only neighbors are duplicates, or all that are remembered.
        let expected: &[&str] = match distinct {
            1 => &["a", "last message repeated 1 time", &large, &large, "a"],
            _ => &["a", &large, &large, "message repeated 2 times: a"],
        };
        assert_eq!(delivered, expected);
    }
}

#[test]
fn without_fields_duplicates_are_reported_without_them() {
    let script = Script::default();
    let dedup = Dedup::new(script.clone()).fields(false);
    (0_u64..3).for_each(|number| send(&dedup, &at(0, "a").with_field("number", number)));
    flush(&dedup);
    let names: Vec<_> = script.records()[1].as_record().fields().map(|field| field.name.to_owned()).collect();
    assert_eq!((script.delivered().len(), names), (2, vec!["repeated".to_owned()]));
}

#[test]
fn a_record_that_was_not_delivered_has_no_duplicates() {
    let io = Some(ErrorKind::Io);
    let script = Script::new([io, io, None]);
    let dedup = Dedup::new(script.clone());
    assert!(dedup.handle(&at(0, "a").as_record()).is_err());
    assert!(dedup.handle_batch(batch(&["b"]).records()).is_err());
    ["b", "b"].into_iter().for_each(|message| send(&dedup, &record(message)));
    assert_eq!(script.delivered(), ["b"]);
    let stats = dedup.stats()[0].stats;
    assert!(stats.balances() && (stats.delivered, stats.failed, stats.lost()) == (1, 2, 3), "{stats:?}");
}

#[test]
fn a_failed_notice_does_not_affect_the_next_record() {
    let script = Script::new([None, Some(ErrorKind::Io)]);
    let dedup = Dedup::new(script.clone());
    ["a", "a", "b"].into_iter().for_each(|message| send(&dedup, &at(0, message)));
    assert_eq!(script.delivered(), ["a", "b"]);
}

#[test]
fn severities_with_different_names_are_different_records() {
    let script = Script::default();
    let dedup = Dedup::new(script.clone());
    [Severity::INFO, Severity::NOTICE, Severity::NOTICE].into_iter().for_each(|severity| {
        send(&dedup, &RecordBuf::new(severity, "shop", "a").with_time(Timestamp::EPOCH));
    });
    assert_eq!(script.delivered(), ["a", "a"]);
}

/// The expected output, computed by a simple model.
fn model(messages: &[u8], distinct: usize) -> Vec<String> {
    let mut known: Vec<(u8, u64)> = Vec::new();
    let mut out = Vec::new();
    let tell = |(message, repeats): (u8, u64), out: &mut Vec<String>| {
        let times = if repeats == 1 { "time" } else { "times" };
        match (repeats, distinct) {
            (0, _) => {}
            (_, 1) => out.push(format!("last message repeated {repeats} {times}")),
            _ => out.push(format!("message repeated {repeats} {times}: {message}")),
        }
    };
    for &message in messages {
        // The record seen last comes last.
        let before = known.iter().position(|(known, _)| *known == message).map(|at| known.remove(at));
        if before.is_none() {
            if known.len() == distinct {
                tell(known.remove(0), &mut out);
            }
            out.push(message.to_string());
        }
        known.push((message, before.map_or(0, |(_, repeats)| repeats + 1)));
    }
    // At the end the duplicates are reported in the order of their first records.
    let mut rest = out;
    let first = |of: u8| rest.iter().rposition(|text| *text == of.to_string());
    known.sort_by_key(|(message, _)| first(*message));
    known.into_iter().for_each(|entry| tell(entry, &mut rest));
    rest
}

proptest! {
    #[test]
    fn it_agrees_with_the_model_one_by_one_and_in_batches(
        messages in prop::collection::vec(0_u8..5, 0..80), distinct in 1_usize..4, batches in 1_usize..20,
    ) {
        let expected = model(&messages, distinct);
        let (single, batched) = (Script::default(), Script::default());
        let dedup = Dedup::new(single.clone()).distinct(distinct);
        messages.iter().for_each(|message| send(&dedup, &at(0, &message.to_string())));
        flush(&dedup);
        prop_assert_eq!(&single.delivered(), &expected);
        let stats = dedup.stats()[0].stats;
        prop_assert!(stats.balances() && stats.accepted == messages.len() as u64);
        let dedup = Dedup::new(batched.clone()).distinct(distinct);
        for chunk in messages.chunks(batches) {
            let records: Vec<_> = chunk.iter().map(|message| at(0, &message.to_string())).collect();
            let batch: Batch = records.iter().collect();
            dedup.handle_batch(batch.records()).unwrap();
        }
        flush(&dedup);
        prop_assert_eq!(&batched.delivered(), &expected);
        prop_assert_eq!(dedup.stats()[0].stats, stats);
    }
}
