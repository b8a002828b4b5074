use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::date_pattern::DatePattern;
use super::ends::Ends;
use crate::clock::civil::Civil;
use crate::{Error, ErrorKind};

/// How archives, the files left behind by rotation, are named.
///
/// | naming | archives, oldest first | as in |
/// |---|---|---|
/// | [`numbered`](Self::numbered) (the default) | `app.log.3`, `app.log.2`, `app.log.1` | Python's `RotatingFileHandler`, logrotate, log4j2's `fileIndex="min"` |
/// | [`numbered_oldest_first`](Self::numbered_oldest_first) | `app.log.1`, `app.log.2`, `app.log.3` | log4j2's `fileIndex="nomax"`, flexi_logger; log4j2's default, `max`, renames all files once it has reached its highest number |
/// | [`dated`](Self::dated) | `app.log.2026-11-20`, `app.log.2026-11-20.1`, `app.log.2026-11-21` | Python's `TimedRotatingFileHandler`, log4j2's `%d` |
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`before_extension`](Self::before_extension) | no | `app.2026-11-20.log`, `app.1.log` |
/// | [`live`](Self::live) | no | the file in use has its final name from the start, and the path is a link to it |
/// | [`namer`](Self::namer) | none | custom names, derived from these |
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::rotation::{Naming, Rotation};
/// use tracing_handlers::sink::File;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("app.log");
/// let naming = Naming::numbered_oldest_first().before_extension(true);
/// let mut file = File::open(&path)?.rotation(Rotation::size(4).naming(naming));
/// for line in ["one\n", "two\n", "six\n"] {
///     file.write_all(line.as_bytes())?;
/// }
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.1.log"))?, "one\n");
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.2.log"))?, "two\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Only files with exactly the names that this naming produces belong to the log: `app.log.1.bak`,
/// `app.log.01` and `app.log.2026-02-30` are neither moved nor removed. Neither are numbers that it cannot have reached by
/// itself, such as the date in `app.log.20261120`: if number 1 is the newest archive, those that are larger than the number of
/// archives to [keep](super::Rotation::keep) and have a gap before them; if it is the oldest, those above a million or behind a
/// gap of more than a thousand.
///
/// Dates in names do not decrease from one archive to the next. While the clock is behind the date of the newest archive, that
/// date is used again, with a number.
#[must_use = "a rotation does nothing until it is given to a file"]
#[derive(Clone, Debug)]
pub struct Naming {
    order: Order,
    before_extension: bool,
    live: bool,
    /// Names that do not depend on that of the log.
    ends: Option<Ends>,
    namer: Option<CustomNames>,
}

#[derive(Clone, Debug)]
enum Order {
    NewestFirst,
    OldestFirst,
    Dated(DatePattern),
}

/// Custom names for archives. Python's `handler.namer`.
pub trait Namer: Send + Sync + 'static {
    /// Returns the name of the archive that would otherwise be called `usual`. Both are file names without a directory.
    fn name(&self, usual: &str) -> String;

    /// Returns the usual name of the file called `name`, or `None` if `name` is not one of these. If [`name`](Self::name) does not
    /// turn the result back into `name`, the file is ignored.
    ///
    /// If `name` panics, the usual name is used; if `usual` panics, the file is ignored.
    fn usual(&self, name: &str) -> Option<String>;
}

impl Naming {
    /// `app.log.1` is the newest; at each rotation the others move up by one.
    pub fn numbered() -> Self {
        Self { order: Order::NewestFirst, before_extension: false, live: false, ends: None, namer: None }
    }

    /// `app.log.1` is the oldest; an archive keeps its name.
    pub fn numbered_oldest_first() -> Self {
        Self { order: Order::OldestFirst, ..Self::numbered() }
    }

