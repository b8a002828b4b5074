//! The system's time zone.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::tz::TimeZone;

use super::rules::Rules;
use super::{Zone, config, names};
use crate::{Error, selflog};

/// With the feature `time-zone`.
impl Zone {
    /// Returns the system's time zone; UTC if it cannot be determined, which is reported once per process.
    pub(crate) fn local() -> Self {
        Self::new(Rules::new(time_zone()))
    }
}

impl Rules {
    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    pub(super) fn local() -> Result<Self, Error> {
        Ok(Self::new(time_zone()))
    }
}

fn time_zone() -> TimeZone {
    system().unwrap_or_else(|error| {
        static TOLD: AtomicBool = AtomicBool::new(false);
        if !TOLD.swap(true, Ordering::Relaxed) {
            selflog::tell(&format!("local times are in UTC: {error:#}"));
        }
        TimeZone::UTC
    })
}

/// Reads `TZ` itself rather than through jiff, so that it accepts the same names as other places and a change takes effect at once.
fn system() -> Result<TimeZone, Error> {
    let Some(name) = env::var_os("TZ") else { return of_system() };
    match name.to_str() {
        Some("") => Ok(TimeZone::UTC),
        Some(name) => {
            names::time_zone(name).map_err(|error| config(format!("cannot use TZ={name:?}")).with_source(error))
        }
        None => Err(config(format!("TZ={name:?} is not UTF-8"))),
    }
}

fn of_system() -> Result<TimeZone, Error> {
    let zone = TimeZone::try_system()
        .map_err(|error| config("cannot determine the system's time zone".to_owned()).with_source(error))?;
    match names::is_supported(&zone) {
        true => Ok(zone),
        false => Err(config("the system's time zone has an offset from UTC beyond ±23:59".to_owned())),
    }
}
