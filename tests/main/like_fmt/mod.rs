//! The same generated program under tracing-subscriber's `fmt` and under our formats: equal after parsing, but for the differences that
//! the docs of the formats list.

mod json;
mod program;
mod text;
mod time;

use self::program::{Parent, Said, run};
