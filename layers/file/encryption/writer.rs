use std::io;

use super::Keys;
use super::stream::Encrypter;

/// Encrypts what is written to it, one stream: for files that [`sink::File`](crate::sink::File) does not write.
///
/// Each call of `write` is a block (several, beyond 64 KiB), so that a `BufWriter` around it saves room. Without
/// [`finish`](Self::finish) the stream has no end, as after a crash. After an error it takes nothing more.
///
/// ```
/// use std::io::{Read, Write as _};
/// use tracing_handlers::encryption::{Key, Keys, Reader, Writer};
///
/// let keys = Keys::new(Key::from_bytes([7; 32]));
/// let mut writer = Writer::new(Vec::new(), keys.clone());
/// writer.write_all(b"secret")?;
/// let file = writer.finish()?;
/// assert_eq!(file.len(), 36 + (24 + 6) + 24);
/// assert_eq!(std::io::read_to_string(Reader::new(&*file, keys))?, "secret");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
    encrypter: Encrypter,
    bytes: Vec<u8>,
    failed: bool,
}

impl<W: io::Write> Writer<W> {
    /// Writes a stream to `to`, at the start of a file.
    pub fn new(to: W, keys: Keys) -> Self {
        Self { to, encrypter: Encrypter::new(keys), bytes: Vec::new(), failed: false }
    }

    /// Ends the stream, also one in which there is nothing.
    ///
    /// # Errors
    ///
    /// What the writer said when it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.out(|encrypter, bytes| encrypter.finish(bytes))?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn out(
        &mut self,
        encrypt: impl FnOnce(&mut Encrypter, &mut Vec<u8>) -> Result<(), crate::Error>,
    ) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("writing failed before, and the stream cannot go on"));
        }
        self.bytes.clear();
        // Until it went out whole.
        self.failed = true;
        encrypt(&mut self.encrypter, &mut self.bytes)?;
        self.to.write_all(&self.bytes)?;
        self.failed = false;
        Ok(())
    }
}

impl<W: io::Write> io::Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out(|encrypter, out| encrypter.write(bytes, out))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
