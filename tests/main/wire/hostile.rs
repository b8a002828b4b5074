use proptest::collection::vec;
use proptest::prelude::*;
use tracing_handlers::RecordBuf;
use tracing_handlers::format::{Caps, Format, Json, Out, Text};
use tracing_handlers::record::wire::{self, Decoded, Limits};

use super::model::{model, sealed};
use super::{frame_of, record_of, said};

/// Reads the bytes. A record that they give must be sound.
fn attack(bytes: &[u8]) -> Option<RecordBuf> {
    let mut record = RecordBuf::default();
    let limits = Limits::new().severity_names(0);
    let Ok(Decoded::Record(frame)) = wire::decode(bytes, &limits, &mut record) else { return None };
    assert!(record.__bytes().len() <= frame.len + frame.len / 4 + 200);
    let read = record.as_record();
    let mut out = Vec::new();
    for format in [&Json::new() as &dyn Format, &Text::full()] {
        format.format(&read, &mut Out::new(&mut out, Caps::default())).unwrap();
    }
    assert!(str::from_utf8(&out).is_ok());
    let again = record_of(&frame_of(&read));
    assert_eq!(said(&again.as_record()), said(&read), "it is the same once more");
    Some(record)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(attack(&bytes).is_none());
        prop_assert!(attack(&[&[0xf5, b'T', 1, 1], &bytes[..]].concat()).is_none());
        attack(&sealed(1, 1, [0; 16], &bytes));
    }

    #[test]
    fn changed_bodies_behind_right_check_sums_do_no_harm(
        model in model(),
        changes in vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), 0..16_u8, 128..143_u8, Just(255)]), 1..4),
        cut in prop_oneof![3 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)],
    ) {
        let mut body = model.body();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        attack(&sealed(1, 1, [0; 16], &body));
    }
}

#[test]
fn changing_each_byte_of_a_body_does_no_harm() {
    let body = super::model::sample().body();
    for at in 0..body.len() {
        for byte in [0, 1, 12, 13, 127, 128, 138, 141, 142, 254, 255, body[at] ^ 1, body[at].wrapping_add(1)] {
            let mut body = body.clone();
            body[at] = byte;
            attack(&sealed(1, 1, [0; 16], &body));
            body.truncate(at);
            assert!(attack(&sealed(1, 1, [0; 16], &body)).is_none());
        }
    }
}
