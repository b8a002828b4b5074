use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::clock::Manual;
use tracing_handlers::rotation::{Namer, Naming, Rotation, Schedule};
use tracing_handlers::sink::{File, FileOptions};

use crate::scenarios::random::Random;
use crate::scenarios::setup::{PACKINGS, Packing};

/// How a log is written, named and kept: drawn from a seed, so that the parent and each child know the same.
#[derive(Clone, Debug)]
pub struct Settings {
    pub order: Order,
    pub before_extension: bool,
    pub live: bool,
    pub namer: bool,
    size: Option<u64>,
    schedule: Option<Times>,
    on_startup: bool,
    pub keep: usize,
    pub age: Option<i64>,
    pub total: Option<u64>,
    pub packing: Packing,
    pub kind: Kind,
    pub jumps: Jumps,
    pub has_foreign: bool,
    pub is_killed: bool,
}

/// What numbers or dates archives have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    OldestFirst,
    Dated(&'static str),
}

/// What the file is besides a sequence of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// Two handles take turns.
    Shared,
    #[cfg(feature = "seal")]
    Sealed,
    #[cfg(feature = "encryption")]
    Encrypted,
}

/// When a schedule rotates.
#[derive(Clone, Copy, Debug)]
enum Times {
    Daily,
    Hourly,
    Every(u64),
    #[cfg(feature = "time-zone")]
    DailyIn(&'static str),
    #[cfg(feature = "time-zone")]
    HourlyIn(&'static str),
}

/// How the clock jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jumps {
    /// Anywhere, for any time.
    Anywhere,
    /// Forward in a running process, and back within the hour: what is removed for its age is old in truth.
    BrieflyAhead,
    /// The same, by years, and also while the process starts.
    YearsAhead,
}

impl Settings {
    pub fn drawn(seed: u64) -> Self {
        let mut random = Random::of(seed, 0);
        let has_size = random.chance(2, 3);
        let kind = random.pick(KINDS);
        let jumps = random.pick(&[Jumps::Anywhere, Jumps::Anywhere, Jumps::BrieflyAhead, Jumps::YearsAhead]);
        let jumps = if kind.is_plain() { jumps } else { Jumps::Anywhere };
        Self {
            order: random.pick(ORDERS),
            before_extension: random.chance(1, 4),
            live: cfg!(unix) && random.chance(1, 4),
            namer: random.chance(1, 6),
            size: has_size.then(|| random.pick(if kind.is_plain() { &[60, 200] } else { &[900, 1_500] })),
            schedule: (!has_size || random.chance(1, 2)).then(|| random.pick(TIMES)),
            on_startup: random.chance(1, 3),
            keep: random.pick(&[0, 1, 2, 3, 3, 8, 8, usize::MAX, usize::MAX]),
            age: (jumps != Jumps::Anywhere || random.chance(1, 3)).then(|| random.pick(&[3_600, 86_400, 4 * 86_400])),
            total: random.chance(1, 4).then(|| random.pick(&[500, 3_000])),
            packing: if kind.is_compressed() { random.pick(PACKINGS) } else { Packing::None },
            kind,
            jumps,
            has_foreign: random.chance(1, 3),
            is_killed: jumps == Jumps::Anywhere && random.chance(1, 3),
        }
    }

    pub fn naming(&self) -> Naming {
        let naming = match self.order {
            Order::NewestFirst => Naming::numbered(),
            Order::OldestFirst => Naming::numbered_oldest_first(),
            Order::Dated(pattern) => Naming::dated(pattern).expect("the pattern is valid"),
        };
        let naming = naming.before_extension(self.before_extension).live(self.live);
        if self.namer { naming.namer(Old) } else { naming }
    }

    pub fn rotation(&self, clock: &Arc<Manual>) -> Rotation {
        let mut rotation = Rotation::on_request().on_startup(self.on_startup).keep(self.keep).clock(clock.clone());
        if let Some(size) = self.size {
            rotation = rotation.or_size(size);
        }
        if let Some(times) = self.schedule {
            rotation = rotation.or_schedule(times.schedule());
        }
        if let Some(age) = self.age {
            rotation = rotation.max_age(Duration::from_secs(age.unsigned_abs()));
        }
        if let Some(total) = self.total {
            rotation = rotation.max_total(total);
        }
        self.packing.pack(rotation.naming(self.naming()))
    }

