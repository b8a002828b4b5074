//! The records that report missing ones.

use super::Dropped;
use crate::record::{Kind, Record, RecordBuf, Severity, Value};

/// Returns the record `3 records lost here`, with the field `lost` and the reasons.
pub(super) fn lost(dropped: Dropped) -> RecordBuf {
    let message = format!("{} lost here", records(dropped.total()));
    notice(dropped, &message)
}

/// Returns the record `37 records filtered here: rate limited 30, sampled 7`, with the same fields.
pub(super) fn filtered(dropped: Dropped) -> RecordBuf {
    let mut reasons: Vec<_> = dropped.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let reasons: Vec<_> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let message = format!("{} filtered here: {}", records(dropped.total()), reasons.join(", "));
    notice(dropped, &message)
}

/// Returns the record `17 records missing here: No space left on device`, with the same fields. They need not be lost: another
/// handler may have taken them.
pub(super) fn missing(count: u64, reason: &str) -> RecordBuf {
    notice_of(count, reason, &format!("{} missing here: {reason}", records(count)))
}

fn notice(dropped: Dropped, message: &str) -> RecordBuf {
    let reasons: Vec<_> = dropped.iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
    notice_of(dropped.total(), &reasons.join(", "), message)
}

fn notice_of(count: u64, reason: &str, message: &str) -> RecordBuf {
    RecordBuf::of_kind(Kind::Loss, Severity::WARN, "tracing_handlers", message)
        .with_field(LOST, count)
        .with_field("reason", reason)
}

fn records(count: u64) -> String {
    match count {
        1 => "1 record".to_owned(),
        count => format!("{count} records"),
    }
}

/// Returns how many lost records a loss notice reports; `None` for other records. A notice is never counted as accepted, but if it
/// is lost itself, its number must still be reported.
pub(super) fn count_of(record: &Record<'_>) -> Option<u64> {
    match (record.kind(), record.field(LOST)) {
        (Kind::Loss, Some(Value::U64(lost))) => Some(lost),
        (Kind::Loss, _) => Some(0),
        _ => None,
    }
}

const LOST: &str = "lost";
