use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tracing::Level;

use super::Expect;
use crate::Error;
use crate::format::{Caps, Format, Out, Text, Time};
use crate::handler::Handler;
use crate::record::{Record, RecordBuf};
use crate::sync::lock;

/// Captured records, and assertions on them. Clones share the same records.
///
/// The result of a [`capture`](super::capture). It is also a handler, which can be put behind other handlers in a test (log4j2's
/// `ListAppender`).
///
/// ```
/// use tracing_handlers::testing::{Captured, expect};
/// use tracing_handlers::{Handler, RecordBuf, Severity};
///
/// let captured = Captured::new();
/// for message in ["one", "two", "three"] {
///     captured.handle(&RecordBuf::new(Severity::INFO, "shop", message).as_record())?;
/// }
/// captured.assert_sequence([expect().message("one"), expect().message("three")]);
/// assert_eq!(captured.count(&expect().target("shop")), 3);
/// assert_eq!(captured.text(), " INFO shop: one\n INFO shop: two\n INFO shop: three\n");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// Records are in the order in which they arrived. The assertions panic with a message that shows all of them and, if one is
/// missing, the most similar one and how it differs.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    records: Arc<Mutex<Vec<RecordBuf>>>,
}

impl Captured {
    /// Creates it without records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns all records so far.
    pub fn records(&self) -> Vec<RecordBuf> {
        lock(&self.records).clone()
    }

    /// Returns the messages of all records.
    pub fn messages(&self) -> Vec<String> {
        lock(&self.records).iter().map(|record| record.as_record().message().to_owned()).collect()
    }

    /// Returns the records at exactly this level.
    pub fn at(&self, level: Level) -> Vec<RecordBuf> {
        let mut records = self.records();
        records.retain(|record| record.as_record().level() == level);
        records
    }

    /// Returns how many records match.
    pub fn count(&self, expect: &Expect) -> usize {
        lock(&self.records).iter().filter(|record| expect.matches(&record.as_record())).count()
    }

    /// Returns all records as lines of [`Text`], without the time.
    pub fn text(&self) -> String {
        lines(&self.records())
    }

    /// Discards all records.
    pub fn clear(&self) {
        lock(&self.records).clear();
    }

    /// Asserts that a record matches.
    ///
    /// # Panics
    ///
    /// Panics if no record matches.
    #[track_caller]
    pub fn assert_logged(&self, expect: Expect) {
        let records = self.records();
        if !records.iter().any(|record| expect.matches(&record.as_record())) {
            panic!("no record was logged with {expect}{}{}", nearest(&expect, &records), all(&records));
        }
    }

    /// Asserts that exactly `count` records match.
    ///
    /// # Panics
    ///
    /// Panics if more or fewer records match.
    #[track_caller]
    pub fn assert_count(&self, count: usize, expect: Expect) {
        let (records, found) = (self.records(), self.count(&expect));
        if found != count {
            let hint = if found < count { nearest(&expect, &records) } else { String::new() };
            panic!("{found} records were logged, not {count}, with {expect}{hint}{}", all(&records));
        }
    }

    /// Asserts that no record matches.
    ///
    /// # Panics
    ///
    /// Panics if a record matches.
    #[track_caller]
    pub fn assert_never(&self, expect: Expect) {
        let records = self.records();
        if let Some(found) = records.iter().find(|record| expect.matches(&record.as_record())) {
            let found = lines(std::slice::from_ref(found));
            panic!("a record was logged with {expect}:\n{found}{}", all(&records));
        }
    }

    /// Asserts that records match these in this order; there may be others between them.
    ///
    /// # Panics
    ///
    /// Panics if one is missing, or only precedes the one that it should follow.
    #[track_caller]
    pub fn assert_sequence(&self, expected: impl IntoIterator<Item = Expect>) {
        let records = self.records();
        let mut rest = &records[..];
        for (index, expect) in expected.into_iter().enumerate() {
            let Some(at) = rest.iter().position(|record| expect.matches(&record.as_record())) else {
                let hint = match records.iter().any(|record| expect.matches(&record.as_record())) {
                    true => "\nit was logged earlier than that".to_owned(),
                    false => nearest(&expect, &records),
                };
                panic!("number {} of the sequence was not logged: {expect}{hint}{}", index + 1, all(&records));
            };
            rest = &rest[at + 1..];
        }
    }

    pub(super) fn push(&self, record: RecordBuf) {
        lock(&self.records).push(record);
    }
}

impl Handler for Captured {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.push(RecordBuf::from(record));
        Ok(())
    }
}

/// Returns a line of text for each record.
pub(super) fn lines(records: &[RecordBuf]) -> String {
    let (format, mut text) = (Text::new().time(Time::none()), Vec::new());
    for record in records {
        // A format of this crate that writes to memory does not fail.
        let _ = format.format(&record.as_record(), &mut Out::new(&mut text, Caps::default()));
        text.push(b'\n');
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Describes the record with the fewest differences, and these; the last of several.
fn nearest(expect: &Expect, records: &[RecordBuf]) -> String {
    let misses = records.iter().map(|record| (expect.misses(&record.as_record()), record));
    let Some((misses, record)) = misses.rev().min_by_key(|(misses, _)| misses.len()) else { return String::new() };
    if misses.len() >= expect.len() {
        return String::new();
    }
    format!("\nthe nearest one:\n{}  but {}", lines(std::slice::from_ref(record)), misses.join(", and "))
}

fn all(records: &[RecordBuf]) -> String {
    let mut text = format!("\ncaptured ({}):\n", records.len());
    let _ = write!(text, "{}", lines(records));
    text
}
