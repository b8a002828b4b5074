//! The invariant properties of callsites, prepared once and kept for the life of the process.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use tracing::Metadata;

use super::wire::Prepared;
use crate::bytes::Block;
use crate::sync::lock;

/// A callsite of this process: its metadata, and its field names prepared for formats.
pub(crate) struct Callsite {
    id: u32,
    metadata: &'static Metadata<'static>,
    keys: Box<[Key]>,
    target: Option<Block>,
    message: Option<u8>,
    says_severity: bool,
    special: u32,
    from_log: bool,
    json_span: Option<Block>,
    wire: OnceLock<Box<Prepared>>,
}

/// A field's name and, unless it needs escaping, its form as a key of JSON and in a line of text.
#[derive(Debug)]
pub(crate) struct Key {
    name: &'static str,
    json: Option<Block>,
    text: Option<Block>,
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
            register(callsite);
            callsite
        })
    }

    /// Returns the callsite with this id; `None` for 0.
    #[inline]
    pub(crate) fn get(id: u32) -> Option<&'static Self> {
        let index = id.checked_sub(1)? as usize;
        TABLE.get(index / CHUNK)?.get()?.get(index % CHUNK)?.get().copied()
    }

    fn new(id: u32, metadata: &'static Metadata<'static>) -> Self {
        let fields = metadata.fields();
        let index_of = |name| fields.field(name).map(|field| field.index() as u8);
        let (message, severity) = (index_of("message"), index_of("severity"));
        let keys: Box<[_]> = fields.iter().map(|field| Key::new(plain(field.name()))).collect();
        Self {
            // Beyond the table, records contain the names themselves.
            id: if (id as usize) <= CHUNK * CHUNKS { id } else { 0 },
            metadata,
            json_span: json_span(metadata.name(), &keys),
            keys,
            target: target(metadata.target()),
            message,
            says_severity: severity.is_some(),
            special: [message, severity].into_iter().flatten().fold(0, |all, index| all | 1 << (index & 31)),
            // As tracing-log creates them; an event that merely has such a field does not count.
            from_log: metadata.name() == "log event"
                && metadata.target() == "log"
                && fields.field("log.target").is_some(),
            wire: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    #[inline]
    pub(crate) fn metadata(&self) -> &'static Metadata<'static> {
        self.metadata
    }

    #[inline]
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Returns ` target:`, if the target is plain and not empty.
    #[inline]
    pub(crate) fn target(&self) -> Option<&Block> {
        self.target.as_ref()
    }

    /// Returns the index of an event's message among its fields.
    #[inline]
    pub(crate) fn message(&self) -> Option<u8> {
        self.message
    }

    /// Returns a bit for each field of an event that has a special meaning.
    #[inline]
    pub(crate) fn special(&self) -> u32 {
        self.special
    }

    /// Whether the metadata do not suffice to decide whether an event is wanted, so that each is captured first.
    #[inline]
    pub(crate) fn is_judged_late(&self) -> bool {
        self.from_log || self.says_severity
    }

    /// Returns the start of its span as a JSON object: `,{"name":"request"`; `None` if that or a field's name needs escaping, or if
    /// two members would have the same name.
    #[inline]
    pub(crate) fn json_span(&self) -> Option<&Block> {
        self.json_span.as_ref()
    }

    /// Returns its texts for frames, prepared when the first one is written.
    #[inline]
    pub(super) fn wire(&self) -> &Prepared {
        self.wire.get_or_init(|| Box::new(Prepared::new(self)))
    }

    /// tracing-log shares one callsite per level among all records of the `log` crate.
    #[inline]
    pub(crate) fn is_from_log(&self) -> bool {
        self.from_log
    }
}

fn json_span(name: &str, keys: &[Key]) -> Option<Block> {
    let distinct = keys.iter().enumerate().all(|(index, key)| {
        key.json.is_some() && key.name != "name" && keys[..index].iter().all(|before| before.name != key.name)
    });
    (distinct && is_plain(name)).then(|| Block::new(format!(",{{\"name\":\"{name}\"").as_bytes()))
}

/// Whether no format needs to escape or quote the name.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'#'))
}

impl Key {
    fn new(name: &'static str) -> Self {
        let block = |written: String| is_plain(name).then(|| Block::new(written.as_bytes()));
        Self { name, json: block(format!(",\"{name}\":")), text: block(format!(" {name}=")) }
    }

    #[inline]
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns `,"name":`, if the name is plain.
    #[inline]
    pub(crate) fn json(&self) -> Option<&Block> {
        self.json.as_ref()
    }

    /// Returns ` name=`, if the name is plain.
    #[inline]
    pub(crate) fn text(&self) -> Option<&Block> {
        self.text.as_ref()
    }
}

/// Returns the name without `r#`: a field written as `r#type` is called `type`, as in tracing-subscriber.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

fn target(target: &str) -> Option<Block> {
    let plain = !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| Block::new(format!(" {target}:").as_bytes()))
}

fn register(callsite: &'static Callsite) {
    let Some(index) = callsite.id.checked_sub(1) else { return };
    let index = index as usize;
    if let Some(chunk) = TABLE.get(index / CHUNK) {
        let slots = chunk.get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        // Each id is assigned once, so the slot is free.
        let _ = slots[index % CHUNK].set(callsite);
    }
}

const CHUNK: usize = 256;
const CHUNKS: usize = 256;

type Chunk = OnceLock<Box<[OnceLock<&'static Callsite>]>>;

static TABLE: [Chunk; CHUNKS] = [const { OnceLock::new() }; CHUNKS];
static KNOWN: Mutex<Option<HashMap<usize, &'static Callsite>>> = Mutex::new(None);

/// Locks the list of callsites while the process forks.
pub(crate) fn freeze(deadline: std::time::Instant) -> Box<dyn std::any::Any> {
    Box::new(crate::sync::lock_until(&KNOWN, deadline))
}
