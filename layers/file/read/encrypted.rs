//! Detects encrypted files by their first bytes.

use std::io::{self, Cursor, Read};

/// The content of a file.
pub(super) type Bytes = Box<dyn Read + Send>;

/// Decrypts the content of a file.
pub(super) type Decrypt = Box<dyn Fn(Bytes) -> Bytes + Send + Sync>;

/// Returns the content of `from`, decrypted if necessary.
pub(super) fn open(mut from: Bytes, decrypt: Option<&Decrypt>) -> io::Result<Bytes> {
    let mut head = Vec::with_capacity(MAGIC.len());
    let read = from.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head);
    // A crash may have left only a part of it. No text begins like this: it would not be UTF-8.
    let is_encrypted = !head.is_empty() && MAGIC.starts_with(&head);
    let head = Cursor::new(head);
    let all: Bytes = match read {
        Ok(_) => Box::new(head.chain(from)),
        // There may be lines before the error.
        Err(error) => Box::new(head.chain(Failing(Some(error)))),
    };
    match decrypt {
        _ if !is_encrypted => Ok(all),
        Some(decrypt) => Ok(decrypt(all)),
        None => Err(unreadable()),
    }
}

fn unreadable() -> io::Error {
    match cfg!(feature = "encryption") {
        true => io::Error::new(io::ErrorKind::InvalidInput, "it is encrypted, but no keys were given"),
        false => {
            io::Error::new(io::ErrorKind::Unsupported, "it is encrypted, but the feature `encryption` is disabled")
        }
    }
}

/// Returns an error once, and then nothing.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The constant of `encryption`, which needs its feature.
pub(super) const MAGIC: [u8; 8] = *b"\x89THENC\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_before_an_error_is_kept() {
        let broken = Cursor::new("one\n").chain(Failing(Some(io::ErrorKind::InvalidData.into())));
        let (mut opened, mut text) = (open(Box::new(broken), None).unwrap(), String::new());
        let error = opened.read_to_string(&mut text).unwrap_err();
        assert_eq!((text.as_str(), error.kind()), ("one\n", io::ErrorKind::InvalidData));
    }

    #[test]
    fn any_part_of_the_first_bytes_marks_an_encrypted_file_and_nothing_else_does() {
        let is_encrypted = |bytes: &[u8]| open(Box::new(Cursor::new(bytes.to_vec())), None).is_err();
        assert!((1..=MAGIC.len()).all(|len| is_encrypted(&MAGIC[..len])));
        assert!(is_encrypted(&[&MAGIC[..], b"more"].concat()));
        for bytes in [&b""[..], b"one\n", b"\x89PNG\r\n", b"\x89THENC\n\n", b"THENC\r\n"] {
            assert!(!is_encrypted(bytes), "{bytes:?}");
        }
    }
}
