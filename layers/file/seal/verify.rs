use std::io;
use std::path::Path;

use super::chain::{Link, Sealing};
use super::files::{self, Found};
use super::flaw::{Broken, Flaw};
use super::head::Head;
use super::line::SealedLine;
use super::lines::{Lines, Text};
use super::unpack;
use super::verified::{Unverified, Verified};
use super::walk::{MOST, Walk};
use crate::Error;
use crate::file::key::Key;

/// Verifies the log whose current file is `path`, with the archives of the same chain beside it: see [`Verifier::family`].
///
/// # Errors
///
/// - [`Unverified::Broken`] lists the places where the log is not what was written.
/// - [`Unverified::Unreadable`] if a file cannot be read.
pub fn verify(path: impl AsRef<Path>, key: &Key) -> Result<Verified, Unverified> {
    Verifier::new(key).family(path)
}

/// Verifies sealed logs.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`expect`](Self::expect) | none | the log must contain this head |
///
/// Archives may be compressed (features `gzip`, `zstd`).
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
#[must_use = "a verifier does nothing until it is given a log"]
#[derive(Clone, Debug)]
pub struct Verifier {
    sealing: Sealing,
    expected: Option<Head>,
}

impl Verifier {
    /// Verifies with the key the log was sealed with.
    pub fn new(key: &Key) -> Self {
        Self { sealing: Sealing::new(key), expected: None }
    }

    /// Requires that the log contains `head`: that it reached at least this far, and is unchanged up to there. If the files
    /// that contained it were removed, that cannot be checked, and verification fails.
    pub fn expect(mut self, head: Head) -> Self {
        self.expected = Some(head);
        self
    }

    /// Verifies the log whose current file is `path`, with the archives in its directory: all files that a
    /// [`Reader`](crate::read::Reader) of `path` reads, and those whose names start like that of the log (up to its extension) and whose
    /// first lines name the same chain. A file that exists twice, under another name or both compressed and not, is read
    /// once.
    ///
    /// A file that a reader reads but that is not of this chain is a flaw, even if it is genuine in itself: a log of the same key that
    /// was moved here, for example. Files with other names are ignored.
    ///
    /// The log may be written to meanwhile. If it is rotated meanwhile, files may be missed: verify such a log again
    /// before you conclude that it is broken.
    ///
    /// # Errors
    ///
    /// As for [`verify`].
    pub fn family(&self, path: impl AsRef<Path>) -> Result<Verified, Unverified> {
        let family = files::family(path.as_ref(), &self.sealing)?;
        let strays = family.strays.into_iter().map(|stray| (stray.flaw(), stray.path));
        let others = family.others.into_iter().filter(|other| self.is_broken(other));
        let broken = strays.chain(others.map(|other| (Flaw::NoBegin, other.path)));
        let broken: Vec<_> = broken.take(MOST).map(|(flaw, path)| Broken::new(path, 1, flaw)).collect();
        match (self.walk(family.members), broken.is_empty()) {
            (verified, true) => verified,
            (Err(Unverified::Broken(others)), false) => {
                Err(Unverified::Broken(broken.into_iter().chain(others).take(MOST).collect()))
            }
            (Ok(_), false) => Err(Unverified::Broken(broken)),
            (unreadable, false) => unreadable,
        }
    }

    /// Whether a file has seals, but belongs neither to another chain nor to another key.
    fn is_broken(&self, other: &Found) -> bool {
        if other.is_forged() || other.is_of_others() {
            return other.is_forged();
        }
        let mut has_seals = false;
        let looked = each_line(&other.path, &self.sealing, |line| {
            has_seals = SealedLine::parse(line).is_some();
            !has_seals
        });
        looked.is_ok() && has_seals
    }

    /// Verifies exactly these files, in any order: their first lines say which follows which.
    ///
    /// # Errors
    ///
    /// As for [`verify`].
    pub fn files<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>) -> Result<Verified, Unverified> {
        let files: Result<_, _> =
            paths.into_iter().map(|path| files::found(path.as_ref().to_owned(), &self.sealing)).collect();
        self.walk(files?)
    }

    fn walk(&self, mut files: Vec<Found>) -> Result<Verified, Unverified> {
        let mut walk = Walk::new(&self.sealing, self.expected.map(|head| head.0));
        let count = files.len();
        while let Some(file) = take_next(&mut files, walk.link) {
            walk.begin(&file.path);
            let cannot = |error| Error::io(format!("cannot read {}", file.path.display()), error);
            walk.file(unpack::open(&file.path).map_err(cannot)?).map_err(cannot)?;
        }
        if self.expected.is_some() && !walk.met {
            walk.broken(Flaw::NoHead);
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

/// Removes and returns the file that continues from `link`, or otherwise the one that begins earliest. Files without a valid first
/// line come last.
fn take_next(files: &mut Vec<Found>, link: Option<Link>) -> Option<Found> {
    let follows = files.iter().position(|file| link.is_some() && file.from() == link);
    let begin = |file: &Found| file.from().map_or((true, 0), |from| (false, from.lines));
    let earliest = || files.iter().enumerate().min_by_key(|(_, file)| begin(file)).map(|(at, _)| at);
    let at = follows.or_else(earliest)?;
    Some(files.swap_remove(at))
}

/// Calls `line` with each line of the file, until it returns `false`.
fn each_line(path: &Path, sealing: &Sealing, mut line: impl FnMut(Text<'_>) -> bool) -> io::Result<()> {
    let mut lines = Lines::new(unpack::open(path)?);
    while let Some(next) = lines.next(sealing, None)? {
        if !line(next) {
            break;
        }
    }
    Ok(())
}
