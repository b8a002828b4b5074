//! Spans: who is whose parent, values recorded later, depth, threads and tasks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use tracing::field::Empty;
use tracing::{Dispatch, Instrument, Span, error_span, info, info_span, instrument};
use tracing_handlers::handler::{Handler, Overflow, Queue, from_fn};
use tracing_handlers::{RecordBuf, Value};
use tracing_subscriber::prelude::*;

use crate::collect::{Seen, alone, dispatch, pin, seen, spans};
use crate::until::soon;

#[test]
fn the_spans_around_an_event_come_root_first_with_their_fields() {
    let seen = seen(|| {
        let _a = info_span!("a", n = 1, s = "x").entered();
        let _b = error_span!(target: "other", "b", d = ?Some(1)).entered();
        info!("x");
    });
    let record = seen.last();
    assert_eq!(spans(&record), [r#"a{n=1, s="x"}"#, "b{d=Some(1)}"]);
    let b = record.as_record().spans().nth(1).unwrap();
    assert_eq!((b.target(), b.severity()), ("other", tracing_handlers::Severity::ERROR));
    assert_eq!(b.field("d"), Some(Value::Text("Some(1)")));
}

#[test]
fn a_parent_given_for_an_event_or_a_span_goes_before_the_one_it_stands_in() {
    let seen = seen(|| {
        let a = info_span!("a");
        let b = info_span!(parent: &a, "b");
        let _c = info_span!("c").entered();
        info!("contextual");
        info!(parent: &b, "explicit");
        info!(parent: None, "none");
        info_span!(parent: None, "root").in_scope(|| info!("root span"));
        info_span!(parent: b.id(), "by id").in_scope(|| info!("by id"));
        info!(parent: &Span::none(), "no span");
    });
    let spans = seen.spans();
    assert_eq!(spans[0], ["c{}"]);
    assert_eq!(spans[1], ["a{}", "b{}"]);
    assert!(spans[2].is_empty());
    assert_eq!(spans[3], ["root{}"]);
    assert_eq!(spans[4], ["a{}", "b{}", "by id{}"]);
}

#[test]
fn a_span_entered_on_other_threads_is_theirs_only_while_they_are_in_it() {
    let kept = Seen::default();
    let dispatch = dispatch(kept.clone());
    tracing::dispatcher::with_default(&dispatch, || {
        let shared = info_span!("shared", n = 1).entered();
        let span = Span::current();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (span, dispatch) = (span.clone(), dispatch.clone());
                scope.spawn(move || {
                    let _dispatch = tracing::dispatcher::set_default(&dispatch);
                    info!(thread, "out");
                    span.in_scope(|| {
                        let _own = info_span!("own", thread).entered();
                        info!(thread, "in");
                    });
                    info!(thread, "out");
                });
            }
        });
        drop(shared);
    });
    for record in kept.all() {
        let thread = record.as_record().field("thread").unwrap();
        match record.as_record().message() {
            "in" => assert_eq!(spans(&record), ["shared{n=1}".to_owned(), format!("own{{thread={thread}}}")]),
            _ => assert!(spans(&record).is_empty()),
        }
    }
    assert_eq!(kept.count(), 12);
}

#[test]
fn what_a_span_follows_from_is_told_and_is_no_parent() {
    let mut ids = Vec::new();
    let seen = seen(|| {
        let (a, b) = (info_span!("a"), info_span!("b"));
        let c = info_span!("c", n = 1, late = Empty);
        let child = info_span!(parent: &c, "child");
        c.follows_from(&a);
        c.record("late", 2);
        c.follows_from(&b);
        ids = [&a, &b].map(|span| span.id().unwrap().into_u64()).to_vec();
        child.in_scope(|| info!("x"));
    });
    let record = seen.last();
    assert_eq!(spans(&record), ["c{n=1, late=2}", "child{}"]);
    assert_eq!(record.as_record().spans().next().unwrap().follows_from().collect::<Vec<_>>(), ids);
    assert_eq!(record.as_record().spans().nth(1).unwrap().follows_from().count(), 0);
}

