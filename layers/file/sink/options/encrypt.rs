use super::FileOptions;
use crate::file::encryption::Keys;
use crate::file::sink::encoder::Encrypted;

impl FileOptions {
    /// Encrypts the file with the current key of `keys`: see [`encryption`](crate::encryption) for what that protects.
    ///
    /// An existing file is read first, and one of `keys` must decrypt it. Each write is a separate block, 24 bytes
    /// longer than its lines: use a [`buffer`](Self::buffer). Cannot be combined with `seal`, [`shared`](Self::shared) or
    /// [compression](crate::rotation::Rotation::compression), which cannot shorten encrypted files.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::ErrorKind;
    /// use tracing_handlers::encryption::{Key, Keys};
    /// use tracing_handlers::sink::File;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log.enc");
    /// let (old, new) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
    /// File::options().encrypt(Keys::new(old.clone())).buffer(64 * 1024).open(&path)?.write_all(b"one\n")?;
    ///
    /// let refused = File::options().encrypt(Keys::new(new.clone())).open(&path).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::Config);
    /// File::options().encrypt(Keys::new(new).and(old)).open(&path)?.write_all(b"two\n")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encrypt(self, keys: Keys) -> Self {
        self.encoder(Box::new(Encrypted::new(keys)))
    }
}
