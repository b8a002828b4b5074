use std::fmt;
use std::sync::Arc;

/// What replaces a secret.
#[derive(Clone)]
pub(super) enum Mask {
    Text(String),
    Custom(Arc<WriteMask>),
}

/// Appends the replacement of a secret.
type WriteMask = dyn Fn(&str, &mut String) + Send + Sync;

impl Mask {
    pub(super) fn write(&self, secret: &str, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Custom(write) => write(secret, out),
        }
    }

    /// Whether the replacement depends on the secret.
    pub(super) fn reads(&self) -> bool {
        matches!(self, Self::Custom(_))
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Custom(_) => f.write_str("custom"),
        }
    }
}