    /// Names an archive after the start of its period, formatted by `pattern` (`%Y %m %d %H %M %S %j %F` and text between them),
    /// in the time zone of the [schedule](super::Schedule). If the name is taken, a number follows: `app.log.2026-11-20.1`.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the pattern contains another directive, a unit without the larger ones, or a path separator.
    pub fn dated(pattern: &str) -> Result<Self, Error> {
        if pattern.contains(std::path::is_separator) {
            let message = format!("date pattern {pattern:?}: must not contain a path separator");
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(Self::of_pattern(DatePattern::new(pattern)?))
    }

    pub(super) fn of_pattern(pattern: DatePattern) -> Self {
        Self { order: Order::Dated(pattern), ..Self::numbered() }
    }

    /// Whether date and number are placed before the last extension: `app.1.log`.
    pub fn before_extension(mut self, before_extension: bool) -> Self {
        self.before_extension = before_extension;
        self
    }

    /// Whether the file in use has its final name from the start, and the path is a symbolic link to it: `app.log` leads to
    /// `app.log.2026-11-21`. Nothing is renamed at a rotation.
    ///
    /// Numbers then count from the oldest file. A process with the same names and without this setting removes a link that it
    /// finds at the path; the file it led to becomes an archive.
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// Sets custom names, which `namer` derives from these.
    pub fn namer(mut self, namer: impl Namer) -> Self {
        self.namer = Some(CustomNames(Arc::new(namer)));
        self
    }

    /// Names archives independently of the name of the log.
    pub(super) fn within(self, ends: Ends) -> Self {
        Self { ends: Some(ends), ..self }
    }

    /// Whether a file of the current period that is already there is continued. That of another program may be: which file was in use
    /// is not known if there was no link.
    pub(super) fn continues(&self) -> bool {
        self.ends.is_some()
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    pub(super) fn is_dated(&self) -> bool {
        matches!(self.order, Order::Dated(_))
    }

    /// Whether the name of the file in use says when it began.
    pub(super) fn is_named_by_begin(&self) -> bool {
        self.live && self.is_dated()
    }

    /// Whether number 1 is the newest archive. A live file could not move up.
    pub(super) fn counts_down(&self) -> bool {
        matches!(self.order, Order::NewestFirst) && !self.live
    }

    /// Whether number 1 is the oldest archive, and nothing else says that.
    pub(super) fn counts_up(&self) -> bool {
        matches!(self.order, Order::OldestFirst) && !self.live
    }

    /// Orders archives from the oldest to the newest.
    pub(super) fn compare_age(&self, one: &Mark, other: &Mark) -> Ordering {
        if self.counts_down() { other.cmp(one) } else { one.cmp(other) }
    }

    /// The mark after the last of the `taken` ones; with dates, after the last one of the same date. A date before the last one
    /// becomes the last one: the clock was set back, and a newer archive must not seem older.
    pub(super) fn next_mark<'a>(&self, taken: impl Iterator<Item = &'a Mark>, date: impl FnOnce() -> Civil) -> Mark {
        let last = taken.max();
        let Order::Dated(pattern) = &self.order else {
            return Mark::numbered(last.map_or(0, |last| last.number).saturating_add(1));
        };
        let date = as_written(date(), pattern);
        match last {
            Some(last) if last.date >= date => Mark { date: last.date, number: last.number.saturating_add(1) },
            _ => Mark { date, number: 0 },
        }
    }

    /// Removes from `marks` those that this naming, with `keep` archives, cannot have produced by itself: another program or a
    /// person chose these names.
    pub(super) fn retain_own(&self, marks: &mut BTreeSet<Mark>, keep: usize) {
        if self.counts_down() {
            let without_gap =
                (1..).zip(marks.iter()).take_while(|(number, mark)| mark.number == *number).count() as u64;
            return marks.retain(|mark| mark.number <= without_gap.max(number_kept(keep)));
        }
        let mut last: Option<Mark> = None;
        marks.retain(|mark| {
            let before = last.filter(|last| last.date == mark.date);
            let is_own = mark.number <= before.map_or(FIRST, |last| last.number.saturating_add(GAP));
            if is_own {
                last = Some(*mark);
            }
            is_own
        });
    }

    /// Whether `keep` archives, one after another, reach this mark.
    pub(super) fn may_reach(&self, mark: &Mark, keep: usize) -> bool {
        !self.counts_down() || mark.number <= u64::try_from(keep).unwrap_or(u64::MAX).min(FIRST)
    }

    /// The name of the archive of `base` with this mark.
    pub(super) fn name(&self, base: &OsStr, mark: &Mark) -> OsString {
        let mut middle = String::new();
        if let (Order::Dated(pattern), Some(date)) = (&self.order, &mark.date) {
            pattern.write(*date, &mut middle);
        }
        if mark.number > 0 || mark.date.is_none() {
            let dot = if middle.is_empty() { "" } else { "." };
            middle = format!("{middle}{dot}{}", mark.number);
        }
        let (before, after) = self.around(base);
        let mut name = before;
        name.push(middle);
        name.push(after);
        match &self.namer {
            Some(custom) => custom.name(&name.to_string_lossy()).map_or(name, OsString::from),
            None => name,
        }
    }

    /// Returns the mark of `name`, if that is a name that [`name`](Self::name) produces.
    pub(super) fn parse(&self, base: &OsStr, name: &OsStr) -> Option<Mark> {
        let mark = match &self.namer {
            Some(custom) => self.parse_usual(base, OsStr::new(&custom.usual(name.to_str()?)?))?,
            None => self.parse_usual(base, name)?,
        };
        (self.name(base, &mark) == name).then_some(mark)
    }

    fn parse_usual(&self, base: &OsStr, name: &OsStr) -> Option<Mark> {
        let (before, after) = self.around(base);
        let name = name.as_encoded_bytes().strip_prefix(before.as_encoded_bytes())?;
        let middle = name.strip_suffix(after.as_encoded_bytes())?;
        let middle = std::str::from_utf8(middle).ok()?;
        let Order::Dated(pattern) = &self.order else {
            return Some(Mark { date: None, number: middle.parse().ok()? }).filter(|mark| mark.number > 0);
        };
        let (date, rest) = pattern.parse(middle)?;
        let number = match rest.strip_prefix('.') {
            Some(number) => number.parse().ok().filter(|number| *number > 0)?,
            None => rest.is_empty().then_some(0)?,
        };
        Some(Mark { date: Some(date), number })
    }

    /// The parts of the name before and after the date and number.
    fn around(&self, base: &OsStr) -> (OsString, OsString) {
        if let Some(ends) = &self.ends {
            return ends.around();
        }
        let path = Path::new(base);
        let (mut before, after) = match (path.file_stem(), path.extension()) {
            (Some(stem), Some(extension)) if self.before_extension => {
                let mut after = OsString::from(".");
                after.push(extension);
                (stem.to_owned(), after)
            }
            _ => (base.to_owned(), OsString::new()),
        };
        before.push(".");
        (before, after)
    }
}

/// Up to which number an archive belongs to the log even if smaller numbers are missing, where the newest has number 1.
fn number_kept(keep: usize) -> u64 {
    // Nobody keeps thousands of files by number and removes some of them by hand, but years are numbers too.
    if keep < 1_000 { keep as u64 } else { 0 }
}

/// The first number of the archives that are left, where the oldest has number 1, is not larger than this.
const FIRST: u64 = 1_000_000;
/// Not more archives than this were removed between two that are left.
const GAP: u64 = 1_000;

/// Removes from `date` what a name by `pattern` does not contain.
fn as_written(date: Civil, pattern: &DatePattern) -> Option<Civil> {
    let mut text = String::new();
    pattern.write(date, &mut text);
    pattern.parse(&text).map(|(date, _)| date)
}

/// Identifies an archive within its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) date: Option<Civil>,
    /// 0 for none.
    pub(super) number: u64,
}

