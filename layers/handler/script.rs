//! For tests: a handler that fails according to a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{Handler, Report, Tally};
use crate::record::{Batch, Record, RecordBuf, Severity};
use crate::sync::lock;
use crate::{Error, ErrorKind};

/// Fails as the script says, record by record; after the end of the script it works. Clones share everything.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<ScriptCore>);

#[derive(Default)]
struct ScriptCore {
    script: Mutex<VecDeque<Option<ErrorKind>>>,
    delivered: Mutex<Vec<RecordBuf>>,
    flushed: Mutex<usize>,
    tally: Tally,
}

impl Script {
    pub(super) fn new(script: impl IntoIterator<Item = Option<ErrorKind>>) -> Self {
        let new = Self::default();
        new.then(script);
        new
    }

    pub(super) fn then(&self, script: impl IntoIterator<Item = Option<ErrorKind>>) {
        lock(&self.0.script).extend(script);
    }

    pub(super) fn records(&self) -> Vec<RecordBuf> {
        lock(&self.0.delivered).clone()
    }

    pub(super) fn delivered(&self) -> Vec<String> {
        self.records().iter().map(|record| record.as_record().message().to_owned()).collect()
    }

    pub(super) fn tried(&self) -> u64 {
        self.0.tally.stats().accepted
    }

    pub(super) fn flushed(&self) -> usize {
        *lock(&self.0.flushed)
    }
}

impl Handler for Script {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let next = lock(&self.0.script).pop_front().flatten();
        if next.is_none() {
            lock(&self.0.delivered).push(RecordBuf::from(record));
        }
        self.0.tally.one(next.map_or(Ok(()), |kind| Err(Error::new(kind, "by the script"))))
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        *lock(&self.0.flushed) += 1;
        Ok(())
    }

    fn own_report(&self) -> Option<Report> {
        Some(Report::new("script", self.0.tally.stats()))
    }
}

pub(super) fn record(message: &str) -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop", message)
}

pub(super) fn batch(messages: &[&str]) -> Batch {
    let records: Vec<_> = messages.iter().map(|message| record(message)).collect();
    records.iter().collect()
}