    fn options(&self) -> FileOptions {
        match self.kind {
            Kind::Plain => File::options(),
            Kind::Shared => File::options().shared(true),
            #[cfg(feature = "seal")]
            Kind::Sealed => File::options().seal(tracing_handlers::seal::Seal::new(seal_key())),
            #[cfg(feature = "encryption")]
            Kind::Encrypted => File::options().encrypt(keys()),
        }
    }

    /// Opens the log, in a shared directory twice.
    pub fn open(&self, path: &Path, clock: &Arc<Manual>) -> Result<Vec<File>, String> {
        let open = || self.options().rotation(self.rotation(clock)).open(path).map_err(|error| format!("{error:#}"));
        (0..if self.kind == Kind::Shared { 2 } else { 1 }).map(|_| open()).collect()
    }

    /// Whether this is what selflog says about a directory that has the name of an archive.
    pub fn is_expected(&self, said: &str) -> bool {
        self.has_directory() && (said.contains("is in the way") || said.contains("rotation works again"))
    }

    /// A directory is called `app.log.2`.
    pub fn has_directory(&self) -> bool {
        self.has_foreign && !self.is_killed && self.order == Order::NewestFirst && self.keep == 8
    }
}

impl Kind {
    /// Nothing but lines is written, and so no time but the clock's stands at a file.
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Plain | Self::Shared)
    }

    fn is_compressed(self) -> bool {
        #[cfg(feature = "encryption")]
        return self != Self::Encrypted;
        #[cfg(not(feature = "encryption"))]
        true
    }
}

impl Times {
    fn schedule(self) -> Schedule {
        match self {
            Self::Daily => Schedule::daily(),
            Self::Hourly => Schedule::hourly(),
            Self::Every(seconds) => Schedule::every(Duration::from_secs(seconds)),
            #[cfg(feature = "time-zone")]
            Self::DailyIn(zone) => Schedule::daily().zone(zone).expect("the zone is known"),
            #[cfg(feature = "time-zone")]
            Self::HourlyIn(zone) => Schedule::hourly().zone(zone).expect("the zone is known"),
        }
    }
}

struct Old;

impl Namer for Old {
    fn name(&self, usual: &str) -> String {
        format!("old-{usual}")
    }

    fn usual(&self, name: &str) -> Option<String> {
        name.strip_prefix("old-").map(str::to_owned)
    }
}

#[cfg(feature = "seal")]
pub fn seal_key() -> tracing_handlers::seal::Key {
    tracing_handlers::seal::Key::from_bytes([7; 32])
}

#[cfg(feature = "encryption")]
pub fn keys() -> tracing_handlers::encryption::Keys {
    tracing_handlers::encryption::Keys::new(tracing_handlers::encryption::Key::from_bytes([8; 32]))
}

pub const BASE: &str = "app.log";

const ORDERS: &[Order] = &[
    Order::NewestFirst,
    Order::NewestFirst,
    Order::OldestFirst,
    Order::Dated("%F"),
    Order::Dated("%Y%m%d"),
    Order::Dated("%Y-%m"),
    Order::Dated("%Y-%m-%d_%H"),
    Order::Dated("%Y-%m-%d_%H-%M-%S"),
    Order::Dated("%d.%m.%Y"),
];

const KINDS: &[Kind] = &[
    Kind::Plain,
    Kind::Plain,
    Kind::Plain,
    Kind::Shared,
    #[cfg(feature = "seal")]
    Kind::Sealed,
    #[cfg(feature = "encryption")]
    Kind::Encrypted,
];

const TIMES: &[Times] = &[
    Times::Daily,
    Times::Daily,
    Times::Hourly,
    Times::Every(3_600),
    Times::Every(86_400),
    #[cfg(feature = "time-zone")]
    Times::DailyIn("Europe/Berlin"),
    #[cfg(feature = "time-zone")]
    Times::HourlyIn("Europe/Berlin"),
    #[cfg(feature = "time-zone")]
    Times::DailyIn("Pacific/Auckland"),
];
