//! A handler that keeps what it gets, from DEBUG on.

use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::{Error, Handler, Meta, Record, RecordBuf};

#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<RecordBuf>>>);

impl Seen {
    pub fn take(&self) -> Vec<RecordBuf> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Handler for Seen {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0.lock().unwrap().push(RecordBuf::from(record));
        Ok(())
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta.severity.level() <= Level::DEBUG && meta.target != "unwanted"
    }

    fn max_level(&self) -> LevelFilter {
        LevelFilter::DEBUG
    }
}

/// The messages, each with the names of its fields.
pub fn outline(records: &[RecordBuf]) -> Vec<String> {
    let one = |record: &RecordBuf| {
        let record = record.as_record();
        record.fields().fold(record.message().to_owned(), |text, field| format!("{text} {}", field.name))
    };
    records.iter().map(one).collect()
}
