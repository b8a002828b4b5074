//! The target and field names of each callsite, prepared for lines.

use super::value;
use crate::bytes::Block;
use crate::format::escape;
use crate::record::{Callsite, Field, PerCallsite};

/// The target and the field names of a callsite, as they are written in a line without colors.
pub(super) struct TextKeys {
    /// ` target:`; `None` if the target is empty.
    target: Option<Block>,
    /// ` name=`
    fields: Vec<Block>,
}

impl TextKeys {
    /// Returns the keys of `callsite`, prepared on first use; empty keys if there is no callsite.
    #[inline]
    pub(super) fn of(callsite: Option<&'static Callsite>) -> &'static Self {
        match callsite {
            Some(callsite) => Self::of_callsite(callsite),
            None => &NO_KEYS,
        }
    }

    #[inline]
    fn of_callsite(callsite: &'static Callsite) -> &'static Self {
        let keys = KEYS.get_or_prepare(callsite.id(), || Box::new(Self::new(callsite)));
        keys.map_or(&NO_KEYS, |keys| &**keys)
    }

    fn new(callsite: &Callsite) -> Self {
        let target = callsite.metadata().target();
        Self {
            target: (!target.is_empty()).then(|| written(|out| escape::plain(out, target), b':')),
            fields: callsite.names().iter().map(|name| written(|out| value::name(out, name), b'=')).collect(),
        }
    }

    #[inline]
    pub(super) fn target(&self) -> Option<&Block> {
        self.target.as_ref()
    }

    /// Returns the key of a field that belongs to the callsite.
    #[inline]
    pub(super) fn field(&self, field: &Field<'_>) -> Option<&Block> {
        self.fields.get(field.index()?)
    }
}

/// Returns a space, the output of `write`, and `end`.
fn written(write: impl FnOnce(&mut Vec<u8>), end: u8) -> Block {
    let mut out = vec![b' '];
    write(&mut out);
    out.push(end);
    Block::new(&out)
}

static NO_KEYS: TextKeys = TextKeys { target: None, fields: Vec::new() };
static KEYS: PerCallsite<Box<TextKeys>> = PerCallsite::new();
