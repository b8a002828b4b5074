use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use super::chain::Link;
use super::mark::from_hex;
use crate::clock::words::keyword;
use crate::{Error, ErrorKind};

/// How far a sealed log reaches: its chain, its number of lines, and its last seal.
///
/// A head is not secret. Keep it as text (`CHAIN:LINES:SEAL`) in a place that those who can change the log cannot change.
///
/// ```
/// use tracing_handlers::seal::Head;
///
/// let text = "0123456789abcdef0123456789abcdef:1234:00112233445566778899aabbccddeeff";
/// let head: Head = text.parse()?;
/// assert_eq!((head.lines(), head.to_string()), (1234, text.to_owned()));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head(pub(super) Link);

impl Head {
    /// The number of lines since the chain began, not counting checkpoints.
    pub fn lines(&self) -> u64 {
        self.0.lines
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link { chain, lines, code } = &self.0;
        f.pad(&format!("{}:{lines}:{}", HEXLOWER.encode_display(chain), HEXLOWER.encode_display(code)))
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({self})")
    }
}

impl FromStr for Head {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let text = keyword(text);
            let (chain, rest) = text.split_once(':')?;
            let (lines, code) = rest.split_once(':')?;
            let (chain, code) = (from_hex(chain.as_bytes())?, from_hex(code.as_bytes())?);
            let lines = lines.parse().ok().filter(|_| !lines.starts_with('+'))?;
            Some(Self(Link { chain, lines, code }))
        };
        read().ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("expected the head of a sealed log as `CHAIN:LINES:SEAL`, found {text:?}"),
            )
        })
    }
}