#[test]
fn values_recorded_on_the_leaf_are_added_or_replaced_in_their_places() {
    let seen = seen(|| {
        let span = info_span!("s", a = 1, b = Empty, c = "c", d = Empty).entered();
        info!("0");
        span.record("d", 1.5);
        info!("1");
        span.record("b", true).record("a", "other type");
        info!("2");
        span.record("d", 2_u64).record("unknown", 1);
        info!("3");
    });
    let spans: Vec<_> = seen.spans().into_iter().flatten().collect();
    assert_eq!(
        spans,
        [
            r#"s{a=1, c="c"}"#,
            r#"s{a=1, c="c", d=1.5}"#,
            r#"s{a="other type", c="c", d=1.5, b=true}"#,
            r#"s{a="other type", c="c", d=2, b=true}"#,
        ]
    );
}

#[test]
fn values_recorded_on_an_ancestor_show_in_descendants_made_before_and_after() {
    let seen = seen(|| {
        let root = info_span!("root", v = 0);
        let child = info_span!(parent: &root, "child", w = 0);
        let early = info_span!(parent: &child, "early");
        root.record("v", 1);
        // Made under a child that has not been looked at since its own parent changed.
        let late = info_span!(parent: &child, "late");
        let later = info_span!(parent: &late, "later");
        for span in [&root, &child, &early, &late, &later] {
            span.in_scope(|| info!("first"));
        }
        child.record("w", 1);
        root.record("v", 2);
        let last = info_span!(parent: &later, "last");
        for span in [&last, &later, &early, &child, &root] {
            span.in_scope(|| info!("second"));
        }
    });
    for record in seen.all() {
        let spans = spans(&record);
        let (v, w) = if record.as_record().message() == "first" { (1, 0) } else { (2, 1) };
        assert_eq!(spans[0], format!("root{{v={v}}}"), "{spans:?}");
        if spans.len() > 1 {
            assert_eq!(spans[1], format!("child{{w={w}}}"), "{spans:?}");
        }
    }
    assert_eq!(seen.count(), 10);
}

/// Checks every order of a few operations on a chain of three spans against a plain model.
#[test]
fn every_order_of_making_recording_and_logging_shows_the_latest_values() {
    // 0..3: make a child under span n (replacing the one below); 3..6: record on span n; 6..9: log in span n.
    let log = |operations: &[usize]| {
        let mut expected: Vec<Vec<String>> = Vec::new();
        let seen = seen(|| {
            let make = |parent: Option<&Span>| match parent {
                Some(parent) => info_span!(parent: parent, "s", v = Empty),
                None => info_span!(parent: None, "s", v = Empty),
            };
            let mut chain = vec![make(None)];
            let mut values = vec![0];
            for (time, operation) in operations.iter().enumerate() {
                let n = (operation % 3).min(chain.len() - 1);
                match operation / 3 {
                    0 => {
                        chain.truncate(n + 1);
                        values.truncate(n + 1);
                        chain.push(make(chain.last()));
                        values.push(0);
                    }
                    1 => {
                        values[n] = time + 1;
                        chain[n].record("v", time + 1);
                    }
                    _ => {
                        chain[n].in_scope(|| info!("x"));
                        let show = |v: &usize| if *v == 0 { "s{}".to_owned() } else { format!("s{{v={v}}}") };
                        expected.push(values[..=n].iter().map(show).collect());
                    }
                }
            }
            chain.last().unwrap().in_scope(|| info!("x"));
            let show = |v: &usize| if *v == 0 { "s{}".to_owned() } else { format!("s{{v={v}}}") };
            expected.push(values.iter().map(show).collect());
        });
        assert_eq!(seen.spans(), expected, "{operations:?}");
    };
    let mut random = 88_172_645_463_325_252_u64;
    for _ in 0..600 {
        let operations: Vec<usize> = (0..14)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (random >> 20) as usize % 9
            })
            .collect();
        log(&operations);
    }
}

