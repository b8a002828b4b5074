use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Does `work` in a directory of its own, which is removed afterwards, or kept and named where it failed.
pub fn in_directory<T>(work: impl FnOnce(&Path) -> Result<T, String>) -> Result<T, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let done = catch_unwind(AssertUnwindSafe(|| work(directory.path()))).unwrap_or_else(|panic| Err(said(&*panic)));
    done.map_err(|failed| format!("{failed}\n  kept: {}", directory.keep().display()))
}

/// What a panic says.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}
