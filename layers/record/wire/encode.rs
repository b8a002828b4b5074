use super::envelope::{self, HEAD};
use super::prepared::{Place, Prepared};
use super::{Id, Limits, layout};
use crate::record::encoding::{RawEntry, Reader};
use crate::record::{Record, Span};
use crate::{Error, ErrorKind};

/// Appends `record` to `out` as one frame, which carries `id` if there is one.
///
/// All spans are written, including those hidden by [`with_span_level`](Record::with_span_level). Apart from growing `out`, this
/// does not allocate, except once per callsite.
///
/// # Errors
///
/// [`Format`](ErrorKind::Format): the record exceeds one of the `limits`, or the name of a field is longer than 65,535 bytes.
/// `out` is unchanged.
///
/// ```
/// use tracing_handlers::record::wire::{self, Decoded, Limits};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let record = RecordBuf::new(Severity::NOTICE, "shop", "sold out").with_field("article", "umbrella");
/// let mut bytes = Vec::new();
/// wire::encode(&record.as_record(), None, &Limits::new(), &mut bytes)?;
///
/// let mut read = RecordBuf::default();
/// assert!(matches!(wire::decode(&bytes, &Limits::new(), &mut read)?, Decoded::Record(frame) if frame.len == bytes.len()));
/// assert_eq!(read.as_record().severity().name(), "NOTICE");
/// assert_eq!(read.as_record().field("article").unwrap().as_str(), Some("umbrella"));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn encode(record: &Record<'_>, id: Option<Id>, limits: &Limits, out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    // Usually enough: frames spell out the names of callsites, but have a shorter header.
    out.reserve(record.raw().len() + 256);
    out.extend_from_slice(&[0; HEAD + layout::FIXED]);
    let mut body = Body { out, start: start + HEAD, limits, fields: 0, exceeded: None };
    body.put_record(record);
    let exceeded = body.exceeded.or((out.len() - start > limits.frame).then_some("frame"));
    if exceeded.is_none() && envelope::seal(&mut out[start..], envelope::RECORD, id).is_some() {
        return Ok(());
    }
    out.truncate(start);
    Err(too_large(exceeded.unwrap_or("frame")))
}

#[cold]
fn too_large(limit: &'static str) -> Error {
    Error::new(ErrorKind::Format, format!("the record is too large for a frame: it exceeds the limit `{limit}`"))
}

struct Body<'o> {
    out: &'o mut Vec<u8>,
    /// Where the body starts in `out`.
    start: usize,
    limits: &'o Limits,
    fields: usize,
    exceeded: Option<&'static str>,
}

