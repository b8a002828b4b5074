use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// An event: something was logged.
    Event = 0,
    /// A loss notice: records are missing here. The field [`lost`](super::Record::field) says how many.
    Loss = 1,
    /// A span was created. Like those of the next three kinds, the record is in the span itself; see [`SpanEvents`].
    SpanNew = 2,
    /// A span was entered.
    SpanEnter = 3,
    /// A span was exited.
    SpanExit = 4,
    /// A span was closed.
    SpanClose = 5,
}

impl Kind {
    #[inline]
    pub(super) const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Loss,
            2 => Self::SpanNew,
            3 => Self::SpanEnter,
            4 => Self::SpanExit,
            5 => Self::SpanClose,
            _ => Self::Event,
        }
    }

    /// Returns the kind with this number; `None` if there is none.
    pub(super) const fn known(number: u8) -> Option<Self> {
        match number {
            0..=5 => Some(Self::from_number(number)),
            _ => None,
        }
    }

    /// Returns the message of a record of this kind.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::SpanNew => "new",
            Self::SpanEnter => "enter",
            Self::SpanExit => "exit",
            Self::SpanClose => "close",
            Self::Event | Self::Loss => "",
        }
    }

    /// Whether this is a span lifecycle event; only handlers that [ask](crate::Handler::span_events) receive such records.
    #[inline]
    pub const fn is_of_span(self) -> bool {
        self as u8 >= Self::SpanNew as u8
    }
}

/// The span lifecycle events to create records for: tracing-subscriber's `FmtSpan`.
///
/// Such a record has the span's level, target and name, is in the span itself (its [`spans`](super::Record::spans) end with it),
/// and has the message `new`, `enter`, `exit` or `close`. A `close` record has two fields: `busy_ns`, how long threads were in the
/// span, and `idle_ns`, how long the span was open without a thread in it (`u64`, nanoseconds). Formats may write them
/// [otherwise](crate::format::SpanTimes): `time.busy=1.23µs`.
///
/// ```
/// use tracing_handlers::record::{Kind, SpanEvents};
///
/// let both = SpanEvents::NEW | SpanEvents::CLOSE;
/// assert!(both.contains(Kind::SpanClose) && !both.contains(Kind::SpanEnter));
/// assert_eq!(both.to_string(), "new,close");
/// assert_eq!("new, close".parse::<SpanEvents>()?, both);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpanEvents(u8);

impl SpanEvents {
    /// No records; the default.
    pub const NONE: Self = Self(0);
    /// When a span is created.
    pub const NEW: Self = Self::of(Kind::SpanNew);
    /// Whenever a span is entered.
    pub const ENTER: Self = Self::of(Kind::SpanEnter);
    /// Whenever a span is exited.
    pub const EXIT: Self = Self::of(Kind::SpanExit);
    /// When a span is closed.
    pub const CLOSE: Self = Self::of(Kind::SpanClose);
    /// Whenever a span is entered or exited.
    pub const ACTIVE: Self = Self(Self::ENTER.0 | Self::EXIT.0);
    /// All of them.
    pub const ALL: Self = Self(Self::NEW.0 | Self::ACTIVE.0 | Self::CLOSE.0);

    const fn of(kind: Kind) -> Self {
        Self(1 << kind as u8)
    }

    /// Whether the set contains records of this kind; it never contains records other than span events.
    #[inline]
    pub const fn contains(self, kind: Kind) -> bool {
        kind.is_of_span() && self.0 & Self::of(kind).0 != 0
    }

    /// Whether the set is empty.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a handler that asks for this set receives records of this kind.
    #[inline]
    pub(crate) const fn takes(self, kind: Kind) -> bool {
        !kind.is_of_span() || self.contains(kind)
    }
}

impl BitOr for SpanEvents {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Writes the messages of the records, separated by commas: `new,close`; or `none`.
impl fmt::Display for SpanEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.pad("none");
        }
        let words: Vec<_> = KINDS.into_iter().filter(|kind| self.contains(*kind)).map(Kind::word).collect();
        f.pad(&words.join(","))
    }
}

/// Parses `new`, `enter`, `exit` and `close`, separated by commas; or `none`, `active` (enter and exit) or `all`. Case
/// is ignored.
impl FromStr for SpanEvents {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.to_ascii_lowercase()
            .split(',')
            .map(str::trim)
            .try_fold(Self::NONE, |all, word| Ok(all | span_events(word)?))
    }
}

fn span_events(word: &str) -> Result<SpanEvents, Error> {
    match word {
        "none" => Ok(SpanEvents::NONE),
        "active" => Ok(SpanEvents::ACTIVE),
        "all" => Ok(SpanEvents::ALL),
        _ => {
            let kind = KINDS.into_iter().find(|kind| kind.word() == word);
            kind.map(SpanEvents::of).ok_or_else(|| {
                let expected = "expected `new`, `enter`, `exit`, `close`, `active`, `all` or `none`";
                Error::new(ErrorKind::Config, format!("span events: {expected}, found `{word}`"))
            })
        }
    }
}

const KINDS: [Kind; 4] = [Kind::SpanNew, Kind::SpanEnter, Kind::SpanExit, Kind::SpanClose];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_events_that_are_displayed_parse_again() {
        for bits in 0..16_u8 {
            let events = SpanEvents(bits << Kind::SpanNew as u8);
            assert_eq!(events.to_string().parse::<SpanEvents>().ok(), Some(events), "{events}");
        }
        assert_eq!("active,close".parse::<SpanEvents>().ok(), Some(SpanEvents::ACTIVE | SpanEvents::CLOSE));
        assert_eq!("all".parse::<SpanEvents>().ok(), Some(SpanEvents::ALL));
        for wrong in ["", "opened", "new,", "news", "new close"] {
            assert!(wrong.parse::<SpanEvents>().is_err(), "{wrong:?}");
        }
    }
}
