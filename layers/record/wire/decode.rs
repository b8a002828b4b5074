use super::envelope::{self, Opened};
use super::fields::{Cursor, MALFORMED, Stop, TOO_LARGE, Verifier};
use super::{Frame, Limits, Rejected, layout};
use crate::clock::Timestamp;
use crate::record::encoding::{self, HeadMut, Slot};
use crate::record::{Kind, RecordBuf, Severity};

/// What [`decode`] found at the front of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decoded {
    /// A record, which has been read into the buffer.
    Record(Frame),
    /// A frame with matching checksums that this version of the crate cannot read: the version or the kind of the frame is
    /// unknown, or it contains an unknown kind of record, flag, or type of value.
    Unknown(Frame),
    /// The beginning of a frame.
    Incomplete {
        /// How many more bytes are needed at least: the rest of the head, or, if the head is complete, of the frame.
        missing: usize,
    },
}

/// Reads the frame at the front of `bytes` and puts its record into `into`. Bytes behind the frame are ignored.
///
/// `into` only changes if the result is [`Decoded::Record`], and its memory is reused. If that does not suffice, at most 1.25
/// times the length of the frame and 200 bytes are needed.
///
/// # Errors
///
/// [`Rejected`] says what is wrong and whether the frame can be skipped. A damaged head, or a frame that is too large, is
/// reported as soon as the head is complete, so that a caller does not wait for the rest.
///
/// ```
/// use tracing_handlers::record::wire::{self, Decoded, Fault, Limits};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let limits = Limits::new();
/// let mut bytes = Vec::new();
/// wire::encode(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record(), None, &limits, &mut bytes)?;
///
/// let mut record = RecordBuf::default();
/// let cut = &bytes[..bytes.len() - 5];
/// assert_eq!(wire::decode(cut, &limits, &mut record), Ok(Decoded::Incomplete { missing: 5 }));
/// bytes[40] ^= 1;
/// let rejected = wire::decode(&bytes, &limits, &mut record).unwrap_err();
/// assert_eq!((rejected.fault, rejected.len), (Fault::Body, Some(bytes.len())));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn decode(bytes: &[u8], limits: &Limits, into: &mut RecordBuf) -> Result<Decoded, Rejected> {
    let (frame, body) = match envelope::open(bytes, limits)? {
        Opened::Whole(frame, body) => (frame, body),
        Opened::Incomplete { missing } => return Ok(Decoded::Incomplete { missing }),
    };
    if frame.version != envelope::VERSION || frame.kind != envelope::RECORD {
        return Ok(Decoded::Unknown(frame));
    }
    match into.try_replace(|raw| read(body, limits, raw)) {
        Ok(()) => Ok(Decoded::Record(frame)),
        Err(Stop::Unknown) => Ok(Decoded::Unknown(frame)),
        Err(Stop::Fault(fault)) => Err(Rejected { fault, len: Some(frame.len) }),
    }
}

/// Appends the record in `body`, version 1, to an empty buffer.
fn read(body: &[u8], limits: &Limits, raw: &mut Vec<u8>) -> Result<(), Stop> {
    let fixed = Fixed(body.first_chunk().ok_or(MALFORMED)?);
    let kind = Kind::known(fixed.0[layout::KIND]).ok_or(Stop::Unknown)?;
    if fixed.flags() & !layout::ALL_FLAGS != 0 {
        return Err(Stop::Unknown);
    }
    let [fields, spans] = fixed.areas(body)?;
    let texts = Texts::of(fixed, body, spans.end, limits)?;
    // A span takes 8 bytes more than in the frame, where it takes at least 17.
    raw.reserve(encoding::HEADER + 8 + body.len() + body.len() / 2);
    encoding::begin(raw, kind, fixed.severity()?, fixed.time()?);
    let message = texts.message.map(|text| put_message(raw, text)).unwrap_or_default();
    let mut verifier = Verifier { limits, fields: 0 };
    read_fields(fields, &mut verifier, raw)?;
    let fields_end = raw.len();
    read_spans(spans, &mut verifier, raw)?;
    let spans_end = raw.len();
    raw.extend_from_slice(texts.behind.as_bytes());
    // Last, so that a malformed frame does not add a name.
    let severity = texts.severity(limits)?;
    let mut head = HeadMut::of(raw).ok_or(MALFORMED)?;
    head.set_severity(severity);
    head.set_thread_id(fixed.u64(layout::THREAD_ID));
    head.set_line(fixed.u32(layout::LINE));
    head.set_message(message);
    head.set_fields_end(fields_end);
    head.set_spans_end(spans_end);
    let [thread_name, target, name, module_path, file] = texts.slots(spans_end);
    head.set_thread_name(thread_name);
    head.set_target(target);
    head.set_name(name);
    head.set_module_path(module_path);
    head.set_file(file);
    encoding::end(raw);
    Ok(())
}

fn put_message(raw: &mut Vec<u8>, text: &str) -> Slot {
    encoding::put_aside(raw, 0, |out| out.extend_from_slice(text.as_bytes()))
}

fn read_fields(area: Cursor<'_>, verifier: &mut Verifier<'_>, raw: &mut Vec<u8>) -> Result<(), Stop> {
    let start = raw.len();
    raw.extend_from_slice(&area.body[area.at..area.end]);
    verifier.verify(area, false, &mut raw[start..])
}

