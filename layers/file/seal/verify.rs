use std::io::{self, BufRead};
use std::path::Path;

use super::chain::{Link, Sealing};
use super::files::{self, Found};
use super::flaw::{Broken, Flaw};
use super::head::Head;
use super::line::SealedLine;
use super::unpack;
use super::verified::{Unverified, Verified};
use super::walk::Walk;
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

    /// Verifies the log whose current file is `path`, with the archives in its directory: the files whose names start like that of
    /// the log (up to its extension) and whose first lines name the same chain. A file that exists twice, under another
    /// name or both compressed and not, is read once.
    ///
    /// The log may be written to meanwhile. If it is rotated meanwhile, files may be missed: verify such a log again
    /// before you conclude that it is broken.
    ///
    /// # Errors
    ///
    /// As for [`verify`].
    pub fn family(&self, path: impl AsRef<Path>) -> Result<Verified, Unverified> {
        let (files, strays) = files::family(path.as_ref())?;
        let broken = strays.into_iter().filter(|stray| self.is_broken(stray));
        let broken: Vec<_> = broken.map(|stray| Broken::new(stray.path, 1, Flaw::NoBegin)).collect();
        match (self.walk(files), broken.is_empty()) {
            (verified, true) => verified,
            (Err(Unverified::Broken(others)), false) => Err(Unverified::Broken([broken, others].concat())),
            (Ok(_), false) => Err(Unverified::Broken(broken)),
            (unreadable, false) => unreadable,
        }
    }

    /// Whether the file has seals but belongs neither to another chain nor to another key.
    fn is_broken(&self, stray: &Found) -> bool {
        let first = SealedLine::parse(&stray.first).and_then(|line| Some((line, line.checkpoint()?)));
        if let Some((line, checkpoint)) = first {
            let is_genuine = line.is_checkpoint_after(&checkpoint.from, &self.sealing);
            return checkpoint.key == self.sealing.key && !is_genuine;
        }
        let mut has_seals = false;
        let looked = for_each_line(&stray.path, |line| {
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
        let files: Result<_, _> = paths.into_iter().map(|path| files::found(path.as_ref().to_owned())).collect();
        self.walk(files?)
    }

    fn walk(&self, mut files: Vec<Found>) -> Result<Verified, Unverified> {
        let mut walk = Walk::new(&self.sealing, self.expected.map(|head| head.0));
        let count = files.len();
        while let Some(file) = take_next(&mut files, walk.link) {
            walk.begin(&file.path);
            let cannot = |error| Error::io(format!("cannot read {}", file.path.display()), error);
            for_each_line(&file.path, |line| walk.line(line)).map_err(cannot)?;
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
    let follows = files.iter().position(|file| link.is_some() && file.from == link);
    let begin = |file: &Found| file.from.map_or((true, 0), |from| (false, from.lines));
    let earliest = || files.iter().enumerate().min_by_key(|(_, file)| begin(file)).map(|(at, _)| at);
    let at = follows.or_else(earliest)?;
    Some(files.swap_remove(at))
}

/// Calls `line` with each line of the file, until it returns `false`.
fn for_each_line(path: &Path, mut line: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut text = unpack::open(path)?;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if text.read_until(b'\n', &mut bytes)? == 0 || !line(&bytes) {
            return Ok(());
        }
    }
}
