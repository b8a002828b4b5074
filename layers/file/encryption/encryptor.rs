use std::fmt;
use std::io;

use super::keys::Keys;
use super::stream::BlockEncryptor;

/// Encrypts what is written to it as one stream. For files that [`sink::File`](crate::sink::File) does not write.
///
/// Each call of `write` makes a block (several, beyond 64 KiB), so that a `BufWriter` around it makes the file shorter. Without
/// [`finish`](Self::finish) the stream has no end, as after a crash. After an error every write fails.
///
/// ```
/// use std::io::{Read, Write as _};
/// use tracing_handlers::encryption::{Decryptor, Encryptor, Key, Keys};
///
/// let keys = Keys::new(Key::from_bytes([7; 32]));
/// let mut encryptor = Encryptor::new(Vec::new(), keys.clone());
/// encryptor.write_all(b"secret")?;
/// let file = encryptor.finish()?;
/// assert_eq!(file.len(), 36 + (24 + 6) + 24);
/// assert_eq!(std::io::read_to_string(Decryptor::new(&*file, keys))?, "secret");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Encryptor<W> {
    to: W,
    blocks: BlockEncryptor,
    bytes: Vec<u8>,
    failed: bool,
}

impl<W: io::Write> Encryptor<W> {
    /// Writes a stream to `to`, which must be at the start of a file.
    pub fn new(to: W, keys: Keys) -> Self {
        Self { to, blocks: BlockEncryptor::new(keys), bytes: Vec::new(), failed: false }
    }

    /// Ends the stream, even if it is empty, and returns the inner writer.
    ///
    /// # Errors
    ///
    /// Errors of the inner writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.out(|blocks, bytes| blocks.finish(bytes))?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn out(
        &mut self,
        encrypt: impl FnOnce(&mut BlockEncryptor, &mut Vec<u8>) -> Result<(), crate::Error>,
    ) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed, and the stream cannot continue"));
        }
        self.bytes.clear();
        // Until everything was written.
        self.failed = true;
        encrypt(&mut self.blocks, &mut self.bytes)?;
        self.to.write_all(&self.bytes)?;
        self.failed = false;
        Ok(())
    }
}

/// Shows neither keys nor data.
impl<W> fmt::Debug for Encryptor<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryptor").field("keys", self.blocks.keys()).finish_non_exhaustive()
    }
}

impl<W: io::Write> io::Write for Encryptor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out(|blocks, out| blocks.write(bytes, out))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
