//! The end of a record, and what becomes of one that is too long for its offsets.

use super::entry::Entry;
use super::field::put_aside;
use super::fit::copy_fields;
use super::header::{HEADER, Head, HeadMut, Slot, put_slot};
use super::span::put_span;
use crate::record::primitive::Reader;

/// Sets the length of a record that is complete.
#[inline]
pub(crate) fn end(raw: &mut Vec<u8>) {
    let Some(head) = Head::of(raw) else { return };
    end_at(raw, head.fields_end(), head.spans_end());
}

/// The same where the header may not be able to represent the ends of the fields and of the spans: a record of 4 GiB or more, which
/// is too long for its offsets, is shortened.
#[inline]
pub(crate) fn end_at(raw: &mut Vec<u8>, fields_end: usize, spans_end: usize) {
    if u32::try_from(raw.len()).is_err() {
        shrink(raw, fields_end, spans_end, u32::MAX as usize);
    }
    let len = raw.len() as u32;
    if let Some(mut head) = HeadMut::of(raw) {
        head.put32(0, len);
    }
}

/// Shortens a record to `max` bytes: it keeps the message, the other texts and the spans; fields of the event as long as they fit into
/// half of the space, and then those of the spans. A field `fields_cut` with the number of the others is added, as by
/// [`Cap`](crate::rewrite::Cap).
///
/// `fields_end` and `spans_end` are given because the header cannot represent them.
#[cold]
#[inline(never)]
fn shrink(raw: &mut Vec<u8>, fields_end: usize, spans_end: usize, max: usize) {
    let long = std::mem::take(raw);
    let Some(head) = Head::of(&long) else { return };
    let text = |slot: Slot| text_of(slot, &long, fields_end, spans_end);
    let texts = [head.thread_name(), head.target(), head.module_path(), head.file(), head.name()].map(text);
    let room = texts.iter().flatten().map(|text| text.len()).sum::<usize>();
    raw.extend_from_slice(&long[..HEADER]);
    let message = text(head.message());
    let message = message.map_or(Slot::NONE, |text| put_aside(raw, 0, |out| out.extend_from_slice(text.as_bytes())));
    copy_fields(raw, &long[HEADER..fields_end], max / 2);
    let fields_end_now = raw.len();
    let mut spans = Reader(&long[fields_end..spans_end]);
    while let Some((head, fields)) = spans.span() {
        let most = max.saturating_sub(room + spans.0.len().min(max / 4) + ROOM);
        put_span(raw, head, |out| copy_fields(out, fields, most));
    }
    let spans_end_now = raw.len();
    let texts = texts.map(|text| text.map_or(Slot::NONE, |text| put_slot(raw, 0, text)));
    if raw.len() > max {
        // More than a hundred thousand spans with names of the greatest length.
        return empty(raw);
    }
    let Some(mut head) = HeadMut::of(raw) else { return };
    head.set_as_captured(false);
    head.set_spans_version(0);
    head.set_message(message);
    head.set_fields_end(fields_end_now);
    head.set_spans_end(spans_end_now);
    let [thread_name, target, module_path, file, name] = texts;
    head.set_thread_name(thread_name);
    head.set_target(target);
    head.set_module_path(module_path);
    head.set_file(file);
    head.set_name(name);
}

/// Returns the text that a slot stands for, though its offset may have wrapped around.
fn text_of(slot: Slot, long: &[u8], fields_end: usize, spans_end: usize) -> Option<&str> {
    if slot.at == 0 {
        return None;
    }
    let len = slot.len as usize;
    let mut reader = Reader(&long[HEADER..fields_end]);
    while let Some((entry, verbatim)) = reader.entry_verbatim() {
        let start = fields_end - reader.0.len() - verbatim.len() + ASIDE_HEAD;
        if matches!(entry, Entry::Aside) && start as u32 == slot.at {
            return str::from_utf8(long.get(start..start + len)?).ok();
        }
    }
    let start = spans_end + slot.at.wrapping_sub(spans_end as u32) as usize;
    str::from_utf8(long.get(start..start.checked_add(len)?)?).ok()
}

fn empty(raw: &mut Vec<u8>) {
    raw.truncate(HEADER);
    let Some(mut head) = HeadMut::of(raw) else { return };
    head.set_fields_end(HEADER);
    head.set_spans_end(HEADER);
    head.set_spans_version(0);
    for set in [
        HeadMut::set_message,
        HeadMut::set_thread_name,
        HeadMut::set_target,
        HeadMut::set_module_path,
        HeadMut::set_file,
        HeadMut::set_name,
    ] {
        set(&mut head, Slot::NONE);
    }
}

