//! Handlers around handlers at the ends of a process.

use tracing_handlers::ErrorKind;
use tracing_handlers::handler::{Alert, Audit, Buffer, Counts, Dedup, OrStop, Retry, Route};

use super::*;

fn buffered(directory: &Path) -> impl Handler {
    output(File::open(directory).buffered(BUFFER))
}

pub fn what_a_buffer_keeps_is_let_out_at_exit(directory: &Path) {
    install(Buffer::new(buffered(directory)));
    log_lines(0..100);
}

pub fn what_a_buffer_keeps_in_front_of_a_queue_is_let_out_at_exit(directory: &Path) {
    install(Buffer::new(Queue::new(buffered(directory))));
    log_lines(0..100);
    std::process::exit(7);
}

pub fn what_a_buffer_keeps_behind_a_queue_is_let_out_at_exit(directory: &Path) {
    install(Queue::new(Buffer::new(buffered(directory))));
    log_lines(0..100);
}

pub fn what_a_later_exit_handler_logs_into_a_buffer_is_let_out(directory: &Path) {
    log_late(10..20);
    install(Buffer::new(buffered(directory)));
    log_lines(0..10);
}

pub fn what_a_buffer_is_to_give_up_at_exit_is_given_up(directory: &Path) {
    install(Buffer::new(buffered(directory)).flush_on_close(false));
    log_lines(0..100);
}

pub fn a_panic_lets_out_what_a_buffer_keeps(directory: &Path) {
    install(Buffer::new(buffered(directory)).flush_on_close(false));
    log_panics();
    std::panic::set_hook({
        let hook = std::panic::take_hook();
        Box::new(move |panic| {
            hook(panic);
            std::process::abort();
        })
    });
    log_lines(0..100);
    panic!("on purpose");
}

pub fn a_forked_child_leaves_what_a_buffer_keeps_to_its_parent(directory: &Path) {
    let buffer = Arc::new(Buffer::new(buffered(directory)));
    install(buffer.clone());
    log_lines(1..5);
    wait_for(fork(|| {
        let inherited = buffer.stats()[0].stats;
        assert!(inherited.balances() && inherited.pending == 0 && inherited.dropped.total() == 4, "{inherited:?}");
        log_lines(0..1);
        flush(Duration::from_secs(15)).unwrap();
    }));
    log_lines(5..6);
}

pub fn duplicates_are_told_at_exit(directory: &Path) {
    install(Dedup::new(buffered(directory)));
    (0..5).for_each(|_| tracing::info!("line"));
}

pub fn a_forked_child_does_not_tell_its_parents_duplicates(directory: &Path) {
    install(Dedup::new(output(File::open(directory))));
    (0..5).for_each(|_| tracing::info!("line"));
    wait_for(fork(|| flush(Duration::from_secs(15)).unwrap()));
}

pub fn handlers_around_handlers_can_be_forked_under_load(directory: &Path) {
    let logs = directory.to_owned();
    let route = Route::by_field("tenant", move |_| Ok(Buffer::new(output(File::open(&logs))).capacity(5)));
    let alert = Alert::new(Severity::INFO, 1_000_000, Duration::from_secs(60)).per("tenant").keys(2);
    let handler = Arc::new((Dedup::new(route.limit(3)).distinct(5), Counts::new(), alert));
    let log = {
        let handler = handler.clone();
        move |who: &str, number: usize| {
            // Each twice, so that half of them are duplicates.
            let record = record(&format!("line {who} {}{TAIL}", number / 2)).with_field("tenant", number % 7);
            handler.handle(&record.as_record()).unwrap();
        }
    };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..3 {
            let (log, stop) = (&log, &stop);
            scope.spawn(move || {
                (0..).take_while(|_| !stop.load(Ordering::Relaxed)).for_each(|number| log(&thread.to_string(), number));
            });
        }
        for child in 0..50 {
            wait_for(fork(|| {
                (0..10).for_each(|number| log(&format!("child {child}"), number));
                flush(Duration::from_secs(15)).unwrap();
            }));
        }
        stop.store(true, Ordering::Relaxed);
    });
    handler.flush(Instant::now() + Duration::from_secs(20)).unwrap();
    for report in handler.stats() {
        assert!(report.stats.balances() && report.stats.pending == 0 && report.stats.failed == 0, "{report}");
    }
    for child in 0..50 {
        let text = fs::read_to_string(directory.join("log")).unwrap();
        assert!(text.contains(&format!("line child {child} 4{TAIL}")), "child {child} left no record");
    }
}

/// The first try and the one at exit each leave a line.
pub fn a_retry_that_waits_does_not_hold_up_the_exit(directory: &Path) {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let file = output(File::open(directory));
    let fails = from_fn(move |_| {
        let line = format!("line {}", TRIES.load(Ordering::SeqCst));
        file.handle(&record(&line).as_record())?;
        TRIES.fetch_add(1, Ordering::SeqCst);
        Err(Error::new(ErrorKind::Io, "on purpose"))
    });
    let minute = Duration::from_secs(60);
    install(Queue::new(Retry::new(fails).times(1).initial(minute).max(minute).deadline(10 * minute)));
    tracing::info!("too much");
    until("the first try has failed", || TRIES.load(Ordering::SeqCst) > 0);
}

/// Takes ten records.
fn full() -> impl Handler {
    let taken = AtomicUsize::new(0);
    from_fn(move |_| match taken.fetch_add(1, Ordering::Relaxed) {
        0..10 => Ok(()),
        _ => Err(Error::new(ErrorKind::Full, "no room")),
    })
}

/// Ten lines, and then one that is in nobody's file: the first handler stops the program with it.
fn log_ten_and_one() {
    log_lines(0..10);
    tracing::info!("this is too much");
    // Not reached.
    log_lines(0..1);
}

pub fn a_record_that_cannot_be_delivered_stops_the_program(directory: &Path) {
    let others = Queue::new(buffered(directory));
    install((Audit::new(full()).or_stop().exit_code(3), others));
    log_ten_and_one();
}

pub fn a_record_that_cannot_be_delivered_stops_the_program_from_a_queue(directory: &Path) {
    install((Queue::new(OrStop::new(full())), only_lines(buffered(directory))));
    log_lines(0..10);
    tracing::info!("this is too much");
    loop {
        thread::park();
    }
}

/// What is logged at the same time as the program is stopped by another thread may come or not.
fn only_lines(handler: impl Handler) -> impl Handler {
    from_fn(move |record| if record.message().starts_with("line ") { handler.handle(record) } else { Ok(()) })
}

pub fn a_record_that_cannot_be_delivered_aborts_the_program(directory: &Path) {
    install((OrStop::new(full()).abort(true), Queue::new(buffered(directory))));
    log_ten_and_one();
}

pub fn a_record_that_cannot_be_delivered_at_exit_does_not_hang(_: &Path) {
    // At exit the buffer hands more than ten records to the one that would stop the program.
    install(Buffer::new(OrStop::new(full())));
    log_lines(0..20);
}

pub fn a_record_that_cannot_be_delivered_by_several_threads_stops_the_program_once(directory: &Path) {
    let telling = directory.join("log");
    selflog::set(move |message| {
        if message.contains("the program stops") {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(&telling).unwrap();
            file.write_all(b"stops\n").unwrap();
        }
    });
    install(OrStop::new(full()).exit_code(3));
    for _ in 0..4 {
        thread::spawn(|| log_lines(0..usize::MAX));
    }
    loop {
        thread::park();
    }
}
