use std::fmt;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use super::Head;
use super::chain::{Link, Sealing};
use super::files::{self, Found};
use super::mark;
use super::resume::read;
use super::sealer::split_end;
use super::unpack;
use super::walk::Walk;
use crate::file::key::{Key, KeyId};
use crate::{Error, ErrorKind};

/// Verifies the log whose current file is `path`, with the old files of the same chain beside it: [`Verifier::family`].
///
/// # Errors
///
/// [`Unverified::Broken`] names each place where the log is not what was written; [`Unverified::Unreadable`]: a file
/// cannot be read.
pub fn verify(path: impl AsRef<Path>, key: &Key) -> Result<Verified, Unverified> {
    Verifier::new(key).family(path)
}

/// Verifies sealed logs.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`expect`](Self::expect) | none | the log must contain this head |
///
/// Files may be compressed, where the features `gzip` and `zstd` are on.
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::seal::{Key, Seal, Verifier};
/// use tracing_handlers::sink;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("audit.log");
/// # let key = Key::from_bytes([7; 32]);
/// # let mut file = sink::File::options().seal(Seal::new(key.clone())).open(&path)?;
/// # file.write_all(b"one\n")?;
/// let before = Verifier::new(&key).family(&path)?.head.expect("a line is there"); // kept on another host
/// file.write_all(b"two\n")?;
/// let after = Verifier::new(&key).expect(before).family(&path)?;
/// assert_eq!((before.lines(), after.lines), (1, 2));
///
/// let text = std::fs::read_to_string(&path)?;
/// std::fs::write(&path, text.lines().next().unwrap().to_owned() + "\n")?;
/// assert!(Verifier::new(&key).family(&path).is_ok(), "the end is missing, as after a crash");
/// assert!(Verifier::new(&key).expect(before).family(&path).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    sealing: Sealing,
    expected: Option<Head>,
}

impl Verifier {
    /// With the key that the log was sealed with.
    pub fn new(key: &Key) -> Self {
        Self { sealing: Sealing::new(key), expected: None }
    }

    /// The log must have gone at least as far, and be the same up to there. Where the files that it was in are gone, that
    /// cannot be told, and is an error.
    pub fn expect(mut self, head: Head) -> Self {
        self.expected = Some(head);
        self
    }

    /// The file at `path`, and the old files in its directory: those whose names start as its name does (up to its
    /// extension) and whose first lines name the same chain. What is there twice, by another name, or compressed and not
    /// yet removed, is read once.
    ///
    /// The log may be written to meanwhile. Where it is rotated meanwhile, files may be missed: a log that is found broken
    /// while it is rotated should be verified once more.
    ///
    /// # Errors
    ///
    /// As [`verify`].
    pub fn family(&self, path: impl AsRef<Path>) -> Result<Verified, Unverified> {
        let (files, strays) = files::family(path.as_ref())?;
        let broken = strays.into_iter().filter(|stray| self.is_broken(stray));
        let broken: Vec<_> = broken.map(|stray| Broken { file: stray.path, line: 1, what: What::NoBegin }).collect();
        match (self.walk(files), broken.is_empty()) {
            (verified, true) => verified,
            (Err(Unverified::Broken(others)), false) => Err(Unverified::Broken([broken, others].concat())),
            (Ok(_), false) => Err(Unverified::Broken(broken)),
            (unreadable, false) => unreadable,
        }
    }

    /// Whether it has seals and is neither of another chain nor of another key.
    fn is_broken(&self, stray: &Found) -> bool {
        let (text, end) = split_end(&stray.first);
        if let Some((before, behind, code)) = mark::take(text)
            && let Some(checkpoint) = read(before, behind)
        {
            let is_genuine = self.sealing.checkpoint(&checkpoint.from, &[before, behind, end]) == code;
            return checkpoint.key == self.sealing.key && !is_genuine;
        }
        let mut has_seals = false;
        let looked = lines_of(&stray.path, |line| {
            has_seals = mark::take(split_end(line).0).is_some();
            !has_seals
        });
        looked.is_ok() && has_seals
    }

    /// Exactly these files, in any order: their first lines say which follows which.
    ///
    /// # Errors
    ///
    /// As [`verify`].
    pub fn files<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>) -> Result<Verified, Unverified> {
        let files: Result<_, _> = paths.into_iter().map(|path| files::found(path.as_ref().to_owned())).collect();
        self.walk(files?)
    }

    fn walk(&self, mut files: Vec<Found>) -> Result<Verified, Unverified> {
        let mut walk = Walk::new(&self.sealing, self.expected.map(|head| head.0));
        let count = files.len();
        while let Some(file) = take_next(&mut files, walk.link) {
            walk.begin(&file.path);
            let cannot = |error| Error::io(format!("cannot read {}", file.path.display()), error);
            lines_of(&file.path, |line| walk.line(line)).map_err(cannot)?;
        }
        if self.expected.is_some() && !walk.met {
            walk.broken(What::NoHead);
        }
        match walk.broken.is_empty() {
            true => Ok(Verified {
                files: count,
                lines: walk.lines,
                first: walk.first.unwrap_or(0),
                head: walk.link.map(Head),
                closed: walk.closed,
                torn: walk.torn,
            }),
            false => Err(Unverified::Broken(walk.broken)),
        }
    }
}

