use super::{Files, Retired, Scheme, Slots};
use crate::Error;

/// Each archive gets the next number or its date, and keeps it: `app.log.1` is the oldest.
#[derive(Debug)]
pub(super) struct Append;

impl Scheme for Append {
    fn retire(&self, files: &Files<'_>, archives: Slots) -> Result<Retired, Error> {
        let mark = files.next_mark(&archives, files.began);
        files.rename_current(mark, archives)
    }
}
