use std::sync::Arc;
use std::time::Duration;

use crate::file::sink::group::Owed;
use crate::file::sink::log::Author;
use crate::sink::run::Run;

/// What is missing of a line of which a part is written, and could not be cut off again.
pub(in crate::file::sink) struct Rest {
    pub(in crate::file::sink) bytes: Vec<u8>,
    /// The handler that wrote the line.
    pub(in crate::file::sink) number: u64,
    /// The account of the handler, if the line has to be synced, and the time in which that happens.
    pub(in crate::file::sink) owed: Option<(Arc<Owed>, Option<Duration>)>,
    /// The part is in the open file, or the one that is opened next.
    pub(in crate::file::sink) is_here: bool,
}

impl Rest {
    /// Of the line `place` of `run`, `torn` bytes are written.
    pub(in crate::file::sink) fn new(run: Run<'_>, place: usize, torn: usize, author: &Author<'_>) -> Self {
        let (line, _) = run.split_at(place).1.split_at(1);
        let bytes = line.bytes().get(torn..).unwrap_or_default().to_vec();
        let owed = author.durable.as_ref().and_then(|durable| Some((durable.account()?, durable.window())));
        Self { bytes, number: author.number, owed, is_here: true }
    }
}
