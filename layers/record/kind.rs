use std::ops::BitOr;

/// What a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// Something was logged.
    Event = 0,
    /// Records are missing here: [`lost`](super::Record::field) says how many.
    Loss = 1,
    /// A span was made. Its record is in the span itself, as those of the next three are; see [`SpanEvents`].
    SpanNew = 2,
    /// A span was entered.
    SpanEnter = 3,
    /// A span was left.
    SpanExit = 4,
    /// A span is over.
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

    /// The kind with this number; `None` if there is none.
    pub(super) const fn known(number: u8) -> Option<Self> {
        match number {
            0..=5 => Some(Self::from_number(number)),
            _ => None,
        }
    }

    /// What the record of such a moment says.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::SpanNew => "new",
            Self::SpanEnter => "enter",
            Self::SpanExit => "exit",
            Self::SpanClose => "close",
            Self::Event | Self::Loss => "",
        }
    }

    /// Whether the record tells of a span's life: such records come only to handlers that [ask](crate::Handler::span_events).
    #[inline]
    pub const fn is_of_span(self) -> bool {
        self as u8 >= Self::SpanNew as u8
    }
}

/// Of which moments in the lives of spans there are to be records: tracing-subscriber's `FmtSpan`.
///
/// Such a record has the span's level, target and name, lies in the span itself (its [`spans`](super::Record::spans) end with
/// it), and says `new`, `enter`, `exit` or `close`. That of the close has two fields: `busy_ns`, how long threads were in the
/// span, and `idle_ns`, how long it was there without (`u64`, nanoseconds).
///
/// ```
/// use tracing_handlers::record::{Kind, SpanEvents};
///
/// let both = SpanEvents::NEW | SpanEvents::CLOSE;
/// assert!(both.contains(Kind::SpanClose) && !both.contains(Kind::SpanEnter));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpanEvents(u8);

impl SpanEvents {
    /// None: the default.
    pub const NONE: Self = Self(0);
    /// When it is made.
    pub const NEW: Self = Self::of(Kind::SpanNew);
    /// Whenever it is entered.
    pub const ENTER: Self = Self::of(Kind::SpanEnter);
    /// Whenever it is left.
    pub const EXIT: Self = Self::of(Kind::SpanExit);
    /// When it is over.
    pub const CLOSE: Self = Self::of(Kind::SpanClose);
    /// Whenever it is entered or left.
    pub const ACTIVE: Self = Self(Self::ENTER.0 | Self::EXIT.0);
    /// All of them.
    pub const ALL: Self = Self(Self::NEW.0 | Self::ACTIVE.0 | Self::CLOSE.0);

    const fn of(kind: Kind) -> Self {
        Self(1 << kind as u8)
    }

    /// Whether records of this kind are among them; those that do not tell of spans never are.
    #[inline]
    pub const fn contains(self, kind: Kind) -> bool {
        kind.is_of_span() && self.0 & Self::of(kind).0 != 0
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a record of this kind is for someone who asks for these.
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
