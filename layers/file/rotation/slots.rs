//! The archives of a log by their places, as they are found in its directory.

use std::collections::BTreeMap;
use std::fs::FileType;

use super::naming::Mark;

/// The archives of a family. While one is compressed, it exists under two names for a moment.
pub(super) type Slots = BTreeMap<Mark, Vec<Name>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The extension of the compression: empty, or `.gz` for example.
    pub(super) packed: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// If the path was a link, rotation renames the link.
    Link,
    /// Another log that this process has open.
    Log,
    Other,
}

impl Name {
    /// The name of an archive that is not compressed.
    pub(super) fn plain(kind: Kind) -> Self {
        Self { packed: "", kind }
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether lines can be appended to it.
    pub(super) fn is_plain_file(&self) -> bool {
        self.is_file() && self.packed.is_empty()
    }

    /// Whether it can be renamed and removed: a file or a link, and not a directory, a device, or another log.
    pub(super) fn can_move(&self) -> bool {
        matches!(self.kind, Kind::File | Kind::Link)
    }

    /// Whether it is another log that this process has open.
    pub(super) fn is_log(&self) -> bool {
        self.kind == Kind::Log
    }
}

impl Kind {
    pub(super) fn of(kind: FileType) -> Self {
        match kind {
            kind if kind.is_file() => Self::File,
            kind if kind.is_symlink() => Self::Link,
            _ => Self::Other,
        }
    }
}
