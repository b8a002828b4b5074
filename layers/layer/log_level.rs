//! The `log` crate's own maximum level, which tracing-log sets once, when it is installed.

#[cfg(feature = "log")]
pub(super) use following::{follow, in_step};
#[cfg(not(feature = "log"))]
pub(super) use left_alone::{follow, in_step};

#[cfg(feature = "log")]
mod following {
    use tracing_subscriber::filter::LevelFilter;

    /// Whether `log` has followed tracing so far: a level set by other code is left alone.
    pub(in crate::layer) fn in_step() -> bool {
        log::max_level() == as_log(LevelFilter::current())
    }

    pub(in crate::layer) fn follow(in_step: bool) {
        if in_step {
            log::set_max_level(as_log(LevelFilter::current()));
        }
    }

    fn as_log(level: LevelFilter) -> log::LevelFilter {
        match level {
            LevelFilter::OFF => log::LevelFilter::Off,
            LevelFilter::ERROR => log::LevelFilter::Error,
            LevelFilter::WARN => log::LevelFilter::Warn,
            LevelFilter::INFO => log::LevelFilter::Info,
            LevelFilter::DEBUG => log::LevelFilter::Debug,
            LevelFilter::TRACE => log::LevelFilter::Trace,
        }
    }
}

#[cfg(not(feature = "log"))]
mod left_alone {
    pub(in crate::layer) fn in_step() -> bool {
        false
    }

    pub(in crate::layer) fn follow(_: bool) {}
}
