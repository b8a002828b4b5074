//! A panic is logged as a record, and everything logged before it is in the file, even with `panic = "abort"`.
//!
//! The program starts itself as a child process, which panics, and then reads the child's log.
//!
//! ```text
//! cargo run --example 06_panic
//! cargo rustc --example 06_panic -- -C panic=abort && target/debug/examples/06_panic
//! ```

use std::path::Path;
use std::process::Command;

use tracing_handlers::format::Json;
use tracing_handlers::sink::File;
use tracing_handlers::{Output, Queue, process};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(file) = std::env::args_os().nth(1) {
        return panic_into(Path::new(&file));
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("panic.jsonl");
    let mut child = Command::new(std::env::current_exe()?);
    child.arg(&file).env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
    let ended = child.output()?.status;

    let log = std::fs::read_to_string(&file)?;
    let last = log.lines().last().ok_or("the log is empty")?;
    println!("{ended}, {} lines, the last one: {last}", log.lines().count());
    assert_eq!(log.lines().count(), 1_001);
    assert!(last.contains(r#""level":"ERROR","target":"panic","message":"panicked: out of umbrellas""#));
    // An unwinding main thread exits with 101; an aborted process has no exit code.
    assert_eq!(ended.code(), if cfg!(panic = "abort") { None } else { Some(101) });
    Ok(())
}

fn panic_into(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    tracing_handlers::init(Queue::new(Output::new(Json::new(), File::open(file)?)))?;
    process::log_panics();
    for number in 0..1_000 {
        tracing::info!(number, "sold");
    }
    panic!("out of umbrellas");
}
