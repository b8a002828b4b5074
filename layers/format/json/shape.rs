//! The bytes that surround the name of a member.

use crate::format::escape;

/// The bytes that surround the name of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `,"name":`
    Object,
    /// `,{"key":"name","value":`, as in OpenTelemetry's attributes: a list without duplicate keys.
    KeyValues,
}

impl Shape {
    #[inline]
    pub(super) const fn before(self) -> &'static [u8] {
        match self {
            Self::Object => KEY_START,
            Self::KeyValues => b",{\"key\":\"",
        }
    }

    #[inline]
    pub(super) const fn after(self) -> &'static [u8] {
        match self {
            Self::Object => KEY_END,
            Self::KeyValues => b"\",\"value\":",
        }
    }

    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::Object => b"",
            Self::KeyValues => b"}",
        }
    }
}

#[cold]
pub(super) fn write_key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(KEY_START);
    escape::json(out, name);
    out.extend_from_slice(KEY_END);
}

const KEY_START: &[u8] = b",\"";
const KEY_END: &[u8] = b"\":";
