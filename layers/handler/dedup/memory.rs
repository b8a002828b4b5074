use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use super::DedupSettings;
use crate::clock::Timestamp;
use crate::record::{FieldChange, Fields, Record, RecordBuf, Value};

/// The distinct records that were seen last.
#[derive(Default)]
pub(super) struct Memory {
    entries: Vec<Entry>,
    /// Buffers of forgotten entries, for reuse.
    spare: Vec<Vec<u8>>,
    /// The memory of the buffers, those of the entries and the others.
    pub(super) bytes: usize,
    /// The number of records seen so far.
    seen: u64,
}

#[derive(Default)]
struct Entry {
    /// The first of the equal records, encoded.
    raw: Vec<u8>,
    hash: u64,
    /// The number of the record that was seen first; identifies the entry.
    serial: u64,
    /// The number of the record that was seen last.
    seen: u64,
    time: Timestamp,
    last: Timestamp,
    repeats: u64,
    /// It could not be delivered: the next equal record is not a duplicate.
    undelivered: bool,
}

/// The verdict on a record.
pub(super) enum Verdict {
    Duplicate,
    /// It is handed on; the serial number is for [`Memory::was_not_delivered`].
    Passes(u64),
}

/// Duplicates to be reported.
pub(super) struct Repeats {
    raw: Vec<u8>,
    count: u64,
    last: Timestamp,
    undelivered: bool,
}

impl Memory {
    pub(super) fn judge(&mut self, record: &Record<'_>, settings: &DedupSettings) -> (Verdict, Vec<Repeats>) {
        // Usually there is nothing to report, and nothing is allocated.
        let mut tell = Vec::new();
        let time = record.time();
        self.forget(|entry| entry.is_over(time, settings.window), &mut tell);
        self.seen += 1;
        let (seen, hash) = (self.seen, hash(record));
        let known = self.entries.iter_mut().find(|entry| entry.hash == hash && entry.says(record, settings));
        let verdict = match known {
            Some(entry) => entry.again(seen, time),
            None => {
                self.remember(record, hash, settings, &mut tell);
                Verdict::Passes(seen)
            }
        };
        (verdict, tell)
    }

    /// Called when the record with this serial number could not be delivered.
    #[cold]
    pub(super) fn was_not_delivered(&mut self, serial: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.serial == serial) {
            entry.undelivered = true;
        }
    }

    /// Takes all duplicates that have not been reported yet. The records that they repeat are still remembered.
    pub(super) fn take_all(&mut self) -> Vec<Repeats> {
        let entries = self.entries.iter_mut().filter(|entry| entry.repeats > 0);
        let repeats = |entry: &mut Entry| {
            let raw = entry.raw.clone();
            entry.take_repeats(raw)
        };
        entries.map(repeats).collect()
    }

    /// Forgets the records that were seen least recently until there is room for one of `needed` bytes. For one that never fits,
    /// only as many as its number requires.
    fn make_room(&mut self, needed: usize, settings: &DedupSettings, tell: &mut Vec<Repeats>) {
        let fits = needed <= settings.bytes;
        let is_full = |memory: &Self| {
            memory.entries.len() >= settings.distinct || (fits && memory.bytes + needed > settings.bytes)
        };
        while is_full(self) {
            if self.entries.len() < settings.distinct
                && let Some(unused) = self.spare.pop()
            {
                self.bytes -= unused.capacity();
                continue;
            }
            let Some(oldest) = self.entries.iter().map(|entry| entry.seen).min() else { return };
            self.forget(|entry| entry.seen == oldest, tell);
        }
    }

    fn forget(&mut self, which: impl Fn(&Entry) -> bool, tell: &mut Vec<Repeats>) {
        let mut at = 0;
        while let Some(entry) = self.entries.get_mut(at) {
            if !which(entry) {
                at += 1;
                continue;
            }
            let raw = std::mem::take(&mut entry.raw);
            match entry.repeats {
                0 if raw.capacity() <= KEEP_BYTES => self.spare.push(raw),
                0 => self.bytes -= raw.capacity(),
                _ => {
                    self.bytes -= raw.capacity();
                    tell.push(entry.take_repeats(raw));
                }
            }
            // In order, so that duplicates are reported in the order of their first records.
            self.entries.remove(at);
        }
    }

    /// A record that is larger than the memory may be passes, and is not remembered.
    fn remember(&mut self, record: &Record<'_>, hash: u64, settings: &DedupSettings, tell: &mut Vec<Repeats>) {
        let needed = record.raw().len();
        self.make_room(needed, settings, tell);
        if needed > settings.bytes {
            return;
        }
        let mut raw = self.spare.pop().unwrap_or_default();
        self.bytes -= raw.capacity();
        raw.clear();
        raw.reserve_exact(needed);
        raw.extend_from_slice(record.raw());
        self.bytes += raw.capacity();
        let (time, seen) = (record.time(), self.seen);
        let entry = Entry { raw, hash, serial: seen, seen, time, last: time, repeats: 0, undelivered: false };
        self.entries.push(entry);
    }
}

impl Entry {
    /// A clock that is set back by more than the window ends the window too.
    fn is_over(&self, now: Timestamp, window: Duration) -> bool {
        now.since(self.time) >= window || self.time.since(now) > window
    }

