use super::Answer;
use crate::{Error, ErrorKind};

pub(super) fn watch(signal: i32, _: Answer) -> Result<(), Error> {
    Err(Error::new(
        ErrorKind::Config,
        format!("signal {signal} cannot be watched: there are no signals on this system"),
    ))
}

/// The same number as on Unix.
pub(super) const HANGUP: i32 = 1;
