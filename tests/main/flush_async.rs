//! Flushes that a future waits for: on executors with one thread, several at a time, dropped, and with a sink that hangs.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tracing::dispatcher::with_default;
use tracing_handlers::handler::Handler;
use tracing_handlers::{
    Error, ErrorClass, ErrorKind, Flushing, Handle, Output, Queue, Record, format::Json, sink::Memory,
};
use tracing_subscriber::prelude::*;

use crate::collect::pin as pin_dispatcher;
use crate::until::{soon, until};

const PATIENCE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);
/// Longer than any test waits, so that only a deadline can end a flush.
const LONG: Duration = Duration::from_secs(3_600);

/// An executor with nothing but a thread: it polls, and sleeps until it is woken.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let (wake, woken) = mpsc::channel();
    let waker = Waker::from(Arc::new(Sends(wake)));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        woken.recv_timeout(PATIENCE).expect("it is woken");
    }
}

struct Sends(Sender<()>);

impl Wake for Sends {
    fn wake(self: Arc<Self>) {
        // It may be woken once more after it is done.
        let _ = self.0.send(());
    }
}

fn poll(future: &mut Flushing) -> Poll<Result<(), Error>> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// All of the futures, polled together.
async fn join(futures: impl IntoIterator<Item = Flushing>) -> Vec<Result<(), Error>> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(move |context| {
        for (future, output) in &mut futures {
            if output.is_none()
                && let Poll::Ready(ready) = Pin::new(future).poll(context)
            {
                *output = Some(ready);
            }
        }
        match futures.iter().all(|(_, output)| output.is_some()) {
            true => Poll::Ready(futures.iter_mut().filter_map(|(_, output)| output.take()).collect()),
            false => Poll::Pending,
        }
    })
    .await
}

fn dispatch(handler: impl Handler) -> (tracing::Dispatch, Handle) {
    pin_dispatcher();
    let layer = tracing_handlers::layer(handler);
    let handle = layer.handle();
    (tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), handle)
}

/// A handler that can be flushed only while it is open. It ignores deadlines.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    begun: AtomicUsize,
    threads: Mutex<Vec<(thread::ThreadId, Option<String>)>>,
}

impl Gate {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

impl Handler for Gate {
    fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        let thread = thread::current();
        self.threads.lock().unwrap().push((thread.id(), thread.name().map(str::to_owned)));
        self.begun.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.opened.wait(open).unwrap();
        }
        Ok(())
    }
}

#[test]
fn what_was_logged_before_is_delivered_on_any_executor() {
    let memory = Memory::new();
    let (dispatch, handle) = dispatch(Queue::new(Output::new(Json::new(), memory.clone())));
    let log = async |number: usize| {
        tracing::info!(number, "one");
        handle.flush_async(PATIENCE).await.unwrap();
        assert_eq!(memory.lines().len(), number);
    };
    with_default(&dispatch, || {
        block_on(log(1));
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        tokio.block_on(log(2));
        block_on(log(3));
    });
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let flushing = tokio.spawn(handle.flush_async(PATIENCE));
    tokio.block_on(flushing).unwrap().unwrap();
}

#[test]
fn other_tasks_of_a_thread_go_on_while_a_flush_waits() {
    let gate = Arc::new(Gate::default());
    let (_dispatch, handle) = dispatch(gate.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let other = gate.clone();
        let opens = tokio::spawn(async move {
            while other.begun() == 0 {
                tokio::task::yield_now().await;
            }
            other.open();
        });
        handle.flush_async(PATIENCE).await.unwrap();
        opens.await.unwrap();
    });
    let threads = gate.threads.lock().unwrap();
    assert_eq!(threads.len(), 1);
    assert_ne!(threads[0].0, thread::current().id());
    assert_eq!(threads[0].1.as_deref(), Some("log-flush-async"));
}

