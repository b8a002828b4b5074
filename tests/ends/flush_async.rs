//! Flushes that a future waits for, around forks and at the exit.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tracing_handlers::{ErrorKind, Flushing, Handle};

use super::*;

cases! {
    a_forked_child_flushes_by_futures_of_its_own => |ended| ended.succeeds().says_in_any_order(&["line 0", "line 1", "line 2"]);
    a_future_that_began_in_the_parent_is_refused_in_the_child => |ended| ended.succeeds().took_less_than(20);
    a_process_that_exits_while_a_future_waits_delivers_its_records => |ended| ended.exits(7).has_lines(100);
    a_future_that_waits_for_a_sink_that_hangs_does_not_hold_up_the_exit => |ended| ended.exits(7).took_less_than(20);
}

fn install_with_handle(handler: impl Handler) -> Handle {
    let layer = tracing_handlers::layer(handler);
    let handle = layer.handle();
    tracing_subscriber::registry().with(layer).init();
    handle
}

fn poll_once(future: &mut Flushing) -> Poll<Result<(), Error>> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn wait_until_done(mut future: Flushing) -> Result<(), Error> {
    poll(WATCHDOG, || match poll_once(&mut future) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    })
    .expect("it is completed")
}

const PATIENCE: Duration = Duration::from_secs(15);

fn a_forked_child_flushes_by_futures_of_its_own(directory: &Path) {
    let handle = install_with_handle(Queue::new(output(File::open(directory).buffered(BUFFER))));
    log_lines(0..1);
    wait_until_done(handle.flush_async(PATIENCE)).unwrap();
    log_lines(1..2);
    // The parent's thread flushes, or is about to, at the moment of the fork.
    let mut parents = handle.flush_async(PATIENCE);
    assert!(poll_once(&mut parents).is_pending());
    wait_for(fork(|| {
        log_lines(2..3);
        wait_until_done(handle.flush_async(PATIENCE)).unwrap();
    }));
    wait_until_done(parents).unwrap();
}

fn a_future_that_began_in_the_parent_is_refused_in_the_child(_: &Path) {
    let handle = install_with_handle(Queue::new(hangs()));
    log_lines(0..1);
    let mut future = handle.flush_async(Duration::from_secs(3_600));
    assert!(poll_once(&mut future).is_pending());
    wait_for(fork(|| {
        let Poll::Ready(Err(error)) = poll_once(&mut future) else { panic!("it is not refused") };
        assert_eq!(error.kind(), ErrorKind::Closed);
        drop(future);
    }));
    set_exit_timeout(Duration::from_millis(100));
}

fn a_process_that_exits_while_a_future_waits_delivers_its_records(directory: &Path) {
    let handle = install_with_handle(Queue::new(output(File::open(directory).buffered(BUFFER))));
    log_lines(0..100);
    let mut future = handle.flush_async(PATIENCE);
    let _ = poll_once(&mut future);
    std::process::exit(7);
}

fn a_future_that_waits_for_a_sink_that_hangs_does_not_hold_up_the_exit(_: &Path) {
    let handle = install_with_handle(Queue::new(output(Hangs)));
    log_lines(0..1);
    let mut future = handle.flush_async(Duration::from_secs(3_600));
    assert!(poll_once(&mut future).is_pending());
    set_exit_timeout(Duration::from_millis(100));
    std::process::exit(7);
}
