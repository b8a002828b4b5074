use std::ffi::{OsStr, OsString};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::date_pattern::DatePattern;
use crate::clock::civil::Civil;
use crate::{Error, ErrorKind};

/// What a file is called when it has ended.
///
/// | naming | ended files, the oldest first | as in |
/// |---|---|---|
/// | [`numbered`](Self::numbered) (the default) | `app.log.3`, `app.log.2`, `app.log.1` | Python's `RotatingFileHandler`, logrotate, log4j2's `fileIndex="min"` |
/// | [`numbered_oldest_first`](Self::numbered_oldest_first) | `app.log.1`, `app.log.2`, `app.log.3` | log4j2's `fileIndex="nomax"`, flexi_logger |
/// | [`dated`](Self::dated) | `app.log.2026-11-20`, `app.log.2026-11-20.1`, `app.log.2026-11-21` | Python's `TimedRotatingFileHandler`, log4j2's `%d` |
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`before_extension`](Self::before_extension) | no | `app.2026-11-20.log`, `app.1.log` |
/// | [`live`](Self::live) | no | the file in use has its final name from the start, and the path is a link to it |
/// | [`namer`](Self::namer) | none | names of one's own, made from these |
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::rotation::{Naming, Rotation};
/// use tracing_handlers::sink::File;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("app.log");
/// let naming = Naming::numbered_oldest_first().before_extension();
/// let mut file = File::open(&path)?.rotation(Rotation::size(4).naming(naming));
/// for line in ["one\n", "two\n", "six\n"] {
///     file.write_all(line.as_bytes())?;
/// }
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.1.log"))?, "one\n");
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.2.log"))?, "two\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A name is known again only if it is exactly one that this naming gives, to the last digit: `app.log.1.bak`,
/// `app.log.01` and `app.log.2026-02-30` are other people's files, which are neither moved nor removed.
#[derive(Clone, Debug)]
pub struct Naming {
    order: Order,
    before_extension: bool,
    live: bool,
    namer: Option<Own>,
}

#[derive(Clone, Debug)]
enum Order {
    NewestFirst,
    OldestFirst,
    Dated(DatePattern),
}

/// Names of one's own for ended files. Python's `handler.namer`.
pub trait Namer: Send + Sync + 'static {
    /// The name for the file that would be called `usual`; both are names without a directory.
    fn name(&self, usual: &str) -> String;

    /// The other way round: the usual name of the file called `name`, or `None` where that is no name of ours. What
    /// [`name`](Self::name) does not make `name` again of is left alone.
    ///
    /// Where one of the two panics, the usual name is taken, and no name is known.
    fn usual(&self, name: &str) -> Option<String>;
}

impl Naming {
    /// `app.log.1` is the newest; at each turn the others move up by one.
    pub fn numbered() -> Self {
        Self { order: Order::NewestFirst, before_extension: false, live: false, namer: None }
    }

    /// `app.log.1` is the oldest; an ended file keeps its name for ever.
    pub fn numbered_oldest_first() -> Self {
        Self { order: Order::OldestFirst, ..Self::numbered() }
    }

