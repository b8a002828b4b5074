use super::callsite::Callsite;
use super::encoding::{self, HeadMut};
use super::{Kind, Severity};
use crate::clock::Timestamp;

/// Appends to an empty buffer what is known of an event before its values are captured: its callsite and the encoded `spans`, which
/// have this version.
pub(crate) fn put_spans_only(callsite: &'static Callsite, version: u64, spans: &[u8], raw: &mut Vec<u8>) {
    let severity = Severity::from(*callsite.metadata().level());
    encoding::begin(raw, Kind::Event, severity, Timestamp::EPOCH);
    let fields_end = raw.len();
    raw.extend_from_slice(spans);
    let spans_end = raw.len();
    if let Some(mut head) = HeadMut::of(raw) {
        head.set_as_captured(true);
        head.set_callsite(callsite.id());
        head.set_spans_version(version);
        head.set_fields_end(fields_end);
        head.set_spans_end(spans_end);
    }
    encoding::end(raw);
}
