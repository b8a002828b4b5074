use std::fmt;

use crate::file::key::{Key, KeyId};
use crate::{Error, ErrorKind};

/// The keys of encrypted files: the current one, which is used for writing, and older ones, which are only used for reading.
///
/// ```
/// use tracing_handlers::encryption::{Key, Keys};
///
/// # let (old, new) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
/// let keys = Keys::new(new).and(old);
/// assert!(format!("{keys:?}").starts_with("Keys([KeyId("), "keys are not shown");
/// ```
#[must_use]
#[derive(Clone)]
pub struct Keys {
    current: (KeyId, Key),
    others: Vec<(KeyId, Key)>,
}

impl Keys {
    /// Writes with `current`.
    pub fn new(current: Key) -> Self {
        Self { current: (current.id(LABEL), current), others: Vec::new() }
    }

    /// Also reads files that were written with `old`, and continues them with the current key.
    pub fn and(mut self, old: Key) -> Self {
        self.others.push((old.id(LABEL), old));
        self
    }

    /// The identifiers of the keys, the current one first.
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
        let keys = format!("encrypted with the key {wanted}, not with {}", given.join(" or "));
        Err(Error::new(ErrorKind::Config, keys))
    }

    fn all(&self) -> impl Iterator<Item = &(KeyId, Key)> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

/// Does not show the keys.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.ids().collect::<Vec<_>>()).finish()
    }
}

const LABEL: &str = "tracing-handlers encryption 1 key\0";
