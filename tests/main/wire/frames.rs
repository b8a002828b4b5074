use tracing_handlers::record::wire::{self, Decoded, Fault, Frames, Id, Limits, Rejected};
use tracing_handlers::{ErrorKind, RecordBuf, Severity};

use super::model::{sample, sealed};
use super::{frame_of, record_of, said};

fn decode(bytes: &[u8]) -> Result<Decoded, Rejected> {
    let mut into = RecordBuf::new(Severity::WARN, "before", "as it was");
    let before = said(&into.as_record());
    let decoded = wire::decode(bytes, &Limits::new(), &mut into);
    if !matches!(decoded, Ok(Decoded::Record(_))) {
        assert_eq!(said(&into.as_record()), before, "only a record changes the buffer");
    }
    decoded
}

/// Frames with something of everything, with next to nothing, and with an id.
fn samples() -> Vec<Vec<u8>> {
    let small = RecordBuf::new(Severity::INFO, "t", "sold").with_field("pieces", 3_u64);
    vec![sample().frame([9; 16]), frame_of(&RecordBuf::default().as_record()), frame_of(&small.as_record())]
}

#[test]
fn no_changed_byte_gives_a_record() {
    for frame in samples() {
        let mut changed = frame.clone();
        for at in 0..frame.len() {
            for flip in (0..8).map(|bit| 1 << bit).chain([0xff]) {
                changed[at] ^= flip;
                let rejected = decode(&changed).expect_err("a changed byte");
                let fault = if at < 28 { Fault::Head } else { Fault::Body };
                assert_eq!(rejected.fault, fault, "byte {at}");
                assert_eq!(rejected.len, (fault == Fault::Body).then_some(frame.len()));
                changed[at] ^= flip;
            }
        }
    }
}

#[test]
fn no_cut_frame_gives_a_record() {
    for frame in samples() {
        for len in 0..frame.len() {
            let missing = if len < 32 { 32 - len } else { frame.len() - len };
            assert_eq!(decode(&frame[..len]), Ok(Decoded::Incomplete { missing }));
        }
        // What follows a frame does not matter.
        assert!(
            matches!(decode(&[&frame[..], b"\xf5"].concat()), Ok(Decoded::Record(read)) if read.len == frame.len())
        );
    }
}

#[test]
fn bytes_that_are_not_a_frame_are_rejected_at_once() {
    let head = Rejected::new(Fault::Head, None);
    for text in ["{", "<34>1 2003", "\0", "\u{f5}T"] {
        assert_eq!(decode(text.as_bytes()), Err(head));
    }
    assert_eq!(decode(&[0; 64]), Err(head));
    assert_eq!(decode(&[0xf5, b'U']), Err(head));
    let error = tracing_handlers::Error::from(head);
    assert_eq!(error.kind(), ErrorKind::Format);
    assert_eq!(format!("{error:#}"), "cannot read a frame: not a frame, or its head is damaged");
}

/// `sample`'s body with one byte changed.
fn body_with(at: usize, byte: u8) -> Vec<u8> {
    let mut body = sample().body();
    body[at] = byte;
    sealed(1, 1, [0; 16], &body)
}

#[test]
fn unknown_versions_kinds_flags_and_tags_are_set_aside_and_counted() {
    let body = sample().body();
    let first_tag = 60;
    let unknown = [
        sealed(2, 1, [0; 16], &body),
        sealed(2, 1, [0; 16], b"anything"),
        sealed(0, 1, [0; 16], &body),
        sealed(1, 2, [0; 16], b""),
        sealed(255, 255, [1; 16], &[0; 300]),
        body_with(0, 6),
        body_with(2, 0x1f),
        body_with(first_tag, 142),
        body_with(first_tag, 13),
    ];
    let mut all = frame_of(&record_of(&sample().frame([0; 16])).as_record());
    for frame in &unknown {
        assert!(matches!(decode(frame), Ok(Decoded::Unknown(read)) if read.len == frame.len()), "{frame:?}");
        let mut damaged = frame.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(decode(&damaged).is_err(), "its checksum is verified all the same");
        all.extend(frame);
    }
    all.extend(sample().frame([3; 16]));

    let mut frames = Frames::new(&all, Limits::new());
    let mut record = RecordBuf::default();
    let mut ids = Vec::new();
    while let Some(frame) = frames.next(&mut record).unwrap() {
        ids.push(frame.id);
        assert_eq!(said(&record.as_record()), sample().said());
    }
    assert_eq!(ids, [None, Id::from_bytes([3; 16])]);
    assert_eq!((frames.records(), frames.unknown(), frames.rejected()), (2, unknown.len() as u64, 0));
    assert!(frames.rest().is_empty());
}

#[test]
fn a_reader_steps_over_a_damaged_body_and_stops_at_a_damaged_head() {
    let frame = sample().frame([0; 16]);
    let mut bytes = [&frame[..], &frame, &frame, &frame, &frame].concat();
    bytes[frame.len() + 100] ^= 1;
    bytes[3 * frame.len() + 5] ^= 1;
    let mut frames = Frames::new(&bytes, Limits::new());
    let mut record = RecordBuf::default();
    assert!(frames.next(&mut record).unwrap().is_some());
    assert_eq!(frames.next(&mut record).unwrap_err().fault, Fault::Body);
    assert!(frames.next(&mut record).unwrap().is_some());
    assert_eq!(frames.next(&mut record).unwrap_err(), Rejected::new(Fault::Head, None));
    // What looks like a frame behind it may be the contents of a logged value.
    assert_eq!(frames.next(&mut record), Ok(None));
    assert_eq!(frames.rest().len(), 2 * frame.len());
    assert_eq!((frames.records(), frames.rejected()), (2, 2));
}

#[test]
fn the_beginning_of_a_frame_is_left_at_the_end() {
    let frame = sample().frame([0; 16]);
    let bytes = [&frame[..], &frame[..50]].concat();
    let mut frames = Frames::new(&bytes, Limits::new());
    let mut record = RecordBuf::default();
    assert!(frames.next(&mut record).unwrap().is_some());
    assert_eq!(frames.next(&mut record), Ok(None));
    assert_eq!(frames.rest(), &frame[..50]);
}
