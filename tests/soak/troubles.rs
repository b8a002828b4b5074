//! Selflog messages, by the directory they are about: scenarios run side by side.

use std::path::Path;
use std::sync::{Mutex, Once};

/// Keeps it from standard error from now on.
pub fn collect() {
    ONCE.call_once(|| {
        tracing_handlers::selflog::set(|message| {
            if let Ok(mut all) = ALL.lock() {
                all.push(message.to_owned());
            }
        });
    });
}

/// Takes the messages about `directory`.
pub fn of(directory: &Path) -> Vec<String> {
    let mut all = ALL.lock().expect("no thread panics while it holds the lock");
    let name = directory.to_string_lossy();
    all.extract_if(.., |message| message.contains(&*name)).collect()
}

static ALL: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONCE: Once = Once::new();
