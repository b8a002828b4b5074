//! `tracing_handlers::testing`: captures in the scope of a test, assertions and what they say.

mod capture;
mod contracts;
mod expect;
#[cfg(feature = "serde")]
mod ours;
