//! Without the feature `time-zone` there are no rules.

use super::{Segment, config};
use crate::Error;

#[derive(Debug)]
pub(super) enum Rules {}

impl Rules {
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        Err(config(format!("time zone {name:?} needs the feature `time-zone`")))
    }

    pub(super) fn local() -> Result<Self, Error> {
        Self::named("local")
    }

    pub(super) fn offset(&self, _: i64) -> i32 {
        match *self {}
    }

    pub(super) fn segment(&self, _: i64) -> Segment {
        match *self {}
    }

    pub(super) fn write_abbreviation(&self, _: i64, _: &mut Vec<u8>) {
        match *self {}
    }
}
