//! A service with two workers logs each request to a stream that is not read from, or behind a queue to a sink that hangs. After the
//! first second a request takes as long as before; everything is counted; SIGTERM ends the process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tracing_handlers::format::Text;
use tracing_handlers::sink::{Console, Framed, Sink};
use tracing_handlers::{Handle, Output, Partial, Queue, process};

use super::Plan;
use super::child::Worker;
use super::place::in_directory;

/// What stalls, by the number that a child is given.
const CASES: [&str; 3] =
    ["stdout, its reader stopped", "a sink that hangs behind a queue", "stderr, its terminal stopped"];

pub fn run(plan: Plan) -> Result<String, String> {
    let mut figures = Vec::new();
    for (case, name) in CASES.iter().enumerate() {
        let runs = (0..plan.runs).map(|_| in_directory(|directory| once(directory, case as u64, plan)));
        let runs = runs.collect::<Result<Vec<_>, _>>().map_err(|failed| format!("{name}: {failed}"))?;
        figures.push(judged(name, &runs, plan.is_sample)?);
    }
    Ok(format!("stalled: {} runs, {}, all counted, ended by SIGTERM", plan.runs, figures.join("; ")))
}

/// 99th percentiles of a request, in microseconds.
#[derive(Clone, Copy)]
struct Figures {
    healthy: f64,
    stalled: f64,
}

fn judged(name: &str, runs: &[Figures], is_sample: bool) -> Result<String, String> {
    let median = |of: fn(&Figures) -> f64| {
        let mut values: Vec<_> = runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratio = median(|figures| figures.stalled / figures.healthy);
    let (healthy, stalled) = (median(|figures| figures.healthy), median(|figures| figures.stalled));
    let figures = format!("{name}: p99 {healthy:.0} µs before and {stalled:.0} µs after, ratio {ratio:.2}");
    if is_sample || ratio <= LIMIT { Ok(figures) } else { Err(format!("more than {LIMIT} x: {figures}")) }
}

fn once(directory: &Path, case: u64, plan: Plan) -> Result<Figures, String> {
    let worker = Worker::start("stalled", directory, u64::from(plan.is_sample), case, &[("NO_COLOR", "1")])?;
    let status = worker.ended();
    // It is stopped, and outlives the child.
    let reader = fs::read_to_string(directory.join("reader")).ok().and_then(|id| id.parse().ok());
    if let Some(reader) = reader {
        // SAFETY: numbers; a stopped process does not end, so that its number is not another one's.
        unsafe { libc::kill(reader, libc::SIGKILL) };
    }
    let status = status?;
    if status.signal() != Some(libc::SIGTERM) {
        let said = fs::read_to_string(directory.join("panic")).unwrap_or_default();
        return Err(format!("the child ended with {status}; {said}"));
    }
    let text = fs::read_to_string(directory.join("figures")).map_err(|error| error.to_string())?;
    let numbers: Vec<f64> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [healthy, stalled, seconds] = numbers[..] else { return Err(format!("no figures: {text}")) };
    // SIGTERM was sent by the child, when it wrote the figures.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|error| error.to_string())?;
    let end = now.as_secs_f64() - seconds;
    if end > MOST_TO_END { Err(format!("it took {end:.1} s to end")) } else { Ok(Figures { healthy, stalled }) }
}

/// The service, its clients, and what stalls, in a process of its own. Ends by SIGTERM.
pub fn child(directory: &Path, is_sample: bool, case: u64) {
    let said = directory.join("panic");
    std::panic::set_hook(Box::new(move |panic| {
        let _ = fs::write(&said, panic.to_string());
        // A test that fails must not wait for what it has stalled.
        std::process::abort();
    }));
    let stopper = Stopper::of(case);
    if let Stopper::Reader(cat) = &stopper {
        fs::write(directory.join("reader"), cat.id().to_string()).expect("the directory is ours");
    }
    let handle = match case {
        0 => tracing_handlers::init(Output::new(Text::new(), Console::stdout())),
        1 => tracing_handlers::init(Queue::new(Output::new(Text::new(), Hangs))),
        _ => tracing_handlers::init(Output::new(Text::new(), Console::stderr())),
    };
    let handle = handle.expect("the first of this process");
    process::flush_on_termination().expect("signals can be watched");
    tracing_handlers::selflog::set(|_| ());
    let workers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let workers = workers.expect("threads can be started");
    let listener = workers.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    workers.spawn(async move { axum::serve(listener, Router::new().route("/", get(answer))).await });

    let requests = if is_sample { 300 } else { 5_000 };
    let healthy = measure(address, requests);
    stopper.stop();
    let start = Instant::now();
    let stalls = || handle.stats().iter().any(|report| report.stats.failed + report.stats.dropped.total() > 0);
    while !stalls() || start.elapsed() < Duration::from_millis(1_200) {
        measure(address, 50);
        assert!(start.elapsed() < Duration::from_secs(60), "nothing stalls");
    }
    let stalled = measure(address, requests);
    is_exact(&handle);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let figures = format!("{healthy:.1} {stalled:.1} {:.3}", now.as_secs_f64());
    fs::write(directory.join("figures"), figures).expect("the directory is ours");
    // SAFETY: numbers; the signal ends this process.
    unsafe { libc::kill(libc::getpid(), libc::SIGTERM) };
    loop {
        std::thread::park();
    }
}

/// Each request logs as much as fills a pipe within some hundred of them.
async fn answer() -> &'static str {
    LOGGED.fetch_add(1, Ordering::SeqCst);
    tracing::info!(path = "/", status = 200, note = "x".repeat(300), "answered");
    "fine"
}

