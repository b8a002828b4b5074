use std::fmt;
use std::sync::Arc;

/// What stands in the place of a secret.
#[derive(Clone)]
pub(super) enum Mask {
    Text(String),
    Own(Arc<Write>),
}

/// Appends what is to be seen of a secret.
type Write = dyn Fn(&str, &mut String) + Send + Sync;

impl Mask {
    pub(super) fn write(&self, secret: &str, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Own(write) => write(secret, out),
        }
    }

    /// Whether it depends on the secret.
    pub(super) fn reads(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Own(_) => f.write_str("of its own"),
        }
    }
}