fn read_spans(mut area: Cursor<'_>, verifier: &mut Verifier<'_>, raw: &mut Vec<u8>) -> Result<(), Stop> {
    let mut spans = 0;
    while !area.is_empty() {
        spans += 1;
        if spans > verifier.limits.spans {
            return Err(TOO_LARGE);
        }
        let at = area.sized()?;
        read_span(Cursor { body: area.body, at, end: area.at }, verifier, raw)?;
    }
    Ok(())
}

fn read_span(mut span: Cursor<'_>, verifier: &mut Verifier<'_>, raw: &mut Vec<u8>) -> Result<(), Stop> {
    let copy = encoding::put_foreign_span(raw, &span.body[span.at..span.end]);
    let [.., severity] = span.array::<{ layout::SPAN_HEAD }>()?;
    Severity::from_number(severity).ok_or(MALFORMED)?;
    span.label()?;
    span.label()?;
    // Its head and labels have been read.
    let fields = copy.end - (span.end - span.at)..copy.end;
    verifier.verify(span, true, &mut raw[fields])
}

/// The fixed part of a body.
#[derive(Clone, Copy)]
struct Fixed<'a>(&'a [u8; layout::FIXED]);

impl Fixed<'_> {
    /// The areas of the fields and of the spans.
    fn areas<'b>(self, body: &'b [u8]) -> Result<[Cursor<'b>; 2], Stop> {
        let mut rest = Cursor { body, at: layout::FIXED, end: body.len() };
        let mut area = |len| {
            let at = rest.skip(len)?;
            Ok(Cursor { body, at, end: rest.at })
        };
        Ok([area(self.len(layout::FIELDS_LEN))?, area(self.len(layout::SPANS_LEN))?])
    }

    /// The text if its flag is set. Without the flag, it must be empty.
    fn text_if(self, flag: u8, text: &str) -> Result<Option<&str>, Stop> {
        match (self.flags() & flag != 0, text) {
            (true, text) => Ok(Some(text)),
            (false, "") => Ok(None),
            (false, _) => Err(MALFORMED),
        }
    }

    fn severity(self) -> Result<Severity, Stop> {
        Severity::from_number(self.0[layout::SEVERITY]).ok_or(MALFORMED)
    }

    fn flags(self) -> u8 {
        self.0[layout::FLAGS]
    }

    fn time(self) -> Result<Timestamp, Stop> {
        match self.u32(layout::NANOS) {
            nanos @ 0..=999_999_999 => Ok(Timestamp::new(self.u64(layout::SECONDS) as i64, nanos)),
            _ => Err(MALFORMED),
        }
    }

    #[inline]
    fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    #[inline]
    fn u64(self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at + 4)) << 32
    }

    fn len(self, at: usize) -> usize {
        self.u32(at) as usize
    }
}

/// The texts at the end of a body.
struct Texts<'a> {
    fixed: Fixed<'a>,
    severity_name: &'a str,
    message: Option<&'a str>,
    /// Thread name, target, event name, module path and file, one after another.
    behind: &'a str,
    lens: [usize; 5],
}

impl<'a> Texts<'a> {
    fn of(fixed: Fixed<'a>, body: &'a [u8], at: usize, limits: &Limits) -> Result<Self, Stop> {
        let rest = &mut str::from_utf8(&body[at..]).map_err(|_| MALFORMED)?;
        let severity_name = take(rest, fixed.0[layout::SEVERITY_NAME_LEN].into(), usize::MAX)?;
        let message = take(rest, fixed.len(layout::MESSAGE_LEN), limits.value)?;
        let message = fixed.text_if(layout::HAS_MESSAGE, message)?;
        let behind = *rest;
        let place = |index: usize| fixed.len(layout::PLACE_LENS + 4 * index);
        let lens = [fixed.len(layout::THREAD_NAME_LEN), place(0), place(1), place(2), place(3)];
        let thread_name = take(rest, lens[0], limits.value)?;
        let [_target, _name] = [take(rest, lens[1], limits.value)?, take(rest, lens[2], limits.value)?];
        let [module_path, file] = [take(rest, lens[3], limits.value)?, take(rest, lens[4], limits.value)?];
        fixed.text_if(layout::HAS_THREAD_NAME, thread_name)?;
        fixed.text_if(layout::HAS_MODULE_PATH, module_path)?;
        fixed.text_if(layout::HAS_FILE, file)?;
        if rest.is_empty() { Ok(Self { fixed, severity_name, message, behind, lens }) } else { Err(MALFORMED) }
    }

    fn severity(&self, limits: &Limits) -> Result<Severity, Stop> {
        let severity = self.fixed.severity()?;
        match self.severity_name {
            "" => Ok(severity),
            name => severity.called(name, limits.severity_names).ok_or(MALFORMED),
        }
    }

    /// The slots of the texts in `behind`, the first of which is at `at`.
    fn slots(&self, mut at: usize) -> [Slot; 5] {
        let flags = self.fixed.flags();
        // Target and event name are always there.
        let needed = [layout::HAS_THREAD_NAME, 0, 0, layout::HAS_MODULE_PATH, layout::HAS_FILE];
        let mut slots = [Slot::NONE; 5];
        for ((slot, len), flag) in slots.iter_mut().zip(self.lens).zip(needed) {
            if flags & flag == flag {
                *slot = Slot { at: at as u32, len: len as u32 };
            }
            at += len;
        }
        slots
    }
}

/// Takes a text off the front. Fails if that would split a character.
fn take<'a>(rest: &mut &'a str, len: usize, max: usize) -> Result<&'a str, Stop> {
    let (text, behind) = rest.split_at_checked(len).ok_or(MALFORMED)?;
    *rest = behind;
    if len > max { Err(TOO_LARGE) } else { Ok(text) }
}
