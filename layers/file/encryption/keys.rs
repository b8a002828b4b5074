use std::fmt;

use crate::file::key::{Key, KeyId};
use crate::{Error, ErrorKind};

/// The keys of encrypted files: one that is written with, and others that are only read with.
///
/// ```
/// use tracing_handlers::encryption::{Key, Keys};
///
/// # let (old, new) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
/// let keys = Keys::new(new).and(old);
/// assert!(format!("{keys:?}").starts_with("Keys([KeyId("), "no key is shown");
/// ```
#[derive(Clone)]
pub struct Keys {
    current: (KeyId, Key),
    others: Vec<(KeyId, Key)>,
}

impl Keys {
    /// What is written is written with `current`.
    pub fn new(current: Key) -> Self {
        Self { current: (current.id(LABEL), current), others: Vec::new() }
    }

    /// What was written with `old` is read, and goes on.
    pub fn and(mut self, old: Key) -> Self {
        self.others.push((old.id(LABEL), old));
        self
    }

    /// Which keys they are, the one that is written with first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.all().map(|(id, _)| *id)
    }

    pub(super) fn current(&self) -> (KeyId, &Key) {
        (self.current.0, &self.current.1)
    }

    pub(super) fn find(&self, wanted: KeyId) -> Result<&Key, Error> {
        if let Some((_, key)) = self.all().find(|(id, _)| *id == wanted) {
            return Ok(key);
        }
        let given: Vec<_> = self.ids().map(|id| id.to_string()).collect();
        let keys = format!("encrypted with the key {wanted}, and not with {}", given.join(" or "));
        Err(Error::new(ErrorKind::Config, keys))
    }

    fn all(&self) -> impl Iterator<Item = &(KeyId, Key)> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

/// Without the keys.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.ids().collect::<Vec<_>>()).finish()
    }
}

const LABEL: &str = "tracing-handlers encryption 1 key\0";
