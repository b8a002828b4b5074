use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Barrier};

use tracing::Instrument as _;
use tracing_handlers::testing::{self, capture, capture_all, expect, fail_on_error};
use tracing_subscriber::prelude::*;

use crate::collect::{alone, spans};

alone! {
    fn tests_that_run_side_by_side_see_their_own_records_only() {
        let together = Arc::new(Barrier::new(8));
        let test = |number: usize| {
            let together = together.clone();
            move || {
                let capture = capture();
                together.wait();
                let scope = capture.scope();
                let helper = std::thread::spawn(move || scope.in_scope(|| tracing::info!(number, "helper")));
                for _ in 0..100 {
                    tracing::info!(number, "own");
                }
                helper.join().unwrap();
                together.wait();
                assert_eq!(capture.records().len(), 101);
                capture.assert_count(101, expect().field("number", number));
            }
        };
        let tests: Vec<_> = (0..8).map(|number| std::thread::spawn(test(number))).collect();
        tests.into_iter().for_each(|test| test.join().unwrap());
    }

    fn a_capture_follows_the_spans_that_are_made_in_its_scope() {
        let capture = capture();
        let own = tracing::info_span!("own", id = 7);
        let elsewhere = std::thread::spawn(|| tracing::info_span!("elsewhere")).join().unwrap();
        std::thread::spawn(move || {
            own.in_scope(|| tracing::info!("in a span of the scope"));
            elsewhere.in_scope(|| tracing::info!("in a span of another thread"));
            tracing::info!("in no span");
        })
        .join()
        .unwrap();
        capture.assert_logged(expect().in_span("own").span_field("id", 7));
        assert_eq!(capture.messages(), ["in a span of the scope"]);
        assert_eq!(spans(&capture.records()[0]), ["own{id=7}"]);
    }

    fn a_capture_follows_tasks() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let capture = capture();
        runtime.block_on(async {
            let tasks = [
                tokio::spawn(async { tracing::info!("in the capture's span") }.instrument(capture.span())),
                tokio::spawn(async { tracing::info!("in the current span") }.in_current_span()),
                tokio::spawn(async { tracing::info!("astray") }),
            ];
            for task in tasks {
                task.await.unwrap();
            }
        });
        capture.assert_count(2, expect());
        capture.assert_never(expect().message("astray"));
    }

    fn on_its_own_thread_a_capture_sees_records_of_any_span_and_of_none() {
        let before = tracing::info_span!("before");
        let capture = capture();
        before.in_scope(|| tracing::info!("one"));
        tracing::info!(parent: None, "two");
        tracing::trace!("three");
        drop(capture.clone());
        let kept = (*capture).clone();
        drop(capture);
        tracing::info!("after it");
        assert_eq!(kept.messages(), ["one", "two", "three"]);
    }

    fn captures_within_captures_see_what_is_theirs() {
        let outer = capture();
        tracing::info!("one");
        {
            let inner = capture();
            tracing::info!("two");
            assert_eq!(inner.messages(), ["two"]);
        }
        tracing::info!("three");
        assert_eq!(outer.messages(), ["one", "two", "three"]);
        outer.clear();
        assert!(outer.records().is_empty());
    }

    fn a_capture_of_everything_sees_every_thread() {
        let capture = capture_all();
        std::thread::spawn(|| tracing::info!("elsewhere")).join().unwrap();
        assert_eq!(capture.messages(), ["elsewhere"]);
        assert!(capture.span().is_none());
    }

    fn a_scope_that_panics_is_left() {
        let capture = capture();
        let scope = capture.scope();
        std::thread::spawn(move || {
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| scope.in_scope(|| panic!("as it should"))));
            tracing::info!("outside");
        })
        .join()
        .unwrap();
        assert!(capture.records().is_empty());
    }

    fn a_subscriber_of_ones_own_needs_the_layer() {
        let own = tracing_subscriber::registry();
        tracing::subscriber::set_global_default(own).unwrap();
        let refused = std::panic::catch_unwind(|| drop(capture())).unwrap_err();
        assert!(refused.downcast_ref::<String>().map(String::as_str).or(refused.downcast_ref::<&str>().copied())
            .is_some_and(|message| message.contains("testing::layer()")));
        let subscriber = tracing_subscriber::registry().with(testing::layer());
        tracing::subscriber::with_default(subscriber, || {
            let capture = capture();
            tracing::debug!("here");
            assert_eq!(capture.messages(), ["here"]);
        });
    }

    fn a_test_fails_when_it_is_over_if_an_error_was_logged() {
        let fails = |log: fn()| {
            let test = std::thread::spawn(move || {
                let _guard = fail_on_error().allow(expect().message("allowed"));
                log();
            });
            test.join().err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
        };
        assert_eq!(fails(|| tracing::warn!("nearly")), None);
        assert_eq!(fails(|| tracing::error!("allowed")), None);
        let message = fails(|| tracing::error!(target: "shop", "on fire")).unwrap();
        assert_eq!(message, "errors were logged (1):\nERROR shop: on fire\n");
        // A second panic would abort the process.
        let own = fails(|| {
            tracing::error!("on fire");
            panic!("{}", "the test's own");
        });
        assert_eq!(own.as_deref(), Some("the test's own"));
    }
}
