//! Log calls inside log calls. Each test has a process of its own: under a scoped subscriber tracing itself drops what is
//! logged inside a log call.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::{Level, Span, debug, error, info, info_span, trace, warn};
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::handler::{DropReason, Handler, Queue, from_fn};
use tracing_handlers::{Handle, Output, Value, layer as ours};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;

use super::{Bytes, outline};
use crate::collect::{Seen, alone, spans};

/// A value whose `Debug` calls this first.
struct Calls<F: Fn()>(F);

impl<F: Fn()> fmt::Debug for Calls<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)();
        f.write_str("shown")
    }
}

fn reentrant(handle: &Handle) -> u64 {
    let stats = handle.stats();
    assert!(stats.iter().all(|report| report.stats.balances()), "{stats:?}");
    stats.iter().map(|report| report.stats.dropped.by(DropReason::Reentrant)).sum()
}

/// One output per level, each in a layer of its own or all in one.
fn install(one_layer: bool) -> [Bytes; 3] {
    let bytes: [Bytes; 3] = Default::default();
    let output = |index: usize, level: Level| Output::new(outline(), bytes[index].clone()).level(level);
    let (a, b, c) = (output(0, Level::TRACE), output(1, Level::INFO), output(2, Level::ERROR));
    match one_layer {
        true => registry().with(ours((a, b, c))).init(),
        false => registry().with(ours(a)).with(ours(b)).with(ours(c)).init(),
    }
    bytes
}

fn log_inside_log_calls() {
    let trace = Calls(|| trace!("inner trace"));
    let error = Calls(|| error!("inner error"));
    info!(a = ?trace, b = ?error, "info");
    trace!(a = ?error, "trace");
    error!("{:?}", Calls(|| info!(x = ?Calls(|| error!("deepest")), "deeper")));
    let argument = |level: Level| {
        match level {
            Level::TRACE => trace!("argument trace"),
            _ => error!("argument error"),
        }
        let _ = tracing::enabled!(Level::TRACE);
        let _ = tracing::enabled!(Level::ERROR);
        1
    };
    info!(n = argument(Level::TRACE), "with argument");
    debug!(n = argument(Level::ERROR), "with argument");
}

fn assert_all_levels_right(bytes: &[Bytes; 3]) {
    let sorted = |bytes: &Bytes| {
        let mut lines = bytes.lines();
        lines.sort();
        lines
    };
    assert_eq!(
        sorted(&bytes[0]),
        [
            "argument error",
            "argument trace",
            "deeper",
            "deepest",
            "info",
            "inner error",
            "inner error",
            "inner trace",
            "shown",
            "trace",
            "with argument",
            "with argument",
        ]
    );
    assert_eq!(
        sorted(&bytes[1]),
        ["argument error", "deeper", "deepest", "info", "inner error", "inner error", "shown", "with argument"]
    );
    // Whether the inner error of a TRACE event happens depends on nobody but the one layer that wants that.
    assert_eq!(sorted(&bytes[2]), ["argument error", "deepest", "inner error", "inner error", "shown"]);
}

