//! `tracing_handlers::testing`: captures in the scope of a test, assertions and what they say.

mod capture;
mod expect;
mod laws;
#[cfg(feature = "serde")]
mod ours;