impl Body<'_> {
    fn put_record(&mut self, record: &Record<'_>) {
        self.put_fixed(record);
        let fields = self.put_fields(record.fields_area(), Prepared::of(record.callsite()));
        self.set(layout::FIELDS_LEN, fields);
        let spans = self.put_spans(record);
        self.set(layout::SPANS_LEN, spans);
        self.put_texts(record);
        if self.fields > self.limits.fields {
            self.refuse("fields");
        }
    }

    fn put_fixed(&mut self, record: &Record<'_>) {
        let (severity, time) = (record.severity(), record.time());
        let fixed = &mut self.out[self.start..];
        fixed[layout::KIND] = record.kind() as u8;
        fixed[layout::SEVERITY] = severity.number();
        fixed[layout::NANOS..layout::SECONDS].copy_from_slice(&time.nanos().to_le_bytes());
        fixed[layout::SECONDS..layout::THREAD_ID].copy_from_slice(&time.seconds().to_le_bytes());
        fixed[layout::THREAD_ID..layout::LINE].copy_from_slice(&record.thread_id().unwrap_or(0).to_le_bytes());
        fixed[layout::LINE..layout::FIELDS_LEN].copy_from_slice(&record.line().unwrap_or(0).to_le_bytes());
    }

    /// Appends the fields. Returns their length.
    #[inline]
    fn put_fields(&mut self, area: &[u8], names: Option<&Prepared>) -> usize {
        let start = self.out.len();
        let mut reader = Reader(area);
        while let Some(entry) = reader.raw_entry() {
            self.put_field(&entry, names);
        }
        self.out.len() - start
    }

    #[inline]
    fn put_field(&mut self, entry: &RawEntry<'_>, names: Option<&Prepared>) {
        if entry.tag == layout::ASIDE {
            return;
        }
        self.fields += 1;
        if entry.payload.len() > self.limits.value {
            self.check_payload(entry);
        }
        let Some(index) = entry.index else { return self.out.extend_from_slice(entry.whole) };
        self.out.push(entry.tag | layout::INLINE);
        match names.and_then(|names| names.keys.get(usize::from(index))) {
            Some(Some(name)) => name.put(self.out),
            Some(None) => self.refuse("name"),
            // The name is unknown in the record as well.
            None => self.out.extend_from_slice(&[0; 2]),
        }
        match entry.payload.first_chunk::<8>() {
            // Most: numbers of 8 bytes.
            Some(payload) if entry.payload.len() == 8 => self.out.extend_from_slice(payload),
            _ => self.out.extend_from_slice(entry.payload),
        }
    }

    /// Appends the spans, each with its length in front. Returns their length.
    fn put_spans(&mut self, record: &Record<'_>) -> usize {
        let (start, mut spans) = (self.out.len(), 0);
        for span in record.all_spans() {
            spans += 1;
            let at = self.out.len();
            self.out.extend_from_slice(&[0; 4]);
            self.put_span(&span);
            // Truncated only in a frame that exceeds the limits.
            let len = (self.out.len() - at - 4) as u32;
            self.out[at..at + 4].copy_from_slice(&len.to_le_bytes());
        }
        if spans > self.limits.spans {
            self.refuse("spans");
        }
        self.out.len() - start
    }

    fn put_span(&mut self, span: &Span<'_>) {
        self.out.extend_from_slice(&span.id().to_le_bytes());
        self.out.push(span.severity().number());
        let prepared = Prepared::of(span.callsite());
        match prepared.map(|prepared| &prepared.span) {
            Some(Some(labels)) => labels.put(self.out),
            Some(None) => self.refuse("name"),
            None => [span.name(), span.target()].into_iter().for_each(|label| self.put_label(label)),
        }
        self.put_fields(span.fields_area(), prepared);
    }

    /// Appends the name or target of a span without a callsite, which the encoding limits to 65,535 bytes.
    fn put_label(&mut self, label: &str) {
        self.out.extend_from_slice(&(label.len() as u16).to_le_bytes());
        self.out.extend_from_slice(label.as_bytes());
    }

    fn put_texts(&mut self, record: &Record<'_>) {
        let severity = record.severity();
        let severity_name = if severity.is_named() { severity.name() } else { "" };
        self.out.extend_from_slice(severity_name.as_bytes());
        self.put_text(layout::MESSAGE_LEN, record.message());
        self.put_text(layout::THREAD_NAME_LEN, record.thread_name().unwrap_or(""));
        let place = match Prepared::of(record.callsite().filter(|_| record.callsite_of_meta().is_some())) {
            Some(prepared) => prepared.place,
            None => Place {
                target: record.target(),
                name: record.name(),
                module_path: record.module_path(),
                file: record.file(),
            },
        };
        for (index, text) in place.texts().into_iter().enumerate() {
            self.put_text(layout::PLACE_LENS + 4 * index, text);
        }
        let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
        let flags = place.flags()
            | flag(record.has_message(), layout::HAS_MESSAGE)
            | flag(record.thread_name().is_some(), layout::HAS_THREAD_NAME);
        let fixed = &mut self.out[self.start..];
        fixed[layout::FLAGS] = flags;
        // At most 32 bytes.
        fixed[layout::SEVERITY_NAME_LEN] = severity_name.len() as u8;
    }

    #[inline]
    fn put_text(&mut self, len_at: usize, text: &str) {
        if text.len() > self.limits.value {
            self.refuse("value");
        }
        self.set(len_at, text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    #[cold]
    fn check_payload(&mut self, entry: &RawEntry<'_>) {
        if !entry.is_of_fixed_length() && entry.payload.len() - 4 > self.limits.value {
            self.refuse("value");
        }
    }

    #[cold]
    fn refuse(&mut self, limit: &'static str) {
        self.exceeded = Some(limit);
    }

    /// Sets a length in the fixed part. It is truncated only in a frame that exceeds the limits.
    #[inline]
    fn set(&mut self, at: usize, len: usize) {
        let at = self.start + at;
        self.out[at..at + 4].copy_from_slice(&(len as u32).to_le_bytes());
    }
}
