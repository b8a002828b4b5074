//! The exchange of handlers, and the `log` crate.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tracing::{Dispatch, Level, debug, error, info, info_span, trace};
use tracing_handlers::filter::{self, LevelFilter};
use tracing_handlers::format::Json;
use tracing_handlers::handler::{Dedup, Filtered, Queue, ScopedBuffer, from_fn};
use tracing_handlers::sink::Memory;
use tracing_handlers::testing::Captured;
use tracing_handlers::{Output, layer as ours};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;

use super::{Bytes, outline};
use crate::collect::{Seen, alone, pin};

#[test]
fn no_record_is_lost_or_doubled_when_handlers_are_swapped_under_load() {
    pin();
    const THREADS: u64 = 4;
    const EACH: u64 = 3_000;
    let counts: Arc<Mutex<HashMap<(u64, u64), u32>>> = Arc::default();
    let alive = Arc::new(());
    let counting = || {
        let (counts, alive) = (counts.clone(), alive.clone());
        from_fn(move |record| {
            let _ = &alive;
            let number = |name: &str| record.field(name).unwrap().to_string().parse::<u64>().unwrap();
            assert_eq!(record.spans().next().unwrap().field("thread"), record.field("thread"));
            *counts.lock().unwrap().entry((number("thread"), number("n"))).or_default() += 1;
            Ok(())
        })
    };
    let layer = ours(counting());
    let handle = layer.handle();
    let dispatch = Dispatch::new(registry().with(layer));
    let done = AtomicBool::new(false);
    let swaps = std::thread::scope(|scope| {
        let (dispatch, done) = (&dispatch, &done);
        let loggers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let _default = tracing::dispatcher::set_default(dispatch);
                    let _span = info_span!("s", thread).entered();
                    for n in 0..EACH {
                        match n % 3 {
                            0 => info!(thread, n, "a"),
                            1 => debug!(thread, n, "b"),
                            _ => error!(thread, n, "c"),
                        }
                    }
                })
            })
            .collect();
        let swapper = scope.spawn(|| {
            let mut swaps = 0;
            while !done.load(Ordering::Relaxed) {
                match swaps % 2 {
                    0 => handle.swap(Queue::new(counting())),
                    _ => handle.swap((counting(), None::<Seen>)),
                }
                swaps += 1;
            }
            swaps
        });
        loggers.into_iter().for_each(|logger| logger.join().unwrap());
        done.store(true, Ordering::Relaxed);
        swapper.join().unwrap()
    });
    handle.swap(None::<Seen>);
    assert_eq!(Arc::strong_count(&alive), 1, "all handlers so far are dropped");
    let counts = counts.lock().unwrap();
    assert!(swaps > 3, "{swaps}");
    assert_eq!(counts.len() as u64, THREADS * EACH, "lost");
    assert!(counts.values().all(|count| *count == 1), "doubled");
}

#[test]
fn spans_made_before_a_swap_are_known_after_it() {
    pin();
    let (before, after) = (Seen::default(), Seen::default());
    let layer = ours(before.clone());
    let handle = layer.handle();
    tracing::dispatcher::with_default(&Dispatch::new(registry().with(layer)), || {
        let root = info_span!("root", v = 0);
        let leaf = info_span!(parent: &root, "leaf").entered();
        handle.swap(after.clone());
        root.record("v", 1);
        info!("x");
        drop(leaf);
    });
    assert_eq!((before.count(), after.spans()), (0, vec![vec!["root{v=1}".to_owned(), "leaf{}".to_owned()]]));
}

