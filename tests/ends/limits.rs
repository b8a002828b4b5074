//! What tracing itself limits, as `layers/guide/limits_of_tracing.md` says.

use std::cell::RefCell;
use std::sync::mpsc;

use tracing::{Dispatch, Span, info, info_span};
use tracing_subscriber::Registry;

use super::*;

cases! {
    a_span_in_the_destructor_of_a_thread_local_aborts => |ended| ended.is_killed_by(libc::SIGABRT);
    an_event_in_the_destructor_of_a_thread_local_is_delivered => |ended| ended.succeeds().has_lines(2);
    a_callsite_that_a_thread_without_a_subscriber_meets_first_is_off => |ended| ended.succeeds().says(&["line 1", "line 2"]);
    a_forked_child_in_a_scope_logs_to_the_subscriber_of_the_scope => |ended| ended.succeeds().says_in_any_order(&["child", "parent", "parent"]);
    a_child_that_another_thread_forks_has_no_subscriber_of_the_scope => |ended| ended.succeeds().says(&["parent"]);
    ten_thousand_nested_spans_are_logged_and_closed_from_the_leaf => |ended| ended.succeeds().has_lines(1);
    a_leaf_that_keeps_five_hundred_spans_alive_is_closed => |ended| ended.succeeds().has_lines(1);
    a_leaf_that_keeps_ten_thousand_spans_alive_overflows_the_stack => |ended| ended.is_killed_by(libc::SIGABRT).has_lines(1);
    a_leaf_that_keeps_ten_thousand_spans_alive_overflows_the_stack_with_a_stock_layer_too => |ended| ended.is_killed_by(libc::SIGABRT);
    a_metadata_filter_that_logs_is_heard_while_there_is_one_subscriber => |ended| ended.succeeds().says(&["in a filter", "line 0"]);
    a_metadata_filter_that_logs_hangs_if_there_was_a_subscriber_before => |ended| ended.is_killed_by(libc::SIGALRM);
    a_filter_of_an_output_that_logs_hangs_if_there_was_a_subscriber_before => |ended| ended.is_killed_by(libc::SIGALRM);
}

/// Logs when its thread ends.
struct AtTheEnd(fn());

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

/// Runs `work` on a thread that logs `last` after what it used for `work` is gone.
fn on_a_thread(last: fn(), work: fn()) {
    let thread = thread::spawn(move || {
        // The first to be made is the last to be dropped.
        AT_THE_END.with(|at_the_end| *at_the_end.borrow_mut() = Some(AtTheEnd(last)));
        work();
    });
    thread.join().unwrap();
}

fn a_span_in_the_destructor_of_a_thread_local_aborts(directory: &Path) {
    install(output(File::open(directory)));
    on_a_thread(|| drop(info_span!("last").entered()), || info_span!("first").in_scope(|| info!("line 0")));
}

fn an_event_in_the_destructor_of_a_thread_local_is_delivered(directory: &Path) {
    install(output(File::open(directory)));
    on_a_thread(|| info!("line 1"), || info_span!("first").in_scope(|| info!("line 0")));
}

fn log_one(line: u32) {
    info!("line {line}");
}

fn a_callsite_that_a_thread_without_a_subscriber_meets_first_is_off(directory: &Path) {
    let subscriber = Dispatch::new(Registry::default().with(tracing_handlers::layer(output(File::open(directory)))));
    tracing::dispatcher::with_default(&subscriber, || {
        thread::spawn(|| log_one(0)).join().unwrap();
        log_one(0);
        // Every callsite is asked for again.
        tracing::callsite::rebuild_interest_cache();
        log_one(1);
    });
    // With a second one, all are asked, whichever thread comes first.
    let _second = Dispatch::new(Registry::default());
    tracing::dispatcher::with_default(&subscriber, || {
        let log = |line: u32| info!("line {line}");
        thread::spawn(move || log(2)).join().unwrap();
        log(2);
    });
}

fn a_forked_child_in_a_scope_logs_to_the_subscriber_of_the_scope(directory: &Path) {
    let handler = Queue::new(output(File::open(directory).buffered(BUFFER)));
    tracing::subscriber::with_default(Registry::default().with(tracing_handlers::layer(handler)), || {
        info!("parent");
        wait_for(fork(|| {
            info!("child");
            std::process::exit(0);
        }));
        info!("parent");
    });
}

