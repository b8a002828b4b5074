//! Checks each contract on a separate thread, so that an implementation that hangs is a failure and not a test that does not end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use super::{Failure, Failures};
use crate::threads;

/// `Ok`, or what happened instead.
pub(super) type Verdict = Result<(), String>;

/// The results so far.
#[derive(Default)]
pub(super) struct Trial {
    failures: Vec<Failure>,
}

impl Trial {
    /// Checks one contract with a new instance. If it hangs, its thread is abandoned.
    pub(super) fn check<T: Send + 'static>(
        &mut self,
        contract: &'static str,
        make: impl FnOnce() -> T,
        check: impl FnOnce(T) -> Verdict + Send + 'static,
    ) {
        let verdict = quietly(make).and_then(|part| watched(move || quietly(move || check(part)).and_then(|it| it)));
        if let Err(detail) = verdict {
            self.failures.push(Failure { contract, detail });
        }
    }

    pub(super) fn result(self) -> Result<(), Failures> {
        Failures::result(self.failures)
    }
}

/// Returns `Ok` if `holds`.
pub(super) fn that(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Returns the result of `run`, or how it panicked.
pub(super) fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| format!("it panicked: {}", message_of(&*panic)))
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("with a value that is not a string")
}

fn watched(run: impl FnOnce() -> Verdict + Send + 'static) -> Verdict {
    let (sender, receiver) = mpsc::channel();
    let started = threads::start("log-contract", move || {
        // The receiver may have given up.
        let _ = sender.send(run());
    });
    match started {
        Ok(_) => receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(format!("it hangs, for {PATIENCE:?} now"))),
        Err(error) => Err(format!("cannot start a thread: {error}")),
    }
}

/// Much longer than any contract takes: it only ends one that hangs.
const PATIENCE: Duration = Duration::from_secs(5);