alone! {
    fn what_is_logged_inside_a_log_call_comes_to_each_output_of_one_layer() {
        let bytes = install(true);
        log_inside_log_calls();
        assert_all_levels_right(&bytes);
    }

    fn a_stock_filtered_layer_beside_ours_does_not_disturb_log_calls_inside_log_calls() {
        let (seen, stock) = (Seen::default(), Seen::default());
        registry()
            .with(ours(Output::new(outline(), Bytes::default())).with_filter(LevelFilter::WARN))
            .with(ours(seen.clone()))
            .with(ours(stock.clone()).with_filter(LevelFilter::INFO))
            .init();
        info!(a = ?Calls(|| trace!("inner")), "outer");
        let argument = || { trace!("argument"); let _ = tracing::enabled!(Level::DEBUG); 1 };
        info!(n = argument(), "with argument");
        let mut messages = seen.messages();
        messages.sort();
        assert!(messages.contains(&"outer".into()) && messages.contains(&"inner".into()), "{messages:?}");
        assert!(messages.contains(&"argument".into()) && messages.contains(&"with argument".into()), "{messages:?}");
    }

    fn two_layers_of_ours_are_right_about_what_is_logged_inside_a_log_call() {
        let (all, some) = (Seen::default(), Bytes::default());
        registry().with(ours(all.clone())).with(ours(Output::new(outline(), some.clone()).level(Level::INFO))).init();
        // Each layer captures the event, so each makes the Debug log once.
        info!(a = ?Calls(|| trace!("inner trace")), b = ?Calls(|| warn!("inner warn")), "outer");
        let count = |messages: &[String], message: &str| messages.iter().filter(|seen| *seen == message).count();
        assert_eq!(count(&all.messages(), "outer"), 1);
        assert_eq!(count(&all.messages(), "inner trace"), 2);
        assert_eq!(count(&some.lines(), "inner trace"), 0);
        assert_eq!(count(&some.lines(), "inner warn"), 2);
        assert_eq!(count(&some.lines(), "outer"), 1);
    }

    fn a_handler_that_logs_gets_what_it_logged_after_the_record_it_was_at() {
        let seen = Seen::default();
        let kept = seen.clone();
        let layer = ours(from_fn(move |record| {
            if record.target() == "app" {
                let _own = info_span!("own").entered();
                warn!(target: "handler", "handling {}", record.message());
            }
            kept.handle(record)
        }));
        let handle = layer.handle();
        registry().with(layer).init();
        let _span = info_span!("s").entered();
        info!(target: "app", "one");
        info!(target: "app", "two");
        assert_eq!(seen.messages(), ["one", "handling one", "two", "handling two"]);
        assert_eq!(spans(&seen.all()[1]), ["s{}", "own{}"]);
        assert_eq!(reentrant(&handle), 0);
    }

    fn a_handler_that_logs_about_everything_comes_to_an_end_and_the_rest_is_counted() {
        let handled = Arc::new(AtomicUsize::new(0));
        let count = handled.clone();
        let layer = ours(from_fn(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            info!("and another");
            info!("and one more");
            Ok(())
        }));
        let handle = layer.handle();
        registry().with(layer).init();
        for _ in 0..10 {
            info!("one");
        }
        // Each of ten, and the two that it led to; what those led to is given up.
        assert_eq!((handled.load(Ordering::Relaxed), reentrant(&handle)), (30, 40));
    }

    fn a_handler_of_one_layer_that_logs_does_not_cost_the_other_layer_a_record() {
        // Both say something of what the application logs and of what the other says.
        let say = |own: &'static str, seen: Seen| {
            from_fn(move |record: &tracing_handlers::Record<'_>| {
                if !record.message().contains(own) && record.message().len() < 12 {
                    info!("{own}({})", record.message());
                }
                seen.handle(record)
            })
        };
        let (a, b) = (Seen::default(), Seen::default());
        let (one, other) = (ours(say("a", a.clone())), ours(say("b", b.clone())));
        let handles = [one.handle(), other.handle()];
        registry().with(one).with(other).init();
        info!("x");
        info!("y");
        let sorted = |seen: &Seen| {
            let mut messages = seen.messages();
            messages.sort();
            messages
        };
        let dropped = handles.iter().map(reentrant).sum::<u64>() as usize;
        let all = ["a(b(x))", "a(b(y))", "a(x)", "a(y)", "b(a(x))", "b(a(y))", "b(x)", "b(y)", "x", "y"];
        assert_eq!(dropped, 0, "{:?} {:?}", sorted(&a), sorted(&b));
        assert_eq!(sorted(&a), all);
        assert_eq!(sorted(&b), all);
    }

    fn a_debug_that_logs_itself_without_end_is_bounded_and_counted() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                info!(again = ?Endless, "again");
                f.write_str("endless")
            }
        }
        let seen = Seen::default();
        let layer = ours(seen.clone());
        let handle = layer.handle();
        registry().with(layer).init();
        info!(x = ?Endless, "first");
        assert_eq!(seen.messages().last().unwrap(), "first");
        assert!(reentrant(&handle) >= 1 && seen.count() < 1_000);
        let before = seen.count();
        info!("after");
        assert_eq!((seen.count(), seen.last().as_record().message()), (before + 1, "after"));
    }

    fn a_debug_that_logs_itself_twice_without_end_is_bounded_even_under_three_layers() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                CALLS.fetch_add(1, Ordering::Relaxed);
                info!(again = ?Endless, "again");
                info!(again = ?Endless, "again");
                f.write_str("endless")
            }
        }
        let seen = Seen::default();
        let layer = ours(seen.clone());
        let handle = layer.handle();
        registry().with(layer).with(ours(seen.clone())).with(ours(None::<Seen>)).init();
        info!(x = ?Endless, "first");
        assert!(CALLS.load(Ordering::Relaxed) < 100_000);
        assert!(reentrant(&handle) > 0);
        assert_eq!(seen.messages().iter().filter(|message| *message == "first").count(), 2);
        info!("after");
        assert_eq!(seen.messages().iter().filter(|message| *message == "after").count(), 2);
    }

    fn a_debug_that_opens_spans_of_itself_without_end_is_bounded() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let span = info_span!("again", again = ?Endless, late = tracing::field::Empty);
                span.record("late", tracing::field::debug(Endless));
                f.write_str("endless")
            }
        }
        let seen = Seen::default();
        registry().with(ours(seen.clone())).init();
        let _span = info_span!("first", before = 1, x = ?Endless).entered();
        info!("event");
        assert!(spans(&seen.last())[0].starts_with("first{before=1"), "{:?}", spans(&seen.last()));
    }

    fn span_fields_whose_debug_logs_in_that_very_span_neither_deadlock_nor_lose_anything() {
        let seen = Seen::default();
        registry().with(ours(seen.clone())).with(ours(None::<Seen>)).init();
        let outer = info_span!("outer", v = 0).entered();
        let logs = Calls(|| {
            outer.record("v", 1);
            info!("in debug");
            let _child = info_span!("child", x = ?Calls(|| info!("deeper"))).entered();
            Span::current().follows_from(&*outer);
            debug!("in child");
        });
        let inner = info_span!("inner", x = ?logs, y = tracing::field::Empty).entered();
        inner.record("y", tracing::field::debug(&logs));
        outer.record("v", tracing::field::debug(&logs));
        info!(?logs, "last");
        let all = seen.all();
        let last = all.last().unwrap();
        assert_eq!(last.as_record().message(), "last");
        assert_eq!(spans(last)[1], "inner{x=shown, y=shown}");
        // A value's Debug logs three times. The other layer, which wants no event, shares the fields of spans: one time each for
        // `x`, `y`, `v` and the event's field, and for the child that is in each of them.
        let count = |message: &str| all.iter().filter(|record| record.as_record().message() == message).count();
        assert_eq!((count("in debug"), count("in child"), count("deeper")), (4, 4, 4));
    }

    fn a_record_logged_at_the_end_of_a_thread_is_delivered() {
        struct Last(&'static str);
        impl Drop for Last {
            fn drop(&mut self) {
                // No span: the Registry itself cannot make one any more.
                info!(which = self.0, "at the end");
            }
        }
        thread_local! {
            static EARLY: Last = const { Last("early") };
            static LATE: Last = const { Last("late") };
            static NEVER_LOGGED: Last = const { Last("never logged before") };
        }
        let seen = Seen::default();
        let kept = seen.clone();
        // It logs as well, whatever is left of the thread to notice that it does.
        let layer = ours((seen.clone(), from_fn(move |record| {
            if record.message() != "noise" {
                info!("noise");
            }
            let _ = &kept;
            Ok(())
        })));
        let handle = layer.handle();
        registry().with(layer).init();
        std::thread::spawn(|| {
            EARLY.with(|_| {});
            info!("first");
            LATE.with(|_| {});
        })
        .join()
        .unwrap();
        std::thread::spawn(|| NEVER_LOGGED.with(|_| {})).join().unwrap();
        let all = seen.all();
        let ends: Vec<_> = all.iter().filter(|record| record.as_record().message() == "at the end").collect();
        let mut which: Vec<_> = ends.iter().map(|record| record.as_record().field("which").unwrap().to_string()).collect();
        which.sort();
        assert_eq!(which, ["early", "late", "never logged before"]);
        let noise = seen.messages().iter().filter(|message| *message == "noise").count() as u64;
        assert_eq!(noise + reentrant(&handle), 4);
    }

    fn a_record_logged_at_the_exit_of_a_process_that_has_logged_nothing_is_no_trouble() {
        extern "C" fn at_exit() {
            info!(n = 1, "at exit");
        }
        let layer = ours(from_fn(|record| {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{record:?}\n").as_bytes());
            Ok(())
        }));
        registry().with(layer).init();
        // SAFETY: a plain function.
        unsafe { libc::atexit(at_exit) };
    }

    fn a_handler_behind_a_queue_that_logs_does_not_feed_itself() {
        let seen = Seen::default();
        let kept = seen.clone();
        let queue = Queue::new(from_fn(move |record| {
            info!("from the queue's thread");
            kept.handle(record)
        }));
        let direct = Seen::default();
        let layer = ours((queue, direct.clone()));
        let handle = layer.handle();
        registry().with(layer).init();
        for n in 0..100 {
            info!(n, "x");
        }
        handle.flush(std::time::Duration::from_secs(10)).unwrap();
        assert_eq!(seen.messages(), ["x"; 100]);
        let of_queue = direct.messages().iter().filter(|message| message.starts_with("from")).count();
        assert_eq!((of_queue, reentrant(&handle)), (100, 100));
    }

    fn a_handler_may_flush_count_and_swap_handlers_from_within() {
        thread_local! {
            static ONCE: Cell<bool> = const { Cell::new(true) };
        }
        let (before, after) = (Seen::default(), Seen::default());
        let slot = Arc::new(std::sync::OnceLock::<Handle>::new());
        let (s, a, b) = (slot.clone(), after.clone(), before.clone());
        let layer = ours(from_fn(move |record| {
            let handle = s.get().unwrap();
            let _ = handle.stats();
            let _ = handle.flush(std::time::Duration::from_secs(1));
            if ONCE.replace(false) {
                handle.swap(a.clone());
                info!("logged after the swap");
            }
            b.handle(record)
        }));
        let _ = slot.set(layer.handle());
        registry().with(layer).init();
        info!("one");
        info!("two");
        assert_eq!(after.messages().last().unwrap(), "two");
        let mut all = [before.messages(), after.messages()].concat();
        all.sort();
        assert_eq!(all, ["logged after the swap", "one", "two"]);
    }

    fn a_field_whose_value_is_the_debug_of_a_record_being_logged_is_whole() {
        // Buffers are lent from a pool: one that is in use must not be handed out again.
        let seen = Seen::default();
        registry().with(ours(seen.clone())).init();
        let deep = Calls(|| info!(x = ?Calls(|| info!(y = ?Calls(|| info!(z = 3, "c")), y2 = 2, "b")), x2 = 1, "a"));
        info!(w = ?deep, w2 = 0, "top");
        assert_eq!(seen.messages(), ["c", "b", "a", "top"]);
        let last = seen.last();
        assert_eq!(last.as_record().field("w"), Some(Value::Text("shown")));
        assert_eq!(last.as_record().field("w2"), Some(Value::I64(0)));
        assert_eq!(seen.all()[1].as_record().field("y2"), Some(Value::I64(2)));
    }
}
