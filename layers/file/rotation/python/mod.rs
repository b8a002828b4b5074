//! The rules of Python's rotating handlers: when they roll, what the old file is called, which old files are removed.
//!
//! They are those of Python 3.13. Deliberate differences are listed with each.

mod rotating;
mod timed;

pub use rotating::Rotating;
pub use timed::TimedRotating;

#[cfg(test)]
mod tests;
