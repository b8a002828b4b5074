//! Directives, compared with tracing-subscriber's: the same program under its filters and under ours.
//!
//! Its filters depend on what other subscribers of the process want, so this binary has one test function at a time in a subscriber.
#![cfg(feature = "env-filter")]

mod events;
mod many;
mod program;
mod rows;
mod spans;
mod switch;
#[path = "../support/until.rs"]
mod until;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One test at a time: the filters under test see each other's callsites.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