impl Mark {
    pub(super) fn numbered(number: u64) -> Self {
        Self { date: None, number }
    }
}

#[derive(Clone)]
struct CustomNames(Arc<dyn Namer>);

/// A panic of user code must not reach the caller that logs.
impl CustomNames {
    fn name(&self, usual: &str) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.0.name(usual))).ok()
    }

    fn usual(&self, name: &str) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.0.usual(name))).ok().flatten()
    }
}

impl fmt::Debug for CustomNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Namer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_known(naming: &Naming, name: &str) -> bool {
        naming.parse(OsStr::new("app.log"), OsStr::new(name)).is_some()
    }

    #[test]
    fn a_number_is_recognized_by_its_exact_spelling() {
        for naming in [Naming::numbered(), Naming::numbered_oldest_first()] {
            for name in ["app.log.1", "app.log.10", "app.log.18446744073709551615"] {
                assert!(is_known(&naming, name), "{name}");
            }
            for name in [
                "app.log",
                "app.log.",
                "app.log.0",
                "app.log.01",
                "app.log.+1",
                "app.log.1.bak",
                "app.log.1~",
                "app.log.18446744073709551616",
                "app.log.-1",
                "app.log1",
                "my.app.log.1",
                "app.logs.1",
            ] {
                assert!(!is_known(&naming, name), "{name}");
            }
        }
    }

    #[test]
    fn a_date_is_recognized_only_if_that_day_exists() {
        let naming = Naming::dated("%Y-%m-%d").unwrap();
        for name in ["app.log.2026-11-21", "app.log.2026-11-21.1", "app.log.2024-02-29"] {
            assert!(is_known(&naming, name), "{name}");
        }
        for name in
            ["app.log.2026-02-29", "app.log.2026-11-21.0", "app.log.2026-11-21.", "app.log.2026-1-1", "app.log.1"]
        {
            assert!(!is_known(&naming, name), "{name}");
        }
    }

    #[test]
    fn the_extension_may_stay_at_the_end() {
        let naming = Naming::dated("%Y%m%d").unwrap().before_extension(true);
        assert!(is_known(&naming, "app.20261121.log"));
        assert!(is_known(&naming, "app.20261121.7.log"));
        assert!(!is_known(&naming, "app.log.20261121"));
        let hidden = Naming::numbered().before_extension(true);
        assert_eq!(hidden.name(OsStr::new(".app"), &Mark { date: None, number: 1 }), ".app.1");
    }

    #[test]
    fn live_can_be_turned_off_again() {
        let naming = Naming::numbered().live(true);
        assert!(!naming.counts_down() && naming.clone().live(false).counts_down());
    }

    #[test]
    fn a_custom_name_is_recognized_if_it_leads_back() {
        struct Old;
        impl Namer for Old {
            fn name(&self, usual: &str) -> String {
                format!("old-{usual}")
            }
            fn usual(&self, name: &str) -> Option<String> {
                name.strip_prefix("old-").map(str::to_lowercase)
            }
        }
        let naming = Naming::numbered().namer(Old);
        assert!(is_known(&naming, "old-app.log.3"));
        assert!(!is_known(&naming, "old-APP.log.3"), "it does not lead back");
        assert!(!is_known(&naming, "app.log.3"));
    }
}
