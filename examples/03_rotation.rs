//! A log file that is rotated by size, with a limited number of old files.
//!
//! ```text
//! cargo run --example 03_rotation
//! ```

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::rotation::{KIB, Rotation};
use tracing_handlers::sink::File;
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("app.log");
    let file = File::open(&path)?.rotation(Rotation::size(KIB).keep(2));
    let output = Output::new(Text::new().time(Time::none()), file);
    tracing_subscriber::registry().with(tracing_handlers::layer(output)).init();

    for number in 0..100 {
        tracing::info!(number, "logging");
    }

    // The newest lines are in `app.log`, older ones in `app.log.1`, then `app.log.2`; the oldest are removed.
    let mut end = 100;
    for name in ["app.log", "app.log.1", "app.log.2"] {
        let text = std::fs::read_to_string(dir.path().join(name))?;
        let lines: Vec<_> = text.lines().collect();
        println!("{name:<9} {:>4} bytes, {:>2} lines: {} …", text.len(), lines.len(), lines[0]);
        assert!(text.len() <= KIB as usize);
        for (line, number) in lines.iter().zip(end - lines.len()..) {
            assert_eq!(*line, format!(" INFO 03_rotation: logging number={number}"));
        }
        end -= lines.len();
    }
    assert!(!dir.path().join("app.log.3").exists());
    Ok(())
}
