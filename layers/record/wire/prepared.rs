//! The texts of callsites, prepared for frames.

use super::layout;
use crate::bytes::Block;
use crate::record::PerCallsite;
use crate::record::callsite::Callsite;

/// The texts of a callsite, encoded as they are in frames.
pub(super) struct Prepared {
    pub(super) place: Place<'static>,
    /// The names of its fields, each with its length in front; `None` if a name is too long.
    pub(super) keys: Box<[Option<Block>]>,
    /// The name and target of its spans, each with its length in front; `None` if one is too long.
    pub(super) span: Option<Block>,
}

impl Prepared {
    /// Returns the texts of `callsite`, which are prepared for the first frame that needs them.
    #[inline]
    pub(super) fn of(callsite: Option<&'static Callsite>) -> Option<&'static Self> {
        let callsite = callsite?;
        PREPARED.get_or_prepare(callsite.id(), || Box::new(Self::new(callsite))).map(|prepared| &**prepared)
    }

    fn new(callsite: &Callsite) -> Self {
        let metadata = callsite.metadata();
        let located = !callsite.is_from_log();
        let place = Place {
            target: metadata.target(),
            name: metadata.name(),
            module_path: metadata.module_path().filter(|_| located),
            file: metadata.file().filter(|_| located),
        };
        Self {
            place,
            keys: callsite.names().iter().map(|name| labels(&[name])).collect(),
            span: labels(&[place.name, place.target]),
        }
    }
}

static PREPARED: PerCallsite<Box<Prepared>> = PerCallsite::new();

fn labels(names: &[&str]) -> Option<Block> {
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend_from_slice(&u16::try_from(name.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    Some(Block::new(&bytes))
}

/// Where a record comes from.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) target: &'a str,
    pub(super) name: &'a str,
    pub(super) module_path: Option<&'a str>,
    pub(super) file: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// In the order of the layout.
    pub(super) fn texts(&self) -> [&'a str; 4] {
        [self.target, self.name, self.module_path.unwrap_or(""), self.file.unwrap_or("")]
    }

    pub(super) fn flags(&self) -> u8 {
        let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
        flag(self.module_path.is_some(), layout::HAS_MODULE_PATH) | flag(self.file.is_some(), layout::HAS_FILE)
    }
}
