//! Time zones: conversion between points in time and local dates and times.

mod civil;
#[cfg(feature = "time-zone")]
mod local;
#[cfg(feature = "time-zone")]
mod names;
#[cfg(feature = "time-zone")]
mod rules;
#[cfg(not(feature = "time-zone"))]
#[path = "utc_only.rs"]
mod rules;

use std::sync::Arc;

pub(crate) use civil::Segment;
use rules::Rules;

use super::words::keyword;
use crate::{Error, ErrorKind};

/// A time zone. The default is UTC, which needs neither the feature `time-zone` nor a database.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone(
    /// `None`: UTC.
    Option<Arc<Rules>>,
);

impl Zone {
    pub(crate) const UTC: Self = Self(None);

    /// Returns the time zone with this name, as documented in [`clock`](crate::clock#time-zones).
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the name is not known or needs the feature `time-zone`, or if an offset of the zone is beyond
    /// ±23:59.
    pub(crate) fn named(name: &str) -> Result<Self, Error> {
        match keyword(name).as_str() {
            "utc" => Ok(Self::UTC),
            "local" => Rules::local().map(Self::new),
            _ => Rules::named(name.trim()).map(Self::new),
        }
    }

    /// Whether it is [`Zone::UTC`]. Zones that merely have no offset are not.
    #[inline]
    pub(crate) fn is_utc(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the offset from UTC at that second, in seconds.
    #[inline]
    pub(crate) fn offset(&self, seconds: i64) -> i64 {
        self.0.as_ref().map_or(0, |rules| rules.offset(seconds).into())
    }

    /// Returns the offset from UTC at that second, rounded to minutes: RFC 3339 has no seconds there, unlike the local mean times of
    /// the 19th century. The date and the time must be computed from this offset, so that the text denotes the right point in time.
    #[inline]
    pub(crate) fn offset_minutes(&self, seconds: i64) -> i32 {
        self.0.as_ref().map_or(0, |rules| to_minutes(rules.offset(seconds)))
    }

    /// Appends the abbreviation in use at that second: `CEST`, or `+0545` if it has no letters.
    pub(crate) fn write_abbreviation(&self, seconds: i64, out: &mut Vec<u8>) {
        match &self.0 {
            Some(rules) => rules.write_abbreviation(seconds, out),
            None => out.extend_from_slice(b"UTC"),
        }
    }

    fn new(rules: Rules) -> Self {
        Self(Some(Arc::new(rules)))
    }
}

/// Rounds an offset in seconds to minutes.
#[inline]
fn to_minutes(offset: i32) -> i32 {
    (offset + 30).div_euclid(60)
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests;
