//! Guide chapters. Every example in them is run as a test.
//!
//! The pages are also meant to be read as files. Each ends with definitions of its links that lead to the sources; here, those of
//! `links.md` come first, and lead to the documented items.

#[doc = include_str!("links.md")]
#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("links.md")]
#[doc = include_str!("terms.md")]
pub mod terms {}

#[doc = include_str!("links.md")]
#[doc = include_str!("adding_a_sink.md")]
pub mod adding_a_sink {}

#[doc = include_str!("links.md")]
#[doc = include_str!("layers.md")]
pub mod layers {}

#[doc = include_str!("links.md")]
#[doc = include_str!("filters_from_text.md")]
pub mod filters_from_text {}

#[doc = include_str!("links.md")]
#[doc = include_str!("files.md")]
pub mod files {}

#[doc = include_str!("links.md")]
#[doc = include_str!("files_in_real_life.md")]
pub mod files_in_real_life {}

#[doc = include_str!("links.md")]
#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("links.md")]
#[doc = include_str!("stalls.md")]
pub mod stalls {}

#[doc = include_str!("links.md")]
#[doc = include_str!("limits_of_tracing.md")]
pub mod limits_of_tracing {}

#[doc = include_str!("links.md")]
#[doc = include_str!("from_tracing_subscriber.md")]
pub mod from_tracing_subscriber {}

#[doc = include_str!("links.md")]
#[doc = include_str!("from_python.md")]
pub mod from_python {}

#[doc = include_str!("links.md")]
#[doc = include_str!("from_log4j2.md")]
pub mod from_log4j2 {}

#[doc = include_str!("links.md")]
#[doc = include_str!("performance.svg")]
#[doc = include_str!("performance.md")]
pub mod performance {}

/// The samples of the README are compiled; `tests/newcomer` runs the first one.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
