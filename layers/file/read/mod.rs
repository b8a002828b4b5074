//! Reads logs back: a file and its archives, compressed or encrypted or not, as one sequence of lines.
//!
//! ```
//! use tracing_handlers::read::{Event, Reader};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("app.log");
//! std::fs::write(dir.path().join("app.log.2"), "one\n")?;
//! std::fs::write(dir.path().join("app.log.1"), "two\nthree\n")?;
//! std::fs::write(&path, "four\nfi")?;
//! let mut lines = Vec::new();
//! for event in Reader::open(&path)? {
//!     match event {
//!         Event::Line(line) => lines.push(line.text().into_owned()),
//!         Event::Gap(gap) => assert!(gap.to_string().ends_with("app.log: ends within line 2, after 2 bytes")),
//!         _ => {}
//!     }
//! }
//! assert_eq!(lines, ["one", "two", "three", "four"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod encrypted;
mod event;
mod family;
#[cfg(feature = "encryption")]
mod keys;
mod lines;
mod reader;

pub use event::{Event, Gap, Line};
pub use reader::Reader;

#[cfg(feature = "seal")]
pub(crate) use family::is_of_family;
#[cfg(feature = "seal")]
pub(crate) use reader::shown;