#[test]
fn several_at_a_time_share_a_thread_and_a_flush() {
    let gate = Arc::new(Gate::default());
    let (_dispatch, handle) = dispatch(gate.clone());
    let mut first = handle.flush_async(PATIENCE);
    assert!(poll(&mut first).is_pending());
    until("the first flush begins", || gate.begun() == 1);
    let mut others: Vec<_> = (0..20).map(|_| handle.flush_async(PATIENCE)).collect();
    assert!(others.iter_mut().all(|other| poll(other).is_pending()));
    gate.open();
    let outcomes = block_on(join(others.into_iter().chain([first])));
    assert!(outcomes.len() == 21 && outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let threads = gate.threads.lock().unwrap();
    assert_eq!(threads.len(), 2, "one for the first, and one for all that came meanwhile");
    assert_eq!(threads[0], threads[1]);
}

#[test]
fn a_sink_that_hangs_holds_up_nobody_beyond_the_deadline() {
    let (stuck, healthy) = (Arc::new(Gate::default()), Memory::new());
    let (_dispatch, of_stuck) = dispatch(stuck.clone());
    let (dispatch, of_healthy) = dispatch(Queue::new(Output::new(Json::new(), healthy.clone())));
    let mut patient = of_stuck.flush_async(LONG);
    assert!(poll(&mut patient).is_pending());
    until("the flush hangs", || stuck.begun() == 1);
    // Another layer is flushed meanwhile.
    with_default(&dispatch, || tracing::info!("one"));
    block_on(of_healthy.flush_async(PATIENCE)).unwrap();
    assert_eq!(healthy.lines().len(), 1);
    // Those with a deadline give up at it, although the handler ignores it.
    let start = Instant::now();
    let outcomes = block_on(join([of_stuck.flush_async(SHORT), of_stuck.flush_async(Duration::ZERO)]));
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert!((SHORT..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    stuck.open();
    block_on(patient).unwrap();
    block_on(of_stuck.flush_async(PATIENCE)).unwrap();
}

#[test]
fn a_deadline_wakes_an_executor_that_nothing_else_wakes() {
    let stuck = Arc::new(Gate::default());
    let (_dispatch, handle) = dispatch(stuck.clone());
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let deadline = soon();
    assert_eq!(tokio.block_on(handle.flush_async(SHORT)).unwrap_err().kind(), ErrorKind::Timeout);
    assert!(Instant::now() < deadline);
    stuck.open();
}

#[test]
fn a_queue_behind_a_full_disk_tells_what_was_too_late() {
    struct Slow(Arc<Gate>);
    impl Handler for Slow {
        fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
            self.0.flush(Instant::now())
        }
    }
    let gate = Arc::new(Gate::default());
    let (dispatch, handle) = dispatch(Queue::new(Slow(gate.clone())).name("audit"));
    with_default(&dispatch, || (0..3).for_each(|number| tracing::info!(number)));
    let error = block_on(handle.flush_async(SHORT)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string(), "audit: could not be emptied in time; records not delivered: 3");
    gate.open();
    block_on(handle.flush_async(PATIENCE)).unwrap();
}

#[test]
fn a_future_that_is_dropped_or_never_polled_harms_nothing() {
    let gate = Arc::new(Gate::default());
    let (_dispatch, handle) = dispatch(gate.clone());
    drop(handle.flush_async(PATIENCE));
    let mut first = handle.flush_async(PATIENCE);
    assert!(poll(&mut first).is_pending());
    until("the first flush begins", || gate.begun() == 1);
    // One that has begun, and one that waits for the next flush.
    let mut second = handle.flush_async(LONG);
    assert!(poll(&mut second).is_pending());
    drop((first, second));
    gate.open();
    block_on(handle.flush_async(PATIENCE)).unwrap();
    assert_eq!(gate.begun(), 2, "nobody waited for the second one");
}

#[test]
fn many_that_are_too_late_leave_nothing_behind() {
    let gate = Arc::new(Gate::default());
    let (_dispatch, handle) = dispatch(gate.clone());
    let held = Arc::new(Sends(mpsc::channel().0));
    let mut first = handle.flush_async(LONG);
    assert!(poll(&mut first).is_pending());
    until("the first flush begins", || gate.begun() == 1);
    for _ in 0..100 {
        let mut future = handle.flush_async(LONG);
        let waker = Waker::from(held.clone());
        assert!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&held), 1, "wakers of futures that are gone");
    gate.open();
    block_on(first).unwrap();
}

#[test]
fn the_error_of_a_handler_reaches_all_who_wait() {
    struct Fails(AtomicBool);
    impl Handler for Fails {
        fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
            Ok(())
        }

        fn flush(&self, _: Instant) -> Result<(), Error> {
            match self.0.load(Ordering::SeqCst) {
                true => panic!("on purpose"),
                false => Err(Error::new(ErrorKind::Io, "no").with_class(ErrorClass::Full).with_handler("disk")),
            }
        }
    }
    let fails = Arc::new(Fails(AtomicBool::new(false)));
    let (_dispatch, handle) = dispatch(fails.clone());
    for outcome in block_on(join([handle.flush_async(PATIENCE), handle.flush_async(PATIENCE)])) {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.class(), error.handler()), (ErrorKind::Io, ErrorClass::Full, Some("disk")));
    }
    fails.0.store(true, Ordering::SeqCst);
    assert_eq!(block_on(handle.flush_async(PATIENCE)).unwrap_err().kind(), ErrorKind::Panic);
}

#[test]
fn a_future_that_is_done_stays_done_and_keeps_no_handler() {
    let gate = Arc::new(Gate::default());
    gate.open();
    let (dispatch, handle) = dispatch(gate.clone());
    let mut future = handle.flush_async(PATIENCE);
    block_on(&mut future).unwrap();
    assert!(matches!(poll(&mut future), Poll::Ready(Ok(()))));
    drop((dispatch, handle, future));
    assert_eq!(Arc::strong_count(&gate), 1);
}

#[test]
fn a_flush_goes_to_the_handlers_of_the_moment_at_which_it_begins() {
    let (before, after) = (Memory::new(), Memory::new());
    let queue = |memory: &Memory| Queue::new(Output::new(Json::new(), memory.clone()));
    let (dispatch, handle) = dispatch(queue(&before));
    with_default(&dispatch, || {
        let future = handle.flush_async(PATIENCE);
        handle.swap(queue(&after));
        tracing::info!("one");
        block_on(future).unwrap();
    });
    assert_eq!((before.lines().len(), after.lines().len()), (0, 1));
}