/// What a sealed log was found to be, when all of it is genuine. New fields may be added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// So many files.
    pub files: usize,
    /// So many lines, without checkpoints.
    pub lines: u64,
    /// So many lines of the chain are in older files, which are not there.
    pub first: u64,
    /// Where it ends; `None`: nothing was ever written.
    pub head: Option<Head>,
    /// It was closed: nothing is missing at its end, unless everything back to an earlier close is. A log that is being
    /// written to is not, nor one that a crash ended, nor one whose end somebody removed.
    pub closed: bool,
    /// So many bytes of a line that was never finished stand at the end: a crash left them, or it is being written.
    pub torn: u64,
}

/// Why a log is not verified. New reasons may be added.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unverified {
    /// A file could not be read.
    Unreadable(Error),
    /// It is not what was written, in these places (the first 1,000): never empty.
    Broken(Vec<Broken>),
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Broken(broken) => {
                let places: Vec<_> = broken.iter().take(SHOWN).map(Broken::to_string).collect();
                let more = if broken.len() > SHOWN { "; …" } else { "" };
                write!(f, "{}{more}", places.join("; "))
            }
        }
    }
}

impl std::error::Error for Unverified {}

impl From<Error> for Unverified {
    fn from(error: Error) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Unverified> for Error {
    fn from(unverified: Unverified) -> Self {
        match unverified {
            Unverified::Unreadable(error) => error,
            broken => {
                let source = io::Error::new(io::ErrorKind::InvalidData, broken.to_string());
                Error::new(ErrorKind::Io, "the log is not what was written").with_source(source)
            }
        }
    }
}

/// A place where a sealed log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// In this file.
    pub file: PathBuf,
    /// At this line of it, from 1; checkpoints count.
    pub line: u64,
    /// What is wrong there.
    pub what: What,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// What is wrong with a line. New kinds may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// It was changed, or does not belong here. Lines behind it that cannot be told are not listed.
    Changed,
    /// It has no seal: it was inserted, or changed where its seal was.
    NoSeal,
    /// The file does not begin with a genuine checkpoint.
    NoBegin,
    /// The file is sealed with another key.
    WrongKey {
        /// The key that its first line names.
        of_file: KeyId,
        /// The key that it is verified with.
        given: KeyId,
    },
    /// This checkpoint does not follow what is before it: lines, or files, are missing or were moved.
    Gap {
        /// So many lines there are up to the last genuine one.
        before: u64,
        /// So many there should be.
        after: u64,
    },
    /// The file belongs to another log.
    OtherChain,
    /// The file ends within a line, and others follow it.
    Torn,
    /// The [expected](Verifier::expect) head is not in the log: its end was removed, or written anew.
    NoHead,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("the line was changed, or does not belong here"),
            Self::NoSeal => f.write_str("the line has no seal"),
            Self::NoBegin => f.write_str("the file does not begin with a genuine checkpoint"),
            Self::WrongKey { of_file, given } => write!(f, "sealed with the key {of_file}, not with {given}"),
            Self::Gap { before, after } => {
                write!(f, "goes on from line {after} of the log, and what is before it is genuine to line {before}")
            }
            Self::OtherChain => f.write_str("the file belongs to another log"),
            Self::Torn => f.write_str("the file ends within a line, and others follow it"),
            Self::NoHead => f.write_str("the log ends before the expected head, or does not lead there"),
        }
    }
}

/// The file that goes on from `link`; where there is none, the one that begins earliest, and in the end those of which
/// that is not known.
fn take_next(files: &mut Vec<Found>, link: Option<Link>) -> Option<Found> {
    let follows = files.iter().position(|file| link.is_some() && file.from == link);
    let begin = |file: &Found| file.from.map_or((true, 0), |from| (false, from.lines));
    let earliest = || files.iter().enumerate().min_by_key(|(_, file)| begin(file)).map(|(at, _)| at);
    let at = follows.or_else(earliest)?;
    Some(files.swap_remove(at))
}

/// Calls `line` with each line of the file, for as long as that wants more.
fn lines_of(path: &Path, mut line: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut text = unpack::open(path)?;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if text.read_until(b'\n', &mut bytes)? == 0 || !line(&bytes) {
            return Ok(());
        }
    }
}

/// So many places a message names.
const SHOWN: usize = 3;
