//! The ways in which a file is written: the same things hold for each of them.

use std::path::Path;
use std::time::Instant;

use tracing_handlers::format::Pattern;
use tracing_handlers::handler::{Handler, Route};
use tracing_handlers::read::{Event, Reader};
use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink::{File, FileOptions, Sink as _};
use tracing_handlers::{Error, Output, RecordBuf, Severity};

/// A file's options, a compression, and what is in front of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    Plain,
    Shared,
    Buffered,
    Routed,
    #[cfg(feature = "gzip")]
    Compressed,
    #[cfg(feature = "seal")]
    Sealed,
    #[cfg(feature = "encryption")]
    Encrypted,
}

pub(super) fn setups() -> impl Iterator<Item = Setup> {
    [
        Setup::Plain,
        Setup::Shared,
        Setup::Buffered,
        Setup::Routed,
        #[cfg(feature = "gzip")]
        Setup::Compressed,
        #[cfg(feature = "seal")]
        Setup::Sealed,
        #[cfg(feature = "encryption")]
        Setup::Encrypted,
    ]
    .into_iter()
}

/// Each naming whose archives a reader finds, and whether number 1 is the oldest.
pub(super) fn namings() -> Vec<(Naming, bool)> {
    let dated = || Naming::dated("%F").unwrap();
    let mut all = vec![
        (Naming::numbered(), false),
        (Naming::numbered().before_extension(true), false),
        (Naming::numbered_oldest_first(), true),
        (dated(), false),
        (dated().before_extension(true), false),
    ];
    if cfg!(unix) {
        all.extend([(Naming::numbered().live(true), false), (dated().live(true), false)]);
    }
    all
}

/// Writes one line.
pub(super) type Write = Box<dyn FnMut(&str)>;

impl Setup {
    pub(super) fn options(self) -> FileOptions {
        match self {
            Self::Shared => File::options().shared(true),
            Self::Buffered => File::options().buffer(64),
            #[cfg(feature = "seal")]
            Self::Sealed => File::options().seal(tracing_handlers::seal::Seal::new(seal_key())),
            #[cfg(feature = "encryption")]
            Self::Encrypted => File::options().encrypt(keys()),
            _ => File::options(),
        }
    }

    pub(super) fn rotation(self, rotation: Rotation) -> Rotation {
        match self {
            #[cfg(feature = "gzip")]
            Self::Compressed => rotation.compression(tracing_handlers::rotation::Compression::gzip()),
            _ => rotation,
        }
    }

    pub(super) fn file(self, path: &Path, rotation: Rotation) -> Result<File, Error> {
        self.options().rotation(self.rotation(rotation)).open(path)
    }

    pub(super) fn open(self, path: &Path, rotation: Rotation) -> Write {
        if self == Self::Routed {
            return self.routed(path, rotation);
        }
        let mut file = self.file(path, rotation).unwrap();
        Box::new(move |line| {
            super::write(&mut file, &[&format!("{line}\n")]);
            // Lines do not lie in the buffer for days.
            file.flush(Instant::now()).unwrap();
        })
    }

    /// A file that is made by a route, and made again after each line, because another handler takes its place.
    fn routed(self, path: &Path, rotation: Rotation) -> Write {
        let path = path.to_owned();
        let route = Route::by_field("tenant", move |tenant| {
            let path = if tenant == "ours" { path.clone() } else { path.with_file_name("other") };
            let rotation = if tenant == "ours" { rotation.clone() } else { Rotation::on_request() };
            Ok(Output::new(Pattern::new("{message}").unwrap(), self.file(&path, rotation)?))
        });
        let route = route.limit(1);
        Box::new(move |line| {
            for (tenant, text) in [("ours", line), ("other", "beside it")] {
                let record = RecordBuf::new(Severity::INFO, "test", text).with_field("tenant", tenant);
                route.handle(&record.as_record()).unwrap();
            }
        })
    }

    /// The lines of a log, from all of its files.
    pub(super) fn lines(self, path: &Path, oldest_first: bool) -> Vec<String> {
        let reader = if oldest_first { Reader::open_oldest_first(path) } else { Reader::open(path) };
        self.text(reader.unwrap())
    }

    /// The lines of one file.
    pub(super) fn lines_of(self, path: &Path) -> Vec<String> {
        self.text(Reader::files([path]))
    }

    fn text(self, reader: Reader) -> Vec<String> {
        let reader = match self {
            #[cfg(feature = "encryption")]
            Self::Encrypted => reader.keys(keys()),
            _ => reader,
        };
        let text = reader.filter_map(Event::line).map(|line| line.text().into_owned());
        let lines = text.filter(|line| !line.starts_with("seal-checkpoint "));
        lines.map(|line| line.split(" seal=").next().unwrap_or_default().to_owned()).collect()
    }
}

#[cfg(feature = "seal")]
fn seal_key() -> tracing_handlers::seal::Key {
    tracing_handlers::seal::Key::from_bytes([7; 32])
}

#[cfg(feature = "encryption")]
fn keys() -> tracing_handlers::encryption::Keys {
    tracing_handlers::encryption::Keys::new(tracing_handlers::encryption::Key::from_bytes([8; 32]))
}
