//! Writes a batch in pieces.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Output;
use super::core::far;
use super::write::format_panicked;
use crate::format::Format;
use crate::handler::notice;
use crate::record::pool::{self, Buffer};
use crate::record::{Kind, Record, Records};
use crate::sink::{Commit, RecordEnd, Sink};
use crate::{Error, Partial};

/// Formats all records, then hands them to the sink together, in pieces of about 64 KiB.
pub(super) fn handle_batch<F: Format, S: Sink>(output: &Output<F, S>, records: Records<'_>) -> Result<(), Partial> {
    let Kept { lines, places } = KEPT.try_with(Cell::take).unwrap_or_default();
    let mut batch = Piece {
        bytes: pool::take(),
        lines,
        places,
        unformatted: 0,
        notices: Vec::new(),
        missed: Vec::new(),
        failed: None,
        commits: Vec::new(),
    };
    for (place, record) in records.enumerate() {
        match output.try_append(&record, &mut batch.bytes) {
            Ok(true) => batch.line(place, &record),
            Ok(false) => {}
            Err(error) => batch.unformatted(place, error),
        }
        if batch.bytes.len() >= BATCH_BYTES {
            batch.write_to(output);
        }
    }
    batch.write_to(output);
    batch.settle();
    let Piece { bytes, lines, places, missed, failed, .. } = batch;
    pool::give(bytes);
    if lines.capacity().max(places.capacity()) <= KEEP {
        // A thread that is ending keeps nothing.
        let _ = KEPT.try_with(|kept| kept.set(Kept { lines, places }));
    }
    failed.map_or(Ok(()), |error| Err(not_all(records.len(), missed, error)))
}

impl<F: Format, S: Sink> Output<F, S> {
    /// As [`append`](Self::append), but returns an error if foreign code panics, and leaves nothing of the record after an error.
    fn try_append(&self, record: &Record<'_>, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        let start = bytes.len();
        let appended = catch_unwind(AssertUnwindSafe(|| self.append(record, bytes)));
        let appended = appended.unwrap_or_else(|_| Err(format_panicked()));
        if appended.is_err() {
            bytes.truncate(start);
        }
        appended
    }
}

/// The lines of a batch that are not yet written, and the outcome of the others.
struct Piece {
    bytes: Buffer,
    lines: Vec<RecordEnd>,
    /// The place in the batch of each line's record.
    places: Vec<usize>,
    unformatted: usize,
    /// The lines that are notices of another handler, and how many lost records each reports.
    notices: Vec<(usize, u64)>,
    /// The places of records that failed.
    missed: Vec<usize>,
    failed: Option<Error>,
    /// The commits to wait for when everything is written, with the places of their records: one sync serves the batch.
    commits: Vec<(Commit, Vec<usize>)>,
}

impl Piece {
    #[inline]
    fn line(&mut self, place: usize, record: &Record<'_>) {
        if record.kind() == Kind::Loss {
            self.notices.extend(notice::count_of(record).map(|told| (self.lines.len(), told)));
        }
        self.lines.push(RecordEnd::new(self.bytes.len(), record.severity()));
        self.places.push(place);
    }

    fn unformatted(&mut self, place: usize, error: Error) {
        self.unformatted += 1;
        self.missed.push(place);
        self.failed = Some(error);
    }

    fn write_to<F: Format, S: Sink>(&mut self, output: &Output<F, S>) {
        if self.lines.is_empty() && self.unformatted == 0 {
            return;
        }
        let (written, commit) = output.try_write(&self.bytes, &self.lines, std::mem::take(&mut self.unformatted));
        let taken = written.as_ref().map_or_else(|partial| partial.delivered, |()| self.places.len());
        if let Err(partial) = written {
            let refused = self.notices.iter().filter(|(line, _)| *line >= taken);
            refused.for_each(|(_, told)| output.add_untold(*told, &partial.error));
            self.missed.extend_from_slice(self.places.get(taken..).unwrap_or_default());
            self.failed = Some(partial.error);
        }
        if let Some(commit) = commit {
            self.places.truncate(taken);
            self.commits.push((commit, std::mem::take(&mut self.places)));
        }
        self.bytes.clear();
        self.lines.clear();
        self.places.clear();
        self.notices.clear();
    }

    fn settle(&mut self) {
        for (commit, places) in self.commits.drain(..) {
            if let Err(error) = commit.wait(far()) {
                self.missed.extend(places);
                self.failed = Some(error);
            }
        }
    }
}

#[cold]
fn not_all(records: usize, mut missed: Vec<usize>, error: Error) -> Partial {
    missed.sort_unstable();
    Partial::scattered(records, missed, error)
}

/// The buffers that a thread keeps for the next batch.
#[derive(Default)]
struct Kept {
    lines: Vec<RecordEnd>,
    places: Vec<usize>,
}

thread_local! {
    static KEPT: Cell<Kept> = const { Cell::new(Kept { lines: Vec::new(), places: Vec::new() }) };
}

/// The largest capacity of a list that is kept: enough for lines of eight bytes.
const KEEP: usize = 8_192;
/// The size of one write, in bytes.
const BATCH_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::filter::on_record;
    use crate::format::Out;
    use crate::handler::Handler;
    use crate::handler::script::batch;
    use crate::sink::Framed;

    /// Accepts this many lines of each write.
    struct Takes(usize);

    impl Sink for Takes {
        fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
            match framed.ends().len() > self.0 {
                true => Err(Partial::new(self.0, Error::new(ErrorKind::Full, "no room"))),
                false => Ok(()),
            }
        }

        fn describe(&self) -> String {
            "takes some".to_owned()
        }
    }

    #[test]
    fn missed_records_are_named_by_their_places_in_the_batch() {
        let missed = |lines| {
            let format = crate::format::from_fn(|record: &Record<'_>, out: &mut Out<'_>| match record.message() {
                "d" => Err(Error::new(ErrorKind::Format, "on purpose")),
                message => {
                    out.push_str(message);
                    Ok(())
                }
            });
            let output = Output::new(format, Takes(lines)).filter(on_record(|record| record.message() != "b"));
            let result = output.handle_batch(batch(&["a", "b", "c", "d", "e", "f"]).records());
            let partial = result.unwrap_err();
            let places: Vec<_> = partial.missed(6).collect();
            assert_eq!(partial.delivered, 6 - places.len());
            places
        };
        assert_eq!(missed(9), [3]);
        assert_eq!(missed(2), [3, 4, 5]);
        assert_eq!(missed(0), [0, 2, 3, 4, 5]);
    }
}
