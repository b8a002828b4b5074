//! Files of others, called almost like those of the log.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::settings::{BASE, Order, Settings};

#[derive(Default)]
pub struct Foreign {
    directory: PathBuf,
    names: BTreeSet<OsString>,
    found: Vec<Found>,
}

/// A file, directory or link: its content or target, and when it was changed.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    name: OsString,
    what: String,
    modified: Option<SystemTime>,
}

impl Foreign {
    /// Creates a thousand of them.
    pub fn create(directory: &Path, settings: &Settings) -> Result<Self, String> {
        let names: BTreeSet<OsString> = names(settings).into_iter().map(OsString::from).collect();
        for (count, name) in names.iter().enumerate() {
            create(&directory.join(name), count).map_err(|error| format!("{}: {error}", name.display()))?;
        }
        let mut foreign = Self { directory: directory.to_owned(), names, found: Vec::new() };
        if settings.has_directory() {
            let name = if settings.before_extension { "app.2.log" } else { "app.log.2" };
            let name = if settings.namer { format!("old-{name}") } else { name.to_owned() };
            fs::create_dir_all(directory.join(&name)).map_err(|error| error.to_string())?;
            foreign.names.insert(name.into());
        }
        foreign.found = foreign.find();
        Ok(foreign)
    }

    pub fn names(&self) -> &BTreeSet<OsString> {
        &self.names
    }

    pub fn count(&self) -> u64 {
        self.names.len() as u64
    }

    pub fn is_unchanged(&self) -> Result<(), String> {
        let now = self.find();
        match self.found.iter().zip(&now).find(|(before, now)| before != now) {
            None => Ok(()),
            Some((before, now)) => Err(format!("a file of others was changed: {before:?} is {now:?}")),
        }
    }

    fn find(&self) -> Vec<Found> {
        self.names.iter().map(|name| Found::at(&self.directory, name)).collect()
    }
}

impl Found {
    fn at(directory: &Path, name: &OsString) -> Self {
        let path = directory.join(name);
        let what = match path.symlink_metadata() {
            Err(error) => error.to_string(),
            Ok(metadata) if metadata.is_dir() => "a directory".to_owned(),
            Ok(metadata) if metadata.is_symlink() => format!("a link to {:?}", fs::read_link(&path)),
            Ok(_) => fs::read_to_string(&path).unwrap_or_else(|error| error.to_string()),
        };
        let modified = path.symlink_metadata().and_then(|metadata| metadata.modified()).ok();
        Self { name: name.clone(), what, modified }
    }
}

/// Every twentieth is a directory, and another a link.
fn create(path: &Path, count: usize) -> std::io::Result<()> {
    match count % 20 {
        7 => fs::create_dir(path),
        #[cfg(unix)]
        13 => std::os::unix::fs::symlink(if count.is_multiple_of(3) { "nowhere" } else { "xapp.log.1" }, path),
        _ => fs::write(path, format!("theirs {count}\n")),
    }
}

/// Names that this naming does not produce, or cannot have reached.
fn names(settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = NEAR.iter().map(|name| (*name).to_owned()).collect();
    for n in 1..=45 {
        names.extend(NUMBERED.iter().map(|(before, after)| format!("{before}{n}{after}")));
        names.extend([format!("app.log.0{n}"), format!("app.0{n}.log"), format!("app.log.2026-11-{}", n + 30)]);
        names.extend([format!("app.log.2026-13-{n:02}"), format!("app.log.2026{:02}{n}", n % 88 + 13)]);
    }
    let is_numbered = !matches!(settings.order, Order::Dated(_));
    for n in 1..=60 {
        let (plain, before_extension) = (format!("app.log.{n}"), format!("app.{n}.log"));
        if !is_numbered || settings.before_extension || settings.namer {
            names.push(plain);
        }
        if !is_numbered || !settings.before_extension || settings.namer {
            names.push(before_extension);
        }
    }
    if is_numbered {
        names.extend((10..31).flat_map(|day| {
            [
                "app.log.2026-11-DAY",
                "app.log.202611DAY",
                "app.202611DAY.log",
                "app.log.202611DAY.gz",
                "app.log.2026-11-DAY.3",
            ]
            .map(|name| name.replace("DAY", &day.to_string()))
        }));
        names.extend(UNREACHED.iter().map(|name| (*name).to_owned()));
    }
    names.retain(|name| name != BASE);
    names
}

const NEAR: &[&str] = &[
    "app.log.",
    "app.log.0",
    "app.log.gz",
    "app.log.bak",
    "app.log~",
    "app.log.lock",
    "app.log.link.tmp",
    ".app.log.x.tmp",
    ".app.log.swp",
    ".app.log.x.gz.tmp",
    "app.log.18446744073709551616",
    "app.log.99999999999999999999999",
    "app.log.+1",
    "app.log.1e3",
    "app.log.-1",
    "app.log.1.0",
    "app.log.1 ",
    "app.log. 1",
    "app.log.１",
    "app.log.2026-11-20.0",
    "app.log.2026-11-20.",
    "app.log.2026-11-20.01",
    "app.log.2026-02-29",
    "app.log.2026-1-1",
    "app.log.26-11-20",
    "app.log.2026-11-20_24",
    "app.log.2026-11-20_23-60-00",
    "app.log.2026-11-20T10:00:00Z",
    "app.log.31.11.2026",
    "app.log.2026-00",
    "app.log.2026-13",
    "app",
    "app.",
    "app.log1",
    "app.logs",
    "log",
    "APP.LOG.1",
    "App.log.2",
    "old-",
    "old-app.log.",
    "old-app.log.0",
    "new-app.log.1",
];

const NUMBERED: &[(&str, &str)] = &[
    ("xapp.log.", ""),
    ("app.logs.", ""),
    ("app.log", ""),
    ("app.log.", ".bak"),
    ("app.log.", "~"),
    ("app.log.", ".gz.tmp"),
    ("app.log.", ".tar.gz"),
    ("app.log.", ".gz.gz"),
    ("app.log.", ".GZ"),
    ("app.log.", ".xz"),
    ("app.log.-", ""),
    ("app.log.v", ""),
    ("app-", ".log"),
    ("app.", ".log.bak"),
    ("app.", ".logs"),
    ("app..", ".log"),
    ("old-old-app.log.", ""),
    (".old-app.log.", ""),
];

/// For a naming by numbers.
const UNREACHED: &[&str] = &[
    "app.log.18446744073709551615",
    "app.18446744073709551615.log",
    "app.log.1763596800",
    "app.log.1763596800.gz",
    "app.log.2026112014",
    "old-app.log.20261120",
];
