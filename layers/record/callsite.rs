//! The callsites of this process, kept for its life.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use tracing::Metadata;

use super::per_callsite::{self, MAX_ID, PerCallsite};
use crate::sync::{lock, lock_until};

/// A callsite of this process: its metadata, and what follows from that.
pub(crate) struct Callsite {
    id: u32,
    metadata: &'static Metadata<'static>,
    names: Box<[&'static str]>,
    /// How many of the names records give by their index, which has one byte; the rest are spelled out.
    indexed: usize,
    message: Option<usize>,
    severity: Option<usize>,
    from_log: bool,
}

impl Callsite {
    /// Returns the callsite for `metadata`, which is created on the first call.
    pub(crate) fn of(metadata: &'static Metadata<'static>) -> &'static Self {
        let mut known = lock(&KNOWN);
        let known = known.get_or_insert_default();
        let next = known.len() as u32 + 1;
        known.entry(std::ptr::from_ref(metadata).addr()).or_insert_with(|| {
            // Leaked on purpose: metadata is 'static, so there are as many of these as there are callsites.
            let callsite = Box::leak(Box::new(Self::new(next, metadata)));
            CALLSITES.set(callsite.id, callsite);
            callsite
        })
    }

    /// Returns the callsite with this id; `None` for 0.
    #[inline]
    pub(crate) fn get(id: u32) -> Option<&'static Self> {
        CALLSITES.get(id).copied()
    }

    fn new(id: u32, metadata: &'static Metadata<'static>) -> Self {
        let fields = metadata.fields();
        let index_of = |name| fields.field(name).map(|field| field.index());
        // Beyond the tables, records contain the names themselves.
        let id = if id <= MAX_ID { id } else { 0 };
        Self {
            id,
            metadata,
            names: fields.iter().map(|field| plain(field.name())).collect(),
            indexed: if id == 0 { 0 } else { fields.len().min(MAX_INDEXED) },
            message: index_of("message"),
            severity: index_of("severity"),
            // As tracing-log creates them; an event that merely has such a field does not count.
            from_log: metadata.name() == "log event"
                && metadata.target() == "log"
                && fields.field("log.target").is_some(),
        }
    }

    /// Returns the number by which tables find the callsite; 0 beyond what they have room for.
    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    #[inline]
    pub(crate) fn metadata(&self) -> &'static Metadata<'static> {
        self.metadata
    }

    /// Returns the names of its fields, in the order of their indices.
    #[inline]
    pub(crate) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Returns how many fields, from the first one, have an index in records. The names of the others are in the records.
    #[inline]
    pub(super) fn indexed(&self) -> usize {
        self.indexed
    }

    /// Returns the index of an event's message among its fields.
    #[inline]
    pub(crate) fn message(&self) -> Option<usize> {
        self.message
    }

    /// Returns the index of the field that may contain an event's severity.
    #[inline]
    pub(super) fn severity(&self) -> Option<usize> {
        self.severity
    }

    /// Whether the metadata do not suffice to decide whether an event is wanted, so that each is captured first.
    #[inline]
    pub(crate) fn is_judged_late(&self) -> bool {
        self.from_log || self.severity.is_some()
    }

    /// tracing-log shares one callsite per level among all records of the `log` crate.
    #[inline]
    pub(crate) fn is_from_log(&self) -> bool {
        self.from_log
    }
}

/// Returns the name without `r#`: a field written as `r#type` is called `type`, as in tracing-subscriber.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Locks the list of callsites, and the tables of what is prepared for each, while the process forks.
pub(crate) fn freeze(deadline: Instant) -> Box<dyn Any> {
    // In the order in which `Callsite::of` takes them.
    let known = lock_until(&KNOWN, deadline);
    Box::new((known, per_callsite::freeze(deadline)))
}

/// The index of a field has one byte, and 255 stands for a name without an index.
const MAX_INDEXED: usize = u8::MAX as usize;

static CALLSITES: PerCallsite<&'static Callsite> = PerCallsite::new();
static KNOWN: Mutex<Option<HashMap<usize, &'static Callsite>>> = Mutex::new(None);
