//! The chain: what each seal is computed from.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::mark::Code;
use crate::file::key::{Key, KeyId};

/// A place in a chain: after some line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Link {
    pub(super) chain: [u8; 16],
    /// How many lines of the log are before this place, not counting checkpoints.
    pub(super) lines: u64,
    /// The seal of the last line, which may be a checkpoint; zeros before the first line.
    pub(super) code: Code,
}

impl Link {
    /// The start of a new chain with a random name. The name is not secret: it only distinguishes chains.
    pub(super) fn start() -> Self {
        let mut chain = [0; 16];
        for half in chain.chunks_exact_mut(8) {
            // Keyed by the operating system's random numbers.
            half.copy_from_slice(
                &RandomState::new().hash_one((std::process::id(), std::time::SystemTime::now())).to_be_bytes(),
            );
        }
        Self { chain, lines: 0, code: [0; 16] }
    }

    /// The place after the next line of the log, whose seal is `code`.
    pub(super) fn after_line(self, code: Code) -> Self {
        Self { lines: self.lines.saturating_add(1), code, ..self }
    }

    /// The place after the next checkpoint, whose seal is `code`.
    pub(super) fn after_checkpoint(self, code: Code) -> Self {
        Self { code, ..self }
    }
}

/// Computes seals.
///
/// A seal is the first 128 bits of the HMAC-SHA-256 (RFC 2104, RFC 6234) under the key of: a label, one byte that distinguishes
/// lines of the log from checkpoints, the name of the chain (16 bytes), the number of lines before (8 bytes, big-endian), the
/// previous seal (16 bytes), and the line before it was sealed, with its end. All but the last have a fixed length,
/// so that two lines in two places never have the same input.
#[derive(Clone)]
pub(super) struct Sealing {
    mac: Hmac<Sha256>,
    pub(super) key: KeyId,
}

impl Sealing {
    pub(super) fn new(key: &Key) -> Self {
        Self { mac: key.hmac().chain_update(LABEL), key: key.id(KEY_LABEL) }
    }

    /// Returns the seal of a line of the log that follows `link`.
    pub(super) fn line(&self, link: &Link, parts: &[&[u8]]) -> Code {
        self.code(b'l', link, parts)
    }

    /// Returns the seal of a checkpoint that follows `link`.
    pub(super) fn checkpoint(&self, link: &Link, parts: &[&[u8]]) -> Code {
        self.code(b'c', link, parts)
    }

    /// Begins to compute the seal of a line of the log that follows `link`, for a line that is not in memory as a whole.
    pub(super) fn start(&self, link: &Link) -> Started {
        Started { link: *link, mac: self.after(b'l', link) }
    }

    fn code(&self, kind: u8, link: &Link, parts: &[&[u8]]) -> Code {
        finish(self.after(kind, link), parts)
    }

    fn after(&self, kind: u8, link: &Link) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(&[kind]);
        mac.update(&link.chain);
        mac.update(&link.lines.to_be_bytes());
        mac.update(&link.code);
        mac
    }
}

/// The seal of a line that is being read.
#[derive(Clone)]
pub(super) struct Started {
    /// The place it follows.
    pub(super) link: Link,
    mac: Hmac<Sha256>,
}

impl Started {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.mac.update(bytes);
    }

    /// Returns the seal of a line that ends with `parts`.
    pub(super) fn code(&self, parts: &[&[u8]]) -> Code {
        finish(self.mac.clone(), parts)
    }
}

/// Does not show the state of the key.
impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started").field("link", &self.link).finish_non_exhaustive()
    }
}

fn finish(mut mac: Hmac<Sha256>, parts: &[&[u8]]) -> Code {
    parts.iter().for_each(|part| mac.update(part));
    let mut code = Code::default();
    code.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
    code
}

/// Does not show the key.
impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealing").field("key", &self.key).finish_non_exhaustive()
    }
}

const LABEL: &[u8] = b"tracing-handlers seal 1\0";
const KEY_LABEL: &str = "tracing-handlers seal 1 key\0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seal_depends_on_everything() {
        let sealing = Sealing::new(&Key::from_bytes([1; 32]));
        let link = Link { chain: [2; 16], lines: 3, code: [4; 16] };
        let all = [
            sealing.line(&link, &[b"a"]),
            sealing.line(&link, &[b"b"]),
            sealing.checkpoint(&link, &[b"a"]),
            sealing.line(&Link { chain: [3; 16], ..link }, &[b"a"]),
            sealing.line(&Link { lines: 4, ..link }, &[b"a"]),
            sealing.line(&Link { code: [5; 16], ..link }, &[b"a"]),
            Sealing::new(&Key::from_bytes([2; 32])).line(&link, &[b"a"]),
        ];
        for (place, code) in all.iter().enumerate() {
            assert!(all[place + 1..].iter().all(|other| other != code));
        }
        assert_eq!(sealing.line(&link, &[b"ab", b"c"]), sealing.line(&link, &[b"a", b"bc"]));
    }

    #[test]
    fn no_two_chains_have_the_same_name() {
        assert_ne!(Link::start().chain, Link::start().chain);
    }
}