/// The length of the tag and the length in front of a text that lies among the fields.
const ASIDE_HEAD: usize = 5;
/// The room for the fields `fields_cut` and for the head of a span.
const ROOM: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::record::{Record, RecordBuf, Severity, Value};

    fn shrunk(record: &RecordBuf, max: usize) -> RecordBuf {
        let record = record.as_record();
        let mut raw = record.raw().to_vec();
        shrink(&mut raw, record.head().fields_end(), record.head().spans_end(), max);
        end(&mut raw);
        assert!(raw.len() <= max);
        RecordBuf::from(&Record::decode(&raw).expect("a whole record"))
    }

    #[test]
    fn a_record_that_is_too_long_keeps_what_fits() {
        let long = "x".repeat(3_000);
        let record = RecordBuf::new(Severity::ERROR, "shop", "sold")
            .with_span("outer", [("id", 7.into()), ("long", Value::Str(&long)), ("user", "ada".into())])
            .with_span("inner", [("n", 1.into())])
            .with_thread("worker", 3)
            .with_field("a", 1)
            .with_field("long", long.as_str())
            .with_field("b", 2);
        let shrunk = shrunk(&record, 4_000);
        let shrunk = shrunk.as_record();
        assert_eq!((shrunk.severity(), shrunk.message(), shrunk.target()), (Severity::ERROR, "sold", "shop"));
        assert_eq!((shrunk.thread_name(), shrunk.thread_id()), (Some("worker"), Some(3)));
        assert_eq!(format!("{:?}", shrunk.fields().collect::<Vec<_>>()), "[a=1, b=2, fields_cut=1]");
        let spans: Vec<_> = shrunk.spans().map(|span| format!("{span:?}")).collect();
        assert_eq!(spans, [format!("outer{{id=7, long={long:?}, user=\"ada\"}}"), "inner{n=1}".to_owned()]);
    }

    #[test]
    fn long_spans_lose_their_longest_fields_and_no_other() {
        let long = "x".repeat(3_000);
        let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("a", 1);
        for name in ["one", "two", "three"] {
            record = record.with_span(name, [("long", Value::Str(&long)), ("user", "ada".into())]);
        }
        let spans: Vec<_> = shrunk(&record, 8_000).as_record().spans().map(|span| format!("{span:?}")).collect();
        assert_eq!(spans.len(), 3);
        assert!(spans[0].contains("xxx") && spans.iter().all(|span| span.contains("user=\"ada\"")));
        let cut = spans.iter().filter(|span| span.contains("fields_cut=1") && !span.contains("xxx"));
        assert_eq!(cut.count(), 1);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn texts_are_found_though_their_offsets_have_wrapped_around() {
        // Zeroed pages that are never accessed cost nothing.
        let spans_end = u32::MAX as usize + 10;
        let mut long = vec![0; spans_end + 30];
        long[spans_end + 20..][..4].copy_from_slice(b"text");
        let slot = Slot { at: (spans_end + 20) as u32, len: 4 };
        assert_eq!((slot.at, text_of(slot, &long, HEADER, spans_end)), (29, Some("text")));
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_record_whose_offsets_would_overflow_loses_its_values_and_nothing_else() {
        // Zeroed pages that are never written cost little.
        let mut raw = vec![0; u32::MAX as usize + 1];
        let mut head = HeadMut::of(&mut raw).expect("room for a header");
        head.set_severity(Severity::WARN);
        head.set_time(Timestamp::new(7, 0));
        head.set_message(Slot { at: HEADER as u32 + 5, len: 5 });
        // A message, and a text of 4 GiB, which is longer than what is left.
        raw[HEADER..HEADER + 10].copy_from_slice(b"\x0b\x05\0\0\0hello");
        raw[HEADER + 10..][..7].copy_from_slice(b"\x87\0\0\xff\xff\xff\xff");
        end_at(&mut raw, u32::MAX as usize + 1, u32::MAX as usize + 1);
        let read = Head::of(&raw).expect("a whole header");
        assert_eq!((raw.len(), read.len(), read.fields_end()), (HEADER + 10, HEADER + 10, HEADER + 10));
        assert_eq!((read.severity(), read.time()), (Severity::WARN, Timestamp::new(7, 0)));
        assert_eq!(read.message().read(&raw), Some("hello"));
    }
}
