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
    roles: Box<[Role]>,
    says_severity: bool,
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
        let names: Box<[_]> = fields.iter().map(|field| plain(field.name())).collect();
        // Beyond the tables, records contain the names themselves.
        let id = if id <= MAX_ID { id } else { 0 };
        Self {
            id,
            metadata,
            indexed: if id == 0 { 0 } else { names.len().min(MAX_INDEXED) },
            roles: roles(&names),
            names,
            says_severity: says_severity(metadata),
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

    /// Returns what each field of an event is to its record, up to the last field that is not an ordinary one.
    #[inline]
    pub(super) fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Returns the index of the field that contains an event's message, unless that is empty and another one does.
    pub(crate) fn message(&self) -> Option<usize> {
        self.roles.iter().position(|role| *role == Role::Message)
    }

    /// Whether the metadata do not suffice to decide whether an event is wanted, so that each is captured first.
    #[inline]
    pub(crate) fn is_judged_late(&self) -> bool {
        self.from_log || self.says_severity
    }

    /// tracing-log shares one callsite per level among all records of the `log` crate.
    #[inline]
    pub(crate) fn is_from_log(&self) -> bool {
        self.from_log
    }
}

/// What a field of an event is to its record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Field,
    /// One of the fields that may contain the message.
    Message,
    /// The field that may contain the name of the severity, which is a field of the record as well.
    Severity,
}

/// The first field called `severity` and all that are called `message`: the macros put a format string in front of the fields, in a
/// field of that name of its own.
fn roles(names: &[&str]) -> Box<[Role]> {
    let severity = names.iter().position(|name| *name == SEVERITY);
    let role = |(index, name): (usize, &&str)| match *name {
        "message" => Role::Message,
        _ if severity == Some(index) => Role::Severity,
        _ => Role::Field,
    };
    let mut roles: Vec<_> = names.iter().enumerate().map(role).collect();
    roles.truncate(roles.iter().rposition(|role| *role != Role::Field).map_or(0, |last| last + 1));
    roles.into()
}

/// Whether the events of a callsite may have a higher severity than their level's.
pub(crate) fn says_severity(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.fields().iter().any(|field| plain(field.name()) == SEVERITY)
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

const SEVERITY: &str = "severity";
/// The index of a field has one byte, and 255 stands for a name without an index.
const MAX_INDEXED: usize = u8::MAX as usize;

static CALLSITES: PerCallsite<&'static Callsite> = PerCallsite::new();
static KNOWN: Mutex<Option<HashMap<usize, &'static Callsite>>> = Mutex::new(None);