alone! {
    fn a_wider_and_a_narrower_level_work_after_a_swap() {
        let bytes: [Bytes; 3] = Default::default();
        let output = |index: usize, level: Level| Output::new(outline(), bytes[index].clone()).level(level);
        let layer = ours(output(0, Level::WARN));
        let handle = layer.handle();
        registry().with(layer).init();
        let log = || {
            trace!("trace");
            info!("info");
            error!("error");
        };
        log();
        assert_eq!(LevelFilter::current(), LevelFilter::INFO, "for the spans");
        std::thread::spawn({
            let (handle, output) = (handle.clone(), output(1, Level::TRACE));
            move || handle.swap(output)
        })
        .join()
        .unwrap();
        log();
        assert_eq!(LevelFilter::current(), LevelFilter::TRACE);
        handle.swap(output(2, Level::ERROR).spans(LevelFilter::OFF));
        log();
        assert_eq!(LevelFilter::current(), LevelFilter::ERROR);
        assert!(!tracing::enabled!(Level::INFO));
        assert_eq!(bytes[0].lines(), ["error"]);
        assert_eq!(bytes[1].lines(), ["trace", "info", "error"]);
        assert_eq!(bytes[2].lines(), ["error"]);
    }

    fn the_log_crate_s_records_carry_their_real_origin_and_are_judged_by_it() {
        let (all, mine) = (Seen::default(), Bytes::default());
        let filtered = Output::new(outline(), mine.clone()).filter(filter::targets(["mine"]).with("mine::quiet", Level::WARN));
        let layer = ours((all.clone(), filtered));
        registry().with(layer).init();
        let _span = info_span!("s", n = 1).entered();
        let line = line!() + 1;
        log::info!("plain {}", 1);
        log::warn!(target: "mine::x", "targeted");
        log::info!(target: "mine::quiet", "quiet");
        log::error!(target: "theirs", "not mine");
        log::logger().log(&log::Record::builder().args(format_args!("bare")).level(log::Level::Info).target("mine").build());
        assert_eq!(all.messages(), ["plain 1", "targeted", "quiet", "not mine", "bare"]);
        let records = all.all();
        let plain = records[0].as_record();
        assert_eq!((plain.target(), plain.module_path()), (module_path!(), Some(module_path!())));
        assert_eq!((plain.file(), plain.line()), (Some(file!()), Some(line)));
        assert_eq!((plain.level(), plain.fields().count()), (Level::INFO, 0), "{plain:?}");
        assert_eq!(plain.spans().next().unwrap().name(), "s");
        assert_eq!((records[1].as_record().target(), records[1].as_record().level()), ("mine::x", Level::WARN));
        let bare = records[4].as_record();
        assert_eq!((bare.target(), bare.module_path(), bare.file(), bare.line()), ("mine", None, None, None));
        assert_eq!(mine.lines(), ["s{n=1} targeted", "s{n=1} bare"]);
    }

    fn a_handler_that_wants_one_target_alone_gets_it_from_the_log_crate() {
        let mine = Bytes::default();
        registry().with(ours(Output::new(outline(), mine.clone()).filter(filter::targets(["mine"])))).init();
        log::info!(target: "mine", "yes");
        log::info!(target: "theirs", "no");
        info!(target: "mine", "too");
        assert_eq!(mine.lines(), ["yes", "too"]);
    }

    #[cfg(feature = "log")]
    fn a_swap_to_a_wider_level_lets_the_log_crate_through_and_a_narrower_one_stops_it() {
        let bytes: [Bytes; 3] = Default::default();
        let output = |index: usize, level: Level| Output::new(outline(), bytes[index].clone()).level(level);
        let layer = ours(output(0, Level::INFO));
        let handle = layer.handle();
        registry().with(layer).init();
        let log = || {
            log::debug!("debug");
            log::info!("info");
            log::error!("error");
        };
        log();
        assert_eq!(log::max_level(), log::LevelFilter::Info);
        handle.swap(output(1, Level::DEBUG));
        log();
        assert_eq!(log::max_level(), log::LevelFilter::Debug);
        handle.swap(output(2, Level::ERROR).spans(LevelFilter::OFF));
        log();
        assert_eq!(log::max_level(), log::LevelFilter::Error, "a disabled log call costs nothing again");
        assert_eq!(bytes[0].lines(), ["info", "error"]);
        assert_eq!(bytes[1].lines(), ["debug", "info", "error"]);
        assert_eq!(bytes[2].lines(), ["error"]);
    }

    fn the_log_crate_inside_a_debug_inside_an_event_is_not_lost() {
        let seen = Seen::default();
        registry().with(ours(seen.clone())).init();
        struct Logs;
        impl std::fmt::Debug for Logs {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                log::warn!(target: "inside", "inside");
                f.write_str("x")
            }
        }
        info!(x = ?Logs, "outside");
        log::info!("{:?}", Logs);
        assert_eq!(seen.messages(), ["inside", "outside", "inside", "x"]);
        assert_eq!(seen.all()[0].as_record().target(), "inside");
    }

    fn swapping_while_threads_reach_new_callsites_leaves_all_of_them_right() {
        let seen = Seen::default();
        let layer = ours(None::<Seen>);
        let handle = layer.handle();
        registry().with(layer).init();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(super::log_from_324_callsites)).collect();
            while threads.iter().any(|thread| !thread.is_finished()) {
                handle.swap(None::<Seen>);
                handle.swap(seen.clone());
            }
        });
        handle.swap(seen.clone());
        let before = seen.count();
        super::log_from_324_callsites();
        assert_eq!(seen.count() - before, 324);
        super::assert_unmixed(&seen.all());
    }
}

alone! {
    /// What handlers want is cached in front of a `Handle` too.
    fn a_swap_reaches_handlers_of_other_layers_that_have_the_handle_behind_them() {
        let (kept, seen) = (Memory::new(), Captured::new());
        let output = || Output::new(Json::new(), kept.clone());
        let inner = ours::<tracing_subscriber::Registry>(output().level(Level::ERROR));
        let handle = inner.handle();
        let layer = ours((
            seen.clone(),
            Filtered::new(filter::one_in(1), handle.clone()),
            ScopedBuffer::new(handle.clone()),
            Queue::new(Dedup::new(handle.clone())),
        ));
        let outer = layer.handle();
        tracing::subscriber::with_default(registry().with(layer), || {
            let log = || info!("sold");
            log();
            handle.swap(output());
            log();
            outer.flush(std::time::Duration::from_secs(10)).unwrap();
        });
        assert_eq!((seen.records().len(), kept.lines().len()), (2, 3));
    }
}
