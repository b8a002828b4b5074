//! Models of the concurrency: the queue and group commit, in many orders of their threads' steps.
//!
//! They run the sources of the crate itself, with `primitives/` in place of the standard library's locks, threads and clock. A model
//! fails if an assertion fails, if all threads wait, or if time passes where it must not: where a time-out makes up for a lost
//! wake-up, the only sign of it is the time that passes.
//!
//! The orders are chosen by shuttle at random, from a fixed seed, so a model that passes proves nothing; but each of them was seen to
//! fail when the code was broken on purpose. Memory is sequentially consistent here: no model finds an ordering that is too weak.

mod group;
mod queue;

use std::time::{Duration, Instant};

use tracing_handlers::models::now;

/// How much time has passed since.
fn since(start: Instant) -> Duration {
    now().duration_since(start)
}
