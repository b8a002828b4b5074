use super::FileOptions;
use crate::file::seal::Seal;
use crate::file::sink::encoder::Sealed;

impl FileOptions {
    /// Seals each line, so that changes are detectable: see [`seal`](crate::seal) for the format of a sealed file and what it
    /// proves.
    ///
    /// An existing file must have been sealed with the same key; the chain continues from its end or, if the file is
    /// empty, from the end of the newest archive. Cannot be combined with `encrypt` or [`shared`](Self::shared).
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::rotation::Rotation;
    /// use tracing_handlers::seal::{self, Key, Seal};
    /// use tracing_handlers::sink::File;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("audit.jsonl");
    /// let key = Key::from_bytes([7; 32]);
    /// for _ in 0..2 {
    ///     let options = File::options().seal(Seal::new(key.clone())).rotation(Rotation::size(1024).keep(9));
    ///     let mut file = options.open(&path)?;
    ///     for _ in 0..10 {
    ///         file.write_all(b"{\"message\":\"sold\"}\n")?;
    ///     }
    /// }
    /// let verified = seal::verify(&path, &key)?;
    /// assert!(verified.files > 2 && verified.lines == 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn seal(self, seal: Seal) -> Self {
        self.encoder(Box::new(Sealed::new(seal)))
    }
}
