//! Opens a file, or joins the one that this process has open already.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempts::Attempts;
use super::buffer::Buffer;
use super::durable::Durable;
use super::encoder::Encoder;
use super::log::{Settings, SharedLog};
use super::place::Place;
use super::time_limit::TimeLimit;
use super::{File, FileOptions};
use crate::selflog::Health;
use crate::{Error, process};

impl FileOptions {
    /// Opens `path`.
    ///
    /// # Errors
    ///
    /// - [`Io`](crate::ErrorKind::Io), with the path, if the file cannot be opened or a directory cannot be created; with
    ///   [`delay`](Self::delay) the first write returns this error.
    /// - [`Config`](crate::ErrorKind::Config) if the [`owner`](Self::owner) or the [`group`](Self::group) does not exist, or is
    ///   set on a system other than Unix; if settings cannot be combined; if the key does not match a sealed or encrypted file; if
    ///   archives of another log that is open in this process have this name; if the path is open in this process and is sealed or
    ///   encrypted there, but not here, or with another key; if the names of its archives would be too long.
    pub fn open(mut self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.check(path.as_ref())?;
        process::ignore_file_size_signal_once();
        let place = Place::new(path.as_ref())?;
        let settings = Settings {
            opening: self.opening.clone(),
            watch: self.watch.clone(),
            shared: self.shared,
            rotation: self.rotation.take(),
        };
        let (encoder, delay) = (self.encoder.take(), self.delay);
        let mut file = File::new(SharedLog::at(&place)?, place, self);
        file.join(&settings, encoder.as_deref())?;
        if !delay && let Some(twin) = file.open_or_await_reader()? {
            // Nothing was written here; the log of the other name goes on.
            let _ = file.log.dismiss(file.number);
            file.number = twin.number();
            file.log = twin;
            file.join(&settings, encoder.as_deref())?;
            file.open_or_await_reader()?;
        }
        Ok(file)
    }
}

impl File {
    fn new(log: Arc<SharedLog>, place: Place, options: FileOptions) -> Self {
        Self {
            buffer: Buffer::new(options.buffer_capacity(), options.hold),
            time_limit: TimeLimit::new(options.flush_after),
            attempts: Attempts::new(options.timer),
            health: Health::default(),
            durable: Durable::new(options.durability, options.sync_after),
            place,
            number: log.number(),
            log,
            preamble: Vec::new(),
        }
    }

    fn join(&self, settings: &Settings, encoder: Option<&dyn Encoder>) -> Result<(), Error> {
        self.log.admit(self.number, settings.clone(), encoder, self.durable.is_some())
    }

    /// Opens the file before the first line, unless it is open. If it is a pipe without a reader, which may just be starting, that is
    /// a failed attempt and no error. Returns the log of the same file that is open under another name, if there is one.
    fn open_or_await_reader(&mut self) -> Result<Option<Arc<SharedLog>>, Error> {
        let deadline = Instant::now() + READER_PATIENCE;
        loop {
            let opened = self.log.lock()?.open_first();
            match opened {
                Err(error) if !lacks_reader(&error) => return Err(error),
                Err(error) if Instant::now() >= deadline => {
                    self.attempts.failed(&error);
                    return Ok(None);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
                opened => return opened,
            }
        }
    }
}

/// Whether a pipe has no reader yet.
fn lacks_reader(error: &Error) -> bool {
    cfg!(unix) && error.io_error().and_then(io::Error::raw_os_error) == Some(libc::ENXIO)
}

const READER_PATIENCE: Duration = Duration::from_millis(100);