    /// The date at which the file's period began, as `pattern` writes it (`%Y %m %d %H %M %S %j %F` and text between them), by the
    /// clock of the [schedule](super::Schedule)'s zone. Where the name is taken, a number follows: `app.log.2026-11-20.1`.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): another directive, a finer unit without the coarser ones, or a `/`.
    pub fn dated(pattern: &str) -> Result<Self, Error> {
        if pattern.contains(std::path::is_separator) {
            let message = format!("date pattern {pattern:?}: a name has no directories");
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(Self::of_pattern(DatePattern::new(pattern)?))
    }

    pub(super) fn of_pattern(pattern: DatePattern) -> Self {
        Self { order: Order::Dated(pattern), ..Self::numbered() }
    }

    /// Puts date and number in front of the last extension: `app.1.log`.
    pub fn before_extension(mut self) -> Self {
        self.before_extension = true;
        self
    }

    /// Gives the file in use its final name from the start, and makes the path a symbolic link to it: `app.log` leads to
    /// `app.log.2026-11-21`. Nothing is renamed at a turn.
    ///
    /// Numbers then count from the oldest file. A process with the same names and without this removes the link that it finds
    /// at the path: what that led to has ended.
    pub fn live(mut self) -> Self {
        self.live = true;
        if matches!(self.order, Order::NewestFirst) {
            self.order = Order::OldestFirst;
        }
        self
    }

    /// Names of one's own, which `namer` makes of these.
    pub fn namer(mut self, namer: impl Namer) -> Self {
        self.namer = Some(Own(Arc::new(namer)));
        self
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    pub(super) fn moves_up(&self) -> bool {
        matches!(self.order, Order::NewestFirst)
    }

    pub(super) fn is_dated(&self) -> bool {
        matches!(self.order, Order::Dated(_))
    }

    /// As much of it as a name shows.
    pub(super) fn date(&self, date: Civil) -> Option<Civil> {
        let Order::Dated(pattern) = &self.order else { return None };
        let mut text = String::new();
        pattern.write(date, &mut text);
        pattern.parse(&text).map(|(date, _)| date)
    }

    /// The name of the ended file of `base` with this mark.
    pub(super) fn name(&self, base: &OsStr, mark: &Mark) -> OsString {
        let mut middle = String::new();
        if let (Order::Dated(pattern), Some(date)) = (&self.order, &mark.date) {
            pattern.write(*date, &mut middle);
        }
        if mark.number > 0 || !self.is_dated() {
            let dot = if middle.is_empty() { "" } else { "." };
            middle = format!("{middle}{dot}{}", mark.number);
        }
        let (before, after) = self.around(base);
        let mut name = before;
        name.push(".");
        name.push(middle);
        name.push(after);
        match &self.namer {
            Some(own) => own.name(&name.to_string_lossy()).map_or(name, OsString::from),
            None => name,
        }
    }

    /// Whose mark it is, if this is a name that [`name`](Self::name) gives.
    pub(super) fn parse(&self, base: &OsStr, name: &OsStr) -> Option<Mark> {
        let mark = match &self.namer {
            Some(own) => self.parse_usual(base, OsStr::new(&own.usual(name.to_str()?)?))?,
            None => self.parse_usual(base, name)?,
        };
        (self.name(base, &mark) == name).then_some(mark)
    }

    fn parse_usual(&self, base: &OsStr, name: &OsStr) -> Option<Mark> {
        let (before, after) = self.around(base);
        let name = name.as_encoded_bytes().strip_prefix(before.as_encoded_bytes())?;
        let middle = name.strip_prefix(b".")?.strip_suffix(after.as_encoded_bytes())?;
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

    /// What stands before and behind date and number.
    fn around(&self, base: &OsStr) -> (OsString, OsString) {
        let path = Path::new(base);
        match (path.file_stem(), path.extension()) {
            (Some(stem), Some(extension)) if self.before_extension => {
                let mut after = OsString::from(".");
                after.push(extension);
                (stem.to_owned(), after)
            }
            _ => (base.to_owned(), OsString::new()),
        }
    }
}

/// What tells one ended file from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) date: Option<Civil>,
    /// 0: none.
    pub(super) number: u64,
}

#[derive(Clone)]
struct Own(Arc<dyn Namer>);

/// A panic of somebody else's code must not reach whoever logs.
impl Own {
    fn name(&self, usual: &str) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.0.name(usual))).ok()
    }

    fn usual(&self, name: &str) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.0.usual(name))).ok().flatten()
    }
}

impl fmt::Debug for Own {
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
    fn a_number_is_known_by_its_exact_spelling() {
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
    fn a_date_is_known_only_if_there_is_such_a_day() {
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
        let naming = Naming::dated("%Y%m%d").unwrap().before_extension();
        assert!(is_known(&naming, "app.20261121.log"));
        assert!(is_known(&naming, "app.20261121.7.log"));
        assert!(!is_known(&naming, "app.log.20261121"));
        let hidden = Naming::numbered().before_extension();
        assert_eq!(hidden.name(OsStr::new(".app"), &Mark { date: None, number: 1 }), ".app.1");
    }

    #[test]
    fn a_name_of_ones_own_is_known_if_it_leads_back() {
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
