//! Arbitrary bytes, one frame and many.

#![no_main]

mod sound;

use libfuzzer_sys::fuzz_target;
use tracing_handlers::RecordBuf;
use tracing_handlers::record::wire::{Frames, Limits};

fuzz_target!(|bytes: &[u8]| {
    sound::check(bytes);
    let mut frames = Frames::new(bytes, Limits::new().severity_names(0));
    let mut record = RecordBuf::default();
    while !matches!(frames.next(&mut record), Ok(None)) {}
    assert!(frames.rest().len() <= bytes.len());
});