#[test]
fn values_recorded_from_many_threads_while_others_log_are_never_mixed_up() {
    let kept = Seen::default();
    let done = AtomicBool::new(false);
    let (latest, checked) = (AtomicU64::new(0), AtomicU64::new(0));
    let dispatch = dispatch(from_fn({
        let kept = kept.clone();
        move |record| {
            // Only what is looked at below: there are many.
            if record.message() == "final" { kept.handle(record) } else { check(record) }
        }
    }));
    fn check(record: &tracing_handlers::Record<'_>) -> Result<(), tracing_handlers::Error> {
        let names: Vec<_> = record.spans().map(|span| span.name().to_owned()).collect();
        assert_eq!(names, ["root", "middle", "leaf"]);
        let root = record.spans().next().unwrap();
        assert_eq!(root.field("id"), Some(Value::Str("root")));
        assert!(matches!(root.field("v"), Some(Value::U64(_))), "{root:?}");
        assert_eq!(root.fields().count(), 3, "{root:?}");
        let (Some(Value::Str(text)), Some(Value::U64(v))) = (root.field("text"), root.field("v")) else {
            panic!("{root:?}")
        };
        assert!(text.bytes().all(|byte| byte == text.as_bytes()[0]) && v < u64::MAX);
        assert_eq!(record.spans().nth(1).unwrap().field("id"), Some(Value::Str("middle")));
        let leaf = record.spans().nth(2).unwrap();
        assert_eq!(leaf.field("thread").map(|v| v.to_string()), record.field("thread").map(|v| v.to_string()));
        Ok(())
    }
    tracing::dispatcher::with_default(&dispatch, || {
        let root = info_span!("root", id = "root", v = 0_u64, text = "a");
        let middle = info_span!(parent: &root, "middle", id = "middle", m = Empty);
        std::thread::scope(|scope| {
            for thread in 0..3_u64 {
                let (middle, dispatch, done, checked) = (&middle, &dispatch, &done, &checked);
                scope.spawn(move || {
                    let _dispatch = tracing::dispatcher::set_default(dispatch);
                    let mut leaf = info_span!(parent: middle, "leaf", thread);
                    while !done.load(Ordering::Relaxed) {
                        for _ in 0..20 {
                            leaf.in_scope(|| info!(thread, "x"));
                            checked.fetch_add(1, Ordering::Relaxed);
                        }
                        leaf = info_span!(parent: middle, "leaf", thread);
                    }
                });
            }
            let recorders: Vec<_> = (0..2)
                .map(|_| {
                    let (root, middle, dispatch, latest) = (&root, &middle, &dispatch, &latest);
                    scope.spawn(move || {
                        let _dispatch = tracing::dispatcher::set_default(dispatch);
                        // Lengths that move the border at which a path stops being copied.
                        for round in 0..400_usize {
                            let letter = ["a", "b", "c"][round % 3];
                            root.record("text", letter.repeat(1 + (round % 7) * 900).as_str());
                            root.record("v", latest.fetch_add(1, Ordering::Relaxed));
                            middle.record("m", round);
                        }
                    })
                })
                .collect();
            recorders.into_iter().for_each(|recorder| recorder.join().unwrap());
            done.store(true, Ordering::Relaxed);
        });
        root.record("v", 77_u64).record("text", "end");
        info_span!(parent: &middle, "leaf").in_scope(|| info!("final"));
    });
    assert!(checked.load(Ordering::Relaxed) > 100);
    assert_eq!(spans(&kept.last())[0], r#"root{id="root", v=77, text="end"}"#);
}

/// A panic in a handler is absorbed, so the test above must see one.
#[test]
fn what_a_thread_records_it_sees_in_its_own_next_event() {
    let wrong = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let w = wrong.clone();
    let dispatch = dispatch(from_fn(move |record| {
        let names: Vec<_> = record.spans().map(|span| span.name()).collect();
        let shown = record.spans().nth(1).and_then(|span| span.field("v")).map(|value| value.to_string());
        let says = record.field("v").map(|value| value.to_string());
        let text = record.spans().next().and_then(|span| Some(span.field("text")?.to_string()));
        let whole = text.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte == text.as_bytes()[0]));
        if names != ["root", "mine", "shared leaf"] || (says.is_some() && shown != says) || !whole {
            w.lock().unwrap().push(format!("{names:?} {shown:?} {says:?} {whole}"));
        }
        Ok(())
    }));
    tracing::dispatcher::with_default(&dispatch, || {
        let root = info_span!("root", text = "a");
        let mine = info_span!(parent: &root, "mine", v = 0_u64);
        let leaf = info_span!(parent: &mine, "shared leaf");
        let done = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let (root, leaf, dispatch) = (&root, &leaf, &dispatch);
                scope.spawn(move || {
                    let _dispatch = tracing::dispatcher::set_default(dispatch);
                    let mut round = 0_usize;
                    while !done.load(Ordering::Relaxed) {
                        round += 1;
                        root.record("text", ["a", "b"][round % 2].repeat(1 + (round % 2) * 5_000).as_str());
                        leaf.in_scope(|| info!("others"));
                    }
                });
            }
            for v in 0..2_000_u64 {
                mine.record("v", v);
                leaf.in_scope(|| info!(v, "mine"));
            }
            done.store(true, Ordering::Relaxed);
        });
    });
    let wrong = wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} records, such as {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
}

