use super::{Decoded, Frame, Limits, Rejected, decode};
use crate::record::RecordBuf;

/// Reads consecutive frames and counts them.
///
/// Frames that this version of the crate cannot read are skipped and counted as [`unknown`](Self::unknown). A rejected frame is
/// returned as an error and counted; the next call continues behind it if its length is known, and returns `None` otherwise. At
/// the end, [`rest`](Self::rest) is empty, or starts with an incomplete frame or a damaged head.
///
/// ```
/// use tracing_handlers::record::wire::{self, Fault, Frames, Limits};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let limits = Limits::new();
/// let mut bytes = Vec::new();
/// for message in ["one", "two", "three"] {
///     wire::encode(&RecordBuf::new(Severity::INFO, "shop", message).as_record(), None, &limits, &mut bytes)?;
/// }
/// let at = bytes.windows(3).position(|bytes| bytes == b"two").unwrap();
/// bytes[at] = b'T';
///
/// let mut frames = Frames::new(&bytes, limits);
/// let (mut record, mut messages) = (RecordBuf::default(), Vec::new());
/// loop {
///     match frames.next(&mut record) {
///         Ok(Some(_)) => messages.push(record.as_record().message().to_owned()),
///         Ok(None) => break,
///         Err(rejected) => assert_eq!(rejected.fault, Fault::Body),
///     }
/// }
/// assert_eq!(messages, ["one", "three"]);
/// assert_eq!((frames.records(), frames.rejected(), frames.unknown()), (2, 1, 0));
/// assert!(frames.rest().is_empty());
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    limits: Limits,
    is_over: bool,
    records: u64,
    unknown: u64,
    rejected: u64,
}

impl<'a> Frames<'a> {
    /// Creates a reader of the frames in `bytes`.
    pub const fn new(bytes: &'a [u8], limits: Limits) -> Self {
        Self { rest: bytes, limits, is_over: false, records: 0, unknown: 0, rejected: 0 }
    }

    /// Reads the next record into `into`. Returns `None` at the end.
    ///
    /// This is not an [`Iterator`], since each record replaces the one before.
    ///
    /// # Errors
    ///
    /// As for [`decode`]. `next` may be called again after an error.
    pub fn next(&mut self, into: &mut RecordBuf) -> Result<Option<Frame>, Rejected> {
        while !self.is_over {
            match decode(self.rest, &self.limits, into) {
                Ok(Decoded::Record(frame)) => {
                    self.records += 1;
                    self.step(frame.len);
                    return Ok(Some(frame));
                }
                Ok(Decoded::Unknown(frame)) => {
                    self.unknown += 1;
                    self.step(frame.len);
                }
                Ok(Decoded::Incomplete { .. }) => self.is_over = true,
                Err(rejected) => {
                    self.rejected += 1;
                    self.step(rejected.len.unwrap_or(usize::MAX));
                    return Err(rejected);
                }
            }
        }
        Ok(None)
    }

    /// Returns the bytes that have not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the number of records read.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Returns the number of frames skipped because this version of the crate cannot read them.
    pub const fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Returns the number of frames rejected.
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    fn step(&mut self, len: usize) {
        match self.rest.get(len..) {
            Some(rest) => self.rest = rest,
            None => self.is_over = true,
        }
    }
}