static LOGGED: AtomicU64 = AtomicU64::new(0);

/// Two clients send so many requests each, one after the other; returns the 99th percentile of their times, in microseconds.
fn measure(address: SocketAddr, requests: usize) -> f64 {
    let client = move || {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("it is a socket");
        (0..requests).map(|_| timed(&mut stream)).collect::<Vec<_>>()
    };
    let clients = [std::thread::spawn(client), std::thread::spawn(client)];
    let mut times: Vec<_> = clients.into_iter().flat_map(|client| client.join().expect("it does not panic")).collect();
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) * 99 / 100]
}

fn timed(stream: &mut TcpStream) -> f64 {
    let start = Instant::now();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").expect("it listens");
    let (mut answer, mut some) = (Vec::new(), [0; 1_024]);
    while !answer.ends_with(b"fine") {
        let read = stream.read(&mut some).expect("it answers");
        assert!(read > 0, "it has hung up");
        answer.extend_from_slice(&some[..read]);
    }
    start.elapsed().as_secs_f64() * 1e6
}

/// Each record is counted once by each handler that it has reached.
fn is_exact(handle: &Handle) {
    let (logged, reports) = (LOGGED.load(Ordering::SeqCst), handle.stats());
    let first = reports[0].stats;
    assert_eq!(first.accepted, logged, "{first:?}");
    assert!(reports.iter().all(|report| report.stats.balances()), "{reports:?}");
    assert!(first.failed + first.dropped.total() > 0, "{first:?}");
}

/// What makes the stream or the sink stall.
enum Stopper {
    Reader(Child),
    Sink,
    Terminal(fs::File),
}

impl Stopper {
    fn of(case: u64) -> Self {
        match case {
            0 => {
                let (from, to) = std::io::pipe().expect("descriptors are to be had");
                become_stream(&to, 1);
                let cat = Command::new("cat").stdin(from).stdout(Stdio::null()).spawn();
                Self::Reader(cat.expect("every system has it"))
            }
            1 => Self::Sink,
            _ => Self::Terminal(terminal()),
        }
    }

    fn stop(&self) {
        match self {
            // SAFETY: signals a child that has not been waited for.
            Self::Reader(cat) => assert_eq!(unsafe { libc::kill(cat.id() as libc::pid_t, libc::SIGSTOP) }, 0),
            Self::Sink => HANGS.store(true, Ordering::SeqCst),
            // Ctrl-S.
            Self::Terminal(ours) => assert_eq!((&*ours).write(&[19]).expect("it is open"), 1),
        }
    }
}

/// Makes a pseudo-terminal the standard error, and reads from its other end.
fn terminal() -> fs::File {
    let (mut ours, mut theirs) = (0, 0);
    let null = std::ptr::null_mut();
    // SAFETY: two integers are written to; name and settings may be null. The descriptors belong to no one else.
    let (ours, theirs) = unsafe {
        assert_eq!(libc::openpty(&raw mut ours, &raw mut theirs, null, null.cast(), null.cast()), 0);
        (fs::File::from_raw_fd(ours), fs::File::from_raw_fd(theirs))
    };
    become_stream(&theirs, 2);
    let mut reader = ours.try_clone().expect("descriptors are to be had");
    std::thread::spawn(move || while reader.read(&mut [0; 4_096]).is_ok() {});
    ours
}

fn become_stream(file: &impl AsRawFd, number: i32) {
    // SAFETY: both are open descriptors.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), number) }, number);
}

struct Hangs;

impl Sink for Hangs {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        while HANGS.load(Ordering::SeqCst) {
            std::thread::park();
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "hangs".to_owned()
    }
}

static HANGS: AtomicBool = AtomicBool::new(false);
/// What a stall may make of it.
const LIMIT: f64 = 2.0;
/// The exit timeout, and some time for a busy machine.
const MOST_TO_END: f64 = 10.0;
