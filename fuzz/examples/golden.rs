//! Writes the files that the targets `seal` and `encryption` damage: `cargo run --example golden`, in `fuzz`.

use std::io::Write;
use std::path::Path;

use tracing_handlers::encryption::Keys;
use tracing_handlers::seal::{Key, Seal};
use tracing_handlers::sink;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    std::fs::create_dir_all(&dir)?;
    let key = Key::from_bytes([7; 32]);
    let sealed = dir.join("sealed.log");
    let encrypted = dir.join("encrypted.log");
    for path in [&sealed, &encrypted] {
        let _ = std::fs::remove_file(path);
    }
    // Each is opened twice: it has two streams, or a checkpoint where it was continued.
    for lines in [0..4, 4..6] {
        let mut seals = sink::File::options().seal(Seal::new(key.clone()).every(2)).open(&sealed)?;
        let mut encrypts = sink::File::options().encrypt(Keys::new(key.clone())).open(&encrypted)?;
        for line in lines {
            let line = if line % 2 == 0 { format!("{{\"line\":{line}}}\n") } else { format!("line {line}\n") };
            seals.write_all(line.as_bytes())?;
            encrypts.write_all(line.as_bytes())?;
        }
    }
    Ok(())
}
