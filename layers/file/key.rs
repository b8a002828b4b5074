//! Secret keys of 32 bytes, and their sources.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{Error, ErrorKind};

/// A secret key of 32 random bytes. `openssl rand -hex 32` makes one.
///
/// A file or a variable holds it as 32 raw bytes, as 64 hexadecimal digits, or as Base64 (RFC 4648, either
/// alphabet, with or without padding); white space around digits and Base64 is ignored. Neither errors nor `Debug` show it.
///
/// Use a key for one purpose only: a sealed log and an encrypted log should have different keys. The key is in the memory of
/// the process while the file is open, and is not erased afterward.
#[derive(Clone)]
pub struct Key([u8; LEN]);

impl Key {
    /// Uses these bytes as the key.
    pub fn from_bytes(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    /// Reads the key from the file at `path`.
    ///
    /// # Errors
    ///
    /// - [`Io`](ErrorKind::Io) if the file cannot be read.
    /// - [`Config`](ErrorKind::Config) if it does not contain a key or, on Unix, if anyone but its owner may read or write it
    ///   (`mode & 0o077`).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let cannot = |error| Error::io(format!("cannot read key file {}", path.display()), error);
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if let Some(mode) = open_to_others(&metadata) {
            let advice = format!("mode {mode:04o} allows others to read it, run `chmod 600`");
            return Err(Error::new(ErrorKind::Config, format!("key file {}: {advice}", path.display())));
        }
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).map_err(cannot)?;
        Self::parse(&text).ok_or_else(|| no_key(&format!("key file {}", path.display())))
    }

    /// Reads the key from the environment variable `variable`.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the variable is not set or does not contain a key.
    pub fn from_env(variable: &str) -> Result<Self, Error> {
        let Some(text) = std::env::var_os(variable) else {
            return Err(Error::new(ErrorKind::Config, format!("key in {variable}: the variable is not set")));
        };
        Self::parse(text.as_encoded_bytes()).ok_or_else(|| no_key(&format!("key in {variable}")))
    }

    /// Identifies the key without revealing it: the first 8 bytes of the HMAC-SHA-256 of `label` under the key.
    pub(crate) fn id(&self, label: &str) -> KeyId {
        let mut id = KeyId::default();
        let full = self.hmac().chain_update(label).finalize().into_bytes();
        id.0.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        id
    }

    pub(crate) fn hmac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }

    #[cfg(feature = "encryption")]
    pub(crate) fn bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    fn parse(text: &[u8]) -> Option<Self> {
        if let Ok(raw) = text.try_into() {
            return Some(Self(raw));
        }
        let text = text.trim_ascii();
        let bytes = match text.len() {
            HEX => HEXLOWER_PERMISSIVE.decode(text).ok()?,
            43 | 44 => from_base64(text)?,
            _ => return None,
        };
        bytes.try_into().ok().map(Self)
    }
}

/// Does not show the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Identifies a [`Key`] without revealing it. Displayed and parsed as 16 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(crate) [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.trim();
        let is_id = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u64::from_str_radix(digits, 16).ok().filter(|_| is_id);
        number.map(|number| Self(number.to_be_bytes())).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("expected a key id of 16 hexadecimal digits, found {text:?}"))
        })
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Returns the permissions if they allow access to anyone but the owner.
#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> Option<u32> {
    None
}

fn no_key(place: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("{place}: expected 32 bytes, 64 hexadecimal digits or 44 characters of Base64"),
    )
}

/// Either alphabet, with or without padding.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"=").filter(|rest| rest.len() == 43).unwrap_or(text);
    let is_url = text.iter().any(|letter| matches!(letter, b'-' | b'_'));
    let alphabet = if is_url { BASE64URL_NOPAD } else { BASE64_NOPAD };
    alphabet.decode(text).ok()
}

const LEN: usize = 32;
const HEX: usize = 2 * LEN;

/// An upper bound for the length of a key with some white space.
const LONGEST: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; LEN] = *b"\x00\x01\x02\x03\x04\x05\x06\x07\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff\
        \x00\x01\x02\x03\x04\x05\x06\x07\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff";

    #[test]
    fn every_spelling_gives_the_same_key() {
        for text in [
            &KEY[..],
            b"0001020304050607f8f9fafbfcfdfeff0001020304050607F8F9FAFBFCFDFEFF\n",
            b"AAECAwQFBgf4+fr7/P3+/wABAgMEBQYH+Pn6+/z9/v8=\n",
            b" AAECAwQFBgf4-fr7_P3-_wABAgMEBQYH-Pn6-_z9_v8 ",
        ] {
            assert_eq!(Key::parse(text).expect("a key").0, KEY, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_key_id_is_read_as_it_is_displayed() {
        let id = Key::from_bytes(KEY).id("label");
        assert_eq!(id.to_string().parse::<KeyId>().unwrap(), id);
        for text in ["", "00112233 44556677", "001122334455667", "+011223344556677", "001122334455667g"] {
            assert_eq!(text.parse::<KeyId>().unwrap_err().kind(), ErrorKind::Config, "{text}");
        }
    }

    #[test]
    fn text_that_is_not_a_key_is_refused() {
        for text in [
            &b""[..],
            &KEY[1..],
            b"0001020304050607f8f9fafbfcfdfeff0001020304050607f8f9fafbfcfdfefg",
            b"AAECAwQFBgf4+fr7/P3+/wABAgMEBQYH+Pn6+/z9/v9=",
            b"AAECAwQFBgf4+fr7/P3+/wABAgMEBQYH+Pn6+/z9/v8*",
            b"AAECAwQFBgf4+fr7/P3+/wABAgMEBQYH+Pn6+/z9/v8==",
        ] {
            assert!(Key::parse(text).is_none(), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "geheim geheim geheim").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let error = Key::from_file(&path).unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.to_string().contains("chmod 600"), "{error}");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let error = Key::from_file(&path).unwrap_err();
        assert!(!error.to_string().contains("geheim") && error.to_string().contains("key"), "{error}");
        assert_eq!(format!("{:?}", Key::from_bytes(KEY)), "Key(..)");
        assert!(Key::from_env("NOT_SET_ANYWHERE").unwrap_err().to_string().contains("NOT_SET_ANYWHERE"));
    }
}