    fn says(&self, record: &Record<'_>, settings: &DedupSettings) -> bool {
        Record::decode(&self.raw).is_some_and(|known| is_same(&known, record, settings.fields, settings.spans))
    }

    fn again(&mut self, seen: u64, time: Timestamp) -> Verdict {
        self.seen = seen;
        if std::mem::take(&mut self.undelivered) {
            return Verdict::Passes(self.serial);
        }
        self.repeats += 1;
        self.last = time;
        Verdict::Duplicate
    }

    fn take_repeats(&mut self, raw: Vec<u8>) -> Repeats {
        Repeats { raw, count: std::mem::take(&mut self.repeats), last: self.last, undelivered: self.undelivered }
    }
}

impl Repeats {
    /// The record that reports the duplicates.
    pub(super) fn telling(&self, settings: &DedupSettings) -> RecordBuf {
        let Some(first) = Record::decode(&self.raw) else { return RecordBuf::default() };
        let times = if self.count == 1 { "time" } else { "times" };
        let count = self.count;
        // If it may follow other records, or the first one never arrived, it must say what was repeated.
        let message = match settings.distinct > 1 || self.undelivered {
            true => format!("message repeated {count} {times}: {}", first.message()),
            false => format!("last message repeated {count} {times}"),
        };
        let mut telling = RecordBuf::from(&first).with_time(self.last);
        telling.set_message(&message);
        if !settings.fields {
            // The fields of the duplicates may have differed.
            telling.change_fields(|span, _| if span.is_none() { FieldChange::Remove } else { FieldChange::Keep });
        }
        if !settings.spans {
            // As well as the spans.
            telling.retain_spans(|_| false);
        }
        telling.with_field("repeated", count)
    }
}

fn hash(record: &Record<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(record.severity().number());
    hasher.write(record.target().as_bytes());
    hasher.write_u8(u8::MAX);
    hasher.write(record.message().as_bytes());
    hasher.finish()
}

fn is_same(one: &Record<'_>, other: &Record<'_>, fields: bool, spans: bool) -> bool {
    one.severity() == other.severity()
        && one.target() == other.target()
        && one.message() == other.message()
        && (!fields || are_same_fields(one.fields(), other.fields()))
        && (!spans || are_same_spans(one, &other.with_span_level(one.span_level())))
}

fn are_same_fields(ours: Fields<'_>, theirs: Fields<'_>) -> bool {
    are_same(ours, theirs, |one, other| one.name == other.name && is_same_value(one.value, other.value))
}

fn are_same_spans(one: &Record<'_>, other: &Record<'_>) -> bool {
    let version = one.spans_version();
    (version.is_some() && version == other.spans_version())
        || are_same(one.spans(), other.spans(), |one, other| {
            one.name() == other.name() && are_same_fields(one.fields(), other.fields())
        })
}

/// Whether there are as many on either side, and each is the same as its counterpart.
fn are_same<I: Iterator>(mut ours: I, mut theirs: I, is_same: impl Fn(&I::Item, &I::Item) -> bool) -> bool {
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if is_same(&one, &other) => {}
            _ => return false,
        }
    }
}

/// Compares two values. Unlike in floating-point arithmetic, a NaN equals itself.
fn is_same_value(one: Value<'_>, other: Value<'_>) -> bool {
    match (one, other) {
        (Value::F64(one), Value::F64(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

/// A buffer larger than this is not kept for the next record.
const KEEP_BYTES: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    fn same(one: RecordBuf, other: RecordBuf, fields: bool) -> bool {
        is_same(&one.as_record(), &other.as_record(), fields, true)
    }

    #[test]
    fn records_are_equal_if_severity_target_message_and_fields_are() {
        let record = || RecordBuf::new(Severity::INFO, "shop", "sold").with_field("pieces", 3_u64);
        assert!(same(record(), record().with_time(Timestamp::new(7, 0)).with_thread("other", 9), true));
        assert!(same(record().with_field("x", f64::NAN), record().with_field("x", f64::NAN), true));
        assert!(!same(record(), record().with_field("more", true), true));
        assert!(same(record(), record().with_field("more", true), false));
        let mut notice = record();
        notice.set_severity(Severity::NOTICE);
        assert!(!same(record(), notice, true));
        assert!(!same(record(), RecordBuf::new(Severity::INFO, "till", "sold"), false));
    }

    #[test]
    fn spans_are_equal_if_their_names_and_fields_are() {
        let record = || RecordBuf::new(Severity::INFO, "shop", "sold");
        let tenant = |name: &str| record().with_span("request", [("tenant", name.into())]);
        assert!(same(tenant("a"), tenant("a"), true));
        for other in [
            record(),
            tenant("b"),
            tenant("a").with_span("query", []),
            record().with_span("query", [("tenant", "a".into())]),
            record().with_span("request", [("user", "a".into())]),
            record().with_span("request", [("tenant", "a".into()), ("user", 1_u64.into())]),
        ] {
            assert!(!same(tenant("a"), other.clone(), true), "{other:?}");
            assert!(!same(other.clone(), tenant("a"), false), "{other:?}");
            assert!(is_same(&tenant("a").as_record(), &other.as_record(), true, false), "{other:?}");
        }
    }
}
