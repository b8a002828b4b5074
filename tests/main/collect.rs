//! What the tests share: handlers that keep what they are handed, and tests that need a process of their own.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tracing::Dispatch;
use tracing_handlers::handler::Handler;
use tracing_handlers::{Error, Record, RecordBuf};
use tracing_subscriber::prelude::*;

use crate::until::poll;

/// Keeps every record; clones share what they keep.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<RecordBuf>>>);

impl Seen {
    pub fn all(&self) -> Vec<RecordBuf> {
        self.0.lock().unwrap().clone()
    }

    pub fn messages(&self) -> Vec<String> {
        self.all().iter().map(|record| record.as_record().message().to_owned()).collect()
    }

    /// The spans of each record, as `name{field=value}`.
    pub fn spans(&self) -> Vec<Vec<String>> {
        self.all().iter().map(spans).collect()
    }

    pub fn last(&self) -> RecordBuf {
        self.0.lock().unwrap().last().expect("a record").clone()
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Handler for Seen {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0.lock().unwrap().push(RecordBuf::from(record));
        Ok(())
    }
}

pub fn spans(record: &RecordBuf) -> Vec<String> {
    record.as_record().spans().map(|span| format!("{span:?}")).collect()
}

/// A subscriber with one layer around `handler`.
pub fn dispatch(handler: impl Handler) -> Dispatch {
    pin();
    Dispatch::new(tracing_subscriber::registry().with(tracing_handlers::layer(handler)))
}

/// What `log` logs, as a handler sees it.
pub fn seen(log: impl FnOnce()) -> Seen {
    let seen = Seen::default();
    tracing::dispatcher::with_default(&dispatch(seen.clone()), log);
    seen
}

/// Keeps a second dispatcher alive: with a single scoped one, a thread outside its scope that reaches a callsite first
/// switches it off for all (tokio-rs/tracing#3611).
pub fn pin() {
    static PINNED: OnceLock<Dispatch> = OnceLock::new();
    PINNED.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
}

/// Whether this process runs one test for [`run_alone`].
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs `body` in a process that has nothing else to do: for tests that need a global subscriber. `test` is its full name.
pub fn run_alone(module: &str, test: &str, body: impl FnOnce()) {
    if is_child() {
        return body();
    }
    let module = module.split_once("::").map_or("", |(_, module)| module);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([&format!("{module}::{test}"), "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let output = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stdout.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let status = poll(PATIENCE, || child.try_wait().unwrap());
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (output, errors) = (output.join().unwrap(), errors.join().unwrap());
    let passed = status.is_some_and(|status| status.success()) && output.contains("1 passed");
    let tail =
        |text: &str| text.lines().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    assert!(passed, "{module}::{test} alone: {status:?} (None: hangs)\n{}\n{}", tail(&output), tail(&errors));
}

/// Tests that each run in a process of their own.
macro_rules! alone {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            $crate::collect::run_alone(module_path!(), stringify!($name), || $body);
        }
    )*};
}

pub(crate) use alone;

const CHILD: &str = "TRACING_HANDLERS_TEST_ALONE";
const PATIENCE: Duration = Duration::from_secs(15);
