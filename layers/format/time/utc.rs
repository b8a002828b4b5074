use super::Time;
use crate::{Error, ErrorKind};

/// Without the feature `time-zone`.
impl Time {
    /// By a name in a text: `utc` is the only one.
    pub(in crate::format) fn named(zone: &str) -> Result<Self, Error> {
        match zone {
            "utc" | "UTC" => Ok(Self::rfc3339()),
            _ => Err(Error::new(ErrorKind::Config, format!("the zone `{zone}` needs the feature `time-zone`"))),
        }
    }
}