fn a_child_that_another_thread_forks_has_no_subscriber_of_the_scope(directory: &Path) {
    let handler = output(File::open(directory));
    tracing::subscriber::with_default(Registry::default().with(tracing_handlers::layer(handler)), || {
        info!("parent");
        let forks = || {
            wait_for(fork(|| {
                info!("child");
                std::process::exit(0);
            }));
        };
        thread::spawn(forks).join().unwrap();
    });
}

/// A chain of open spans, of which each is the parent of the next.
fn chain(depth: u64) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::new();
    for level in 0..depth {
        all.push(match all.last() {
            Some(parent) => info_span!(parent: parent, "level", level),
            None => info_span!(parent: None, "level", level),
        });
    }
    all
}

fn ten_thousand_nested_spans_are_logged_and_closed_from_the_leaf(directory: &Path) {
    install(output(File::open(directory)));
    let mut all = chain(10_000);
    all[9_999].in_scope(|| info!("line 0"));
    while all.pop().is_some() {}
}

fn close_by_the_leaf(depth: u64) {
    let (sender, receiver) = mpsc::channel();
    // The stack of a thread of tokio or std.
    let thread = thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let mut all = chain(depth);
        let leaf = all.pop().unwrap();
        leaf.in_scope(|| info!("line 0"));
        // From the root on: each is kept by its children, and the leaf keeps all.
        all.drain(..).for_each(drop);
        drop(leaf);
        sender.send(()).unwrap();
    });
    thread.unwrap().join().unwrap();
    receiver.recv().unwrap();
}

fn a_leaf_that_keeps_five_hundred_spans_alive_is_closed(directory: &Path) {
    install(output(File::open(directory)));
    close_by_the_leaf(500);
}

fn a_leaf_that_keeps_ten_thousand_spans_alive_overflows_the_stack(directory: &Path) {
    install(output(File::open(directory)));
    close_by_the_leaf(10_000);
}

fn a_leaf_that_keeps_ten_thousand_spans_alive_overflows_the_stack_with_a_stock_layer_too(_: &Path) {
    Registry::default().with(tracing_subscriber::fmt::layer().with_writer(std::io::sink)).init();
    close_by_the_leaf(10_000);
}

fn logs_in_the_filter(metadata: &tracing::Metadata<'_>) -> bool {
    if metadata.name() != "inner" {
        tracing::event!(name: "inner", tracing::Level::INFO, "in a filter");
    }
    true
}

fn a_metadata_filter_that_logs_is_heard_while_there_is_one_subscriber(directory: &Path) {
    let filter = tracing_subscriber::filter::filter_fn(logs_in_the_filter);
    Registry::default().with(tracing_handlers::layer(output(File::open(directory))).with_filter(filter)).init();
    log_lines(0..1);
}

/// Another subscriber knows the callsite, so that it is asked about while the list of subscribers is locked.
fn meet_the_callsite() -> Dispatch {
    let first = Dispatch::new(Registry::default());
    tracing::dispatcher::with_default(&first, || log_lines(0..1));
    // SAFETY: it sets a timer, and takes a number.
    unsafe { libc::alarm(2) };
    first
}

fn a_metadata_filter_that_logs_hangs_if_there_was_a_subscriber_before(directory: &Path) {
    let _first = meet_the_callsite();
    let filter = tracing_subscriber::filter::filter_fn(logs_in_the_filter);
    Registry::default().with(tracing_handlers::layer(output(File::open(directory))).with_filter(filter)).init();
}

fn a_filter_of_an_output_that_logs_hangs_if_there_was_a_subscriber_before(directory: &Path) {
    let _first = meet_the_callsite();
    let filter = filter::on_meta(|meta| logs_by_name(meta.target));
    install(Output::new(format::from_fn(message), File::open(directory)).filter(filter));
}

fn logs_by_name(target: &str) -> bool {
    if target != "inner" {
        info!(target: "inner", "in a filter");
    }
    true
}
