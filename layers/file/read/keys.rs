use std::io::{self, Read};

use super::encrypted::{self, Bytes};
use super::reader::Reader;
use crate::file::encryption::{self, End, Keys};

impl Reader {
    /// Also reads [encrypted](crate::encryption) files, with these keys: files that begin with
    /// [`MAGIC`](crate::encryption::MAGIC), whatever their names are. Unencrypted files may be among them. Must be set
    /// before the first event is read. Needs the feature `encryption`.
    ///
    /// | the file | events |
    /// |---|---|
    /// | was closed | its lines |
    /// | is being written to, or was ended by a crash | the lines of all whole blocks, without a gap |
    /// | ends within a block, because of a crash or because it is being written | the lines before that block, and a gap with the number of its bytes |
    /// | contains a block that does not authenticate, or other data | the lines before that, and a gap with the offset |
    /// | was encrypted with another key | a gap with the reason |
    ///
    /// These gaps are [unreadable](crate::read::Gap::Unreadable), and reading continues with the next file. A file whose end was
    /// cut off between two blocks looks like one after a crash, and is not a gap: [`encryption::Decryptor::end`](crate::encryption::Decryptor::end)
    /// says whether a file was closed.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::encryption::{Key, Keys};
    /// use tracing_handlers::read::{Event, Reader};
    /// use tracing_handlers::rotation::Rotation;
    /// use tracing_handlers::sink;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log");
    /// let keys = Keys::new(Key::from_bytes([7; 32])); // or Key::from_env("LOG_KEY")?
    /// let options = sink::File::options().encrypt(keys.clone()).rotation(Rotation::size(200).keep(9));
    /// let mut file = options.open(&path)?;
    /// for n in 0..10 {
    ///     file.write_all(format!("line {n}\n").as_bytes())?;
    /// }
    /// drop(file);
    /// assert!(dir.path().join("app.log.1").exists());
    ///
    /// let lines = Reader::open(&path)?.keys(keys).map(|event| match event {
    ///     Event::Line(line) => line.text().into_owned(),
    ///     other => panic!("{other:?}"),
    /// });
    /// assert!(lines.eq((0..10).map(|n| format!("line {n}"))));
    ///
    /// let gap = Reader::open(&path)?.last().unwrap();
    /// assert!(matches!(gap, Event::Gap(gap) if gap.to_string().ends_with("it is encrypted, but no keys were given")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keys(self, keys: Keys) -> Self {
        self.decrypt(Box::new(move |from| Box::new(Decrypted(encryption::Decryptor::new(from, keys.clone())))))
    }
}

/// Returns the plain text, and an error at its end if the last block is incomplete.
struct Decrypted(encryption::Decryptor<Bytes>);

impl Read for Decrypted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        match self.0.end() {
            End::Torn { bytes } if read == 0 && !out.is_empty() => Err(torn(bytes)),
            _ => Ok(read),
        }
    }
}

fn torn(bytes: u64) -> io::Error {
    let what = format!("it ends within a block, after {bytes} bytes of that block");
    io::Error::new(io::ErrorKind::UnexpectedEof, what)
}

// The copy serves builds without the feature.
const _: () = assert!(u64::from_be_bytes(encrypted::MAGIC) == u64::from_be_bytes(encryption::MAGIC));
