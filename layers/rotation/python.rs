//! The rules of Python's rotating handlers, to the letter: when they roll, what the old file is called, which ones go.
//!
//! They are those of Python 3.13. What is different on purpose is listed with each.

mod rotating;
mod timed;
#[cfg(feature = "time-zone")]
mod zoned;

pub use rotating::Rotating;
pub use timed::TimedRotating;

#[cfg(test)]
mod tests;
