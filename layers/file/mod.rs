//! Files: the sink that appends to one, their rotation, owners, seals and encryption, and how they are read back.
//!
//! The public paths are `sink::File`, `rotation`, `read`, `seal` and `encryption`.

pub(crate) mod descriptor;
#[cfg(feature = "encryption")]
pub mod encryption;
mod exclusive;
mod identity;
#[cfg(any(feature = "seal", feature = "encryption"))]
mod key;
pub(crate) mod ownership;
pub mod read;
pub mod rotation;
#[cfg(feature = "seal")]
pub mod seal;
pub(crate) mod sink;

pub(crate) use identity::Identity;
