use std::fmt;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Redact;
use crate::{Error, ErrorKind};

impl Redact {
    /// Replaces each secret with a keyed hash: equal secrets have equal hashes in all records and processes with the same key, and
    /// without the key the secret cannot be found by trying (pseudonyms, GDPR article 4(5)).
    ///
    /// The hash is of the text that [`mask_with`](Self::mask_with) describes: `42` and `"42"` have the same one, and so has a card
    /// number however its digits are grouped.
    ///
    /// ```
    /// use tracing_handlers::rewrite::{HashKey, Redact, Rewrite};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let redact = Redact::fields(["user"]).hash(HashKey::new(b"0123456789abcdef0123456789abcdef")?);
    /// let pseudonym = |user: &str| {
    ///     let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("user", user);
    ///     redact.rewrite(&mut record);
    ///     record.as_record().field("user").unwrap().as_str().unwrap().to_owned()
    /// };
    /// assert_eq!(pseudonym("ada").len(), 16);
    /// assert!(pseudonym("ada") == pseudonym("ada") && pseudonym("ada") != pseudonym("bob"));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn hash(self, key: HashKey) -> Self {
        self.mask_with(move |secret, out| key.write(secret, out))
    }
}

/// The key of [`Redact::hash`] and the length of its hashes: the first digits of an HMAC-SHA-256 (RFC 2104) in lower-case
/// hexadecimal.
/// Python's `hmac.new(key, text.encode(), "sha256").hexdigest()[:16]`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`digits`](Self::digits) | 16 | how many of the 64 digits to write |
#[must_use]
#[derive(Clone)]
pub struct HashKey {
    mac: Hmac<Sha256>,
    digits: usize,
}

impl HashKey {
    /// Creates a key from bytes, which should be random.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if there are fewer than 16.
    pub fn new(key: impl AsRef<[u8]>) -> Result<Self, Error> {
        let key = key.as_ref();
        match Hmac::new_from_slice(key) {
            Ok(mac) if key.len() >= LEAST => Ok(Self { mac, digits: 16 }),
            _ => Err(Error::new(
                ErrorKind::Config,
                format!("a hash key must have at least {LEAST} bytes, found {}", key.len()),
            )),
        }
    }

    /// Creates a key from the bytes of the environment variable `variable`, which are not decoded.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if it is not set, not UTF-8, or shorter than 16 bytes.
    ///
    /// ```
    /// use tracing_handlers::rewrite::HashKey;
    ///
    /// let error = HashKey::from_env("NOT_SET_ANYWHERE").unwrap_err();
    /// assert!(format!("{error:#}").starts_with("hash key in NOT_SET_ANYWHERE: "));
    /// ```
    pub fn from_env(variable: &str) -> Result<Self, Error> {
        let named = |source: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Config, format!("hash key in {variable}")).with_source(source)
        };
        let key = std::env::var(variable).map_err(|error| match error {
            std::env::VarError::NotPresent => named("it is not set".into()),
            // The error would show the key.
            std::env::VarError::NotUnicode(_) => named("it is not UTF-8".into()),
        })?;
        Self::new(key).map_err(|error| named(error.into()))
    }

    /// Sets the number of hexadecimal digits, 8 to 64. With fewer digits, different secrets are more likely to have the same hash:
    /// with 16, the probability that any two of a million do is 1 in 37 million.
    pub fn digits(mut self, digits: usize) -> Self {
        self.digits = digits.clamp(8, 64);
        self
    }

    fn write(&self, secret: &str, out: &mut String) {
        let hash = self.mac.clone().chain_update(secret).finalize().into_bytes();
        let mut digits = [0; 64];
        let digits = HEXLOWER.encode_mut_str(&hash, &mut digits);
        out.push_str(&digits[..self.digits]);
    }
}

/// Omits the key.
impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashKey").field("digits", &self.digits).finish_non_exhaustive()
    }
}

const LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_rfc_4231() {
        let mut out = String::new();
        HashKey::new([0x0b; 20]).expect("long enough").digits(99).write("Hi There", &mut out);
        assert_eq!(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    #[test]
    fn a_short_key_is_refused_and_debug_omits_the_key() {
        assert!(HashKey::new("0123456789abcde").is_err());
        let key = HashKey::new("0123456789abcdef").expect("long enough");
        assert_eq!(format!("{key:?}"), "HashKey { digits: 16, .. }");
        assert!(!format!("{:?}", Redact::fields(["a"]).hash(key)).contains("0123"));
    }
}
