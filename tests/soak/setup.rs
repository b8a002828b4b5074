use std::path::Path;
use std::time::Duration;

use tracing_handlers::handler::Handler;
#[cfg(any(feature = "gzip", feature = "zstd"))]
use tracing_handlers::rotation::Compression;
use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink::{Durability, File, FileOptions};
use tracing_handlers::{Output, Queue};

use super::family::Order;
use super::lines::Form;
use super::random::Random;

/// What old files are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Numbered,
    OldestFirst,
    /// To the second.
    Dated,
    /// From the start, and the path is a link.
    Live,
}

impl Names {
    pub fn naming(self) -> Naming {
        match self {
            Self::Numbered => Naming::numbered(),
            Self::OldestFirst => Naming::numbered_oldest_first(),
            Self::Dated => Naming::dated("%Y-%m-%d_%H-%M-%S").expect("the pattern is one"),
            Self::Live => Naming::numbered().live(true),
        }
    }

    pub fn order(self) -> Order {
        if self == Self::Numbered { Order::NewestFirst } else { Order::OldestFirst }
    }
}

/// How old files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    None,
    #[cfg(feature = "gzip")]
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

pub const PACKINGS: &[Packing] = &[
    Packing::None,
    #[cfg(feature = "gzip")]
    Packing::Gzip,
    #[cfg(feature = "zstd")]
    Packing::Zstd,
];

impl Packing {
    pub fn pack(self, rotation: Rotation) -> Rotation {
        match self {
            Self::None => rotation,
            #[cfg(feature = "gzip")]
            Self::Gzip => rotation.compression(Compression::gzip()),
            #[cfg(feature = "zstd")]
            Self::Zstd => rotation.compression(Compression::zstd()),
        }
    }
}

const DURABILITIES: &[Durability] = &[
    Durability::Flushed,
    Durability::Flushed,
    Durability::Flushed,
    Durability::Synced,
    Durability::Grouped(Duration::from_millis(2)),
];

/// How a process logs: drawn from a seed, so that the parent and each child know the same.
#[derive(Clone, Debug)]
pub struct Setup {
    pub form: Form,
    pub threads: u64,
    pub size: u64,
    /// `None`: as many old files as come.
    pub keep: Option<usize>,
    pub names: Names,
    pub packing: Packing,
    /// A process begins with a new file.
    pub on_startup: bool,
    pub buffer: usize,
    pub durability: Durability,
    pub is_queued: bool,
    /// Lines between two flushes, at most.
    pub burst: u64,
}

impl Setup {
    pub fn drawn(seed: u64) -> Self {
        let mut random = Random::of(seed, 0);
        Self {
            form: random.pick(&[Form::Text, Form::Json]),
            threads: 1 + random.below(6),
            size: random.pick(&[2_000, 10_000, 50_000]),
            keep: random.pick(&[None, None, Some(2), Some(8)]),
            names: random.pick(&[Names::Numbered, Names::Numbered, Names::OldestFirst, Names::Dated, Names::Live]),
            packing: random.pick(PACKINGS),
            on_startup: random.chance(1, 4),
            buffer: random.pick(&[0, 0, 1_000, 64 * 1024]),
            durability: random.pick(DURABILITIES),
            is_queued: random.chance(1, 2),
            burst: random.pick(&[1, 20, 500]),
        }
    }

    fn options(&self) -> FileOptions {
        match self.durability {
            Durability::Flushed => File::options().buffer(self.buffer),
            durability => File::options().durability(durability),
        }
    }

    pub fn handler(&self, path: &Path) -> Box<dyn Handler> {
        let rotation = Rotation::size(self.size).keep(self.keep.unwrap_or(usize::MAX));
        let rotation = rotation.naming(self.names.naming()).on_startup(self.on_startup);
        let rotation = self.packing.pack(rotation);
        let file = self.options().rotation(rotation).open(path).expect("the directory is ours");
        let output = Output::new(self.form.format(), file);
        if self.is_queued { Box::new(Queue::new(output)) } else { Box::new(output) }
    }
}