#[test]
fn a_span_closed_before_its_record_is_delivered_is_still_in_the_record() {
    let kept = Seen::default();
    let (release, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let gate = from_fn(move |_| {
        let _ = wait.lock().unwrap().recv();
        Ok(())
    });
    let queue = std::sync::Arc::new(Queue::new((gate, kept.clone())).overflow(Overflow::Block));
    tracing::dispatcher::with_default(&dispatch(queue.clone()), || {
        for n in 0..100 {
            let span = info_span!("short", n, late = Empty).entered();
            info!(n, "x");
            span.record("late", true);
        }
    });
    drop(release);
    queue.flush(soon()).unwrap();
    assert_eq!(kept.count(), 100);
    for record in kept.all() {
        let n = record.as_record().field("n").unwrap();
        assert_eq!(spans(&record), [format!("short{{n={n}}}")], "as it was when the event happened");
    }
}

#[test]
fn a_new_span_in_the_place_of_a_closed_one_shows_nothing_of_it() {
    let mut ids = std::collections::HashSet::new();
    let seen = seen(|| {
        for n in 0..200 {
            let span = match n % 2 {
                0 => info_span!("full", secret = n, other = Empty),
                _ => info_span!("bare", other = Empty),
            };
            if n % 2 == 0 {
                span.record("other", "old");
                span.follows_from(&span);
            }
            ids.insert(span.id().unwrap().into_u64() & 0xffff_ffff);
            let child = info_span!(parent: &span, "child");
            child.in_scope(|| info!(n, "x"));
        }
    });
    assert!(ids.len() < 200, "slots are used again, else this shows nothing");
    for (n, record) in seen.all().iter().enumerate() {
        match n % 2 {
            0 => assert_eq!(spans(record), [format!("full{{secret={n}, other=\"old\"}}"), "child{}".into()]),
            _ => {
                assert_eq!(spans(record), ["bare{}", "child{}"]);
                assert_eq!(record.as_record().spans().next().unwrap().follows_from().count(), 0);
            }
        }
    }
}

#[test]
fn a_span_that_is_closed_before_it_is_left_is_left_all_the_same() {
    for filtered in [false, true] {
        pin();
        let kept = Seen::default();
        let layer = tracing_handlers::layer(kept.clone());
        let registry = tracing_subscriber::registry();
        let dispatch = match filtered {
            // A stock filter does not tell of the exit of a closed span.
            true => Dispatch::new(registry.with(layer.with_filter(tracing_subscriber::filter::filter_fn(|_| true)))),
            false => Dispatch::new(registry.with(layer)),
        };
        tracing::dispatcher::with_default(&dispatch, || {
            let _outer = info_span!("outer").entered();
            let span = info_span!("gone");
            let id = span.id().unwrap();
            for _ in 0..2 {
                dispatch.enter(&id);
                info!("in");
                info!("in");
            }
            drop(span);
            dispatch.exit(&id);
            dispatch.exit(&id);
            info!("out");
            info_span!("other").in_scope(|| info!("other"));
        });
        let spans = kept.spans();
        assert_eq!(spans[3], ["outer{}", "gone{}"]);
        assert_eq!(spans[4..], [vec!["outer{}"], vec!["outer{}", "other{}"]], "{filtered}");
    }
}

/// The Registry's ids have 13 bits for generations.
#[test]
fn a_span_whose_id_has_come_back_shows_nothing_of_the_one_that_had_it() {
    let mut ids = std::collections::HashMap::new();
    let mut came_back = 0;
    let seen = seen(|| {
        let first = info_span!("first", n = -1);
        let id = first.id().unwrap().into_u64();
        first.in_scope(|| info!("x"));
        drop(first);
        for n in 0..20_000 {
            let span = info_span!("one", n, late = Empty);
            let again = ids.insert(span.id().unwrap().into_u64(), n).is_some() || span.id().unwrap().into_u64() == id;
            if !again {
                // Some are made and never entered, others entered once.
                if n % 3 > 0 {
                    span.in_scope(|| ());
                }
                continue;
            }
            came_back += 1;
            if came_back > 300 {
                break;
            }
            match came_back % 3 {
                0 => std::mem::drop(span.enter()),
                1 => drop(info_span!("never entered")),
                _ => {}
            }
            span.in_scope(|| {
                info!(n, "one");
                span.record("late", n);
                info!(n, late = n, "two");
            });
        }
    });
    assert!(came_back > 0, "ids come back, else this shows nothing");
    for record in seen.all().iter().skip(1) {
        let n = record.as_record().field("n").unwrap();
        let late = record.as_record().field("late").map(|late| format!(", late={late}")).unwrap_or_default();
        assert_eq!(spans(record), [format!("one{{n={n}{late}}}")]);
    }
}

fn nest(depth: u64, at_the_bottom: fn()) {
    // Not recursive, so that the test's own stack is not what is measured.
    let mut all = Vec::new();
    for level in 0..depth {
        let span = match all.last() {
            Some(parent) => info_span!(parent: parent, "level", level, late = Empty),
            None => info_span!(parent: None, "level", level, late = Empty),
        };
        all.push(span);
    }
    let leaf = all.last().unwrap().clone();
    leaf.in_scope(at_the_bottom);
    all[0].record("late", "on the root");
    all[depth as usize / 2].record("late", "half way");
    leaf.in_scope(at_the_bottom);
    // From the leaf on, so that closing does not recurse.
    drop(leaf);
    while all.pop().is_some() {}
}

fn assert_levels(record: &RecordBuf, depth: u64) {
    let levels = record.as_record().spans().map(|span| span.field("level"));
    assert!(levels.eq((0..depth).map(|level| Some(Value::U64(level)))), "root first, each once");
}

/// Pages in memory that are this process's own.
#[cfg(target_os = "linux")]
pub(super) fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

alone! {
    fn five_thousand_nested_spans_take_memory_in_proportion() {
        let kept = Seen::default();
        tracing_subscriber::registry().with(tracing_handlers::layer(kept.clone())).init();
        #[cfg(target_os = "linux")]
        let before = resident();
        nest(5_000, || info!("bottom"));
        #[cfg(target_os = "linux")]
        {
            let grown = resident().saturating_sub(before);
            assert!(grown < 60 << 20, "{} MiB", grown >> 20);
        }
        let all = kept.all();
        assert_eq!(all.len(), 2);
        all.iter().for_each(|record| assert_levels(record, 5_000));
        let late: Vec<_> = all[1].as_record().spans().filter_map(|span| span.field("late")).collect();
        assert_eq!(late, [Value::Str("on the root"), Value::Str("half way")]);
        assert_eq!(all[0].as_record().spans().filter_map(|span| span.field("late")).count(), 0);
    }

    fn a_value_recorded_at_the_root_of_very_many_spans_does_not_overflow_a_small_stack() {
        let kept = Seen::default();
        tracing_subscriber::registry().with(tracing_handlers::layer(kept.clone())).init();
        let log = || nest(20_000, || info!("bottom"));
        std::thread::Builder::new().stack_size(512 << 10).spawn(log).unwrap().join().unwrap();
        kept.all().iter().for_each(|record| assert_levels(record, 20_000));
        assert_eq!(kept.count(), 2);
    }

    fn a_span_with_a_large_field_does_not_give_each_child_a_copy() {
        let kept = Seen::default();
        tracing_subscriber::registry().with(tracing_handlers::layer(kept.clone())).init();
        let large = "x".repeat(1 << 20);
        let root = info_span!("root", large);
        #[cfg(target_os = "linux")]
        let before = resident();
        let children: Vec<_> = (0..500).map(|n| info_span!(parent: &root, "child", n)).collect();
        #[cfg(target_os = "linux")]
        assert!(resident().saturating_sub(before) < 50 << 20);
        children[499].in_scope(|| info!("x"));
        let last = kept.last();
        let spans: Vec<_> = last.as_record().spans().collect();
        assert_eq!(spans[0].field("large").unwrap().as_str(), Some(&*large));
        assert_eq!((spans.len(), spans[1].field("n")), (2, Some(Value::I64(499))));
    }
}

#[instrument(fields(late = Empty))]
async fn request(id: u64, rounds: u64) {
    for round in 0..rounds {
        info!(id, round, "outer");
        step(id, round).await;
        Span::current().record("late", round);
        tokio::task::yield_now().await;
        info!(id, round, late = round, "recorded");
    }
}

#[instrument(skip_all, fields(round = round))]
async fn step(id: u64, round: u64) {
    tokio::task::yield_now().await;
    info!(id, round, "inner");
    for _ in 0..id % 3 {
        tokio::task::yield_now().await;
    }
    async { info!(id, round, "instrumented") }.instrument(info_span!("extra", id)).await;
}

fn assert_requests(kept: &Seen, requests: u64, rounds: u64) {
    let all = kept.all();
    assert_eq!(all.len() as u64, requests * rounds * 4);
    for record in &all {
        let record = record.as_record();
        let field = |name: &str| record.field(name).unwrap();
        let spans: Vec<_> = record.spans().collect();
        let names: Vec<_> = spans.iter().map(|span| span.name()).collect();
        assert_eq!(spans[0].field("id"), Some(field("id")), "{record:?}");
        match record.message() {
            "outer" => assert_eq!(names, ["request"]),
            "recorded" => assert_eq!((names, spans[0].field("late")), (vec!["request"], Some(field("late")))),
            "inner" => {
                assert_eq!(names, ["request", "step"]);
                assert_eq!(spans[1].field("round"), Some(field("round")), "{record:?}");
            }
            _ => {
                assert_eq!(names, ["request", "step", "extra"]);
                assert_eq!(spans[2].field("id"), Some(field("id")), "{record:?}");
            }
        }
    }
}

async fn serve(requests: u64, rounds: u64) {
    let all: Vec<_> = (0..requests).map(|id| tokio::spawn(request(id, rounds))).collect();
    for one in all {
        one.await.unwrap();
    }
}

#[test]
fn each_event_of_an_async_function_has_its_own_request_s_spans() {
    let kept = Seen::default();
    let _default = tracing::dispatcher::set_default(&dispatch(kept.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(serve(50, 4));
    assert_requests(&kept, 50, 4);
}

#[test]
fn each_event_of_an_async_function_has_its_own_request_s_spans_on_many_threads() {
    pin();
    let kept = Seen::default();
    let dispatch: &'static Dispatch = Box::leak(Box::new(dispatch(kept.clone())));
    // The guard stays on its thread for as long as that lives.
    let enter = || std::mem::forget(tracing::dispatcher::set_default(dispatch));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .on_thread_start(enter)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(serve(50, 4)).await.unwrap() });
    assert_requests(&kept, 50, 4);
}
