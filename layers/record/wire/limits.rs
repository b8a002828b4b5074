use crate::record::encoding::MAX_TEXT;

/// Bounds on the frames that are written and read.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`frame`](Self::frame) | 17 MiB | longest frame, in bytes |
/// | [`value`](Self::value) | 16 MiB | longest text, bytes, error or JSON, in bytes |
/// | [`fields`](Self::fields) | 65,536 | most fields, those of all spans included |
/// | [`spans`](Self::spans) | 65,536 | most spans |
/// | [`severity_names`](Self::severity_names) | 125 | new severity names are learned from frames only while the process knows fewer names than this |
///
/// Whatever the limits, a record that has been read takes at most 1.25 times the length of its frame and 200 bytes.
///
/// ```
/// use tracing_handlers::record::wire::{self, Limits};
/// use tracing_handlers::{ErrorKind, RecordBuf, Severity};
///
/// let limits = Limits::new().frame(64 << 10).value(10);
/// let record = RecordBuf::new(Severity::INFO, "shop", "longer than ten bytes");
/// let mut out = Vec::new();
/// let error = wire::encode(&record.as_record(), None, &limits, &mut out).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Format);
/// assert!(out.is_empty());
/// ```
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(super) frame: usize,
    pub(super) value: usize,
    pub(super) fields: usize,
    pub(super) spans: usize,
    pub(super) severity_names: usize,
}

impl Limits {
    /// The defaults.
    pub const fn new() -> Self {
        Self { frame: MAX_TEXT + (1 << 20), value: MAX_TEXT, fields: 1 << 16, spans: 1 << 16, severity_names: 125 }
    }

    /// The maximum length of a frame in bytes, including the head. Values above 1 GiB are taken as 1 GiB.
    pub const fn frame(mut self, bytes: usize) -> Self {
        self.frame = if bytes > MAX_FRAME { MAX_FRAME } else { bytes };
        self
    }

    /// The maximum length in bytes of a value, the message, the target and other texts. Values above 16 MiB, the most that a
    /// record can hold, are taken as 16 MiB. Names of fields and spans are limited to 65,535 bytes by the format.
    pub const fn value(mut self, bytes: usize) -> Self {
        self.value = if bytes > MAX_TEXT { MAX_TEXT } else { bytes };
        self
    }

    /// The maximum number of fields, counting those of all spans and the ids that spans follow from.
    pub const fn fields(mut self, fields: usize) -> Self {
        self.fields = fields;
        self
    }

    /// The maximum number of spans.
    pub const fn spans(mut self, spans: usize) -> Self {
        self.spans = spans;
        self
    }

    /// How many of the 250 places for [severity names](crate::Severity::define) may be used before reading frames stops adding to
    /// them.
    ///
    /// A severity keeps its number. It also keeps its name if the process knows the name. An unknown name is learned while fewer
    /// than `names` are in use; otherwise the severity is shown with the name of its group. Use 0, which learns none, for frames
    /// from untrusted peers, which could otherwise use up the places.
    ///
    /// A learned name is only displayed. Until the process defines it, neither the field `severity` nor
    /// [`parse`](std::str::FromStr) accepts it. Reading a frame never changes the number of a defined name.
    pub const fn severity_names(mut self, names: usize) -> Self {
        self.severity_names = names;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// Offsets in memory have 32 bits, and a record takes up to 1.25 times its frame there.
const MAX_FRAME: usize = 1 << 30;
