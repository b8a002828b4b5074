use std::sync::atomic::{AtomicU64, Ordering};

use super::Handler;
use crate::changes;
use crate::record::Record;

/// Caches what a handler wants per callsite, as [`enabled`](Handler::enabled) allows. Asking it for each record would mean
/// inspecting the record's target and visiting every handler behind it.
pub(super) struct Wanted([AtomicU64; SLOTS]);

impl Wanted {
    pub(super) fn new() -> Self {
        Self([const { AtomicU64::new(0) }; SLOTS])
    }

    /// Whether `handler`, which must always be the same one, wants this record.
    #[inline]
    pub(super) fn wants(&self, handler: &(impl Handler + ?Sized), record: &Record<'_>) -> bool {
        self.look_up(record, || ask(handler, record))
    }

    #[inline]
    pub(super) fn look_up(&self, record: &Record<'_>, ask: impl FnOnce() -> bool) -> bool {
        let Some(key) = key(record) else { return ask() };
        let slot = &self.0[slot_of(key)];
        let known = slot.load(Ordering::Relaxed);
        if known >> 1 == key & (u64::MAX >> 1) {
            return known & 1 != 0;
        }
        let wanted = ask();
        slot.store(key << 1 | u64::from(wanted), Ordering::Relaxed);
        wanted
    }
}

/// Asks `handler` itself.
pub(super) fn ask(handler: &(impl Handler + ?Sized), record: &Record<'_>) -> bool {
    let kind = record.kind();
    (!kind.is_of_span() || handler.span_events().takes(kind)) && handler.enabled(&record.meta())
}

/// The same for two records exactly if everything known about them before their values is the same; never 0. `None` if a record
/// carries some of that itself.
#[inline]
fn key(record: &Record<'_>) -> Option<u64> {
    let callsite = u64::from(record.callsite_of_meta()?.get());
    Some(changes::generation() << GENERATION_SHIFT | callsite << CALLSITE_SHIFT | u64::from(record.kind_and_severity()))
}

/// Records of a span differ in their kind alone, which is the lowest byte: each kind has a slot of its own.
#[inline]
fn slot_of(key: u64) -> usize {
    (key >> CALLSITE_SHIFT).wrapping_add(key.wrapping_mul(SLOTS as u64 / 8)) as usize % SLOTS
}

/// Above the kind and the severity,
const CALLSITE_SHIFT: u32 = 16;
/// and the 17 bits of a callsite; the highest bit is shifted out. It repeats after 2^30 changes.
const GENERATION_SHIFT: u32 = CALLSITE_SHIFT + 17;

/// The callsites whose answers are kept; others that share a slot are asked for again. 1 KiB.
const SLOTS: usize = 128;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::Error;
    use crate::handler::from_fn;
    use crate::record::{Kind, Meta, RecordBuf, Severity, SpanEvents};

    /// Counts how often it is asked.
    #[derive(Default)]
    struct Asked(AtomicUsize);

    impl Handler for Asked {
        fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
            Ok(())
        }

        fn enabled(&self, _: &Meta<'_>) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            true
        }

        fn span_events(&self) -> SpanEvents {
            SpanEvents::ACTIVE
        }
    }

    #[test]
    fn a_handler_is_asked_once_per_callsite_and_kind() {
        let captured = crate::testing::Captured::new();
        let subscriber = tracing_subscriber::layer::SubscriberExt::with(
            tracing_subscriber::registry(),
            crate::layer::layer(captured.clone()),
        );
        tracing::subscriber::with_default(subscriber, || tracing::info!("sold"));
        let event = captured.records().pop().expect("the callsite is on");
        let (asked, wanted) = (Asked::default(), Wanted::new());
        for _ in 0..100 {
            for kind in [Kind::Event, Kind::SpanEnter, Kind::SpanExit] {
                let mut record = event.clone();
                record.set_kind(kind);
                assert!(wanted.wants(&asked, &record.as_record()));
            }
        }
        assert_eq!(asked.0.load(Ordering::Relaxed), 3);
        assert!(
            !wanted.wants(&from_fn(|_| Ok(())), &RecordBuf::of_kind(Kind::SpanNew, Severity::INFO, "", "").as_record())
        );
    }
}
