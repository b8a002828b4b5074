use std::fmt;

/// An identifier that a frame carries: 16 bytes that are not all zero.
///
/// This module attaches no meaning to it. It allows a receiver to recognize a frame that arrives twice.
///
/// ```
/// use tracing_handlers::record::wire::Id;
///
/// let id = Id::from_bytes([0xab; 16]).expect("not all zero");
/// assert_eq!(id.to_bytes(), [0xab; 16]);
/// assert_eq!(id.to_string(), "abababababababababababababababab");
/// assert_eq!(Id::from_bytes([0; 16]), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 16]);

impl Id {
    /// Creates the id with these bytes; `None` if all of them are zero.
    pub const fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        match u128::from_ne_bytes(bytes) {
            0 => None,
            _ => Some(Self(bytes)),
        }
    }

    /// Returns the bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// Writes 32 hexadecimal digits.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
