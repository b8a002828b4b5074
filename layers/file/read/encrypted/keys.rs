use std::io::{self, Read};

use super::super::Reader;
use super::Bytes;
use crate::file::encryption::{self, End, Keys};

impl Reader {
    /// Reads [encrypted](crate::encryption) files too, with these keys: those that begin with
    /// [`MAGIC`](crate::encryption::MAGIC), whatever their names. Files that are not encrypted may lie between them. Set
    /// it before the first event is asked for. Needs the feature `encryption`.
    ///
    /// | a file | events |
    /// |---|---|
    /// | was closed | its lines |
    /// | is being written to, or a crash ended it | the lines of all whole blocks, and no gap |
    /// | ends within a block: of a crash, or just now | the lines before it, and a gap with the number of its bytes |
    /// | has a block that does not authenticate, or something else in it | the lines before it, and a gap with the offset |
    /// | was encrypted with another key, or there are no keys | a gap with the reason |
    ///
    /// These gaps are [unreadable](crate::read::Gap::Unreadable), and the next file is next. That the end of a file was cut off
    /// between two blocks looks like a crash, and is no gap: [`encryption::Reader::end`](crate::encryption::Reader::end)
    /// tells of each file whether it was closed.
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
    ///     Event::Gap(gap) => panic!("{gap}"),
    /// });
    /// assert!(lines.eq((0..10).map(|n| format!("line {n}"))));
    ///
    /// let gap = Reader::open(&path)?.last().unwrap();
    /// assert!(matches!(gap, Event::Gap(gap) if gap.to_string().ends_with("it is encrypted, and no keys were given")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keys(self, keys: Keys) -> Self {
        self.decrypt(Box::new(move |from| Box::new(Decrypted(encryption::Reader::new(from, keys.clone())))))
    }
}

/// The plain text, and an error at its end where bytes of a block are missing.
struct Decrypted(encryption::Reader<Bytes>);

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
    let what = format!("it ends within a block, after {bytes} bytes of it");
    io::Error::new(io::ErrorKind::UnexpectedEof, what)
}

// So that each file is seen.
const _: () = assert!(u64::from_be_bytes(super::MAGIC) == u64::from_be_bytes(encryption::MAGIC));
