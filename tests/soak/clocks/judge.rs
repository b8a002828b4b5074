use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::read::Reader;

use super::files::{self, Content};
use super::foreign::Foreign;
use super::session::{Written, settled, text};
use super::settings::{BASE, Jumps, Kind, Order, Settings};

/// Knows every line that was ever written, in order, and compares it with the files.
pub struct Judge<'a> {
    pub directory: PathBuf,
    settings: &'a Settings,
    pub foreign: Foreign,
    /// The true time of each line.
    written: Vec<i64>,
    before: Vec<Content>,
    /// A process was killed since the last look.
    was_killed: bool,
    /// How many archives there were at the last look.
    archives: usize,
    pub looks: u64,
}

impl<'a> Judge<'a> {
    pub fn new(directory: &Path, settings: &'a Settings, foreign: Foreign) -> Self {
        let (written, before) = Default::default();
        Self {
            directory: directory.to_owned(),
            settings,
            foreign,
            written,
            before,
            was_killed: false,
            archives: 0,
            looks: 0,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.join(BASE)
    }

    /// How many lines were written.
    pub fn lines(&self) -> u64 {
        self.written.len() as u64
    }

    /// How many of them have been removed.
    pub fn removed(&self) -> u64 {
        oldest(&self.before).unwrap_or(self.lines())
    }

    pub fn wrote(&mut self, Written { line, at }: Written) {
        self.written.resize(line as usize, at);
    }

    /// The last line may have been written and not been acknowledged, or the other processes' work was cut short.
    pub fn was_killed(&mut self, killed: bool, at: i64) -> Result<(), String> {
        self.was_killed |= killed;
        let last = self.read()?.last().map_or(0, |file| file.lines.end);
        if killed && last == self.lines() + 1 {
            self.wrote(Written { line: last, at });
        }
        Ok(())
    }

    fn read(&self) -> Result<Vec<Content>, String> {
        files::read(&self.directory, self.settings, self.foreign.names())
    }

    /// Compares the files with what was written.
    pub fn look(&mut self) -> Result<(), String> {
        settled()?;
        let now = self.read()?;
        self.looks += 1;
        self.has_all_but_the_oldest(&now)?;
        self.is_in_order(&now)?;
        if oldest(&now) > oldest(&self.before) && !self.before.is_empty() {
            self.may_remove(&now)?;
        }
        // One that a kill left over goes at the next rotation. A kill between the steps of a rotation leaves only archives, or
        // archives and an empty file.
        let in_use = self.path().canonicalize().ok();
        let archives = now.iter().filter(|file| file.path.canonicalize().ok() != in_use).count();
        let limit = self.settings.keep.max(self.archives).saturating_add(usize::from(self.was_killed));
        if archives > limit {
            return Err(format!("{archives} archives: {}", shown(&now)));
        }
        self.before = now;
        self.archives = archives;
        self.was_killed = false;
        Ok(())
    }

    /// From the first line that there is, each one is there, once: what is missing is older than all that is there.
    fn has_all_but_the_oldest(&self, now: &[Content]) -> Result<(), String> {
        let mut next = oldest(now).unwrap_or(self.lines());
        if oldest(&self.before).is_some_and(|before| next < before) {
            return Err(format!("line {next} is back: {}", shown(now)));
        }
        for file in now {
            if file.lines.start != next {
                return Err(format!(
                    "line {next} is missing or doubled: {}, before: {}",
                    shown(now),
                    shown(&self.before)
                ));
            }
            next = file.lines.end;
        }
        match next == self.lines() {
            true => Ok(()),
            false => {
                Err(format!("{} lines were written: {}, before: {}", self.lines(), shown(now), shown(&self.before)))
            }
        }
    }

    /// The names have the order of the lines, for retention and for readers.
    fn is_in_order(&self, now: &[Content]) -> Result<(), String> {
        let clock = Arc::new(Manual::new(Timestamp::new(*self.written.last().unwrap_or(&0), 0)));
        let all = self.settings.rotation(&clock).keep(0).plan(self.path()).map_err(|error| format!("{error:#}"))?;
        let places = all.iter().filter_map(|archive| now.iter().position(|file| file.path == archive.path));
        if !places.is_sorted() {
            let names: Vec<_> = all.iter().map(|archive| archive.path.file_name()).collect();
            return Err(format!("the archives are {names:?}: {}", shown(now)));
        }
        let Some(reader) = self.reader() else { return Ok(()) };
        let lines = files::lines_of(reader?, self.settings)?;
        let expected: Vec<_> = now.iter().flat_map(|file| file.lines.clone()).collect();
        if lines != expected { Err(format!("a reader finds {lines:?}: {}", shown(now))) } else { Ok(()) }
    }

    /// `None` if the reader does not know such names, or files of others have names that it knows.
    fn reader(&self) -> Option<Result<Reader, String>> {
        let is_known =
            !self.settings.namer && self.settings.order != Order::Dated("%d.%m.%Y") && !self.settings.has_foreign;
        let open = |path: &Path| match self.settings.order {
            Order::OldestFirst => Reader::open_oldest_first(path),
            _ => Reader::open(path),
        };
        (is_known && self.path().exists()).then(|| open(&self.path()).map_err(|error| format!("{error:#}")))
    }

    /// Whether a limit accounts for the removal of what is missing since the last look.
    fn may_remove(&self, now: &[Content]) -> Result<(), String> {
        // A directory takes the number of an archive.
        let slack = usize::from(self.was_killed) + usize::from(self.settings.has_directory());
        let archives = now.len().saturating_sub(1) + slack;
        if archives >= self.settings.keep || self.may_be_too_large(now) || self.may_be_too_old(now) {
            return Ok(());
        }
        let at = Timestamp::new(*self.written.last().unwrap_or(&0), 0);
        Err(format!("removed without a reason at {at}: {}, before: {}", shown(now), shown(&self.before)))
    }

    /// With the last file that was removed, the rest was too large, at least before it was compressed.
    fn may_be_too_large(&self, now: &[Content]) -> bool {
        let Some(total) = self.settings.total else { return false };
        let first = oldest(now).unwrap_or(self.lines());
        let last_removed = self.before.iter().map(|file| file.lines.start).rfind(|start| *start < first);
        let bytes: usize = (last_removed.unwrap_or(0)..self.lines()).map(|line| text(line).len()).sum();
        !self.settings.kind.is_plain() || bytes as u64 > total
    }

    /// What was removed is old in truth, unless the clock may have told otherwise for long.
    fn may_be_too_old(&self, now: &[Content]) -> bool {
        let Some(age) = self.settings.age else { return false };
        let last = oldest(now).unwrap_or(self.lines()).saturating_sub(1) as usize;
        let ages = self.written.get(last).zip(self.written.last()).map(|(then, now)| now - then);
        self.settings.jumps == Jumps::Anywhere || ages.is_some_and(|true_age| true_age > age)
    }

    /// The seals hold, where there are some.
    #[cfg(feature = "seal")]
    pub fn verify(&self) -> Result<(), String> {
        if self.settings.kind != Kind::Sealed || self.before.is_empty() {
            return Ok(());
        }
        let files = self.before.iter().map(|file| &file.path);
        let verifier = tracing_handlers::seal::Verifier::new(&super::settings::seal_key());
        let verified = verifier.files(files).map_err(|broken| format!("the seals are broken: {broken}"))?;
        let expected = self.before.iter().map(|file| file.lines.end - file.lines.start).sum::<u64>();
        if verified.lines == expected { Ok(()) } else { Err(format!("{expected} sealed lines: {verified:?}")) }
    }

    #[cfg(not(feature = "seal"))]
    pub fn verify(&self) -> Result<(), String> {
        Ok(())
    }
}

fn oldest(files: &[Content]) -> Option<u64> {
    files.first().map(|file| file.lines.start)
}

fn shown(files: &[Content]) -> String {
    let name = |file: &Content| file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files
        .iter()
        .map(|file| format!("{} {:?} of {}", name(file), file.lines, file.modified))
        .collect::<Vec<_>>()
        .join(", ")
}
