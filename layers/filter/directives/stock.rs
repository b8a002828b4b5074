//! Conversions between `Targets` and what tracing and tracing-subscriber have.

use tracing::Level;
use tracing_subscriber::filter::{self, LevelFilter};

use super::targets::Targets;
use crate::filter::Threshold;
use crate::{Severity, selflog};

/// Takes over the targets and the default. A directive that names fields, such as `shop[{user}]=info`, applies to its whole target
/// afterwards, which is reported to [`selflog`](crate::selflog).
impl From<filter::Targets> for Targets {
    fn from(stock: filter::Targets) -> Self {
        if stock.to_string().contains("[{") {
            selflog::tell(&format!("filter `{stock}`: its fields are ignored, they need an `EnvFilter`"));
        }
        let targets = stock.iter().collect::<Self>();
        match stock.default_level() {
            Some(level) => targets.with_default(level),
            None => targets,
        }
    }
}

/// A severity between tracing's levels becomes the level whose group it belongs to, so that more passes: `notice` becomes INFO.
impl From<Targets> for filter::Targets {
    fn from(targets: Targets) -> Self {
        let stock = targets.iter().map(|(target, level)| (target, level.level())).collect::<Self>();
        match targets.default_level() {
            Some(level) => stock.with_default(level.level()),
            None => stock,
        }
    }
}

macro_rules! from_level {
    ($($level:ty),*) => {$(
        /// Passes all targets from this level up.
        impl From<$level> for Targets {
            fn from(level: $level) -> Self {
                Self::new().with_default(level)
            }
        }
    )*};
}

from_level!(Level, LevelFilter, Severity, Threshold);
