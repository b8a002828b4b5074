use std::borrow::Cow;
use std::io::Write as _;

use tracing::Level;

use crate::filter::Place;
use crate::record::pool;
use crate::record::{Record, Severity};

/// The property that a record is routed by.
pub(super) enum Key {
    Target,
    Severity,
    Place(Place),
}

impl Key {
    /// Passes the record's value as text to `take`; empty if it has none.
    pub(super) fn text<R>(&self, record: &Record<'_>, take: impl FnOnce(&str) -> R) -> R {
        let place = match self {
            Self::Target => return take(record.target()),
            Self::Severity => return take(record.severity().name()),
            Self::Place(place) => place,
        };
        let Some(value) = place.value(record) else { return take("") };
        if let Some(text) = value.as_str() {
            return take(text);
        }
        let mut text = pool::take();
        let _ = write!(text, "{value}");
        let taken = take(&String::from_utf8_lossy(&text));
        pool::give(text);
        taken
    }
}

/// The case that a handler of a [`Route`](super::Route) is for, a severity or a text: see [`Route::with`](super::Route::with).
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case(Is);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Is {
    Severity(Severity),
    Text(Cow<'static, str>),
}

impl Case {
    /// Whether a record whose `key` is `text` falls under this case. If several cases fit, the one with the highest
    /// [`rank`](Self::rank) applies.
    pub(super) fn fits(&self, key: &Key, record: &Record<'_>, text: &str) -> bool {
        match key {
            Key::Severity => self.severity().is_some_and(|least| record.severity().is_at_least(least)),
            Key::Target => crate::filter::is_inside(text, self.as_str()),
            Key::Place(_) => text == self.as_str(),
        }
    }

    pub(super) fn rank(&self, key: &Key) -> usize {
        match key {
            Key::Severity => self.severity().map_or(0, |severity| severity.number().into()),
            Key::Target => crate::filter::depth(self.as_str()),
            Key::Place(_) => self.as_str().len(),
        }
    }

    /// Whether both receive the same records: severities of the same number do, and targets that are written differently.
    pub(super) fn is_same(&self, other: &Self, key: &Key) -> bool {
        match (&self.0, &other.0, key) {
            (Is::Severity(one), Is::Severity(other), _) => one.number() == other.number(),
            (Is::Text(one), Is::Text(other), Key::Target) => crate::filter::is_same_module(one, other),
            (one, other, _) => one == other,
        }
    }

    pub(super) fn severity(&self) -> Option<Severity> {
        match &self.0 {
            Is::Severity(severity) => Some(*severity),
            Is::Text(text) => text.parse().ok(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match &self.0 {
            Is::Severity(severity) => severity.name(),
            Is::Text(text) => text,
        }
    }
}

impl From<Severity> for Case {
    fn from(severity: Severity) -> Self {
        Self(Is::Severity(severity))
    }
}

impl From<Level> for Case {
    fn from(level: Level) -> Self {
        Severity::from(level).into()
    }
}

impl From<&'static str> for Case {
    fn from(text: &'static str) -> Self {
        Self(Is::Text(text.into()))
    }
}

impl From<String> for Case {
    fn from(text: String) -> Self {
        Self(Is::Text(text.into()))
    }
}
