//! Levels that tracing was compiled without.

use tracing::level_filters::STATIC_MAX_LEVEL;

use super::words;
use crate::filter::{LevelFilter, Threshold};
use crate::selflog;

/// Reports a directive that asks for events that were not compiled into the program.
pub(super) fn tell(directive: &str, level: Threshold) {
    if let Some(message) = message(directive, level, STATIC_MAX_LEVEL) {
        selflog::tell(&message);
    }
}

fn message(directive: &str, level: Threshold, most: LevelFilter) -> Option<String> {
    if level.level() <= most {
        return None;
    }
    let most = words::shown(most.into());
    Some(format!(
        "filter `{directive}`: the program was compiled without the levels beyond {most}; they need tracing without its feature \
         `max_level_{most}`, or `release_max_level_{most}` in a release build"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn row_41_a_directive_beyond_the_compiled_levels_is_reported_with_the_feature() {
        let reported = message("shop=trace", Level::TRACE.into(), LevelFilter::INFO).expect("TRACE is beyond INFO");
        for part in ["`shop=trace`", "`max_level_info`", "`release_max_level_info`"] {
            assert!(reported.contains(part), "{reported}");
        }
        assert!(
            message("off", Level::ERROR.into(), LevelFilter::OFF).is_some_and(|told| told.contains("`max_level_off`"))
        );
        for most in [LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE] {
            assert_eq!(message("info", Level::INFO.into(), most), None);
        }
        assert_eq!(message("off", Threshold::OFF, LevelFilter::OFF), None);
    }
}
