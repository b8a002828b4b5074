//! The `log` crate's own maximum level, below which its macros do nothing.

#[cfg(feature = "log")]
pub(super) use following::{follow, in_step, start};
#[cfg(not(feature = "log"))]
pub(super) use left_alone::{follow, in_step};

#[cfg(feature = "log")]
mod following {
    use tracing_subscriber::filter::LevelFilter;

    /// Sets the level once records of the `log` crate reach tracing.
    pub(in crate::layer) fn start() {
        log::set_max_level(match LevelFilter::current() {
            // There may be no subscriber yet, whose installation this would miss.
            LevelFilter::OFF => log::LevelFilter::Trace,
            level => as_log(level),
        });
    }

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
